//! Weights of the scorecard from history: learnt on training rows, tried on later ones.

use bellwether_book::{Book, FeatureTable};
use bellwether_core::{Assessment, Band, FeatureMatrix, Outcome, Quiet, Target};
use bellwether_evaluate::{EvaluateOptions, Scored, evaluate, paired_auc_difference};
use bellwether_health::{
    HealthError, History, IndicatorEvidence, Scorecard, ScorecardSpec, WeightsFrom, learn_on_history, look_back,
    resolve, weights_evidence,
};
use bellwether_learn::{LogisticRows, Penalty, non_negative_logistic};
use bellwether_report::{LookBackRow, WeightsReport, WeightsTest, WeightsWay};

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::prepare::{LabelledRows, Part, Prepared};

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;

/// scikit-learn's default penalty, on points as shares of 100.
const C: f64 = 1.0;

/// What happened after each row of a table.
pub(crate) struct Happened {
    day: Vec<i32>,
    churned: Vec<Option<bool>>,
}

impl Happened {
    pub(crate) fn of(book: &Book, table: &FeatureTable) -> Self {
        let day: Vec<i32> = table.keys.iter().map(|key| key.as_of.days()).collect();
        let churned = main_churn(book).map_or_else(|| vec![None; day.len()], |target| table.labels[&target].clone());
        Self { day, churned }
    }

    pub(crate) fn history<'a>(&'a self, table: &'a FeatureTable) -> History<'a> {
        let (day, churned) = (&self.day, &self.churned);
        History { account: &table.account, day, churned, regression: Some(staying) }
    }
}

fn main_churn(book: &Book) -> Option<Target> {
    book.file().targets().into_iter().find(|target| target.outcome == Outcome::Churn)
}

/// The coefficients of a non-negative logistic regression of having stayed, in log odds a point.
fn staying(points: &FeatureMatrix, stayed: &[bool]) -> Result<Vec<f64>, String> {
    let share = |column: usize| points.column(column).iter().map(|points| points / 100.0).collect();
    let columns: Vec<Vec<f32>> = (0..points.n_cols()).map(share).collect();
    let rows = LogisticRows { columns: &columns, y: stayed, weights: None };
    let fit = non_negative_logistic(&rows, Penalty::l2(C)).map_err(|error| error.to_string())?;
    Ok(fit.coefficients.iter().map(|coefficient| coefficient / 100.0).collect())
}

/// What each way to weights gives and does; `None` where the book has no churn.
pub(crate) fn report(prepared: &Prepared) -> Result<Option<WeightsReport>, Failure> {
    let Some(target) = main_churn(&prepared.book) else { return Ok(None) };
    let spec = prepared.book.file().config.scorecard.clone().unwrap_or_default();
    let used = resolve(&spec, &prepared.schema)?.weights.unwrap_or_default();
    let happened = Happened::of(&prepared.book, &prepared.table);
    let history = happened.history(&prepared.table);
    let trial = Trial::of(prepared, spec, target, &history)?;
    let way = |way: WeightsFrom| Ok(WeightsWay { way, found: trial.found(way)? });
    Ok(Some(WeightsReport {
        used,
        horizon_days: target.horizon_days,
        look_back: trial.look_back(used)?,
        ways: WeightsFrom::ALL.into_iter().map(way).collect::<Result<_, Failure>>()?,
    }))
}

/// The scorecard with its declared weights and without bands by cohort, which would follow the weights.
struct Trial<'a> {
    prepared: &'a Prepared,
    history: &'a History<'a>,
    declared: Scorecard,
    test: LabelledRows,
    account: Vec<u32>,
}

impl<'a> Trial<'a> {
    fn of(
        prepared: &'a Prepared,
        spec: ScorecardSpec,
        target: Target,
        history: &'a History<'a>,
    ) -> Result<Self, Failure> {
        let spec = ScorecardSpec { weights: Some(WeightsFrom::Declared), thresholds: None, ..spec };
        let training = &prepared.split.training;
        let (declared, _) = learn_on_history(Some(&spec), &prepared.schema, &prepared.x, training, history)?;
        let test = prepared.rows(target, Part::Test)?;
        let account = test.rows.iter().map(|&row| prepared.table.account[row]).collect();
        Ok(Self { prepared, history, declared, test, account })
    }

    /// The weights of a way with what they do on test rows, or why there are none.
    fn found(&self, way: WeightsFrom) -> Result<Result<WeightsTest, String>, Failure> {
        match self.evidence(way) {
            Ok(evidence) => Ok(Ok(self.tested(evidence)?)),
            Err(error @ HealthError::History(_)) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    fn evidence(&self, way: WeightsFrom) -> Result<Vec<IndicatorEvidence>, HealthError> {
        weights_evidence(way, &self.declared, &self.prepared.x, &self.prepared.split.training, self.history)
    }

    fn tested(&self, evidence: Vec<IndicatorEvidence>) -> Result<WeightsTest, Failure> {
        let found = self.reweighted(&evidence)?.assess(&self.prepared.x, &self.test.rows);
        let declared = self.declared.assess(&self.prepared.x, &self.test.rows);
        // Low health is what tells of churn.
        let risk = |found: &[Assessment]| -> Vec<f64> { found.iter().map(|of| 1.0 - of.score / 100.0).collect() };
        let (probability, of_declared) = (risk(&found), risk(&declared));
        let (outcome, account) = (&self.test.y, &self.account);
        let paired = paired_auc_difference(&probability, &of_declared, outcome, account, CONFIDENCE)
            .unexpected("comparing weights")?;
        let bands: Vec<Option<Band>> = found.iter().map(Assessment::shown_band).collect();
        let options = EvaluateOptions { n_bootstrap: 0, confidence: CONFIDENCE, ..EvaluateOptions::default() };
        let scored = Scored { probability: &probability, outcome, account };
        let evaluation = evaluate(&scored, Some(&bands), &[], &options, &Quiet).unexpected("evaluating weights")?;
        let red = evaluation.by_band.iter().find(|of| of.band == Band::Red).expect("each band is evaluated");
        Ok(WeightsTest {
            evidence,
            auc: evaluation.overall.roc_auc,
            minus_declared: paired.difference,
            n_red: red.n,
            red_precision: red.precision,
            red_recall: red.recall,
            enough_evidence: evaluation.overall.enough_evidence,
        })
    }

    fn reweighted(&self, evidence: &[IndicatorEvidence]) -> Result<Scorecard, HealthError> {
        self.declared.with_weights(&evidence.iter().map(|of| of.after).collect::<Vec<_>>())
    }

    /// The scores of churned accounts before they did, and of the others.
    fn look_back(&self, used: WeightsFrom) -> Result<Vec<LookBackRow>, Failure> {
        let card = self.reweighted(&self.evidence(used)?)?;
        let looked_at = look_back(&self.prepared.split.training, self.history);
        let row = |who: &'static str, rows: &[usize]| {
            let found = card.assess(&self.prepared.x, rows);
            let total: f64 = found.iter().map(|of| of.score).sum();
            let n_of = |band: Band| found.iter().filter(|of| of.band() == band).count();
            LookBackRow {
                who,
                n_accounts: rows.len(),
                mean_score: (!rows.is_empty()).then(|| total / rows.len() as f64),
                by_band: [Band::Red, Band::Yellow, Band::Green].map(n_of),
            }
        };
        Ok(vec![row("churned, before they did", &looked_at.churned), row("others", &looked_at.others)])
    }
}
