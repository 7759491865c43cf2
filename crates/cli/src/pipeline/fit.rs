//! Fits every learner for one target, calibrates it, and chooses.

use bellwether_core::{Calibration, FeatureMatrix, Model, Probability, Progress, Target};
use bellwether_evaluate::{log_loss, paired_auc_difference, roc_auc};
use bellwether_learn::{LearnerName, Settings, TrainingRows, calibrate, learner};
use bellwether_score::Kernel;

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::prepare::{LabelledRows, Part, Prepared};

/// A learner's model with what it predicts; predictions come from the compiled graph, not from the learner.
pub(crate) struct Fitted {
    pub(crate) learner: LearnerName,
    pub(crate) model: Model,
    pub(crate) onnx: Vec<u8>,
    pub(crate) calibration: Calibration,
    /// On calibration rows.
    pub(crate) selection_logits: Vec<f64>,
    pub(crate) selection_auc: Option<f64>,
    pub(crate) selection_log_loss: Option<f64>,
    /// Calibrated, on test rows.
    pub(crate) test_probability: Vec<Probability>,
}

/// All learners of one target.
pub(crate) struct Candidates {
    pub(crate) target: Target,
    pub(crate) training: LabelledRows,
    pub(crate) calibration: LabelledRows,
    pub(crate) test: LabelledRows,
    pub(crate) fitted: Vec<Fitted>,
    /// Which of `fitted`, see [`choose`].
    pub(crate) chosen: usize,
}

impl Candidates {
    pub(crate) fn fit(
        prepared: &Prepared,
        target: Target,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        let training = prepared.rows(target, Part::Training)?;
        let calibration = prepared.rows(target, Part::Calibration)?;
        let test = prepared.rows(target, Part::Test)?;
        let select = |rows: &LabelledRows| prepared.x.select(&rows.rows);
        let x = prepared.training_matrix(target.outcome, &training.rows)?;
        let (x_calibration, x_test) = (select(&calibration), select(&test));
        let day: Vec<i32> = training.rows.iter().map(|&row| prepared.table.keys[row].as_of.days()).collect();
        let group: Vec<u64> = training.rows.iter().map(|&row| prepared.table.group[row]).collect();
        let rows =
            TrainingRows { schema: &prepared.schema, x: &x, y: &training.y, weights: None, day: &day, group: &group };
        let settings = Settings {
            scorecard: Some(prepared.baseline(target.outcome).model.clone()),
            purge_days: target.horizon_days,
            ..Settings::new(seed, target.outcome)
        };
        let mut fitted = Vec::new();
        for name in learners(prepared)? {
            crate::progress::say(&format!("fitting {target} with {name}"));
            let model = learner(name, &settings)?.fit(&rows, progress)?;
            fitted.push(Fitted::of(name, model, prepared, target, (&calibration, &x_calibration), &x_test)?);
        }
        let account: Vec<u32> = calibration.rows.iter().map(|&row| prepared.table.account[row]).collect();
        let chosen = choose(&fitted, &calibration.y, &account)?;
        Ok(Self { target, training, calibration, test, fitted, chosen })
    }

    pub(crate) fn chosen(&self) -> &Fitted {
        &self.fitted[self.chosen]
    }
}

/// Confidence of the interval that decides whether a learner is clearly below the best: 5 % on that side.
const CHOICE_CONFIDENCE: f64 = 0.9;

/// The simplest learner whose AUC on calibration rows is not clearly below the best one's there (paired, accounts kept
/// together): a complex model must earn its place (requirements.md V-14). Source: the one-standard-error rule of
/// Breiman et al. (1984), with an interval in place of the standard error.
fn choose(fitted: &[Fitted], y: &[bool], account: &[u32]) -> Result<usize, Failure> {
    let auc = |fitted: &Fitted| fitted.selection_auc.unwrap_or(0.0);
    let better = |best: usize, next: usize| if auc(&fitted[next]) > auc(&fitted[best]) { next } else { best };
    let best = (0..fitted.len()).reduce(better).expect("there is a learner");
    for (place, candidate) in fitted.iter().enumerate() {
        let (a, b) = (&candidate.selection_logits, &fitted[best].selection_logits);
        let paired = paired_auc_difference(a, b, y, account, CHOICE_CONFIDENCE).unexpected("comparing learners")?;
        if place == best || paired.difference.high.is_some_and(|high| high >= 0.0) {
            return Ok(place);
        }
    }
    Ok(best)
}

/// The learners of the configuration; the baseline is in every comparison.
fn learners(prepared: &Prepared) -> Result<Vec<LearnerName>, Failure> {
    let declared = &prepared.book.file().config.train.learners;
    let mut names: Vec<LearnerName> = declared.iter().map(|name| name.get_ref().parse()).collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Ok(LearnerName::ALL.to_vec());
    }
    names.push(LearnerName::Scorecard);
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

impl Fitted {
    fn of(
        learner: LearnerName,
        model: Model,
        prepared: &Prepared,
        target: Target,
        (rows, x_calibration): (&LabelledRows, &FeatureMatrix),
        x_test: &FeatureMatrix,
    ) -> Result<Self, Failure> {
        let onnx = bellwether_onnx::encode(&model, &prepared.schema, &target.to_string())
            .unexpected("writing the ONNX graph")?;
        let kernel = Kernel::compile(&onnx)?;
        let logits = kernel.logits(x_calibration)?;
        let group: Vec<u64> = rows.rows.iter().map(|&row| prepared.table.group[row]).collect();
        let choice = calibrate(&logits, &rows.y, &group)?;
        let probability = |logits: &[f64]| -> Vec<Probability> {
            logits.iter().map(|&logit| choice.calibration.probability(logit)).collect()
        };
        Ok(Self {
            learner,
            selection_auc: roc_auc(&logits, &rows.y),
            selection_log_loss: log_loss(&probability(&logits), &rows.y),
            test_probability: probability(&kernel.logits(x_test)?),
            calibration: choice.calibration,
            selection_logits: logits,
            model,
            onnx,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The book can't see the learners, so it has their names a second time.
    #[test]
    fn the_configuration_knows_every_learner() {
        const TEMPLATE: &str = include_str!("../commands/init.toml");
        let parsed = |name: &str| {
            let text = format!("{TEMPLATE}\n[train]\nlearners = [\"{name}\"]\n");
            bellwether_book::BookFile::parse(text, std::path::Path::new("book.toml"))
        };
        for learner in LearnerName::ALL.into_iter().chain(LearnerName::REFERENCES) {
            assert!(parsed(learner.name()).is_ok(), "{learner}");
        }
        assert!(parsed("gbm").is_err());
    }
}
