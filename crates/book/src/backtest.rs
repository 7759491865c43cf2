//! The splits of a backtest: origins that roll through time, or folds of accounts where there is no time.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::{Date, Target};

use crate::config::{SplitConfig, SplitKind};
use crate::split::{CALIBRATION_SHARE, GroupPart, LabelledDays, Split, SplitRows, by_group, share_of};
use crate::{Book, BookError, FeatureTable};

/// How many splits a backtest draws. The seed draws folds, and accounts that calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacktestPlan {
    /// Origins of a split by time, from 1; folds of a split by account or group, from 2.
    pub n_origins: usize,
    /// How often folds are drawn; a split by time has its origins once.
    pub n_repeats: usize,
    /// Where folds come from.
    pub seed: u64,
}

impl Book {
    /// The splits of a backtest, each checked to have something to learn from.
    ///
    /// By time: test windows of about equally many snapshot days follow each other without a gap, to the last labelled
    /// day; the first begins in the middle of the labelled days, or as early after it as there is enough before it, or
    /// earlier where more windows are asked for than days are left. Training grows from window to window; parts are
    /// purged and rows calibrate as in [`Book::split`], of which `test_from` and `test_share` do not apply.
    /// Source: rolling-origin evaluation, Tashman (2000), Int. J. Forecast. 16.
    ///
    /// By account or group: each repeat deals the groups into folds of equal size, so that each tests in one fold.
    ///
    /// # Errors
    /// [`BookError::TooFewOrigins`] with how many fit. A split fits where each part has labelled rows, each source has
    /// begun and each feature is known in training rows, and each target has both classes in training and calibration
    /// rows. Test rows of a target may be of one class, or have no label yet where its horizon is a longer one.
    pub fn backtest_splits(&self, table: &FeatureTable, plan: BacktestPlan) -> Result<Vec<Split>, BookError> {
        let rows = table.split_rows(self.file());
        let config = &self.file().config.split;
        let enough = |split: &Split| self.check_enough(table, split);
        match rows.kind(config) {
            SplitKind::Time => {
                let days = LabelledDays::new(&rows, config, self.file().reach_days(), plan.seed);
                let first = first_origin(&days, &enough).map_err(|why| BookError::TooFewOrigins {
                    asked: plan.n_origins,
                    what: "origins",
                    why,
                    fit: 0,
                })?;
                drawn(plan.n_origins, "origins", 1, |n| rolling(&days, first, n, &enough))
            }
            SplitKind::Random | SplitKind::Grouped => {
                let draw = |n_origins| folds(&rows, config, BacktestPlan { n_origins, ..plan }, &enough);
                drawn(plan.n_origins, "folds", LEAST_FOLDS, draw)
            }
        }
    }

    /// Whether every target can be learnt from `split`.
    fn check_enough(&self, table: &FeatureTable, split: &Split) -> Result<(), BookError> {
        self.check_sources_began(split)?;
        for (&target, labels) in &table.labels {
            for (part, rows) in [("training", &split.training), ("calibration", &split.calibration)] {
                check_classes(target, labels, part, rows)?;
            }
        }
        self.learn_encoding(table, &split.training).map(|_| ())
    }
}

fn check_classes(target: Target, labels: &[Option<bool>], part: &'static str, rows: &[usize]) -> Result<(), BookError> {
    let known = || rows.iter().filter_map(|&row| labels[row]);
    let (n_rows, n_events) = (known().count(), known().filter(|&came| came).count());
    if n_events == 0 || n_events == n_rows {
        return Err(BookError::SingleClass { target, n_rows, part, only: n_events > 0 });
    }
    Ok(())
}

const LEAST_FOLDS: usize = 2;

/// As many splits as asked for; or how many fit, `least` at least.
fn drawn(
    asked: usize,
    what: &'static str,
    least: usize,
    draw: impl Fn(usize) -> Result<Vec<Split>, String>,
) -> Result<Vec<Split>, BookError> {
    draw(asked).map_err(|why| {
        let fit = (least..asked.max(least + 1)).rev().find(|&n| draw(n).is_ok()).unwrap_or(0);
        BookError::TooFewOrigins { asked, what, why, fit }
    })
}

type IsEnough<'a> = &'a dyn Fn(&Split) -> Result<(), BookError>;

/// The place of the first day before which there is enough to learn from: more history is never less.
fn first_origin(days: &LabelledDays<'_>, enough: IsEnough<'_>) -> Result<usize, String> {
    let check = |&day: &Date| days.split((day, day)).and_then(|split| enough(&split));
    let first = days.days.partition_point(|day| check(day).is_err());
    if first < days.days.len() {
        return Ok(first);
    }
    let last = days.days.last().map(check);
    Err(match last {
        Some(Err(error)) => error.to_string(),
        _ => "no snapshot day has a label".to_owned(),
    })
}

fn rolling(
    days: &LabelledDays<'_>,
    first: usize,
    n_origins: usize,
    enough: IsEnough<'_>,
) -> Result<Vec<Split>, String> {
    let n_days = days.days.len();
    if n_origins == 0 || n_days - first < n_origins {
        return Err(format!(
            "{n_days} snapshot days have labels, and the first before which training and calibration find enough, with \
             {} days of purge, is {}: {} can test",
            days.purge_days,
            days.days[first],
            n_days - first
        ));
    }
    let start = (n_days / 2).min(n_days - n_origins).max(first);
    let begin = |origin: usize| start + origin * (n_days - start) / n_origins;
    let origin = |origin: usize| {
        let test = (days.days[begin(origin)], days.days[begin(origin + 1) - 1]);
        let split = days.split(test).and_then(|split| enough(&split).map(|()| split));
        split.map_err(|error| format!("origin {}: {error}", test.0))
    };
    (0..n_origins).map(origin).collect()
}

fn folds(
    rows: &SplitRows<'_>,
    config: &SplitConfig,
    plan: BacktestPlan,
    enough: IsEnough<'_>,
) -> Result<Vec<Split>, String> {
    let labelled = rows.groups.iter().zip(&rows.is_labelled).filter(|&(_, &is)| is).map(|(&group, _)| group);
    let groups: BTreeSet<&str> = labelled.collect();
    if plan.n_origins < LEAST_FOLDS || groups.len() < plan.n_origins {
        return Err(format!("folds are 2 or more, and there are {} accounts or groups with labels", groups.len()));
    }
    let mut splits = Vec::new();
    for repeat in 0..plan.n_repeats as u64 {
        let seed = plan.seed.wrapping_add(repeat);
        let mut dealt: Vec<&str> = groups.iter().copied().collect();
        dealt.sort_by(|a, b| share_of(seed, "fold", a).total_cmp(&share_of(seed, "fold", b)).then(a.cmp(b)));
        for fold in 0..plan.n_origins {
            let parts = parts_of_fold(&dealt, fold, plan.n_origins, config);
            let split = by_group(rows, config, seed, |group| parts[group]);
            let split = split.and_then(|split| enough(&split).map(|()| split));
            splits.push(split.map_err(|error| format!("repeat {}, fold {}: {error}", repeat + 1, fold + 1))?);
        }
    }
    Ok(splits)
}

/// Every `n_folds`-th group tests; of the others, those that test in the folds after it calibrate, as many as the share
/// says and at least one.
fn parts_of_fold<'a>(
    dealt: &[&'a str],
    fold: usize,
    n_folds: usize,
    config: &SplitConfig,
) -> BTreeMap<&'a str, GroupPart> {
    // 0 for the fold itself, 1 for the next one, and so on round.
    let after = |place: usize| (place % n_folds + n_folds - fold) % n_folds;
    let mut order: Vec<usize> = (0..dealt.len()).collect();
    order.sort_by_key(|&place| (after(place), place));
    let n_test = order.iter().filter(|&&place| after(place) == 0).count();
    let share = config.calibration_share.unwrap_or(CALIBRATION_SHARE);
    let n_calibration = ((share * (dealt.len() - n_test) as f64).round() as usize).max(1);
    let part = |(rank, place): (usize, usize)| {
        let part = match rank {
            rank if rank < n_test => GroupPart::Test,
            rank if rank < n_test + n_calibration => GroupPart::Calibration,
            _ => GroupPart::Training,
        };
        (dealt[place], part)
    };
    order.into_iter().enumerate().map(part).collect()
}
