//! A backtest: what is fitted at all origins, summarised target by target.

use std::collections::BTreeMap;

use bellwether_book::{BacktestPlan, Split, SplitPlan};
use bellwether_core::{Progress, Target};
use bellwether_evaluate::backtest::{
    Backtest, BacktestOptions, CurveStep, OriginRows, Scheme, TargetBacktest, learning_curve, summarise,
};
use bellwether_evaluate::guide::{GuideOptions, LeftOut, ablation_findings};
use bellwether_evaluate::{EvaluateOptions, Paired, Scored};
use bellwether_learn::LearnerName;

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::evidence;
use crate::pipeline::fit::PartRows;
use crate::pipeline::origins::{Work, n_accounts, n_events};
use crate::pipeline::prepare::{Built, check_minimums};
use crate::pipeline::refit::FeatureGroup;
use crate::progress::Bars;

/// What a backtest is asked for.
pub(crate) struct Plan {
    pub(crate) splits: BacktestPlan,
    pub(crate) learners: Vec<LearnerName>,
    pub(crate) ablation: bool,
    pub(crate) learning_curve: bool,
}

/// Shares of the training accounts below all of them.
pub(crate) const SHARES: [f64; 3] = [0.125, 0.25, 0.5];

/// Splits `built`, fits, and says what the test rows of all origins show.
pub(crate) fn run(built: &Built, plan: &Plan, bars: &Bars) -> Result<Backtest, Failure> {
    check_minimums(&built.book, &built.table)?;
    let splits = built.book.backtest_splits(&built.table, plan.splits)?;
    let groups = groups(built, &splits, plan)?;
    let work = Work { built, plan, splits: &splits, groups: &groups, bars };
    let mut studies: Vec<Study> = built.book.file().targets().into_iter().map(Study::new).collect();
    bars.begin("fits", work.n_fits(&studies));
    for (number, split) in splits.iter().enumerate() {
        work.origin(number, split, &mut studies)?;
    }
    bars.end();
    let options = options(plan.splits.seed);
    let summary = |study: &Study| study.summarise(&groups, &options, bars);
    Ok(Backtest {
        name: built.book.file().config.name.get_ref().clone(),
        scheme: scheme(&splits, plan),
        seed: plan.splits.seed,
        learners: plan.learners.iter().map(ToString::to_string).collect(),
        targets: studies.iter().map(summary).collect::<Result<_, _>>()?,
    })
}

fn options(seed: u64) -> BacktestOptions {
    let evaluate = EvaluateOptions { k_shares: Vec::new(), ..evidence::options(seed) };
    BacktestOptions { evaluate, ..BacktestOptions::default() }
}

/// The groups of features, where they are asked for.
fn groups(built: &Built, splits: &[Split], plan: &Plan) -> Result<Vec<FeatureGroup>, Failure> {
    let Some(first) = splits.first().filter(|_| plan.ablation) else { return Ok(Vec::new()) };
    Ok(FeatureGroup::all(&built.book.learn_encoding(&built.table, &first.training)?.inputs))
}

fn scheme(splits: &[Split], plan: &Plan) -> Scheme {
    match &splits[0].plan {
        SplitPlan::Time { purge_days, calibration_by, .. } => Scheme::RollingOrigins {
            n_origins: splits.len(),
            purge_days: *purge_days,
            calibration_by: (*calibration_by).to_owned(),
        },
        SplitPlan::Hashed { by, .. } => {
            Scheme::Folds { by: by.clone(), n_folds: plan.splits.n_origins, n_repeats: plan.splits.n_repeats }
        }
    }
}

/// What one target's origins gave.
pub(crate) struct Study {
    pub(crate) target: Target,
    pub(crate) origins: Vec<OriginRows>,
    /// By group: what the chosen learner says without it at each origin with known labels, or why it says nothing.
    pub(crate) without: BTreeMap<String, Result<Vec<Vec<f64>>, String>>,
    /// From the smallest share up; empty where not asked for.
    pub(crate) steps: Vec<CurveStep>,
}

impl Study {
    const fn new(target: Target) -> Self {
        Self { target, origins: Vec::new(), without: BTreeMap::new(), steps: Vec::new() }
    }

    /// Makes room for the curve, and puts this origin's full training part into it.
    pub(crate) fn add_steps(&mut self, origin: &OriginRows, training: &PartRows) {
        if self.steps.is_empty() {
            self.steps = SHARES.into_iter().chain([1.0]).map(CurveStep::new).collect();
        }
        if let (Some(all), Some(chosen)) = (self.steps.last_mut(), origin.chosen()) {
            all.add(n_accounts(training), n_events(training), Ok(chosen.probability.clone()));
        }
    }

    fn summarise(
        &self,
        groups: &[FeatureGroup],
        options: &BacktestOptions,
        progress: &dyn Progress,
    ) -> Result<TargetBacktest, Failure> {
        let mut found = summarise(self.target, &self.origins, options, progress).unexpected("summarising")?;
        let known: Vec<&OriginRows> = self.origins.iter().filter(|origin| origin.is_known()).collect();
        if known.is_empty() {
            return Ok(found);
        }
        let left_out: Vec<LeftOut<'_>> = groups.iter().map(|group| self.left_out(group, &known)).collect();
        let guide = GuideOptions { confidence: options.evaluate.confidence, ..GuideOptions::default() };
        found.ablation = ablation_findings(&left_out, options.auc_margin, &guide).unexpected("judging the ablation")?;
        if !self.steps.is_empty() {
            let curve = learning_curve(&known, &self.steps, options).unexpected("judging the learning curve")?;
            found.learning_curve = Some(curve);
        }
        Ok(found)
    }

    fn left_out<'a>(&'a self, group: &FeatureGroup, known: &[&'a OriginRows]) -> LeftOut<'a> {
        let paired = |(origin, without): (&&'a OriginRows, &'a Vec<f64>)| Paired {
            scored: Scored {
                probability: &origin.learners[origin.chosen].probability,
                outcome: &origin.outcome,
                account: &origin.account,
            },
            other: without,
        };
        let origins = match &self.without[group.name()] {
            Ok(without) => Ok(known.iter().zip(without).map(paired).collect()),
            Err(reason) => Err(reason.clone()),
        };
        LeftOut { group: group.name().to_owned(), n_features: group.n_features, origins }
    }
}
