//! `[catalogue]`: which ready features a book uses, and which of its sources play their roles.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use crate::catalogue::{Catalogue, Entry, Role};

use super::check::{choose_from, source};
use super::rules::Condition;
use super::{Aggregate, BookFile, ConfigError, DeclaredFeature, FeatureDeclaration, SourceKind, Span};

/// Which entries of the catalogue are features of this book.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueConfig {
    /// Names of entries; ids such as `U-06` and categories, of which all entries that can be built are taken, but for
    /// those whose name `[[features]]` has; or `all`.
    #[serde(default)]
    pub r#use: Vec<Spanned<String>>,
    /// Names, ids and categories that are not taken, whatever `use` says.
    #[serde(default)]
    pub skip: Vec<Spanned<String>>,
    /// The roles that the book's sources play.
    #[serde(default)]
    pub roles: BTreeMap<Spanned<String>, RoleMapping>,
}

/// How a source plays a role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleMapping {
    /// The source.
    pub source: Spanned<String>,
    /// The role's columns that the source has under the same name.
    #[serde(default)]
    pub has: Vec<Spanned<String>>,
    /// The role's columns that the source has under another name.
    #[serde(default)]
    pub columns: BTreeMap<Spanned<String>, Spanned<String>>,
    /// By column of the role and standard text, the source's texts; a column that stands here has no other texts that
    /// mean anything, one that doesn't has the standard ones.
    #[serde(default)]
    pub values: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Vec<String>>>,
    /// Only rows for which these hold play the role; columns and texts are the source's own.
    #[serde(default)]
    pub filter: Vec<Condition>,
}

/// What a book lacks for an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    Role { role: String },
    Column { role: String, column: String },
    Value { role: String, column: String, texts: String },
    Date { source: String },
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Role { role } => write!(f, "role `{role}`"),
            Self::Column { role, column } => write!(f, "column `{column}` of role `{role}`"),
            Self::Value { role, column, texts } => write!(f, "value `{texts}` of column `{column}` of role `{role}`"),
            Self::Date { source } => write!(f, "`date` of source `{source}`"),
        }
    }
}

impl BookFile {
    /// What is missing for an entry of the catalogue, such as ``column `tier` of role `feature_use` ``; nothing where
    /// this book can build it.
    pub fn missing_for(&self, entry: &Entry) -> Vec<String> {
        self.lacks(entry).iter().map(Lack::to_string).collect()
    }

    /// What to write into `book.toml` for an entry to be built; `None` where it can be.
    pub(super) fn what_it_lacks(&self, entry: &Entry) -> Option<String> {
        let lacks = self.lacks(entry);
        (!lacks.is_empty()).then(|| how_to_map(entry, &lacks))
    }

    pub(super) fn lacks(&self, entry: &Entry) -> BTreeSet<Lack> {
        Catalogue::standard().chain(&entry.feature).into_iter().flat_map(|declared| self.lacks_for(declared)).collect()
    }

    fn lacks_for(&self, declared: &FeatureDeclaration) -> Vec<Lack> {
        let role = declared.from.get_ref().clone();
        let Some(mapping) = self.mapping(&role) else { return vec![Lack::Role { role }] };
        let mut lacks = Vec::new();
        for column in crate::catalogue::columns(declared) {
            if mapping.column(column).is_none() {
                lacks.push(Lack::Column { role: role.clone(), column: column.to_owned() });
            }
        }
        for Condition { column, r#in, .. } in &declared.filter {
            if !r#in.is_empty() && mapping.texts(column, r#in).is_empty() {
                lacks.push(Lack::Value { role: role.clone(), column: column.clone(), texts: r#in.join("`, `") });
            }
        }
        let of_start = declared.from_start || declared.aggregate == Aggregate::DaysToFirst;
        let accounts = Some(self.config.accounts.from.get_ref()).filter(|_| of_start);
        for source in [Some(mapping.source.get_ref()), accounts].into_iter().flatten() {
            if self.config.sources.get(source.as_str()).is_some_and(|source| source.date.is_none()) {
                lacks.push(Lack::Date { source: source.clone() });
            }
        }
        lacks
    }

    /// What plays a role; `accounts` is played by the source of `[accounts]` where nothing else is said.
    fn mapping(&self, role: &str) -> Option<RoleMapping> {
        let stated = self.config.catalogue.roles.get(role);
        let from = &self.config.accounts.from;
        let implied = || {
            let kinds = &Catalogue::standard().role(role).filter(|_| role == "accounts")?.kinds;
            let source = self.config.sources.get(from.get_ref().as_str())?;
            kinds.contains(&source.kind).then(|| RoleMapping::of(from.clone()))
        };
        stated.cloned().or_else(implied)
    }
}

impl RoleMapping {
    fn of(source: Spanned<String>) -> Self {
        Self { source, has: Vec::new(), columns: BTreeMap::new(), values: BTreeMap::new(), filter: Vec::new() }
    }

    /// The source's column for a role's.
    fn column(&self, column: &str) -> Option<&str> {
        let same = self.has.iter().find(|same| same.get_ref() == column);
        same.or_else(|| self.columns.get(column)).map(|own| own.get_ref().as_str())
    }

    /// The source's texts for standard ones of a column.
    fn texts(&self, column: &str, standard: &[String]) -> Vec<String> {
        match self.values.get(column) {
            None => standard.to_vec(),
            Some(own) => standard.iter().filter_map(|text| own.get(text.as_str())).flatten().cloned().collect(),
        }
    }

    /// A condition of the catalogue on the source's own column and texts.
    fn condition(&self, condition: &Condition) -> Option<Condition> {
        Some(Condition {
            column: self.column(&condition.column)?.to_owned(),
            r#in: self.texts(&condition.column, &condition.r#in),
            not_in: self.texts(&condition.column, &condition.not_in),
            ..condition.clone()
        })
    }
}

/// The features that a book takes from the catalogue, each after what it is divided by.
pub(super) fn expand(file: &BookFile) -> Result<Vec<DeclaredFeature>, ConfigError> {
    check_roles(file)?;
    let skipped = skipped(file)?;
    let declared: Vec<DeclaredFeature> = file.config.features.iter().flat_map(FeatureDeclaration::expand).collect();
    let own: BTreeSet<String> = declared.iter().map(|feature| feature.name.clone()).collect();
    let mut taken: BTreeMap<&str, Span> = BTreeMap::new();
    for wanted in &file.config.catalogue.r#use {
        for entry in chosen(file, wanted, &own)? {
            if !skipped.contains(entry.name.as_str()) {
                taken.entry(&entry.name).or_insert_with(|| wanted.span());
            }
        }
    }
    for (entry, at) in super::scorecard::entries(file, &declared, &taken.keys().copied().collect(), &skipped)? {
        taken.entry(entry).or_insert(at);
    }
    let mut expansion = Expansion { file, taken: &taken, features: Vec::new() };
    for entry in Catalogue::standard().entries() {
        if taken.contains_key(entry.name.as_str()) {
            expansion.add(&entry.name);
        }
    }
    Ok(expansion.features)
}

fn skipped(file: &BookFile) -> Result<BTreeSet<&'static str>, ConfigError> {
    let mut skipped = BTreeSet::new();
    for unwanted in &file.config.catalogue.skip {
        skipped.extend(named(file, unwanted)?.into_iter().map(|entry| entry.name.as_str()));
    }
    Ok(skipped)
}

/// The entries that a name, an id, a category or `all` stands for.
fn named(file: &BookFile, wanted: &Spanned<String>) -> Result<Vec<&'static Entry>, ConfigError> {
    let name = wanted.get_ref().as_str();
    let catalogue = Catalogue::standard();
    let is_it = |entry: &&Entry| {
        entry.name == name || entry.category == name || name == "all" || entry.ids.iter().any(|id| id == name)
    };
    let found: Vec<&Entry> = match catalogue.entry(name) {
        Some(entry) => vec![entry],
        None => catalogue.entries().iter().filter(is_it).collect(),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let names = catalogue.entries().iter().map(|entry| entry.name.as_str());
    let nearest = names.min_by_key(|known| (strsim::levenshtein(name, known), *known)).unwrap_or_default();
    let help = format!("did you mean `{nearest}`? `bellwether features --list` prints names, ids and categories");
    Err(file.error(wanted.span(), format!("the catalogue has no `{name}`"), Some(help)))
}

/// The entries that a line of `use` takes.
fn chosen(
    file: &BookFile,
    wanted: &Spanned<String>,
    own: &BTreeSet<String>,
) -> Result<Vec<&'static Entry>, ConfigError> {
    let found = named(file, wanted)?;
    let refuse = |message: String, help: String| Err(file.error(wanted.span(), message, Some(help)));
    if let [entry] = found.as_slice() {
        let lacks = file.lacks(entry);
        if !lacks.is_empty() {
            let listed: Vec<String> = lacks.iter().map(Lack::to_string).collect();
            let message = format!("entry `{}` can't be built without {}", entry.name, listed.join(" and "));
            return refuse(message, how_to_map(entry, &lacks));
        }
        if own.contains(&entry.name) && entry.name == *wanted.get_ref() {
            let message = format!("feature `{}` is declared in [[features]] and by the catalogue", entry.name);
            return refuse(message, "take it out of `use`, or give the other one another `name`".to_owned());
        }
    }
    let can = |entry: &&&Entry| !own.contains(&entry.name) && file.lacks(entry).is_empty();
    let taken: Vec<&Entry> = found.iter().filter(can).copied().collect();
    if taken.is_empty() {
        let name = wanted.get_ref();
        let help = "`bellwether features --list --book` says what is missing for each".to_owned();
        return refuse(format!("of `{name}` no entry of the catalogue can be built"), help);
    }
    Ok(taken)
}

/// What to write into `book.toml`.
fn how_to_map(entry: &Entry, lacks: &BTreeSet<Lack>) -> String {
    let columns_of = |role: &str| {
        let columns = entry.needs.iter().filter_map(|need| need.split_once('.').filter(|(of, _)| *of == role));
        columns.map(|(_, column)| column).collect::<Vec<_>>().join(", ")
    };
    let what = |lack: &Lack| match lack {
        Lack::Role { role } => {
            let columns = columns_of(role);
            let columns = if columns.is_empty() { columns } else { format!(" and, in `has` or `columns`, {columns}") };
            format!("write [catalogue.roles.{role}] with `source`{columns}")
        }
        Lack::Column { role, column } => format!("name {column} in `has` or `columns` of [catalogue.roles.{role}]"),
        Lack::Value { role, column, .. } => {
            format!("list the value in `values.{column}` of [catalogue.roles.{role}]")
        }
        Lack::Date { source } => format!("name the `date` of [sources.{source}]"),
    };
    lacks.iter().map(what).collect::<Vec<_>>().join("; ")
}

/// Features as they are taken, in order.
struct Expansion<'a> {
    file: &'a BookFile,
    /// Names that are features of the models, with the line that took them.
    taken: &'a BTreeMap<&'a str, Span>,
    features: Vec<DeclaredFeature>,
}

impl Expansion<'_> {
    /// The feature's name: its own where it was asked for; otherwise one that no feature of the book has.
    fn name_of(&self, name: &str) -> String {
        if self.taken.contains_key(name) { name.to_owned() } else { format!("catalogue:{name}") }
    }

    /// Adds an entry or a helper, after what it is divided by.
    fn add(&mut self, name: &str) {
        let catalogue = Catalogue::standard();
        let declared = catalogue.declaration(name).expect("a test reads every name in the catalogue");
        if let Some(per) = &declared.per {
            self.add(per.get_ref());
        }
        let own_name = self.name_of(name);
        if self.features.iter().any(|feature| feature.name == own_name) {
            return;
        }
        let mapping = self.file.mapping(declared.from.get_ref()).expect("what is taken can be built");
        let at = self.taken.get(name).cloned().unwrap_or_default();
        let spanned = |text: &str| Spanned::new(at.clone(), text.to_owned());
        let entry = catalogue.entry(name);
        let own = FeatureDeclaration {
            name: Some(spanned(&own_name)),
            from: spanned(mapping.source.get_ref()),
            column: declared.column.as_ref().and_then(|column| mapping.column(column.get_ref())).map(spanned),
            filter: mapping
                .filter
                .iter()
                .cloned()
                .chain(declared.filter.iter().filter_map(|condition| mapping.condition(condition)))
                .collect(),
            per: declared.per.as_ref().map(|per| spanned(&self.name_of(per.get_ref()))),
            good: entry.and_then(|entry| entry.good),
            category: entry.map(|entry| entry.category.to_owned()),
            helper: !self.taken.contains_key(name),
            ..declared.clone()
        };
        self.features.extend(own.expand());
    }
}

/// The rules of `[catalogue.roles]`.
fn check_roles(file: &BookFile) -> Result<(), ConfigError> {
    let catalogue = Catalogue::standard();
    for (name, mapping) in &file.config.catalogue.roles {
        let Some(role) = catalogue.role(name.get_ref()) else {
            let help = choose_from(name.get_ref(), catalogue.roles().iter().map(|role| role.name.as_str()));
            return Err(file.error(name.span(), format!("the catalogue has no role `{}`", name.get_ref()), help));
        };
        let source = source(file, mapping.source.get_ref(), mapping.source.span())?;
        if !role.kinds.contains(&source.kind) {
            let kind = |kind: &SourceKind| format!("{kind:?}").to_lowercase();
            let kinds: Vec<String> = role.kinds.iter().map(kind).collect();
            let (name, found, kinds) = (mapping.source.get_ref(), kind(&source.kind), kinds.join(" or "));
            let message = format!("source `{name}` is of kind {found}; role `{}` is {kinds}", role.name);
            return Err(file.error(mapping.source.span(), message, Some(kind_help(role))));
        }
        check_columns(file, role, mapping)?;
    }
    Ok(())
}

fn kind_help(role: &Role) -> String {
    let interval = role.kinds == [SourceKind::Subscription];
    let form = if interval { "a row from `date` until `end`" } else { "a row a date" };
    format!("the role is {}: {form}", role.what)
}

fn check_columns(file: &BookFile, role: &Role, mapping: &RoleMapping) -> Result<(), ConfigError> {
    let known = |name: &str| role.columns.iter().find(|column| column.name == name);
    for name in mapping.has.iter().chain(mapping.columns.keys()).chain(mapping.values.keys()) {
        if known(name.get_ref()).is_none() {
            let message = format!("role `{}` has no column `{}`", role.name, name.get_ref());
            let help = choose_from(name.get_ref(), role.columns.iter().map(|column| column.name.as_str()));
            return Err(file.error(name.span(), message, help));
        }
    }
    for (column, texts) in &mapping.values {
        let standard = known(column.get_ref()).map_or(&[][..], |column| &column.values);
        if let Some(text) = texts.keys().find(|text| !standard.contains(text.get_ref())) {
            let message =
                format!("column `{}` of role `{}` has no value `{}`", column.get_ref(), role.name, text.get_ref());
            let help = choose_from(text.get_ref(), standard.iter().map(String::as_str));
            return Err(file.error(text.span(), message, help));
        }
    }
    Ok(())
}
