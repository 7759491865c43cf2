//! Point-in-time features: what was known of an account at the end of day `t`.
//!
//! A feature of a row reads the rows of its own account only, and of those only the ones with day and known-at day
//! not after `t`. Each source is sorted once; a window is then a slice of it, shared by all features that look at it.

mod aggregate;
mod view;

use std::collections::BTreeMap;

use bellwether_core::{Date, Progress, RawColumn, RawTable, RawValues, TextColumn};
use rayon::prelude::*;

use crate::config::{Aggregate, Change, Condition, DeclaredFeature, MIN_PERIODS, SourceKind, ValueType, Window};
use crate::source::SourceRows;

use aggregate::{Column, Frame, z_score};
use view::{Seen, View};

/// A row to build: the account's place and the day.
pub(crate) type Place = (u32, Date);

const ROWS_A_TASK: usize = 1024;

/// Builds every declared feature for every place, in that order. `start` has each account's first day, `i32::MIN`
/// where nobody knows it.
pub(crate) fn build(
    declared: &[DeclaredFeature],
    sources: &BTreeMap<String, SourceRows>,
    start: &[i32],
    places: &[Place],
    progress: &dyn Progress,
) -> RawTable {
    let plan = Plan::new(declared, sources);
    let chunks: Vec<Vec<Values>> = places
        .par_chunks(ROWS_A_TASK)
        .map(|places| {
            let columns = plan.build(places, start);
            progress.advance(places.len() as u64);
            columns
        })
        .collect();
    let mut columns: Vec<RawColumn> = plan.features.iter().map(|planned| planned.empty(places.len())).collect();
    for chunk in chunks {
        for (column, values) in columns.iter_mut().zip(chunk) {
            match (&mut column.values, values) {
                (RawValues::Number(all), Values::Number(values)) => all.extend(values),
                (RawValues::Text(all), Values::Code(codes)) => all.codes.extend(codes),
                _ => unreachable!("a feature is a number or a text throughout"),
            }
        }
    }
    RawTable { n_rows: places.len(), columns, ..RawTable::default() }
}

/// A stretch of one feature's column.
enum Values {
    Number(Vec<f32>),
    Code(Vec<u32>),
}

/// Declared features with the rows that they read at hand.
struct Plan<'a> {
    views: Vec<View<'a>>,
    features: Vec<Planned<'a>>,
}

struct Planned<'a> {
    feature: &'a DeclaredFeature,
    rows: &'a SourceRows,
    /// Its place in `Plan::views`.
    view: usize,
    per: Option<usize>,
}

/// What one row's features share: the windows that were looked up so far.
struct Lookup {
    /// View, `(after, until]`, whether only what runs on `until`, and what is seen.
    windows: Vec<(usize, (i32, i32), bool, Seen)>,
    scratch: Vec<usize>,
}

impl<'a> Plan<'a> {
    fn new(declared: &'a [DeclaredFeature], sources: &'a BTreeMap<String, SourceRows>) -> Self {
        // Filters are evaluated once a source, not once a feature.
        let mut groups: Vec<(&str, &[Condition], Vec<&DeclaredFeature>)> = Vec::new();
        let mut features = Vec::with_capacity(declared.len());
        for feature in declared {
            let known = groups.iter().position(|(from, filter, _)| *from == feature.from && *filter == feature.filter);
            let view = known.unwrap_or_else(|| {
                groups.push((&feature.from, &feature.filter, Vec::new()));
                groups.len() - 1
            });
            groups[view].2.push(feature);
            let per = feature.per.as_ref().and_then(|per| declared.iter().position(|other| &other.name == per));
            features.push(Planned { feature, rows: &sources[&feature.from], view, per });
        }
        let views = groups.par_iter().map(|(from, filter, features)| View::new(&sources[*from], filter, features));
        Self { views: views.collect(), features }
    }

    fn build(&self, places: &[Place], start: &[i32]) -> Vec<Values> {
        let mut columns: Vec<Values> = self.features.iter().map(|planned| planned.values(places.len())).collect();
        let mut lookup = Lookup { windows: Vec::new(), scratch: Vec::new() };
        let mut row = vec![f64::NAN; self.features.len()];
        for &(account, t) in places {
            lookup.windows.clear();
            lookup.scratch.clear();
            for (at, planned) in self.features.iter().enumerate() {
                let place =
                    OnePlace { view: &self.views[planned.view], planned, account, t, start: start[account as usize] };
                let value = place.value(&mut lookup);
                row[at] = planned.per.map_or(value, |per| ratio(value, row[per]));
            }
            for (column, &value) in columns.iter_mut().zip(&row) {
                match column {
                    Values::Number(values) => values.push(value as f32),
                    Values::Code(codes) => codes.push(if value.is_nan() { TextColumn::MISSING } else { value as u32 }),
                }
            }
        }
        columns
    }
}

impl Planned<'_> {
    fn is_text(&self) -> bool {
        self.feature.r#type == ValueType::Text && matches!(self.feature.aggregate, Aggregate::Last | Aggregate::First)
    }

    fn values(&self, n_rows: usize) -> Values {
        if self.is_text() {
            Values::Code(Vec::with_capacity(n_rows))
        } else {
            Values::Number(Vec::with_capacity(n_rows))
        }
    }

    fn empty(&self, n_rows: usize) -> RawColumn {
        let column = self.feature.column.as_ref().map_or("", |column| column.get_ref());
        let values = if self.is_text() {
            RawValues::Text(TextColumn {
                codes: Vec::with_capacity(n_rows),
                levels: self.rows.texts[column].levels.clone(),
            })
        } else {
            RawValues::Number(Vec::with_capacity(n_rows))
        };
        RawColumn { name: self.feature.name.clone(), values }
    }
}

/// One feature of one row.
struct OnePlace<'a> {
    view: &'a View<'a>,
    planned: &'a Planned<'a>,
    account: u32,
    t: Date,
    /// The account's first day; `i32::MIN` where nobody knows.
    start: i32,
}

impl OnePlace<'_> {
    /// The feature's value; NaN is missing, a text is its level's code.
    fn value(&self, lookup: &mut Lookup) -> f64 {
        let feature = self.planned.feature;
        let now = self.as_of(self.t, lookup);
        match (feature.change, feature.lag.or(feature.window)) {
            (Some(Change::Difference), Some(lag)) => now - self.as_of(lag.start(self.t), lookup),
            (Some(Change::Ratio), Some(lag)) => ratio(now, self.as_of(lag.start(self.t), lookup)),
            (Some(Change::ZScore), Some(window)) => self.z_score(now, window, lookup),
            _ => now,
        }
    }

    fn z_score(&self, now: f64, window: Window, lookup: &mut Lookup) -> f64 {
        let mut until = window.start(self.t);
        let mut earlier = Vec::with_capacity(self.planned.feature.periods as usize);
        for _ in 0..self.planned.feature.periods {
            let after = window.start(until);
            if after.days() < self.start.saturating_sub(1) {
                break;
            }
            let value = self.as_of(until, lookup);
            if !value.is_nan() {
                earlier.push(value);
            }
            until = after;
        }
        if earlier.len() < MIN_PERIODS as usize { f64::NAN } else { z_score(now, &earlier) }
    }

    /// The aggregate as of `as_of`, told from what is known by `t`.
    fn as_of(&self, as_of: Date, lookup: &mut Lookup) -> f64 {
        let feature = self.planned.feature;
        let (after, until) = match feature.window {
            None => (i32::MIN, as_of.days()),
            Some(window) if feature.from_start => {
                let first = Date::from_days(self.start);
                (self.start.saturating_sub(1), as_of.days().min(window.end(first).days()))
            }
            Some(window) => (window.start(as_of).days(), as_of.days()),
        };
        let frame = Frame { day: &self.view.day, after, t: until, start: self.start };
        let seen = self.see((after, until), feature.window.is_none(), lookup);
        let earlier = if feature.aggregate == Aggregate::DistinctNew {
            self.see((i32::MIN, after), false, lookup)
        } else {
            Seen::Run(0..0)
        };
        let column = self.view.column(feature, self.planned.rows);
        self.aggregate(column, frame, &seen, &earlier, &lookup.scratch)
    }

    fn aggregate(&self, column: Column<'_>, frame: Frame<'_>, seen: &Seen, earlier: &Seen, scratch: &[usize]) -> f64 {
        let what = self.planned.feature.aggregate;
        let listed = |places: &std::ops::Range<usize>| scratch[places.clone()].iter().copied();
        match (seen, earlier) {
            (Seen::Run(rows), Seen::Run(earlier)) => {
                aggregate::aggregate(what, column, frame, rows.clone(), earlier.clone())
            }
            (Seen::Run(rows), Seen::Listed(earlier)) => {
                aggregate::aggregate(what, column, frame, rows.clone(), listed(earlier))
            }
            (Seen::Listed(rows), Seen::Run(earlier)) => {
                aggregate::aggregate(what, column, frame, listed(rows), earlier.clone())
            }
            (Seen::Listed(rows), Seen::Listed(earlier)) => {
                aggregate::aggregate(what, column, frame, listed(rows), listed(earlier))
            }
        }
    }

    fn see(&self, window: (i32, i32), whole: bool, lookup: &mut Lookup) -> Seen {
        let running = whole && self.view.kind == SourceKind::Subscription;
        let view = self.planned.view;
        let is_it = |known: &&(usize, (i32, i32), bool, Seen)| (known.0, known.1, known.2) == (view, window, running);
        if let Some((.., seen)) = lookup.windows.iter().find(is_it) {
            return seen.clone();
        }
        let mut seen = self.view.see(self.account as usize, self.t.days(), window, &mut lookup.scratch);
        if running {
            seen = self.view.running(seen, window.1, &mut lookup.scratch);
        }
        lookup.windows.push((view, window, running, seen.clone()));
        seen
    }
}

fn ratio(value: f64, by: f64) -> f64 {
    if by == 0.0 { f64::NAN } else { value / by }
}

/// Which rows meet every condition; empty where there is none.
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
