//! Point-in-time features: what was known of an account at the end of day `t`.
//!
//! A feature of a row reads the rows of its own account only, and of those only the ones with day and known-at day
//! not after `t`. Each source is sorted once; a window is then a slice of it.

mod aggregate;

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_core::{Progress, RawColumn, RawTable, RawValues, TextColumn};
use rayon::prelude::*;

use crate::config::{Aggregate, Change, Condition, DeclaredFeature, SourceKind, ValueType, Window};
use crate::source::SourceRows;

use aggregate::Column;
use bellwether_core::Date;

/// A row to build: the account's place and the day.
pub(crate) type Place = (u32, Date);

const ROWS_A_TASK: usize = 2048;

/// Builds every declared feature for every place, in that order.
pub(crate) fn build(
    declared: &[DeclaredFeature],
    sources: &BTreeMap<String, SourceRows>,
    places: &[Place],
    progress: &dyn Progress,
) -> RawTable {
    progress.begin("features", places.len() as u64);
    let planned = plan(declared, sources);
    let chunks: Vec<Vec<Vec<f64>>> = places
        .par_chunks(ROWS_A_TASK)
        .map(|places| {
            let columns = build_chunk(&planned, places);
            progress.advance(places.len() as u64);
            columns
        })
        .collect();
    progress.end();
    let columns = declared.iter().zip(&planned).enumerate().map(|(place, (feature, planned))| {
        let values = chunks.iter().flat_map(|chunk| chunk[place].iter().copied());
        RawColumn { name: feature.name.clone(), values: planned.raw_values(values) }
    });
    RawTable { n_rows: places.len(), columns: columns.collect() }
}

/// A declared feature with its source's columns at hand.
struct Planned<'a> {
    rows: &'a SourceRows,
    column: Option<Column<'a>>,
    aggregate: Aggregate,
    window: Option<Window>,
    change: Option<Change>,
    per: Option<usize>,
    /// Whether a row of the source meets the filter; empty where there is none.
    meets: Arc<Vec<bool>>,
    /// Every row stands for a state, so a later version of the same day replaces the earlier.
    restates: bool,
}

/// A source, a filter on it, and which of its rows meet the filter.
type Mask<'a> = (&'a str, &'a [Condition], Arc<Vec<bool>>);

fn plan<'a>(declared: &'a [DeclaredFeature], sources: &'a BTreeMap<String, SourceRows>) -> Vec<Planned<'a>> {
    // Filters are evaluated once a source, not once a feature.
    let mut masks: Vec<Mask<'_>> = Vec::new();
    let mut planned = Vec::with_capacity(declared.len());
    for feature in declared {
        let rows = &sources[&feature.from];
        let known = masks.iter().find(|(from, filter, _)| *from == feature.from && *filter == feature.filter);
        let known = known.map(|(_, _, mask)| mask.clone());
        let meets = known.unwrap_or_else(|| {
            let meets: Arc<Vec<bool>> = mask(rows, &feature.filter).into();
            masks.push((&feature.from, &feature.filter, meets.clone()));
            meets
        });
        let column = feature.column.as_ref().map(|column| {
            let name = column.get_ref();
            let as_text = feature.r#type == ValueType::Text || !rows.numbers.contains_key(name);
            if as_text { Column::Text(&rows.texts[name]) } else { Column::Number(&rows.numbers[name]) }
        });
        planned.push(Planned {
            rows,
            column,
            aggregate: feature.aggregate,
            window: feature.window,
            change: feature.change,
            per: feature.per.as_ref().and_then(|per| declared.iter().position(|other| &other.name == per)),
            meets,
            restates: matches!(rows.kind, SourceKind::Snapshot | SourceKind::Attribute) && !rows.known.is_empty(),
        });
    }
    planned
}

/// Which rows meet every condition.
pub(crate) fn mask(rows: &SourceRows, filter: &[Condition]) -> Vec<bool> {
    if filter.is_empty() {
        return Vec::new();
    }
    let mut meets = vec![true; rows.n_rows()];
    for condition in filter {
        if condition.is_numeric() {
            let values = &rows.numbers[&condition.column];
            meets.iter_mut().zip(values).for_each(|(meets, &value)| *meets &= condition.holds_for_number(value));
        } else {
            let texts = &rows.texts[&condition.column];
            let holds: Vec<bool> = texts.levels.iter().map(|level| condition.holds_for_text(level)).collect();
            let code_holds = |code: u32| holds.get(code as usize).copied().unwrap_or(false);
            meets.iter_mut().zip(&texts.codes).for_each(|(meets, &code)| *meets &= code_holds(code));
        }
    }
    meets
}

fn build_chunk(planned: &[Planned<'_>], places: &[Place]) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(planned.len());
    let mut visible = Vec::new();
    for feature in planned {
        let values = places.iter().enumerate().map(|(row, &(account, t))| {
            let value = feature.value(account, t, &mut visible);
            feature.per.map_or(value, |per| ratio(value, columns[per][row]))
        });
        let values = values.collect();
        columns.push(values);
    }
    columns
}

fn ratio(value: f64, by: f64) -> f64 {
    if by == 0.0 { f64::NAN } else { value / by }
}

impl Planned<'_> {
    /// The feature's value for one row; NaN is missing, a text is its level's code.
    fn value(&self, account: u32, t: Date, visible: &mut Vec<usize>) -> f64 {
        let Some(window) = self.window else {
            self.see(account, t, i32::MIN, t.days(), visible);
            if self.rows.kind == SourceKind::Subscription {
                visible.retain(|&row| self.rows.end[row] > t.days());
            }
            return self.aggregate(t, i32::MIN, visible);
        };
        let start = window.start(t);
        self.see(account, t, start.days(), t.days(), visible);
        let now = self.aggregate(t, start.days(), visible);
        let Some(change) = self.change else { return now };
        let earlier_start = window.start(start);
        self.see(account, t, earlier_start.days(), start.days(), visible);
        let before = self.aggregate(start, earlier_start.days(), visible);
        match change {
            Change::Difference => now - before,
            Change::Ratio => ratio(now, before),
        }
    }

    /// The rows of `account` with day in `(after, until]` that are known by `t` and meet the filter.
    fn see(&self, account: u32, t: Date, after: i32, until: i32, visible: &mut Vec<usize>) {
        let rows = self.rows;
        let of_account = rows.rows_of(account as usize);
        let days = &rows.day[of_account.clone()];
        // A source without dates is known from ever: its day is `i32::MIN`, which `after` does not exclude.
        let from = if after == i32::MIN { 0 } else { days.partition_point(|&day| day <= after) };
        let to = days.partition_point(|&day| day <= until);
        let in_window = of_account.start + from..of_account.start + to.max(from);
        visible.clear();
        for row in in_window.clone() {
            let met = self.meets.get(row).copied().unwrap_or(true);
            if met && rows.known_by(row, t.days()) && !self.is_restated(row, in_window.end, t) {
                visible.push(row);
            }
        }
    }

    /// Whether a later version of the same day's state was known by `t`.
    fn is_restated(&self, row: usize, end: usize, t: Date) -> bool {
        let rows = self.rows;
        self.restates && row + 1 < end && rows.day[row + 1] == rows.day[row] && rows.known_by(row + 1, t.days())
    }

    fn aggregate(&self, t: Date, after: i32, visible: &[usize]) -> f64 {
        aggregate::aggregate(self.aggregate, self.column, &self.rows.day, visible, t.days(), after)
    }

    fn raw_values(&self, values: impl Iterator<Item = f64>) -> RawValues {
        match (self.aggregate, self.column) {
            (Aggregate::Last | Aggregate::First, Some(Column::Text(texts))) => RawValues::Text(TextColumn {
                codes: values.map(|code| if code.is_nan() { TextColumn::MISSING } else { code as u32 }).collect(),
                levels: texts.levels.clone(),
            }),
            _ => RawValues::Number(values.map(|value| value as f32).collect()),
        }
    }
}
