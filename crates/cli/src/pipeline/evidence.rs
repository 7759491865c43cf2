//! What the test rows show.

use bellwether_book::FeatureTable;
use bellwether_core::{Band, FeatureMatrix, Progress, TextColumn};
use bellwether_evaluate::{Cohort, EvaluateOptions, Evaluation, Scored, evaluate, paired_auc_difference};
use bellwether_health::Scorecard;
use bellwether_learn::LearnerName;
use bellwether_report::{DrawnTree, LearnerRow, TargetReport};
use bellwether_score::Scorer;

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::coefficients;
use crate::pipeline::fit::Candidates;
use crate::pipeline::prepare::{LabelledRows, Prepared};

/// Bootstrap replicates of every interval.
const N_BOOTSTRAP: usize = 500;

pub(crate) fn options(seed: u64) -> EvaluateOptions {
    EvaluateOptions { seed, n_bootstrap: N_BOOTSTRAP, ..EvaluateOptions::default() }
}

/// Evaluates the chosen learner in full, with the probabilities that `scorer` will give, and the others beside it.
pub(crate) fn of_candidates(
    prepared: &Prepared,
    candidates: &Candidates,
    scorer: &Scorer,
    seed: u64,
    progress: &dyn Progress,
) -> Result<TargetReport, Failure> {
    let (test, chosen) = (&candidates.test, candidates.chosen());
    let account = accounts(&prepared.table, test);
    let scored = scorer.probabilities(&prepared.x.select(&test.rows))?;
    let of_chosen = &scored[&candidates.target];
    let evaluation =
        evaluate_rows(&prepared.table, &prepared.x, &prepared.scorecard, test, of_chosen, &options(seed), progress)?;
    let mut learners = Vec::new();
    for fitted in &candidates.fitted {
        let scored = Scored { probability: &fitted.test_probability, outcome: &test.y, account: &account };
        let is_chosen = std::ptr::eq(fitted, chosen);
        let metrics = if is_chosen {
            evaluation.overall.clone()
        } else {
            evaluate(&scored, None, &[], &options(seed), progress).unexpected("evaluating")?.overall
        };
        let difference =
            paired_auc_difference(&fitted.test_probability, of_chosen, &test.y, &account, options(seed).confidence);
        learners.push(LearnerRow {
            learner: fitted.learner.to_string(),
            calibration: fitted.calibration.name().to_owned(),
            selection_auc: fitted.selection_auc,
            selection_log_loss: Some(fitted.selection_log_loss()),
            test: metrics,
            difference: if is_chosen { None } else { Some(difference.unexpected("comparing learners")?) },
        });
    }
    Ok(TargetReport {
        target: candidates.target,
        chosen: chosen.learner.to_string(),
        calibration: chosen.calibration.name().to_owned(),
        n_training: candidates.training.rows.len(),
        n_calibration: candidates.calibration.rows.len(),
        n_moved: chosen.test_probability.iter().zip(of_chosen).filter(|(own, ordered)| own != ordered).count(),
        evaluation,
        learners,
        tree: drawn_tree(prepared, candidates),
        coefficients: coefficients::of(prepared, candidates),
    })
}

/// The tree of the learner `tree` with what became of its training rows, where it was fitted.
fn drawn_tree(prepared: &Prepared, candidates: &Candidates) -> Option<DrawnTree> {
    let fitted = candidates.fitted.iter().find(|fitted| fitted.learner == LearnerName::Tree)?;
    let training = &candidates.training;
    DrawnTree::new(&fitted.model, &fitted.calibration, &prepared.schema, &prepared.x, &training.rows, &training.y)
}

/// Evaluates probabilities of `rows`, overall, by band of the health score and by segment.
pub(crate) fn evaluate_rows(
    table: &FeatureTable,
    x: &FeatureMatrix,
    scorecard: &Scorecard,
    rows: &LabelledRows,
    probability: &[f64],
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Result<Evaluation, Failure> {
    let account = accounts(table, rows);
    let scored = Scored { probability, outcome: &rows.y, account: &account };
    let bands = bands(x, scorecard, &rows.rows);
    evaluate(&scored, Some(&bands), &cohorts(table, &rows.rows), options, progress).unexpected("evaluating")
}

fn accounts(table: &FeatureTable, rows: &LabelledRows) -> Vec<u32> {
    rows.rows.iter().map(|&row| table.account[row]).collect()
}

/// `None` of rows that the scorecard refuses.
pub(crate) fn bands(x: &FeatureMatrix, scorecard: &Scorecard, rows: &[usize]) -> Vec<Option<Band>> {
    scorecard.assess(x, rows).iter().map(bellwether_core::Assessment::shown_band).collect()
}

/// The levels of each segment, by the place of their rows in `rows`.
pub(crate) fn cohorts(table: &FeatureTable, rows: &[usize]) -> Vec<Cohort> {
    let of_segment = |(dimension, texts): &(String, TextColumn)| -> Vec<Cohort> {
        let places_of = |code: u32| -> Vec<usize> {
            rows.iter().enumerate().filter(|&(_, &row)| texts.codes[row] == code).map(|(place, _)| place).collect()
        };
        let levels = (0_u32..).zip(&texts.levels).map(|(code, level)| (code, level.clone()));
        levels
            .chain([(TextColumn::MISSING, "(missing)".to_owned())])
            .map(|(code, level)| Cohort { dimension: dimension.clone(), level, rows: places_of(code) })
            .filter(|cohort| !cohort.rows.is_empty())
            .collect()
    };
    table.segments.iter().flat_map(of_segment).collect()
}
