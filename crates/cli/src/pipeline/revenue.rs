//! Revenue: what training rows teach of it, what is to be expected, what happened.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_book::{Book, FeatureTable};
use bellwether_core::{
    Date, Doubt, FeatureMatrix, HorizonChanges, Outcome, Progress, RelativeChanges, RevenueChanges, RowStatus, Target,
    TextColumn,
};
use bellwether_evaluate::Scored;
use bellwether_evaluate::forecast::{
    BookAccounts, Fate, ForecastOptions, Movement, PastMoves, RevenueForecast, ScoredOnDays, doubt, expected_gain,
    forecast_revenue, relative_changes,
};
use bellwether_score::Scorer;

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::evidence::cohorts;
use crate::pipeline::opened::OpenedModel;
use crate::pipeline::prepare::Prepared;

/// The days for which every outcome that has a model has one, rising; empty without a model of churn.
pub(crate) fn horizons(targets: &[Target]) -> Vec<u32> {
    let outcomes: BTreeSet<Outcome> = targets.iter().map(|target| target.outcome).collect();
    let has_all = |horizon_days: &u32| {
        outcomes.iter().all(|&outcome| targets.contains(&Target { outcome, horizon_days: *horizon_days }))
    };
    let days: BTreeSet<u32> = targets.iter().map(|target| target.horizon_days).filter(has_all).collect();
    if outcomes.contains(&Outcome::Churn) { days.into_iter().collect() } else { Vec::new() }
}

/// What a forecast needs, frozen in the bundle: changes are learnt on training rows, doubts on calibration rows and on the
/// days of both. `None` where the book has no value, no days or no target of churn.
pub(crate) fn learn(
    prepared: &Prepared,
    scorer: &Scorer,
    progress: &dyn Progress,
) -> Result<Option<RevenueChanges>, Failure> {
    let (book, table, split) = (&prepared.book, &prepared.table, &prepared.split);
    let targets: Vec<Target> = scorer.targets().collect();
    let horizons = horizons(&targets);
    if table.arr.is_none() || !book.has_time() || horizons.is_empty() {
        return Ok(None);
    }
    let mut seen = [&split.training[..], &split.calibration].concat();
    seen.sort_unstable();
    let probability = scorer.probabilities(&prepared.x.select(&seen))?;
    let seen = Seen { table, rows: &seen, probability: &probability, calibration: &split.calibration };
    let mut of_horizons = Vec::new();
    for horizon_days in horizons {
        let outcomes = targets.iter().filter(|of| of.horizon_days == horizon_days).map(|of| of.outcome);
        let doubt = outcomes.map(|outcome| (outcome, seen.doubt(Target { outcome, horizon_days })));
        let Some(past) = Past::of(book, table, &split.training, horizon_days, progress)? else { return Ok(None) };
        of_horizons.push(HorizonChanges {
            horizon_days,
            expanded: past.changes(Some(Outcome::Expansion), Fate::Expanded),
            contracted: past.changes(Some(Outcome::Contraction), Fate::Contracted),
            steady: past.changes(None, Fate::Steady).unwrap_or_else(RelativeChanges::none),
            doubt: doubt.collect(),
        });
    }
    let segment = table.segments.first().map(|(name, _)| name.clone());
    Ok(Some(RevenueChanges { segment, horizons: of_horizons }))
}

/// Rows that a model was fitted or calibrated on, with its probabilities.
struct Seen<'a> {
    table: &'a FeatureTable,
    rows: &'a [usize],
    probability: &'a BTreeMap<Target, Vec<f64>>,
    /// The calibration rows among them.
    calibration: &'a [usize],
}

impl Seen<'_> {
    fn doubt(&self, target: Target) -> Doubt {
        let labels = &self.table.labels[&target];
        let arr = self.table.arr.as_deref().unwrap_or_default();
        let mut all = Columns::default();
        let mut calibration = Columns::default();
        for (place, &row) in self.rows.iter().enumerate() {
            if let Some(outcome) = labels[row] {
                let of_row = (self.probability[&target][place], outcome, self.table.account[row]);
                all.push(of_row, self.table.keys[row].as_of, arr[row]);
                if self.calibration.binary_search(&row).is_ok() {
                    calibration.push(of_row, self.table.keys[row].as_of, arr[row]);
                }
            }
        }
        let seen = ScoredOnDays { scored: all.scored(), day: &all.day, revenue: &all.revenue };
        doubt(&calibration.scored(), &seen, target.horizon_days)
    }
}

#[derive(Default)]
struct Columns {
    probability: Vec<f64>,
    outcome: Vec<bool>,
    account: Vec<u32>,
    day: Vec<Date>,
    revenue: Vec<f64>,
}

impl Columns {
    fn push(&mut self, (probability, outcome, account): (f64, bool, u32), day: Date, revenue: f64) {
        self.probability.push(probability);
        self.outcome.push(outcome);
        self.account.push(account);
        self.day.push(day);
        self.revenue.push(revenue);
    }

    fn scored(&self) -> Scored<'_> {
        Scored { probability: &self.probability, outcome: &self.outcome, account: &self.account }
    }
}

/// Rows whose revenue is known and whose outcomes within one horizon are too, with what became of them.
pub(crate) struct Past<'a> {
    table: &'a FeatureTable,
    horizon_days: u32,
    rows: Vec<usize>,
    before: Vec<f64>,
    after: Vec<f64>,
    fate: Vec<Fate>,
}

impl<'a> Past<'a> {
    /// `None` where the book declares no value.
    pub(crate) fn of(
        book: &Book,
        table: &'a FeatureTable,
        rows: &[usize],
        horizon_days: u32,
        progress: &dyn Progress,
    ) -> Result<Option<Self>, Failure> {
        let (Some(arr), Some(arr_after)) = (&table.arr, book.arr_after(table, horizon_days, progress)?) else {
            return Ok(None);
        };
        let known = rows.iter().filter(|&&row| arr[row] > 0.0);
        let with_fate = known.filter_map(|&row| Some((row, fate(table, row, horizon_days)?)));
        let (rows, fate): (Vec<usize>, Vec<Fate>) = with_fate.unzip();
        Ok(Some(Self {
            table,
            horizon_days,
            before: rows.iter().map(|&row| arr[row]).collect(),
            after: rows.iter().map(|&row| arr_after[row]).collect(),
            rows,
            fate,
        }))
    }

    /// What became of the rows of `day`; `None` where there is none.
    pub(crate) fn movement(&self, day: Date) -> Option<Movement> {
        let places: Vec<usize> =
            (0..self.rows.len()).filter(|&place| self.table.keys[self.rows[place]].as_of == day).collect();
        let of = |values: &[f64]| -> Vec<f64> { places.iter().map(|&place| values[place]).collect() };
        let fate: Vec<Fate> = places.iter().map(|&place| self.fate[place]).collect();
        (!places.is_empty()).then(|| Movement::of(&of(&self.before), &of(&self.after), &fate))
    }

    /// The changes of rows with this fate, among those that had the outcome.
    fn changes(&self, outcome: Option<Outcome>, fate: Fate) -> Option<RelativeChanges> {
        let had = |place: &usize| match outcome {
            Some(outcome) => {
                let labels = self.table.labels.get(&Target { outcome, horizon_days: self.horizon_days });
                labels.is_some_and(|labels| labels[self.rows[*place]] == Some(true))
            }
            None => self.fate[*place] == fate,
        };
        let places: Vec<usize> = (0..self.rows.len()).filter(had).collect();
        let column = |values: &[f64]| -> Vec<f64> { places.iter().map(|&place| values[place]).collect() };
        let rows: Vec<usize> = places.iter().map(|&place| self.rows[place]).collect();
        let past = PastMoves {
            before: &column(&self.before),
            after: &column(&self.after),
            fate: &places.iter().map(|&place| self.fate[place]).collect::<Vec<_>>(),
            account: &rows.iter().map(|&row| self.table.account[row]).collect::<Vec<_>>(),
            level: &levels(self.table, &rows, self.table.segments.first().map(|(name, _)| name.as_str())),
        };
        relative_changes(&past, fate)
    }
}

/// `None` where an outcome that has a target of this horizon is not known yet.
fn fate(table: &FeatureTable, row: usize, horizon_days: u32) -> Option<Fate> {
    let had = |outcome| match table.labels.get(&Target { outcome, horizon_days }) {
        Some(labels) => labels[row],
        None => Some(false),
    };
    Some(Fate::of(had(Outcome::Churn)?, had(Outcome::Expansion)?, had(Outcome::Contraction)?))
}

/// The level of each row in a segment.
pub(crate) fn levels<'a>(table: &'a FeatureTable, rows: &[usize], segment: Option<&str>) -> Vec<Option<&'a str>> {
    let texts = table.segments.iter().find(|(name, _)| Some(name.as_str()) == segment).map(|(_, texts)| texts);
    rows.iter().map(|&row| texts.and_then(|texts| texts.get(row))).collect()
}

/// The rows of customers with known revenue among `rows`, and how many others there are.
pub(crate) fn customers(table: &FeatureTable, rows: impl Iterator<Item = usize>) -> (Vec<usize>, usize) {
    let is_customer = |row: &usize| table.status[*row] == RowStatus::Scored;
    let arr = |row: usize| table.arr.as_ref().map_or(f64::NAN, |arr| arr[row]);
    let (known, unknown): (Vec<usize>, Vec<usize>) = rows.filter(is_customer).partition(|&row| arr(row) > 0.0);
    (known, unknown.len())
}

/// What an expansion is expected to bring within the main horizon, as a share of each row's revenue; `None` where the
/// bundle does not know.
pub(crate) fn expected_gains(
    model: &OpenedModel,
    segments: &[(String, TextColumn)],
    probability: &BTreeMap<Target, Vec<Option<f64>>>,
) -> Option<Vec<Option<f64>>> {
    let main = model.scorer.main_target(Outcome::Expansion)?;
    let changes = model.bundle.revenue()?;
    let horizon = changes.horizons.iter().find(|of| of.horizon_days == main.horizon_days)?;
    let expanded = horizon.expanded.as_ref()?;
    let probability = probability.get(&main)?;
    let of_any_level = expected_gain(expanded, None);
    let Some(segment) = &changes.segment else {
        return Some(probability.iter().map(|p| p.map(&of_any_level)).collect());
    };
    // A feature file may lack the segment by which gains differ.
    let Some((_, levels)) = segments.iter().find(|(name, _)| name == segment) else {
        return Some(vec![None; probability.len()]);
    };
    let of_level: Vec<_> = levels.levels.iter().map(|level| expected_gain(expanded, Some(level))).collect();
    let gain = |(p, &code): (&Option<f64>, &u32)| p.map(of_level.get(code as usize).unwrap_or(&of_any_level));
    Some(probability.iter().zip(&levels.codes).map(gain).collect())
}

/// What is to be expected of the accounts in `rows`, and of each level of each segment.
pub(crate) fn forecast(
    scorer: &Scorer,
    changes: &RevenueChanges,
    (table, x): (&FeatureTable, &FeatureMatrix),
    rows: &[usize],
    seed: u64,
    progress: &dyn Progress,
) -> Result<RevenueForecast, Failure> {
    let arr = table.arr.as_deref().unwrap_or_default();
    let accounts = BookAccounts {
        key: &rows.iter().map(|&row| table.group[row]).collect::<Vec<_>>(),
        revenue: &rows.iter().map(|&row| arr[row]).collect::<Vec<_>>(),
        level: &levels(table, rows, changes.segment.as_deref()),
        probability: &scorer.probabilities(&x.select(rows))?,
    };
    let options = ForecastOptions { seed, ..ForecastOptions::default() };
    forecast_revenue(&accounts, &cohorts(table, rows), changes, &options, progress).unexpected("forecasting revenue")
}
