//! Fits every learner at every origin, and what is asked for beside it.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_book::{BacktestPlan, Split, SplitPlan};
use bellwether_core::{Progress, Quiet, Target};
use bellwether_evaluate::backtest::{
    Backtest, BacktestOptions, CurveStep, LearnerRows, OriginRows, Scheme, TargetBacktest, Window, learning_curve,
    summarise,
};
use bellwether_evaluate::guide::{GuideOptions, LeftOut, ablation_findings};
use bellwether_evaluate::{EvaluateOptions, Paired, Scored};
use bellwether_learn::LearnerName;

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::evidence;
use crate::pipeline::fit::{Fitted, PartRows, TargetRows};
use crate::pipeline::prepare::{Built, Prepared, check_minimums};
use crate::pipeline::refit::{FeatureGroup, thinned};
use crate::progress::Bars;

/// What is asked for.
pub(crate) struct Plan {
    pub(crate) splits: BacktestPlan,
    pub(crate) learners: Vec<LearnerName>,
    pub(crate) ablation: bool,
    pub(crate) learning_curve: bool,
}

/// Shares of the training accounts below all of them.
const SHARES: [f64; 3] = [0.125, 0.25, 0.5];

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
struct Study {
    target: Target,
    origins: Vec<OriginRows>,
    /// By group: what the chosen learner says without it at each origin with known labels, or why it says nothing.
    without: BTreeMap<String, Result<Vec<Vec<f64>>, String>>,
    /// From the smallest share up; empty where not asked for.
    steps: Vec<CurveStep>,
}

impl Study {
    const fn new(target: Target) -> Self {
        Self { target, origins: Vec::new(), without: BTreeMap::new(), steps: Vec::new() }
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

/// What is done at each origin.
struct Work<'a> {
    built: &'a Built,
    plan: &'a Plan,
    splits: &'a [Split],
    groups: &'a [FeatureGroup],
    bars: &'a Bars,
}

impl Work<'_> {
    fn n_fits(&self, studies: &[Study]) -> u64 {
        let n_steps = if self.plan.learning_curve { SHARES.len() } else { 0 };
        let n_a_target = self.plan.learners.len() + self.groups.len() + n_steps;
        let is_known =
            |split: &Split, target| split.test.iter().any(|&row| self.built.table.labels[&target][row].is_some());
        let known = self.splits.iter().flat_map(|split| studies.iter().filter(|of| is_known(split, of.target)));
        (known.count() * n_a_target) as u64
    }

    /// Everything at one origin; what is learnt there is dropped at its end.
    fn origin(&self, number: usize, split: &Split, studies: &mut [Study]) -> Result<(), Failure> {
        self.bars.say(&format!("{} of {}: {}", number + 1, self.splits.len(), told(&split.plan)));
        let prepared = Prepared::on(self.built, split.clone())?;
        for study in &mut *studies {
            let rows = TargetRows::of(&prepared, study.target)?;
            let origin = self.learners(number, &prepared, &rows)?;
            if let Some(chosen) = origin.chosen().map(|_| self.plan.learners[origin.chosen]) {
                self.ablation(&rows, chosen, &mut study.without)?;
            }
            if self.plan.learning_curve {
                study.add_steps(&origin, &rows.training);
            }
            study.origins.push(origin);
        }
        if self.plan.learning_curve {
            for (place, share) in SHARES.into_iter().enumerate() {
                self.smaller(place, thinned(split, &self.built.table, share), studies)?;
            }
        }
        Ok(())
    }

    fn fit(&self, rows: &TargetRows, name: LearnerName) -> Result<Fitted, Failure> {
        let fitted = rows.fit(name, self.plan.splits.seed, &Quiet);
        self.bars.advance(1);
        fitted
    }

    /// What each learner says of the test rows, where their labels are known.
    fn learners(&self, number: usize, prepared: &Prepared, rows: &TargetRows) -> Result<OriginRows, Failure> {
        let window = self.window(number, prepared, rows);
        let (outcome, account) = (rows.test.rows.y.clone(), rows.test.account.clone());
        if outcome.is_empty() {
            return Ok(OriginRows { window, outcome, account, learners: Vec::new(), chosen: 0 });
        }
        let fit = |&name: &LearnerName| self.fit(rows, name);
        let fitted = self.plan.learners.iter().map(fit).collect::<Result<Vec<_>, _>>()?;
        let chosen = rows.choose(&fitted)?;
        let learner = |of: Fitted| LearnerRows {
            learner: of.learner.to_string(),
            selection_auc: of.selection_auc,
            probability: of.test_probability,
        };
        Ok(OriginRows { window, outcome, account, learners: fitted.into_iter().map(learner).collect(), chosen })
    }

    fn window(&self, number: usize, prepared: &Prepared, rows: &TargetRows) -> Window {
        let (n_training, n_training_accounts) = (rows.training.rows.rows.len(), n_accounts(&rows.training));
        match &prepared.split.plan {
            SplitPlan::Time { training_to, calibration, test, .. } => {
                let days = prepared.split.test.iter().map(|&row| prepared.table.keys[row].as_of);
                Window::Time {
                    test: *test,
                    n_test_days: days.collect::<BTreeSet<_>>().len(),
                    calibration: *calibration,
                    training_to: *training_to,
                    n_training,
                    n_training_accounts,
                }
            }
            SplitPlan::Hashed { .. } => Window::Fold {
                repeat: number / self.plan.splits.n_origins + 1,
                fold: number % self.plan.splits.n_origins + 1,
                n_training,
                n_training_accounts,
            },
        }
    }

    /// What the chosen learner says without each group.
    fn ablation(
        &self,
        rows: &TargetRows,
        chosen: LearnerName,
        without: &mut BTreeMap<String, Result<Vec<Vec<f64>>, String>>,
    ) -> Result<(), Failure> {
        for group in self.groups {
            let kept = rows.without(group).filter(|kept| chosen != LearnerName::Scorecard || kept.has_indicators());
            let found = without.entry(group.name().to_owned()).or_insert_with(|| Ok(Vec::new()));
            match (kept, found) {
                (Some(kept), Ok(of_origins)) => of_origins.push(self.fit(&kept, chosen)?.test_probability),
                (None, found) => {
                    *found = Err(format!("without it the learner {chosen} has nothing to read"));
                    self.bars.advance(1);
                }
                (Some(_), Err(_)) => self.bars.advance(1),
            }
        }
        Ok(())
    }

    /// What the chosen learner says after it, and all that comes before it, has learnt from fewer accounts.
    fn smaller(&self, place: usize, split: Split, studies: &mut [Study]) -> Result<(), Failure> {
        let prepared = or_reason(Prepared::on(self.built, split))?;
        for study in studies {
            let Some(origin) = study.origins.last().filter(|origin| origin.is_known()) else { continue };
            let chosen = self.plan.learners[origin.chosen];
            let rows = match &prepared {
                Ok(prepared) => or_reason(TargetRows::of(prepared, study.target))?,
                Err(reason) => Err(reason.clone()),
            };
            let step = &mut study.steps[place];
            match rows {
                Err(reason) => step.add(0, 0, Err(reason)),
                Ok(rows) => {
                    let fitted = or_reason(rows.fit(chosen, self.plan.splits.seed, &Quiet))?;
                    let (n_accounts, n_events) = (n_accounts(&rows.training), n_events(&rows.training));
                    step.add(n_accounts, n_events, fitted.map(|fitted| fitted.test_probability));
                }
            }
            self.bars.advance(1);
        }
        Ok(())
    }
}

/// What the input does not allow, as a reason; other failures stay failures.
fn or_reason<T>(result: Result<T, Failure>) -> Result<Result<T, String>, Failure> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(failure) => failure.of_input().map(Err),
    }
}

impl Study {
    /// Makes room for the curve, and puts this origin's full training part into it.
    fn add_steps(&mut self, origin: &OriginRows, training: &PartRows) {
        if self.steps.is_empty() {
            self.steps = SHARES.into_iter().chain([1.0]).map(CurveStep::new).collect();
        }
        if let (Some(all), Some(chosen)) = (self.steps.last_mut(), origin.chosen()) {
            all.add(n_accounts(training), n_events(training), Ok(chosen.probability.clone()));
        }
    }
}

fn n_events(rows: &PartRows) -> usize {
    rows.rows.y.iter().filter(|&&came| came).count()
}

fn n_accounts(rows: &PartRows) -> usize {
    rows.account.iter().collect::<BTreeSet<_>>().len()
}

fn told(plan: &SplitPlan) -> String {
    match plan {
        SplitPlan::Time { test, training_to, .. } => {
            format!("training up to {training_to}, test from {} to {}", test.0, test.1)
        }
        SplitPlan::Hashed { by, .. } => format!("a fold by {by}"),
    }
}
