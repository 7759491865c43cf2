//! Whether a book builds the features that a bundle was trained with.

use toml::{Table, Value};

use super::{BookFile, DeclaredFeature};

/// Settings of a source that do not change what a row means.
const FREE: [&str; 3] = ["path", "separator", "date_format"];

impl BookFile {
    /// The first difference between what this book and `frozen`, a bundle's `book.toml`, declare of features, cohorts,
    /// accounts and the meaning of sources; `None` where they agree. Paths, dates, training settings, `[evaluation]` and
    /// sources that it alone reads may differ.
    pub fn difference_to(&self, frozen: &str) -> Option<String> {
        let parse = |text: &str| text.parse::<Table>();
        let (Ok(mut here), Ok(mut there)) = (parse(&self.text), parse(frozen)) else {
            return Some("the bundle's book.toml can't be read".to_owned());
        };
        leave_out_sources_of_evidence(&mut here, &mut there);
        features(&here, &there)
            .or_else(|| {
                let parts = ["accounts", "sources", "value", "cohort"];
                parts.into_iter().find_map(|part| difference(part, here.get(part), there.get(part)))
            })
            .or_else(|| cohort_segments(&here, &there))
            .or_else(|| {
                let frozen = Self::parse(frozen.to_owned(), &self.path).ok();
                // Roles that nothing uses mean nothing.
                let is_used =
                    [Some(self), frozen.as_ref()].into_iter().flatten().any(|of| !of.from_catalogue.is_empty());
                let of_catalogue = || difference("catalogue", here.get("catalogue"), there.get("catalogue"));
                let of_preset = || preset_difference(self, frozen.as_ref()?);
                is_used.then(of_catalogue).flatten().or_else(of_preset)
            })
    }
}

/// The first entry of the catalogue that only one of two books takes: their scorecards have other presets.
fn preset_difference(here: &BookFile, there: &BookFile) -> Option<String> {
    let (here, there) = (&here.from_catalogue, &there.from_catalogue);
    let name = |of: &[DeclaredFeature], at: usize| of.get(at).map(|feature| feature.name.clone());
    let differs = (0..here.len().max(there.len())).find(|&at| name(here, at) != name(there, at))?;
    let name = name(here, differs).or_else(|| name(there, differs))?;
    Some(format!("feature `{name}`, which the preset of [scorecard] takes from the catalogue"))
}

impl BookFile {
    /// Whether this book and `frozen`, a bundle's `book.toml`, declare the same `[split]`.
    pub fn has_split_of(&self, frozen: &str) -> bool {
        let split = |text: &str| text.parse::<Table>().ok().map(|table| table.get("split").cloned());
        split(&self.text).is_some_and(|here| split(frozen) == Some(here))
    }
}

/// Takes away the sources that neither book names outside `[evaluation]`: they reach no feature, label or score.
fn leave_out_sources_of_evidence(here: &mut Table, there: &mut Table) {
    let names = |table: &Table| -> Vec<String> {
        table.get("sources").and_then(Value::as_table).into_iter().flat_map(Table::keys).cloned().collect()
    };
    let known: Vec<String> = names(here).into_iter().chain(names(there)).collect();
    let is_read = |name: &String| [&*here, &*there].into_iter().any(|table| is_named(table, name));
    let read: Vec<String> = known.into_iter().filter(is_read).collect();
    for table in [here, there] {
        if let Some(sources) = table.get_mut("sources").and_then(Value::as_table_mut) {
            sources.retain(|name, _| read.iter().any(|of| of == name));
        }
    }
}

/// Whether a book names a source anywhere but in `[evaluation]`.
fn is_named(table: &Table, source: &str) -> bool {
    fn holds(value: &Value, text: &str) -> bool {
        match value {
            Value::String(found) => found == text,
            Value::Array(values) => values.iter().any(|value| holds(value, text)),
            Value::Table(table) => table.values().any(|value| holds(value, text)),
            _ => false,
        }
    }
    table.iter().filter(|(part, _)| *part != "evaluation").any(|(_, value)| holds(value, source))
}

/// The segments that make cohorts decide what a percentile is; the others only cut reports.
fn cohort_segments(here: &Table, there: &Table) -> Option<String> {
    let by = here.get("cohort").and_then(|cohort| cohort.get("by")?.as_array()).into_iter().flatten();
    let segment = |table: &Table, name: &Value| {
        let segments = table.get("segments").and_then(Value::as_array)?;
        segments.iter().find(|segment| segment.get("name") == Some(name)).cloned()
    };
    by.into_iter().find(|name| segment(here, name) != segment(there, name)).map(|name| format!("segment {name}"))
}

fn features(here: &Table, there: &Table) -> Option<String> {
    let list = |table: &Table| table.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
    let (here, there) = (list(here), list(there));
    let name = |feature: &Value| {
        let named = ["name", "column"].into_iter().find_map(|key| feature.get(key)?.as_str().map(str::to_owned));
        named.unwrap_or_else(|| "(unnamed)".to_owned())
    };
    let differs = here.iter().zip(&there).position(|(here, there)| here != there);
    match differs {
        Some(at) => Some(format!("feature `{}` (number {})", name(&here[at]), at + 1)),
        None if here.len() != there.len() => {
            Some(format!("{} features where the bundle has {}", here.len(), there.len()))
        }
        None => None,
    }
}

fn difference(path: &str, here: Option<&Value>, there: Option<&Value>) -> Option<String> {
    match (here, there) {
        (Some(Value::Table(here)), Some(Value::Table(there))) => {
            let keys = here.keys().chain(there.keys().filter(|key| !here.contains_key(*key)));
            let counted = keys.filter(|key| !FREE.contains(&key.as_str()));
            counted.into_iter().find_map(|key| difference(&format!("{path}.{key}"), here.get(key), there.get(key)))
        }
        (here, there) if here == there => None,
        _ => Some(format!("`{path}`")),
    }
}
