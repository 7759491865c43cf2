//! What is fitted at one origin of a backtest: every learner, and what is asked for beside it.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_book::{Split, SplitPlan};
use bellwether_core::{Progress, Quiet};
use bellwether_evaluate::backtest::{LearnerRows, OriginRows, Window};
use bellwether_learn::LearnerName;

use crate::failure::Failure;
use crate::pipeline::backtest::{Plan, SHARES, Study};
use crate::pipeline::fit::{Fitted, PartRows, TargetRows};
use crate::pipeline::prepare::{Built, Prepared};
use crate::pipeline::refit::{FeatureGroup, thinned};
use crate::progress::Bars;

/// What is done at each origin.
pub(crate) struct Work<'a> {
    pub(crate) built: &'a Built,
    pub(crate) plan: &'a Plan,
    pub(crate) splits: &'a [Split],
    pub(crate) groups: &'a [FeatureGroup],
    pub(crate) bars: &'a Bars,
}

impl Work<'_> {
    /// Every fit of the whole backtest.
    pub(crate) fn n_fits(&self, studies: &[Study]) -> u64 {
        let n_steps = if self.plan.learning_curve { SHARES.len() } else { 0 };
        let n_a_target = self.plan.learners.len() + self.groups.len() + n_steps;
        let is_known =
            |split: &Split, target| split.test.iter().any(|&row| self.built.table.labels[&target][row].is_some());
        let known = self.splits.iter().flat_map(|split| studies.iter().filter(|of| is_known(split, of.target)));
        (known.count() * n_a_target) as u64
    }

    /// Everything at one origin; what is learnt there is dropped at its end.
    pub(crate) fn origin(&self, number: usize, split: &Split, studies: &mut [Study]) -> Result<(), Failure> {
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
        let chosen = rows.choose(&fitted);
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

pub(crate) fn n_events(rows: &PartRows) -> usize {
    rows.rows.y.iter().filter(|&&came| came).count()
}

pub(crate) fn n_accounts(rows: &PartRows) -> usize {
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
