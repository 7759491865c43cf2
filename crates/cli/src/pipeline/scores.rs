//! From rows to scores: what one row of a score file holds.

use bellwether_book::{CodedText, Column, ScoringRows, Table};
use bellwether_core::{Assessment, Band, FeatureMatrix, Outcome, RowStatus, Target};
use bellwether_score::{Scorer, Scores};

use crate::failure::Failure;
use crate::pipeline::actions::AccountActions;
use crate::pipeline::opened::OpenedModel;
use crate::pipeline::reasons::RowReasons;
use crate::pipeline::revenue;

/// Rows with their scores.
pub(crate) struct ScoredRows {
    rows: ScoringRows,
    /// What the book says of an account comes before what its features say.
    status: Vec<RowStatus>,
    scores: Scores,
    readiness: Option<Vec<Option<f64>>>,
    gains: Option<Vec<Option<f64>>>,
    /// Reasons, and actions after them.
    further: Vec<(String, Column)>,
}

impl ScoredRows {
    pub(crate) fn of(
        model: &OpenedModel,
        reasons: Option<&RowReasons>,
        actions: Option<&AccountActions>,
        rows: ScoringRows,
    ) -> Result<Self, Failure> {
        let x = model.encode(&rows.raw)?;
        let scores = model.scorer.score(&x)?;
        let status: Vec<RowStatus> =
            rows.status.iter().zip(&scores.status).map(|(&book, &row)| worse(book, row)).collect();
        let readiness = readiness(model, &x);
        let gains = revenue::expected_gains(model, &rows.segments, &scores.probability);
        let mut further =
            reasons.map_or_else(|| Ok(Vec::new()), |reasons| reasons.columns(&x, &scores.logit, &status))?;
        if let Some(actions) = actions {
            further.extend(actions.columns(&rows.raw, &x, &status)?);
        }
        Ok(Self { rows, status, scores, readiness, gains, further })
    }

    /// The band of a row's health; `None` where the row has no health score.
    fn band(&self, row: usize) -> Option<Band> {
        self.scores.band[row].filter(|_| self.status[row] == RowStatus::Scored)
    }

    /// The columns of a score file.
    pub(crate) fn into_table(mut self, model: &OpenedModel) -> Table {
        let keys = std::mem::take(&mut self.rows.keys);
        let n_rows = keys.len();
        let as_of = Column::Date(keys.iter().map(|key| Some(key.as_of)).collect());
        let table = Table::default()
            .with("account_id", Column::Text(keys.into_iter().map(|key| Some(key.account.0)).collect()))
            .with("as_of", as_of)
            .with("status", named(self.status.iter().map(|status| Some(status.name()))))
            .with("coverage", shares(&self.scores.coverage))
            .with("health_coverage", shares(&self.scores.health_coverage))
            .with("health_score", self.numbers(|row| self.scores.health_score[row]))
            .with("band", named((0..n_rows).map(|row| self.band(row).map(Band::name))));
        let table = self.with_probabilities(table, &model.scorer);
        let table = self.with_revenue(table, &model.scorer);
        let further = std::mem::take(&mut self.further);
        let table = further.into_iter().fold(table, |table, (name, column)| table.with(&name, column));
        let repeated =
            |text: String| Column::Coded(CodedText::from_codes(vec![Some(0); n_rows], [text].into_iter().collect()));
        table
            .with("model", repeated(model.bundle.name().to_owned()))
            .with("model_digest", repeated(model.bundle.digest().to_string()))
    }

    fn with_probabilities(&self, table: Table, scorer: &Scorer) -> Table {
        let mut table = table
            .with("churn_probability", self.numbers(self.main(scorer, Outcome::Churn)))
            .with("expansion_probability", self.numbers(self.main(scorer, Outcome::Expansion)));
        for (target, values) in &self.scores.probability {
            if let Some(column) = further_column(scorer, *target) {
                table = table.with(&column, self.numbers(|row| values[row]));
            }
        }
        match &self.readiness {
            Some(readiness) => table.with("expansion_readiness", self.numbers(|row| readiness[row])),
            None => table,
        }
    }

    fn with_revenue(&self, table: Table, scorer: &Scorer) -> Table {
        let arr = |row: usize| self.rows.arr.as_ref().map(|arr| arr[row]).filter(|arr| !arr.is_nan());
        let churn = self.main(scorer, Outcome::Churn);
        let table =
            table.with("arr", self.numbers(arr)).with("arr_at_risk", self.numbers(|row| Some(arr(row)? * churn(row)?)));
        match &self.gains {
            Some(gains) => table.with("expected_expansion_arr", self.numbers(|row| Some(arr(row)? * gains[row]?))),
            None => table,
        }
    }

    /// The probability of an outcome within its main horizon.
    fn main(&self, scorer: &Scorer, outcome: Outcome) -> impl Fn(usize) -> Option<f64> {
        let main = scorer.main_target(outcome).and_then(|target| self.scores.probability.get(&target));
        move |row| main.and_then(|values| values[row])
    }

    /// Numbers that only rows with probabilities have.
    fn numbers(&self, value: impl Fn(usize) -> Option<f64>) -> Column {
        let number = |(row, status): (usize, &RowStatus)| value(row).filter(|_| status.has_probabilities());
        Column::Float(self.status.iter().enumerate().map(number).collect())
    }
}

/// An account that is no customer has no numbers, whatever its features say.
const fn worse(of_book: RowStatus, of_row: RowStatus) -> RowStatus {
    match of_book {
        RowStatus::Scored => of_row,
        other => other,
    }
}

/// The expansion readiness of each row; `None` where the bundle has none.
fn readiness(model: &OpenedModel, x: &FeatureMatrix) -> Option<Vec<Option<f64>>> {
    let card = model.bundle.readiness()?;
    let rows: Vec<usize> = (0..x.n_rows()).collect();
    let shown = |found: &Assessment| (!found.is_refused).then_some(found.score);
    Some(card.assess(x, &rows).iter().map(shown).collect())
}

/// The column of a probability that not every model version has: of another outcome, or another horizon than the main.
fn further_column(scorer: &Scorer, target: Target) -> Option<String> {
    let outcome = target.outcome;
    let is_main = scorer.main_target(outcome) == Some(target);
    let (name, days) = (outcome.name(), target.horizon_days);
    match outcome {
        _ if !is_main => Some(format!("{name}_probability_{days}d")),
        Outcome::Churn | Outcome::Expansion => None,
        Outcome::Contraction => Some(format!("{name}_probability")),
    }
}

fn named<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Column {
    let mut texts = CodedText::default();
    names.for_each(|name| texts.push(name));
    Column::Coded(texts)
}

fn shares(shares: &[f64]) -> Column {
    Column::Float(shares.iter().copied().map(Some).collect())
}
