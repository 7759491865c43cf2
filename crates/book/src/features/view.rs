//! The rows of one source that meet one filter, and which of them were known when.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::config::{Condition, DeclaredFeature, SourceKind, ValueType};
use crate::source::SourceRows;

use super::aggregate::Column;
use super::mask;

/// The rows of a source that meet a filter, in the source's order. Without filter they are the source's own.
pub(super) struct View<'a> {
    pub(super) kind: SourceKind,
    offsets: Cow<'a, [usize]>,
    pub(super) day: Cow<'a, [i32]>,
    /// As in [`SourceRows`]; empty where the source has none.
    pub(super) end: Cow<'a, [i32]>,
    pub(super) known: Cow<'a, [i32]>,
    superseded: Cow<'a, [i32]>,
    numbers: BTreeMap<&'a str, Cow<'a, [f64]>>,
    texts: BTreeMap<&'a str, Cow<'a, [u32]>>,
}

/// Rows of a view that were known on a day: a run of them, or, where a row between was not, one by one.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    Run(Range<usize>),
    /// Places in the scratch.
    Listed(Range<usize>),
}

impl<'a> View<'a> {
    /// The rows that meet `filter`, with the columns that `features` aggregate.
    pub(super) fn new(rows: &'a SourceRows, filter: &[Condition], features: &[&'a DeclaredFeature]) -> Self {
        let kept: Option<Vec<usize>> = (!filter.is_empty()).then(|| {
            let meets = mask(rows, filter);
            (0..rows.n_rows()).filter(|&row| meets[row]).collect()
        });
        let kept = kept.as_deref();
        let mut view = Self {
            kind: rows.kind,
            offsets: kept.map_or(Cow::Borrowed(&rows.offsets[..]), |kept| {
                rows.offsets.iter().map(|&offset| kept.partition_point(|&row| row < offset)).collect()
            }),
            day: pick(&rows.day, kept),
            end: pick(&rows.end, kept),
            known: pick(&rows.known, kept),
            superseded: pick(&rows.superseded, kept),
            numbers: BTreeMap::new(),
            texts: BTreeMap::new(),
        };
        for feature in features {
            let Some(name) = feature.column.as_ref().map(|column| column.get_ref().as_str()) else { continue };
            if is_text(feature, rows) {
                view.texts.entry(name).or_insert_with(|| pick(&rows.texts[name].codes, kept));
            } else {
                view.numbers.entry(name).or_insert_with(|| pick(&rows.numbers[name], kept));
            }
        }
        view
    }

    /// The column that a feature aggregates.
    pub(super) fn column(&self, feature: &DeclaredFeature, rows: &SourceRows) -> Column<'_> {
        let Some(name) = feature.column.as_ref().map(|column| column.get_ref().as_str()) else { return Column::Rows };
        if is_text(feature, rows) { Column::Text(&self.texts[name]) } else { Column::Number(&self.numbers[name]) }
    }

    /// The rows of `account` with day in `(after, until]` that are known by `t`.
    pub(super) fn see(&self, account: usize, t: i32, (after, until): (i32, i32), scratch: &mut Vec<usize>) -> Seen {
        let of_account = self.offsets[account]..self.offsets[account + 1];
        let days = &self.day[of_account.clone()];
        // A source without dates is known from ever: its day is `i32::MIN`, which `after` does not exclude.
        let from = if after == i32::MIN { 0 } else { days.partition_point(|&day| day <= after) };
        let to = from + days[from..].partition_point(|&day| day <= until);
        let run = of_account.start + from..of_account.start + to;
        if self.is_known_throughout(&run, t) {
            return Seen::Run(run);
        }
        let first = scratch.len();
        scratch.extend(run.filter(|&row| self.is_known(row, t)));
        Seen::Listed(first..scratch.len())
    }

    /// Of `seen`, what runs on `until`.
    pub(super) fn running(&self, seen: Seen, until: i32, scratch: &mut Vec<usize>) -> Seen {
        let first = scratch.len();
        match seen {
            Seen::Run(run) => scratch.extend(run.filter(|&row| self.end[row] > until)),
            Seen::Listed(places) => {
                for place in places {
                    let row = scratch[place];
                    if self.end[row] > until {
                        scratch.push(row);
                    }
                }
            }
        }
        Seen::Listed(first..scratch.len())
    }

    fn is_known_throughout(&self, run: &Range<usize>, t: i32) -> bool {
        let all = |days: &[i32], holds: fn(i32, i32) -> bool| {
            days.get(run.clone()).is_none_or(|days| days.iter().fold(true, |all, &day| all & holds(day, t)))
        };
        all(&self.known, |known, t| known <= t) && all(&self.superseded, |superseded, t| superseded > t)
    }

    fn is_known(&self, row: usize, t: i32) -> bool {
        self.known.get(row).is_none_or(|&known| known <= t)
            && self.superseded.get(row).is_none_or(|&superseded| superseded > t)
    }
}

/// Whether a feature reads its column as texts.
fn is_text(feature: &DeclaredFeature, rows: &SourceRows) -> bool {
    let name = feature.column.as_ref().map_or("", |column| column.get_ref());
    feature.r#type == ValueType::Text || (feature.aggregate.is_of_texts() && rows.told_by_text.contains(name))
}

fn pick<'a, T: Copy>(values: &'a [T], kept: Option<&[usize]>) -> Cow<'a, [T]> {
    match kept {
        Some(kept) if !values.is_empty() => kept.iter().map(|&row| values[row]).collect(),
        _ => Cow::Borrowed(values),
    }
}
