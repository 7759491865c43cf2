//! `bellwether features --list`: the catalogue of ready features, and what of it a book can build.

use std::fmt::Write as _;
use std::path::Path;

use bellwether_book::{BookFile, Catalogue, Entry, Role, RoleColumn};
use bellwether_core::Direction;
use serde::Serialize;

use crate::args::Features;
use crate::failure::Failure;
use crate::output::{print_json, print_text};

#[derive(Serialize)]
struct Listed<'a> {
    entries: Vec<ListedEntry<'a>>,
    roles: Vec<ListedRole<'a>>,
}

#[derive(Serialize)]
struct ListedEntry<'a> {
    name: &'a str,
    ids: &'a [String],
    category: &'a str,
    unit: &'a str,
    good: Option<&'static str>,
    what: &'a str,
    formula: &'a str,
    needs: &'a [String],
    /// Whether the book can build it; absent without book.
    #[serde(skip_serializing_if = "Option::is_none")]
    buildable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<String>>,
}

#[derive(Serialize)]
struct ListedRole<'a> {
    name: &'a str,
    what: &'a str,
    kinds: Vec<String>,
    columns: Vec<ListedColumn<'a>>,
}

#[derive(Serialize)]
struct ListedColumn<'a> {
    name: &'a str,
    what: &'a str,
    values: &'a [String],
}

pub(crate) fn run(arguments: &Features) -> Result<(), Failure> {
    let book = arguments.book.as_deref().map(BookFile::read).transpose()?;
    if arguments.markdown {
        return print_text(markdown(Catalogue::standard()).trim_end());
    }
    let listed = listed(Catalogue::standard(), book.as_ref());
    if arguments.json { print_json(&listed) } else { print_text(&text(&listed, arguments.book.as_deref())) }
}

fn listed<'a>(catalogue: &'a Catalogue, book: Option<&BookFile>) -> Listed<'a> {
    let entry = |entry: &'a Entry| {
        let missing = book.map(|book| book.missing_for(entry));
        ListedEntry {
            name: &entry.name,
            ids: &entry.ids,
            category: entry.category,
            unit: &entry.unit,
            good: entry.good.map(way),
            what: &entry.what,
            formula: &entry.formula,
            needs: &entry.needs,
            buildable: missing.as_ref().map(Vec::is_empty),
            missing,
        }
    };
    Listed {
        entries: catalogue.entries().iter().map(entry).collect(),
        roles: catalogue.roles().iter().map(listed_role).collect(),
    }
}

fn listed_role(role: &Role) -> ListedRole<'_> {
    ListedRole {
        name: &role.name,
        what: &role.what,
        kinds: kinds(role),
        columns: role.columns.iter().map(listed_column).collect(),
    }
}

fn listed_column(column: &RoleColumn) -> ListedColumn<'_> {
    let RoleColumn { name, what, values } = column;
    ListedColumn { name, what, values }
}

fn kinds(role: &Role) -> Vec<String> {
    role.kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect()
}

const fn way(good: Direction) -> &'static str {
    match good {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

fn text(listed: &Listed<'_>, book: Option<&Path>) -> String {
    let mut text = String::new();
    let mut category = "";
    for entry in &listed.entries {
        if entry.category != category {
            category = entry.category;
            let _ = writeln!(text, "{category}");
        }
        let can = match entry.buildable {
            None => "",
            Some(true) => "yes ",
            Some(false) => "no  ",
        };
        let (name, ids, good) = (entry.name, entry.ids.join(" "), entry.good.unwrap_or("-"));
        let _ = writeln!(text, "  {can}{name:<26} {ids:<20} {good:<5} {}", entry.unit);
        let _ = writeln!(text, "      {}", entry.what);
        let _ = writeln!(text, "      = {}", entry.formula);
        let _ = writeln!(text, "      needs {}", entry.needs.join(", "));
        if let Some(missing) = entry.missing.as_ref().filter(|missing| !missing.is_empty()) {
            let _ = writeln!(text, "      missing: {}", missing.join(", "));
        }
    }
    let n_entries = listed.entries.len();
    let n_buildable = listed.entries.iter().filter(|entry| entry.buildable == Some(true)).count();
    match book {
        Some(book) => {
            let _ = write!(text, "\n{} can build {n_buildable} of {n_entries} entries", book.display());
        }
        None => {
            let _ = write!(text, "\n{n_entries} entries; with --book, what a book can build of them");
        }
    }
    text
}

/// The page docs/FEATURES.md.
fn markdown(catalogue: &Catalogue) -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut category = "";
    for entry in catalogue.entries() {
        if entry.category != category {
            category = entry.category;
            let _ = write!(page, "\n### {category}\n\n| entry | metrics | good | unit | what, and formula |\n");
            page.push_str("|---|---|---|---|---|\n");
        }
        let good = entry.good.map_or("", way);
        let (ids, formula) = (entry.ids.join(", "), cell(&entry.formula));
        let Entry { name, unit, what, .. } = entry;
        let _ = writeln!(page, "| `{name}` | {ids} | {good} | {unit} | {what}<br>`{formula}` |");
    }
    page.push_str("\n## Roles\n");
    for role in catalogue.roles() {
        let Role { name, what, .. } = role;
        let _ = write!(page, "\n### {name}\n\n{}; a source of kind {}.\n", sentence(what), kinds(role).join(" or "));
        if !role.columns.is_empty() {
            page.push_str("\n| column | what | values |\n|---|---|---|\n");
        }
        for column in &role.columns {
            let values: Vec<String> = column.values.iter().map(|value| format!("`{value}`")).collect();
            let _ = writeln!(page, "| `{}` | {} | {} |", column.name, column.what, values.join(", "));
        }
    }
    page
}

/// A bar would end the table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

const INTRODUCTION: &str = r#"# The catalogue of features

This page is what `bellwether features --list --markdown` prints; a test holds it against the program.

The catalogue has a ready feature, or several, for each metric that the guides behind this project name. A feature is
written over *roles*: kinds of rows under standard names. `book.toml` says which of its sources plays which role, and which
entries are features of its models:

```toml
[catalogue]
use = ["usage", "U-06", "nps"]     # categories, metrics and names; "all" is every entry that this book can build
skip = ["minutes_per_login"]

[catalogue.roles.usage]
source = "daily"                   # a source of this book
has = ["logins", "active_users"]   # columns under the role's own names
columns = { minutes = "time_in_product" }

[catalogue.roles.engagement]
source = "crm_activities"
has = ["kind"]
values = { kind = { training_completed = ["Training done"], webinar_attended = ["Webinar", "Web seminar"] } }

[catalogue.roles.nps]
source = "surveys"
has = ["score"]
filter = [{ column = "survey", in = ["nps"] }]   # rows of the source that play the role
```

- `bellwether features --list --book book.toml` says for each entry whether the book can build it, and what is missing.
- A name in `use` that can't be built is an error; of a metric, a category or `all` that is taken which can be built, but for
  what `[[features]]` declares under the same name. What is taken follows from `book.toml` alone, never from the day's files.
- Where `values` lists a column, its other standard values do not exist in this book, and entries that need them can't be
  built; where it doesn't, the texts are the standard ones.
- What an entry is divided by is built with it and kept out of the models, unless it is used itself.
- A text's sentiment is a derived column of the source: `derived = [{ name = "sentiment", sentiment_of = "text" }]`
  (VADER's compound score; English).
- `time_to_value` and `onboarding_days` look for the first such row that there is: where a source begins after an account's
  first day, leave rows of earlier accounts out, or the entry.
- What a name means never changes from release to release; another meaning is another name.

A formula reads `aggregate(role.column where condition, window)`. Aggregates, windows, `that of ... before` and missing values
are those of `[[features]]`. What stands after the last ` / ` and is an aggregate itself is a feature of its own; the quotient
is missing where it is missing or 0.

## Entries
"#;
