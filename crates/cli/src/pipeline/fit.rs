//! Fits every learner for one target, calibrates it, and chooses.

use bellwether_book::{Book, PartialLabels};
use bellwether_bundle::ImportedModel;
use bellwether_core::{
    Calibration, FeatureMatrix, FeatureSchema, Model, Probability, Progress, ScorecardModel, Target,
};
use bellwether_evaluate::roc_auc;
use bellwether_learn::{
    CalibrationPrior, LearnError, LearnerName, LogisticReport, PartialRows, ScoredRows, Settings, TrainingRows,
    calibrate, choose, covered, learner, level_drift, logistic_report,
};
use bellwether_score::Kernel;

use crate::failure::{Failure, Unexpected as _};
use crate::output::grouped;
use crate::pipeline::prepare::{LabelledRows, Part, Prepared};
use crate::pipeline::settings;

/// A learner's model with what it predicts; predictions come from the compiled graph, not from the learner.
pub(crate) struct Fitted {
    pub(crate) learner: LearnerName,
    pub(crate) model: Model,
    pub(crate) onnx: Vec<u8>,
    /// With the level of the last rows whose outcomes the first test day knows.
    pub(crate) calibration: Calibration,
    /// What that level adds to the log odds, where it has drifted.
    pub(crate) level_drift: Option<f64>,
    /// On calibration rows.
    pub(crate) selection_auc: Option<f64>,
    /// Log loss of each calibration row, calibrated on other accounts, without the drift.
    pub(crate) selection_losses: Vec<f64>,
    /// Calibrated, on test rows.
    pub(crate) test_probability: Vec<Probability>,
    /// Of `logistic`.
    pub(crate) coefficients: Option<LogisticReport>,
    /// Of a model that other software made.
    pub(crate) imported: Option<ImportedFile>,
}

/// A file of other software, and what is said of it.
#[derive(Clone)]
pub(crate) struct ImportedFile {
    pub(crate) provenance: ImportedModel,
    pub(crate) bytes: Vec<u8>,
}

/// A model that is not fitted here.
pub(crate) struct GivenModel {
    pub(crate) learner: LearnerName,
    pub(crate) model: Model,
    pub(crate) imported: Option<ImportedFile>,
}

/// All learners of one target.
pub(crate) struct Candidates {
    pub(crate) target: Target,
    pub(crate) training: LabelledRows,
    pub(crate) calibration: LabelledRows,
    pub(crate) test: LabelledRows,
    pub(crate) fitted: Vec<Fitted>,
    /// Which of `fitted`, see [`TargetRows::choose`].
    pub(crate) chosen: usize,
}

impl Candidates {
    pub(crate) fn fit(
        prepared: &Prepared,
        target: Target,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        // Both classes are needed to say how good the chosen one is.
        prepared.rows(target, Part::Test)?;
        let rows = TargetRows::of(prepared, target)?;
        let mut fitted = Vec::new();
        for name in learners(&declared(&prepared.book)?) {
            crate::progress::say(&format!("fitting {target} with {name}"));
            let one = rows.fit(name, seed, progress)?;
            if let Some(by) = one.level_drift {
                let told = rows.partial.told();
                crate::progress::say(&format!(
                    "{target} with {name}: the level has drifted by {by:+.3} log odds and is followed{told}"
                ));
            }
            fitted.push(one);
        }
        let chosen = rows.choose(&fitted);
        let TargetRows { training, calibration, test, .. } = rows;
        Ok(Self { target, training: training.rows, calibration: calibration.rows, test: test.rows, fitted, chosen })
    }

    /// Calibrates and tests models that exist; the first is chosen.
    pub(crate) fn given(prepared: &Prepared, target: Target, models: Vec<GivenModel>) -> Result<Self, Failure> {
        prepared.rows(target, Part::Test)?;
        let rows = TargetRows::of(prepared, target)?;
        let fitted = models.into_iter().map(|GivenModel { learner, model, imported }| {
            let model = covered(learner, model, &rows.training.x, None)?;
            Ok(Fitted { imported, ..Fitted::of(learner, model, &rows)? })
        });
        let fitted = fitted.collect::<Result<Vec<_>, Failure>>()?;
        let TargetRows { training, calibration, test, .. } = rows;
        Ok(Self { target, training: training.rows, calibration: calibration.rows, test: test.rows, fitted, chosen: 0 })
    }

    pub(crate) fn chosen(&self) -> &Fitted {
        &self.fitted[self.chosen]
    }
}

/// One target's rows, part by part, as learners read them.
pub(crate) struct TargetRows {
    pub(crate) target: Target,
    /// But for the seed and the scorecard.
    pub(crate) settings: Settings,
    pub(crate) schema: FeatureSchema,
    pub(crate) scorecard: ScorecardModel,
    pub(crate) training: PartRows,
    pub(crate) calibration: PartRows,
    pub(crate) test: PartRows,
    pub(crate) partial: PartialPart,
}

/// Rows before the test part with what the first test day knows of their labels.
#[derive(Clone)]
pub(crate) struct PartialPart {
    /// The outcomes so far.
    pub(crate) part: PartRows,
    /// One a row, see [`PartialRows`].
    pub(crate) share: Vec<f64>,
}

impl PartialPart {
    fn of(prepared: &Prepared, target: Target) -> Self {
        let PartialLabels { rows, y, share } = prepared.partial(target);
        Self { part: PartRows::of(prepared, LabelledRows { rows, y }), share }
    }

    /// How many of its rows tell of the level; nothing where there are none.
    fn told(&self) -> String {
        let n_rows = self.share.len();
        if n_rows == 0 { String::new() } else { format!(" ({} partial labels)", grouped(n_rows)) }
    }
}

/// The labelled rows of one part; all slices have one entry a row.
#[derive(Clone)]
pub(crate) struct PartRows {
    pub(crate) rows: LabelledRows,
    pub(crate) x: FeatureMatrix,
    pub(crate) day: Vec<i32>,
    pub(crate) group: Vec<u64>,
    pub(crate) account: Vec<u32>,
}

impl PartRows {
    fn of(prepared: &Prepared, rows: LabelledRows) -> Self {
        let table = &prepared.table;
        Self {
            x: prepared.x.select(&rows.rows),
            day: rows.rows.iter().map(|&row| table.keys[row].as_of.days()).collect(),
            group: rows.rows.iter().map(|&row| table.group[row]).collect(),
            account: rows.rows.iter().map(|&row| table.account[row]).collect(),
            rows,
        }
    }

    fn scored<'a>(&'a self, logits: &'a [f64]) -> ScoredRows<'a> {
        ScoredRows { logits, y: &self.rows.y, day: &self.day, group: &self.group }
    }
}

impl TargetRows {
    /// Training and calibration rows have both classes; test rows may be of one, or none.
    pub(crate) fn of(prepared: &Prepared, target: Target) -> Result<Self, Failure> {
        let training = PartRows::of(prepared, prepared.rows(target, Part::Training)?);
        let x = prepared.training_matrix(target.outcome, &training.rows.rows)?;
        Ok(Self {
            target,
            settings: settings::of(&prepared.book.file().config.train, target),
            schema: prepared.schema.clone(),
            scorecard: prepared.baseline(target.outcome).model.clone(),
            training: PartRows { x, ..training },
            calibration: PartRows::of(prepared, prepared.rows(target, Part::Calibration)?),
            test: PartRows::of(prepared, prepared.labelled(target, Part::Test)),
            partial: PartialPart::of(prepared, target),
        })
    }

    /// Fits a learner on the training rows and calibrates it on the calibration rows.
    pub(crate) fn fit(&self, name: LearnerName, seed: u64, progress: &dyn Progress) -> Result<Fitted, Failure> {
        let PartRows { rows, x, day, group, .. } = &self.training;
        let rows = TrainingRows { schema: &self.schema, x, y: &rows.y, weights: None, day, group };
        let settings = Settings { seed, scorecard: Some(self.scorecard.clone()), ..self.settings.clone() };
        let (model, coefficients) = fit(name, &settings, &rows, progress)?;
        Ok(Fitted { coefficients, ..Fitted::of(name, model, self)? })
    }

    fn calibration_prior(&self) -> CalibrationPrior {
        let (fitted, calibrated) = (&self.training.day, &self.calibration.day);
        CalibrationPrior { n_fitted: fitted.len(), is_later: fitted.iter().max() < calibrated.iter().min() }
    }

    /// The last and most flexible of the learners, unless others have clearly less log loss on the calibration rows.
    pub(crate) fn choose(&self, fitted: &[Fitted]) -> usize {
        let losses: Vec<&[f64]> = fitted.iter().map(|of| of.selection_losses.as_slice()).collect();
        choose(&losses, &self.calibration.group)
    }
}

/// A learner's model, and of `logistic` the coefficients that it is made of.
fn fit(
    name: LearnerName,
    settings: &Settings,
    rows: &TrainingRows<'_>,
    progress: &dyn Progress,
) -> Result<(Model, Option<LogisticReport>), LearnError> {
    if name == LearnerName::Logistic {
        let report = logistic_report(rows, settings, progress)?;
        return Ok((report.model.clone(), Some(report)));
    }
    Ok((learner(name, settings)?.fit(rows, progress)?, None))
}

/// The learners that the book's configuration names.
pub(crate) fn declared(book: &Book) -> Result<Vec<LearnerName>, Failure> {
    let declared = &book.file().config.train.learners;
    Ok(declared.iter().map(|name| name.get_ref().parse()).collect::<Result<_, _>>()?)
}

/// Those of `named`, or all where none is; the baseline is in every comparison.
pub(crate) fn learners(named: &[LearnerName]) -> Vec<LearnerName> {
    if named.is_empty() {
        return LearnerName::ALL.to_vec();
    }
    let mut names = [named, &[LearnerName::Scorecard]].concat();
    names.sort_unstable();
    names.dedup();
    names
}

impl Fitted {
    /// On calibration rows, calibrated on other accounts.
    pub(crate) fn selection_log_loss(&self) -> f64 {
        self.selection_losses.iter().sum::<f64>() / self.selection_losses.len() as f64
    }

    fn of(learner: LearnerName, model: Model, rows: &TargetRows) -> Result<Self, Failure> {
        let onnx = bellwether_onnx::encode(&model, &rows.schema, &rows.target.to_string())
            .unexpected("writing the ONNX graph")?;
        let kernel = Kernel::compile(&onnx)?;
        let (training, held_out) = (kernel.logits(&rows.training.x)?, kernel.logits(&rows.calibration.x)?);
        let choice =
            calibrate(&held_out, &rows.calibration.rows.y, &rows.calibration.group, &rows.calibration_prior())?;
        let partial = kernel.logits(&rows.partial.part.x)?;
        let (training, scored) = (rows.training.scored(&training), rows.calibration.scored(&held_out));
        let partial = PartialRows { rows: rows.partial.part.scored(&partial), share: &rows.partial.share };
        let level_drift = level_drift(&choice.calibration, &scored, &training, &partial, rows.target.horizon_days);
        let calibration = match level_drift {
            Some(by) => choice.calibration.shifted(by),
            None => choice.calibration,
        };
        let test_logits = kernel.logits(&rows.test.x)?;
        Ok(Self {
            learner,
            selection_auc: roc_auc(&held_out, &rows.calibration.rows.y),
            test_probability: test_logits.iter().map(|&logit| calibration.probability(logit)).collect(),
            calibration,
            level_drift,
            selection_losses: choice.row_log_loss,
            coefficients: None,
            imported: None,
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
