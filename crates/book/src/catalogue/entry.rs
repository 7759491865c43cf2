//! Roles and entries, as the files beside this one declare them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bellwether_core::Direction;
use serde::Deserialize;

use crate::config::{FeatureDeclaration, SourceKind};

use super::formula::formula;

/// Ready features, and the roles that they read.
///
/// What a name means never changes from release to release, because bundles were trained on it: another meaning is
/// another name.
#[derive(Debug)]
pub struct Catalogue {
    roles: Vec<Role>,
    entries: Vec<Entry>,
    helpers: Vec<Helper>,
}

/// One kind of row, under standard names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What a row of it is.
    pub what: String,
    /// What kinds of source may play it.
    pub kinds: Vec<SourceKind>,
    /// Its columns.
    pub columns: Vec<RoleColumn>,
}

/// A column of a role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub what: String,
    /// The texts that entries look for; empty where they look for none.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A ready feature.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name, and that of the feature.
    pub name: String,
    /// The metrics that it stands for, such as `U-06`.
    pub ids: Vec<String>,
    /// What it is counted in.
    pub unit: String,
    /// Which way is good; `None` where neither is.
    pub good: Option<Direction>,
    /// Kind of indicator, such as `usage`.
    pub category: &'static str,
    /// What it says of an account.
    pub what: String,
    /// How it is computed, told from its declaration.
    pub formula: String,
    /// What it reads: `role.column`, or `role` where only rows matter; sorted.
    pub needs: Vec<String>,
    /// Over roles; `per` names a helper or another entry.
    pub(crate) feature: FeatureDeclaration,
}

/// What entries are divided by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Helper {
    name: String,
    feature: FeatureDeclaration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEntry {
    name: String,
    ids: Vec<String>,
    unit: String,
    #[serde(default)]
    good: Option<Direction>,
    what: String,
    feature: FeatureDeclaration,
}

#[derive(Deserialize)]
struct RolesFile {
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct HelpersFile {
    helpers: Vec<Helper>,
}

#[derive(Deserialize)]
struct EntriesFile {
    entries: Vec<StoredEntry>,
}

const ROLES: &str = include_str!("roles.toml");
const HELPERS: &str = include_str!("helpers.toml");
/// A file a category.
const ENTRIES: [(&str, &str); 8] = [
    ("usage", include_str!("usage.toml")),
    ("adoption", include_str!("adoption.toml")),
    ("engagement", include_str!("engagement.toml")),
    ("support", include_str!("support.toml")),
    ("sentiment", include_str!("sentiment.toml")),
    ("relationship", include_str!("relationship.toml")),
    ("business", include_str!("business.toml")),
    ("expansion", include_str!("expansion.toml")),
];

static STANDARD: LazyLock<Catalogue> = LazyLock::new(Catalogue::load);

impl Catalogue {
    /// The one that comes with this release.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// Every entry, by category.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Every role.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The entry of this name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The declaration, over roles, of a helper or an entry.
    pub(crate) fn declaration(&self, name: &str) -> Option<&FeatureDeclaration> {
        let helper = self.helpers.iter().find(|helper| helper.name == name).map(|helper| &helper.feature);
        helper.or_else(|| Some(&self.entry(name)?.feature))
    }

    /// A declaration, what it is divided by, what that is divided by, and so on.
    pub(crate) fn chain<'a>(&'a self, of: &'a FeatureDeclaration) -> Vec<&'a FeatureDeclaration> {
        let per = |of: &&'a FeatureDeclaration| self.declaration(of.per.as_ref()?.get_ref());
        std::iter::successors(Some(of), per).collect()
    }

    fn load() -> Self {
        const SOUND: &str = "the catalogue is part of this program, and a test reads it";
        let roles: RolesFile = toml::from_str(ROLES).expect(SOUND);
        let helpers: HelpersFile = toml::from_str(HELPERS).expect(SOUND);
        let mut entries = Vec::new();
        for (category, text) in ENTRIES {
            let file: EntriesFile = toml::from_str(text).expect(SOUND);
            entries.extend(file.entries.into_iter().map(|stored| stored.of_category(category)));
        }
        let mut catalogue = Self { roles: roles.roles, entries, helpers: helpers.helpers };
        let told: Vec<(String, Vec<String>)> = catalogue.entries.iter().map(|entry| catalogue.told(entry)).collect();
        for (entry, (formula, needs)) in catalogue.entries.iter_mut().zip(told) {
            (entry.formula, entry.needs) = (formula, needs);
        }
        catalogue
    }

    /// Formula and needs of an entry.
    fn told(&self, entry: &Entry) -> (String, Vec<String>) {
        let chain = self.chain(&entry.feature);
        // What is divided by may itself be a quotient.
        let quotient = |by: String, of: String| {
            if by.contains(") / ") { format!("{of} / ({by})") } else { format!("{of} / {by}") }
        };
        let parts = chain.iter().map(|of| formula(of));
        let formula = parts.rev().reduce(quotient).unwrap_or_default();
        let needs: BTreeSet<String> = chain.iter().flat_map(|of| needs(of)).collect();
        (formula, needs.into_iter().collect())
    }
}

impl StoredEntry {
    fn of_category(self, category: &'static str) -> Entry {
        let Self { name, ids, unit, good, what, feature } = self;
        Entry { name, ids, unit, good, category, what, formula: String::new(), needs: Vec::new(), feature }
    }
}

/// The columns that a declaration reads, filters too.
pub(crate) fn columns(of: &FeatureDeclaration) -> Vec<&str> {
    let column = of.column.as_ref().map(|column| column.get_ref().as_str());
    column.into_iter().chain(of.filter.iter().map(|condition| condition.column.as_str())).collect()
}

fn needs(of: &FeatureDeclaration) -> Vec<String> {
    let role = of.from.get_ref();
    let columns = columns(of);
    if columns.is_empty() {
        return vec![role.clone()];
    }
    columns.into_iter().map(|column| format!("{role}.{column}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `load` would panic otherwise; and what a declaration names is there.
    #[test]
    fn entries_read_roles_and_values_that_there_are() {
        let catalogue = Catalogue::standard();
        let helpers = catalogue.helpers.iter().map(|helper| (&helper.name, &helper.feature));
        for (name, declared) in catalogue.entries.iter().map(|entry| (&entry.name, &entry.feature)).chain(helpers) {
            let role = catalogue.role(declared.from.get_ref()).unwrap_or_else(|| panic!("{name}: no such role"));
            let known = |column: &str| role.columns.iter().find(|known| known.name == column);
            for column in columns(declared) {
                assert!(known(column).is_some(), "{name}: {} has no {column}", role.name);
            }
            for condition in &declared.filter {
                let values = &known(&condition.column).expect("it was found").values;
                let unknown = condition.r#in.iter().chain(&condition.not_in).find(|value| !values.contains(value));
                assert_eq!(unknown, None, "{name}: {}", condition.column);
            }
            if let Some(per) = &declared.per {
                assert!(catalogue.declaration(per.get_ref()).is_some(), "{name}: per {}", per.get_ref());
            }
        }
    }

    #[test]
    fn a_name_or_a_category_is_one_thing() {
        let catalogue = Catalogue::standard();
        let names = catalogue.entries.iter().map(|entry| entry.name.as_str());
        let helpers = catalogue.helpers.iter().map(|helper| helper.name.as_str());
        // `support.csat` and the like would be ambiguous in `use`.
        let categories = ENTRIES.iter().map(|(category, _)| *category).chain(["all"]);
        let all: Vec<&str> = names.chain(helpers).chain(categories).collect();
        let distinct: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len());
    }

    #[test]
    fn a_role_and_each_of_its_columns_serve_an_entry() {
        let catalogue = Catalogue::standard();
        let read: BTreeSet<&String> = catalogue.entries.iter().flat_map(|entry| &entry.needs).collect();
        for role in &catalogue.roles {
            for column in &role.columns {
                assert!(read.contains(&format!("{}.{}", role.name, column.name)), "{}.{}", role.name, column.name);
            }
            assert!(read.iter().any(|need| need.split('.').next() == Some(&role.name)), "{}", role.name);
        }
    }
}
