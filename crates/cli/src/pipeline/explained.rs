//! What a bundle says of accounts, and why.

use std::sync::Arc;

use bellwether_book::{BookFile, Numbers};
use bellwether_bundle::{Bundle, TargetModel};
use bellwether_core::{Calibration, FeatureMatrix, HealthModel, Model, Target};
use bellwether_score::{
    Against, Contributions, ExplainedRow, Explainer, HealthShares, IndicatorValue, Indicators, Measure, Reasons,
    ScoreError, Scorer, Wording,
};
use rayon::prelude::*;

use crate::failure::Failure;
use crate::pipeline::opened::Opened;
use crate::progress::say;

/// The explainers of a bundle's main horizons, and the words for its indicators.
pub(crate) struct Explained {
    pub(crate) indicators: Indicators,
    /// One an indicator.
    pub(crate) wordings: Arc<[Wording]>,
    pub(crate) targets: Vec<ExplainedTarget>,
    health: HealthModel,
}

/// One target that is explained.
pub(crate) struct ExplainedTarget {
    pub(crate) target: Target,
    explainer: Explainer,
    calibration: Calibration,
}

impl Explained {
    /// Of the main horizon of each outcome, but for graphs of other software that can't be explained so; against training
    /// rows, or against the rows that the bundle keeps.
    pub(crate) fn of(opened: &Opened, interventional: bool) -> Result<Self, Failure> {
        Self::of_bundle(&opened.bundle, &opened.scorer, opened.book.file(), interventional)
    }

    /// The same in the words of `file`.
    pub(crate) fn of_bundle(
        bundle: &Bundle,
        scorer: &Scorer,
        file: &BookFile,
        interventional: bool,
    ) -> Result<Self, Failure> {
        let background = bundle.background();
        let sample = background.and_then(|background| background.sample.as_ref());
        let rows = match (interventional, sample) {
            (false, _) => None,
            (true, Some(rows)) => Some(rows),
            (true, None) => {
                let hint = "set `background_rows` under [train] in book.toml and train again";
                return Err(Failure::refused("the bundle keeps no rows to compare with".to_owned(), hint));
            }
        };
        let is_main = |target: Target| scorer.main_target(target.outcome) == Some(target);
        let models = bundle.targets().iter().zip(bundle.models()).filter(|(of, _)| is_main(of.target));
        let explainer = |(of, model): (&TargetModel, &Model)| {
            let kernel = scorer.kernel(of.target).expect("a scorer has a kernel for each target of its bundle");
            match rows {
                None => Explainer::of_bundle(bundle, scorer, of.target),
                Some(rows) => Explainer::new(kernel, model, of.target, Against::Rows(rows)),
            }
        };
        // Tables of many trees take a while to compile.
        let models: Vec<_> = models.collect();
        let explainers: Vec<_> = models.par_iter().map(|&of| explainer(of)).collect();
        let mut targets = Vec::new();
        for ((of, _), explainer) in models.into_iter().zip(explainers) {
            match explainer {
                Ok(explainer) => {
                    let calibration = of.calibration.clone();
                    targets.push(ExplainedTarget { target: of.target, explainer, calibration });
                }
                Err(error @ ScoreError::NotExplained { .. }) => say(&format!("no reasons: {error}")),
                Err(error @ ScoreError::NoBackground { .. }) => {
                    let hint = "train again with this release; the bundle was written by an earlier one";
                    return Err(Failure::refused(error.to_string(), hint));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if targets.is_empty() {
            let message = "no model of the bundle can be explained: all are graphs of other software".to_owned();
            return Err(Failure::refused(
                message,
                "train a model with bellwether, or import one of trees or straight lines",
            ));
        }
        let indicators = Indicators::of(bundle.encoding());
        let wordings = (0..indicators.len()).map(|of| wording(bundle, file, &indicators, of)).collect();
        Ok(Self { indicators, wordings, targets, health: bundle.scorecard().health_model() })
    }

    /// What an indicator is in a row.
    pub(crate) fn value(&self, indicator: usize, x: &FeatureMatrix, row: usize) -> IndicatorValue<'_> {
        self.indicators.value(indicator, |column| x.value(row, column))
    }

    /// The health score of a row, taken apart.
    pub(crate) fn health(&self, x: &FeatureMatrix, row: usize) -> HealthShares {
        HealthShares::of(&self.health, |column| x.value(row, column))
    }

    /// What people call a veto of the health score.
    pub(crate) fn veto_name(&self, veto: usize) -> &str {
        self.health.rules.as_ref().map_or("", |rules| &rules.vetoes[veto].name)
    }
}

impl ExplainedTarget {
    pub(crate) fn contributions(&self, x: &FeatureMatrix) -> Result<Contributions, Failure> {
        Ok(self.explainer.contributions(x)?)
    }

    /// Of each row at most `most`; `logits` are what the scorer gave for the target.
    pub(crate) fn reasons(
        &self,
        x: &FeatureMatrix,
        logits: &[f64],
        indicators: &Indicators,
        most: usize,
    ) -> Result<Reasons, Failure> {
        Ok(Reasons::of(&self.explainer, x, logits, &self.calibration, indicators, most)?)
    }

    /// The probability of a sum of contributions.
    pub(crate) fn probability(&self, sum: f64) -> f64 {
        self.calibration.probability(self.explainer.link().logit(sum))
    }

    /// A row's contributions by indicator, in the order of `names`; what has another name gets nothing.
    pub(crate) fn row(of: &Contributions, row: usize, indicators: &Indicators, names: &[String]) -> ExplainedRow {
        let mut by_indicator = vec![0.0; names.len()];
        for (&indicator, contribution) in indicators.of_columns().iter().zip(of.row(row)) {
            let name = indicators.name(indicator);
            if let Some(place) = names.iter().position(|known| known == name) {
                by_indicator[place] += contribution;
            }
        }
        ExplainedRow { expected: of.expected, by_indicator }
    }
}

/// `churn within 90 days`.
pub(crate) fn named(target: Target) -> String {
    format!("{} within {} days", target.outcome.name(), target.horizon_days)
}

fn wording(bundle: &Bundle, file: &BookFile, indicators: &Indicators, indicator: usize) -> Wording {
    let name = indicators.name(indicator);
    // A percentile of a helper has no feature of its own.
    let declared = file.words(name);
    let usual = bundle.background().map(|background| background.usual[indicators.column(indicator)]);
    let measure = declared.as_ref().map_or(Measure::Number(None), |words| match words.numbers {
        Numbers::Plain => Measure::Number(words.unit.clone()),
        Numbers::Shares => Measure::Share,
        Numbers::Ratios => Measure::Ratio,
        Numbers::Differences => Measure::Difference,
    });
    let label = declared.map_or_else(|| name.replace('_', " "), |words| words.label);
    Wording::new(label, measure, usual, indicators.levels(indicator).to_vec())
}
