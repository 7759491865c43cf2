//! Point-in-time features: what was known of an account at the end of day `t`.
//!
//! A feature of a row reads the rows of its own account only, and of those only the ones with day and known-at day
//! not after `t`. Each source is sorted once; a window is then a slice of it, shared by all features that look at it.

mod aggregate;
mod view;

use std::collections::BTreeMap;

use bellwether_core::{Date, Progress, RawColumn, RawTable, RawValues, TextColumn};
use rayon::prelude::*;

use crate::config::{
    Aggregate, Change, Condition, DeclaredFeature, MIN_PERIODS, SourceKind, ValueType, Window as Length,
};
use crate::source::SourceRows;

use aggregate::{Column, Frame, z_score};
use view::{Seen, View};

/// A row to build: the account's place and the day.
pub(crate) type Place = (u32, Date);

const ROWS_A_TASK: usize = 1024;

/// Builds every declared feature for every place, in that order. `start` has the account's first day for each place,
/// `i32::MIN` where nobody knows it, `i32::MAX` where it is not there yet.
pub(crate) fn build(
    declared: &[DeclaredFeature],
    sources: &BTreeMap<String, SourceRows>,
    start: &[i32],
    places: &[Place],
    progress: &dyn Progress,
) -> RawTable {
    let groups = Groups::new(declared);
    let views: Vec<View<'_>> = groups.views(sources);
    let plan = Plan::new(declared, sources, &groups, &views);
    let days = plan.days(places);
    let chunks: Vec<Vec<Values>> = places
        .par_chunks(ROWS_A_TASK)
        .zip(start.par_chunks(ROWS_A_TASK))
        .map(|(places, start)| {
            let columns = plan.build(places, start, &days);
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

/// Which features read the same source by the same filter: filters are evaluated once a source, not once a feature.
struct Groups<'a> {
    views: Vec<(&'a str, &'a [Condition], Vec<&'a DeclaredFeature>)>,
    /// The place in `views` of each feature.
    view_of: Vec<usize>,
}

impl<'a> Groups<'a> {
    fn new(declared: &'a [DeclaredFeature]) -> Self {
        let mut groups = Self { views: Vec::new(), view_of: Vec::new() };
        for feature in declared {
            let is_it =
                |(from, filter, _): &(&str, &[Condition], _)| *from == feature.from && *filter == feature.filter;
            let view = groups.views.iter().position(is_it).unwrap_or_else(|| {
                groups.views.push((&feature.from, &feature.filter, Vec::new()));
                groups.views.len() - 1
            });
            groups.views[view].2.push(feature);
            groups.view_of.push(view);
        }
        groups
    }

    fn views(&self, sources: &'a BTreeMap<String, SourceRows>) -> Vec<View<'a>> {
        let view =
            |(from, filter, features): &(&str, &[Condition], Vec<_>)| View::new(&sources[*from], filter, features);
        self.views.par_iter().map(view).collect()
    }
}

/// Declared features with the rows that they read at hand.
struct Plan<'a> {
    features: Vec<Planned<'a>>,
}

struct Planned<'a> {
    feature: &'a DeclaredFeature,
    rows: &'a SourceRows,
    view: &'a View<'a>,
    /// The view's number.
    view_number: usize,
    column: Column<'a>,
    per: Option<usize>,
}

/// What the rows of one day have in common: the windows that their features look at, each once.
#[derive(Default)]
struct Day {
    windows: Vec<Window>,
    /// The window of each feature and, where it is a change, the one that it is held against; places in `windows`.
    /// `None` where the window depends on the account.
    of_feature: Vec<Option<(usize, Option<usize>)>>,
}

/// Rows of one view with day in `(after, until]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    /// The view's number.
    view: usize,
    after: i32,
    until: i32,
    /// Whether only what runs on `until` is seen.
    running: bool,
}

/// What one row's features share: what is seen in the day's windows, filled in as it is needed.
struct Lookup {
    seen: Vec<Option<Seen>>,
    scratch: Vec<usize>,
}

impl<'a> Plan<'a> {
    fn new(
        declared: &'a [DeclaredFeature],
        sources: &'a BTreeMap<String, SourceRows>,
        groups: &Groups<'_>,
        views: &'a [View<'a>],
    ) -> Self {
        let planned = |(feature, &view_number): (&'a DeclaredFeature, &usize)| {
            let (rows, view) = (&sources[&feature.from], &views[view_number]);
            let per = feature.per.as_ref().and_then(|per| declared.iter().position(|other| &other.name == per));
            Planned { feature, rows, view, view_number, column: view.column(feature, rows), per }
        };
        Self { features: declared.iter().zip(&groups.view_of).map(planned).collect() }
    }

    /// The windows of each of the days, by day.
    fn days(&self, places: &[Place]) -> BTreeMap<Date, Day> {
        let mut days: BTreeMap<Date, Day> = places.iter().map(|&(_, t)| (t, Day::default())).collect();
        for (&t, day) in &mut days {
            for planned in &self.features {
                let mut place_of = |window: Window| {
                    day.windows.iter().position(|known| *known == window).unwrap_or_else(|| {
                        day.windows.push(window);
                        day.windows.len() - 1
                    })
                };
                let depends = planned.feature.from_start || planned.feature.change == Some(Change::ZScore);
                day.of_feature
                    .push((!depends).then(|| {
                        (place_of(planned.window(t)), planned.lagged(t).map(|t| place_of(planned.window(t))))
                    }));
            }
        }
        days
    }

    fn build(&self, places: &[Place], start: &[i32], days: &BTreeMap<Date, Day>) -> Vec<Values> {
        let mut columns: Vec<Values> = self.features.iter().map(|planned| planned.values(places.len())).collect();
        let mut lookup = Lookup { seen: Vec::new(), scratch: Vec::new() };
        let mut row = vec![f64::NAN; self.features.len()];
        for (&(account, t), &start) in places.iter().zip(start) {
            let day = &days[&t];
            lookup.scratch.clear();
            lookup.seen.clear();
            lookup.seen.resize(day.windows.len(), None);
            for (at, planned) in self.features.iter().enumerate() {
                let place = OnePlace { planned, day, account, t, start };
                let value = match day.of_feature[at] {
                    Some((now, before)) => place.shared(now, before, &mut lookup),
                    None => place.own(&mut lookup),
                };
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
    /// The window of the feature as of `as_of`, where it does not depend on the account.
    fn window(&self, as_of: Date) -> Window {
        let after = self.feature.window.map_or(i32::MIN, |window| window.start(as_of).days());
        let running = self.feature.window.is_none() && self.view.kind == SourceKind::Subscription;
        Window { view: self.view_number, after, until: as_of.days(), running }
    }

    /// The day as of which the feature is held against itself.
    fn lagged(&self, t: Date) -> Option<Date> {
        let lag = self.feature.lag.or(self.feature.window)?;
        self.feature.change.map(|_| lag.start(t))
    }

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
    planned: &'a Planned<'a>,
    day: &'a Day,
    account: u32,
    t: Date,
    /// The account's first day; `i32::MIN` where nobody knows, `i32::MAX` where it is not there yet.
    start: i32,
}

impl OnePlace<'_> {
    /// The feature's value from the day's windows; NaN is missing, a text is its level's code.
    fn shared(&self, now: usize, before: Option<usize>, lookup: &mut Lookup) -> f64 {
        let mut of = |place: usize| {
            let window = self.day.windows[place];
            let seen = match &lookup.seen[place] {
                Some(seen) => seen.clone(),
                None => lookup.seen[place].insert(self.see(window, &mut lookup.scratch)).clone(),
            };
            self.of_window(window, &seen, &mut lookup.scratch)
        };
        let value = of(now);
        match (self.planned.feature.change, before) {
            (Some(Change::Difference), Some(before)) => value - of(before),
            (Some(Change::Ratio), Some(before)) => ratio(value, of(before)),
            _ => value,
        }
    }

    /// The feature's value where its windows depend on the account.
    fn own(&self, lookup: &mut Lookup) -> f64 {
        let feature = self.planned.feature;
        match (feature.window, feature.change) {
            (Some(length), Some(Change::ZScore)) => self.z_score(length, lookup),
            (Some(_), _) if self.start == i32::MAX => f64::NAN,
            (Some(length), _) => {
                let last = length.end(Date::from_days(self.start)).days();
                let after = self.start.saturating_sub(1);
                let whole = self.planned.window(self.t);
                self.of(Window { after, until: self.t.days().min(last), ..whole }, lookup)
            }
            (None, _) => unreachable!("the configuration was checked: such a feature has a window"),
        }
    }

    fn z_score(&self, length: Length, lookup: &mut Lookup) -> f64 {
        let now = self.of(self.planned.window(self.t), lookup);
        let mut until = length.start(self.t);
        let mut earlier = Vec::with_capacity(self.planned.feature.periods as usize);
        for _ in 0..self.planned.feature.periods {
            let window = self.planned.window(until);
            if window.after < self.start.saturating_sub(1) {
                break;
            }
            let value = self.of(window, lookup);
            if !value.is_nan() {
                earlier.push(value);
            }
            until = length.start(until);
        }
        if earlier.len() < MIN_PERIODS as usize { f64::NAN } else { z_score(now, &earlier) }
    }

    fn of(&self, window: Window, lookup: &mut Lookup) -> f64 {
        let seen = self.see(window, &mut lookup.scratch);
        self.of_window(window, &seen, &mut lookup.scratch)
    }

    /// The aggregate over a window, told from what is known by `t`.
    fn of_window(&self, window: Window, seen: &Seen, scratch: &mut Vec<usize>) -> f64 {
        let view = self.planned.view;
        let Window { after, until, .. } = window;
        let t = if self.planned.feature.from_start { self.t.days() } else { until };
        let frame = Frame { day: &view.day, known: &view.known, after, until, t, start: self.start };
        let earlier = if self.planned.feature.aggregate == Aggregate::DistinctNew {
            self.see(Window { after: i32::MIN, until: after, ..window }, scratch)
        } else {
            Seen::Run(0..0)
        };
        self.aggregate(self.planned.column, frame, seen, &earlier, scratch)
    }

    fn see(&self, window: Window, scratch: &mut Vec<usize>) -> Seen {
        let view = self.planned.view;
        let seen = view.see(self.account as usize, self.t.days(), (window.after, window.until), scratch);
        if window.running { view.running(seen, window.until, scratch) } else { seen }
    }

    fn aggregate(&self, column: Column<'_>, frame: Frame<'_>, seen: &Seen, earlier: &Seen, scratch: &[usize]) -> f64 {
        let what = self.planned.feature.aggregate;
        let listed = |places: &std::ops::Range<usize>| scratch[places.clone()].iter().copied();
        match (seen, earlier) {
            (Seen::Run(rows), Seen::Run(earlier)) => aggregate::aggregate(what, column, frame, rows, earlier.clone()),
            (Seen::Run(rows), Seen::Listed(earlier)) => {
                aggregate::aggregate(what, column, frame, rows, listed(earlier))
            }
            (Seen::Listed(rows), Seen::Run(earlier)) => {
                aggregate::aggregate(what, column, frame, &listed(rows), earlier.clone())
            }
            (Seen::Listed(rows), Seen::Listed(earlier)) => {
                aggregate::aggregate(what, column, frame, &listed(rows), listed(earlier))
            }
        }
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
