//! What is built does not depend on how much of a book is in memory, nor on the order of rows, nor on the files' form.

use std::path::Path;

use bellwether_book::{Book, BookFile, Column, Table, TableWriter};
use bellwether_core::{Date, Quiet};

use crate::common::date;

/// Files a source; as many row groups in each of them.
const N_FILES: usize = 3;
const N_ACCOUNTS: u64 = 60;

/// A pseudo-random number that depends on `what` alone.
fn mixed(what: u64) -> u64 {
    let x = what.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 17
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    ByAccount,
    Shuffled,
}

/// One source's rows, as texts; empty is missing.
#[derive(Debug, Clone)]
struct Rows {
    name: &'static str,
    columns: &'static [&'static str],
    cells: Vec<Vec<String>>,
}

fn day(number: u64) -> Date {
    date("2023-06-01").plus_days(number as i32)
}

/// Of 60 accounts: every seventh has no usage, the last 20 have no survey; two accounts are not listed.
fn sources() -> Vec<Rows> {
    let (mut accounts, mut subs, mut usage, mut tickets, mut surveys) = (vec![], vec![], vec![], vec![], vec![]);
    for account in 0..N_ACCOUNTS + 2 {
        let id = format!("acc-{account:03}");
        let first = mixed(account) % 120;
        let is_listed = account < N_ACCOUNTS;
        // Only an account that nobody lists is a stranger.
        let segment = if is_listed { ["smb", "mid", "large"][account as usize % 3] } else { "stranger" };
        if is_listed {
            accounts.push(vec![id.clone(), day(first).to_string(), segment.to_owned()]);
        }
        for sub in 0..=(account % 3) {
            let start = first + 40 * sub;
            let end = if mixed(account + sub).is_multiple_of(3) { String::new() } else { day(start + 150).to_string() };
            let amount = (10 + mixed(account * 3 + sub) % 90).to_string();
            subs.push(vec![format!("s{account}-{sub}"), id.clone(), day(start).to_string(), end, amount]);
            for n in 0..mixed(account + 7_700) % 5 {
                let on = day(start + mixed(n + account) % 90);
                let subject = ["bug", "billing", "", segment][mixed(account + n) as usize % 4];
                tickets.push(vec![format!("s{account}-{sub}"), on.to_string(), subject.to_owned()]);
            }
        }
        if !account.is_multiple_of(7) {
            for n in 0..mixed(account * 31) % 60 {
                let on = mixed(account * 1000 + n) % 300;
                let known = on + mixed(n) % 9;
                let amount = (mixed(n ^ account) % 1000) as f64 / 10.0;
                let amount = if n.is_multiple_of(11) { String::new() } else { amount.to_string() };
                let user = format!("u{}-{segment}", mixed(n * 7 + account) % 5);
                usage.push(vec![id.clone(), day(on).to_string(), day(known).to_string(), amount, user]);
            }
        }
        if account < 40 || !is_listed {
            for n in 0..4 {
                let on = day(first + 30 * n);
                let score = (mixed(account + n) % 11).to_string();
                surveys.push(vec![id.clone(), on.to_string(), on.to_string(), score.clone()]);
                if n % 2 != 1 {
                    surveys.push(vec![id.clone(), on.to_string(), on.plus_days(9).to_string(), "5".to_owned()]);
                }
            }
        }
    }
    tickets.push(vec!["s-unknown".to_owned(), day(50).to_string(), "bug".to_owned()]);
    vec![
        Rows { name: "accounts", columns: &["account", "day", "segment"], cells: accounts },
        Rows { name: "subs", columns: &["sub", "account", "start", "end", "mrr"], cells: subs },
        Rows { name: "surveys", columns: &["account", "day", "known", "score"], cells: surveys },
        Rows { name: "tickets", columns: &["sub", "day", "subject"], cells: tickets },
        Rows { name: "usage", columns: &["account", "day", "known", "amount", "user"], cells: usage },
    ]
}

const NUMBERS: [&str; 3] = ["mrr", "score", "amount"];
const DATES: [&str; 4] = ["day", "known", "start", "end"];

fn table(columns: &[&str], rows: &[Vec<String>]) -> Table {
    let column = |(at, name): (usize, &&str)| {
        let present = |row: &Vec<String>| Some(row[at].clone()).filter(|text| !text.is_empty());
        let texts = rows.iter().map(present);
        if NUMBERS.contains(name) {
            Column::Float(texts.map(|text| text.map(|text| text.parse().expect("a number"))).collect())
        } else if DATES.contains(name) {
            Column::Date(texts.map(|text| text.map(|text| date(&text))).collect())
        } else {
            Column::Text(texts.collect())
        }
    };
    let columns = columns.iter().enumerate().map(|at| ((*at.1).to_owned(), column(at)));
    Table { columns: columns.collect() }
}

fn write(sources: &[Rows], order: Order, ending: &str, folder: &Path) {
    for Rows { name, columns, cells } in sources {
        let mut rows = cells.clone();
        if order == Order::Shuffled {
            let place_of =
                |row: &[String]| row.iter().flat_map(|text| text.bytes()).fold(7, |h, b| mixed(h ^ u64::from(b)));
            rows.sort_by_key(|row| place_of(row));
        }
        let a_file = rows.len().div_ceil(N_FILES).max(1);
        let files: Vec<&[Vec<String>]> = if rows.is_empty() { vec![&[]] } else { rows.chunks(a_file).collect() };
        for (number, of_file) in files.into_iter().enumerate() {
            let path = folder.join(format!("{name}_{number}.{ending}"));
            if ending == "csv" {
                let lines: Vec<String> = of_file.iter().map(|row| row.join(",") + "\n").collect();
                std::fs::write(&path, columns.join(",") + "\n" + &lines.concat()).expect("writes");
            } else {
                let mut writer = TableWriter::create(&path).expect("creates");
                for group in of_file.chunks(of_file.len().div_ceil(N_FILES).max(1)) {
                    writer.append(&table(columns, group)).expect("appends");
                }
                if of_file.is_empty() {
                    writer.append(&table(columns, &[])).expect("appends");
                }
                writer.finish().expect("writes");
            }
        }
    }
}

const TOML: &str = r#"
name = "parts"
[sources.accounts]
kind = "attribute"
path = "accounts_*.ENDING"
account = "account"
date = "day"
[sources.subs]
kind = "subscription"
path = "subs_*.ENDING"
account = "account"
date = "start"
end = "end"
[sources.surveys]
kind = "snapshot"
path = "surveys_*.ENDING"
account = "account"
date = "day"
known_at = "known"
[sources.tickets]
kind = "event"
path = "tickets_*.ENDING"
account_via = { source = "subs", on = "sub" }
date = "day"
[sources.usage]
kind = "event"
path = "usage_*.ENDING"
account = "account"
date = "day"
known_at = "known"
FILTER
[accounts]
from = "accounts"
active = { rule = "subscription", source = "subs" }
[targets]
churn = { rule = "no_subscription", source = "subs", grace_days = 5 }
expansion = { rule = "recurring_revenue_up", source = "subs", column = "mrr", by = 0.1 }
[[features]]
from = "accounts"
column = "segment"
type = "text"
[[features]]
from = "subs"
column = "mrr"
aggregate = "sum"
[[features]]
name = "subject"
from = "tickets"
column = "subject"
type = "text"
[[features]]
name = "tickets"
from = "tickets"
aggregate = "count"
window = "30d"
filter = [{ column = "subject", not_in = ["billing"] }]
[[features]]
from = "usage"
column = "amount"
aggregate = "sum"
window = "1mo"
[[features]]
name = "amount_spread"
from = "usage"
column = "amount"
aggregate = "std"
[[features]]
name = "users"
from = "usage"
column = "user"
aggregate = "distinct"
window = "4w"
change = "ratio"
[[features]]
name = "last_user"
from = "usage"
column = "user"
type = "text"
[[features]]
from = "surveys"
column = "score"
[[features]]
name = "score_mean"
from = "surveys"
column = "score"
aggregate = "mean"
[[segments]]
name = "segment"
feature = "segment"
[[segments]]
name = "size"
feature = "mrr"
edges = [20.0, 60.0]
[value]
feature = "mrr"
times = 12.0
[split]
kind = "grouped"
group = "last_user"
"#;

/// Everything that is built of the book in `folder`, in words that tell every bit; or its error.
fn built(folder: &Path, ending: &str, filter: &str, max_cells: Option<usize>) -> Result<Vec<String>, String> {
    let toml = TOML.replace("ENDING", ending).replace("FILTER", filter);
    let file = BookFile::parse(toml, &folder.join("book.toml")).map_err(|error| error.to_string())?;
    let opened = match max_cells {
        None => Book::open(file, &Quiet),
        Some(max_cells) => Book::open_within(file, max_cells, &Quiet),
    };
    let book = opened.map_err(|error| error.to_string())?;
    let history = book.history(&book.snapshot_days(), &Quiet).map_err(|error| error.to_string())?;
    let as_of = book.as_of(date("2023-12-15"), &Quiet).map_err(|error| error.to_string())?;
    let split = book.split(&history.table, 7).map_err(|error| error.to_string())?;
    Ok(vec![
        format!("{:?} {:?} {:?}", book.summaries(), book.snapshot_days(), book.data_end()),
        format!("{:?}", history.digests),
        format!("{:?}", history.table),
        format!("{as_of:?}"),
        format!("{split:?}"),
    ])
}

/// Cells for one account a part, for a few, and for half of the book.
const MEMORIES: [usize; 3] = [1, 3_000, 15_000];

fn same(found: &Result<Vec<String>, String>, whole: &Result<Vec<String>, String>, what: &str) {
    if let (Ok(found), Ok(whole)) = (found, whole) {
        for (found, whole) in found.iter().zip(whole) {
            let at = found.bytes().zip(whole.bytes()).take_while(|(a, b)| a == b).count();
            let shown = |text: &str| text[at.saturating_sub(120)..(at + 80).min(text.len())].to_owned();
            assert!(found == whole, "{what}:\n{}\n{}", shown(found), shown(whole));
        }
    } else {
        assert_eq!(found, whole, "{what}");
    }
}

#[test]
fn memory_and_the_order_of_rows_change_nothing() {
    let mut in_order = None;
    for ending in ["parquet", "csv"] {
        for order in [Order::ByAccount, Order::Shuffled] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            write(&sources(), order, ending, folder.path());
            let whole = built(folder.path(), ending, "", None);
            let tables = whole.as_ref().map(|words| words.concat()).expect("a book in order");
            // A text that only an account has that is not listed is no level.
            assert!(tables.contains("u1-smb") && !tables.contains("stranger"), "{ending}, {order:?}");
            for max_cells in MEMORIES {
                let parts = built(folder.path(), ending, "", Some(max_cells));
                same(&parts, &whole, &format!("{ending}, {order:?}, {max_cells} cells"));
            }
            let first = in_order.get_or_insert_with(|| whole.clone());
            same(&whole, first, &format!("{ending}, {order:?}"));
        }
    }
}

/// Cells of a source's rows set to other texts: the row, the column and the text.
fn spoilt(source: &str, cells: &[(usize, usize, &str)]) -> Vec<Rows> {
    let mut sources = sources();
    let rows = &mut sources.iter_mut().find(|rows| rows.name == source).expect("a source").cells;
    for &(row, column, text) in cells {
        text.clone_into(&mut rows[row][column]);
    }
    sources
}

/// The error of a book of CSV files, which is the same however it is read.
fn check_error(what: &str, sources: &[Rows], filter: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(sources, Order::ByAccount, "csv", folder.path());
    let whole = built(folder.path(), "csv", filter, None);
    let message = whole.as_ref().expect_err(what);
    assert!(expected.iter().all(|part| message.contains(part)), "{what}: {message}");
    let parts = built(folder.path(), "csv", filter, Some(8_000));
    assert_eq!(parts, whole, "{what}");
}

#[test]
fn errors_do_not_depend_on_memory() {
    let row_of = |number: usize| format!("row {} is", number + 1);
    for row in [3, 500, 900] {
        let at = row_of(row);
        check_error("a bad number", &spoilt("usage", &[(row, 3, "much")]), "", &["amount", "`much`", &at]);
        check_error("an infinite number", &spoilt("usage", &[(row, 3, "1e300")]), "", &["amount", "1e300", &at]);
        check_error("a bad date", &spoilt("usage", &[(row, 1, "2023-02-30")]), "", &["day", "2023-02-30", &at]);
        check_error("a missing date", &spoilt("usage", &[(row, 1, "")]), "", &["day", "(missing)", &at]);
        check_error("a missing known day", &spoilt("usage", &[(row, 2, "")]), "", &["known", "(missing)", &at]);
        check_error("a missing account", &spoilt("usage", &[(row, 0, "")]), "", &["account", "(missing)", &at]);
    }
    check_error("the first bad value", &spoilt("usage", &[(900, 3, "x"), (200, 3, "y")]), "", &["`y`", "row 201"]);
    // Rows 7 and 8 are two versions of one survey.
    let known = sources()[2].cells[6][2].clone();
    let twice = spoilt("surveys", &[(7, 1, &sources()[2].cells[6][1]), (7, 2, &known)]);
    check_error("two rows of one key", &twice, "", &["2 rows", "rows "]);
    let without = |name: &str| -> Vec<Rows> {
        let emptied = |rows: Rows| if rows.name == name { Rows { cells: Vec::new(), ..rows } } else { rows };
        sources().into_iter().map(emptied).collect()
    };
    for name in ["accounts", "subs", "surveys", "tickets", "usage"] {
        check_error("an empty source", &without(name), "", &[name, "has no row"]);
    }
    let filter = r#"filter = [{ column = "user", in = ["nobody"] }]"#;
    check_error("a filter that nothing meets", &sources(), filter, &["usage", "has no row that meets its filter"]);
}
