//! Whether one model is better than another on the same rows, against margins fixed beforehand.

use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;
use crate::delong::paired_linear;
use crate::input::{Cohort, EvaluateError, Scored, check_confidence, check_lengths};
use crate::linear::Linear;
use crate::metrics::row_log_loss;
use crate::multiple::holm;
use crate::results::{Estimate, PairedDifference};

/// What two models are compared by. Differences are oriented: above 0, the first is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparedBy {
    /// ROC AUC, first minus second.
    RocAuc,
    /// Log loss, second minus first.
    LogLoss,
    /// Brier score, second minus first.
    Brier,
}

/// What a comparison shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonVerdict {
    /// The whole interval is above 0.
    Superior,
    /// It is above the margin below 0.
    NotWorse,
    /// It is below 0.
    Worse,
    /// It is none of these, there is none, or there are too few cases.
    NotEnoughEvidence,
}

/// How to compare. Fix it before looking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CompareOptions {
    /// Confidence of every interval, inside `0.0..1.0`. With 0.95, of two equal models 2.5 % are called superior.
    pub confidence: f64,
    /// A loss of AUC that does not matter.
    pub auc_margin: f64,
    /// A loss of log loss that does not matter, nats.
    pub log_loss_margin: f64,
    /// A loss of Brier score that does not matter.
    pub brier_margin: f64,
    /// The fewest accounts with events, and with non-events.
    pub min_accounts: usize,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { confidence: 0.95, auc_margin: 0.01, log_loss_margin: 0.005, brier_margin: 0.002, min_accounts: 10 }
    }
}

/// One comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// By what.
    pub by: ComparedBy,
    /// Above 0, the first is better.
    pub difference: Estimate,
    /// Two-sided, of "no difference"; within cohorts see [`CohortComparison`].
    pub p_value: Option<f64>,
    /// What it shows.
    pub verdict: ComparisonVerdict,
}

/// One cohort's comparisons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CohortComparison {
    /// What the rows are divided by.
    pub dimension: String,
    /// Which part this is.
    pub level: String,
    /// As overall, but superior or worse only where Holm's correction over all cohorts and metrics leaves it.
    pub comparisons: Vec<Comparison>,
    /// Holm's adjusted p-values, one for each comparison.
    pub p_holm: Vec<Option<f64>>,
}

/// Two models on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelComparison {
    /// By AUC, log loss and Brier score.
    pub overall: Vec<Comparison>,
    /// One for each cohort, in their order.
    pub cohorts: Vec<CohortComparison>,
}

/// Compares `scored` with `other`, probabilities of the same rows.
///
/// AUC: `DeLong` by account; losses: mean difference by account; Student's interval. No bootstrap: each is a sum over accounts.
///
/// # Errors
/// [`EvaluateError`] as for [`crate::evaluate`].
pub fn compare_models(
    scored: &Scored<'_>,
    other: &[f64],
    cohorts: &[Cohort],
    options: &CompareOptions,
) -> Result<ModelComparison, EvaluateError> {
    scored.check()?;
    check_confidence(options.confidence)?;
    check_lengths("probability", scored.probability.len(), &[("other", other.len())])?;
    Scored { probability: other, ..*scored }.check()?;
    cohorts.iter().try_for_each(|cohort| scored.check_cohort(cohort))?;

    let all: Vec<usize> = (0..other.len()).collect();
    let of_cohort = |cohort: &Cohort| CohortComparison {
        dimension: cohort.dimension.clone(),
        level: cohort.level.clone(),
        comparisons: compare(scored, other, &cohort.rows, options),
        p_holm: Vec::new(),
    };
    let mut cohorts: Vec<CohortComparison> = cohorts.iter().map(of_cohort).collect();
    correct(&mut cohorts, options);
    Ok(ModelComparison { overall: compare(scored, other, &all, options), cohorts })
}

fn compare(scored: &Scored<'_>, other: &[f64], rows: &[usize], options: &CompareOptions) -> Vec<Comparison> {
    let y: Vec<bool> = rows.iter().map(|&row| scored.outcome[row]).collect();
    let a: Vec<f64> = rows.iter().map(|&row| scored.probability[row]).collect();
    let b: Vec<f64> = rows.iter().map(|&row| other[row]).collect();
    let account: Vec<u32> = rows.iter().map(|&row| scored.account[row]).collect();
    let accounts = Accounts::new(&account);
    let having = |came: bool| accounts.parts(&|row| y[row] == came, &|_| true).iter().filter(|p| p.size > 0).count();
    let enough = having(true).min(having(false)) >= options.min_accounts;
    let loss = |of: fn(f64, bool) -> f64| {
        Linear::ratio(&accounts.sums(|row| of(b[row], y[row]) - of(a[row], y[row])), &accounts.sums(|_| 1.0))
    };
    let one = |(by, linear): (ComparedBy, Option<Linear>)| {
        let paired = linear.map(|linear| linear.difference(options.confidence)).unwrap_or_default();
        let PairedDifference { difference, p_value } = paired;
        let verdict =
            if enough { verdict(&difference, options.margin(by)) } else { ComparisonVerdict::NotEnoughEvidence };
        Comparison { by, difference, p_value, verdict }
    };
    let linear = [
        (ComparedBy::RocAuc, paired_linear(&a, &b, &y, &account)),
        (ComparedBy::LogLoss, loss(row_log_loss)),
        (ComparedBy::Brier, loss(|p, came| (p - f64::from(u8::from(came))).powi(2))),
    ];
    linear.into_iter().map(one).collect()
}

fn verdict(difference: &Estimate, margin: f64) -> ComparisonVerdict {
    match difference.low.zip(difference.high) {
        Some((low, _)) if low > 0.0 => ComparisonVerdict::Superior,
        Some((_, high)) if high < 0.0 => ComparisonVerdict::Worse,
        Some((low, _)) if low >= -margin => ComparisonVerdict::NotWorse,
        _ => ComparisonVerdict::NotEnoughEvidence,
    }
}

impl CompareOptions {
    const fn margin(&self, by: ComparedBy) -> f64 {
        match by {
            ComparedBy::RocAuc => self.auc_margin,
            ComparedBy::LogLoss => self.log_loss_margin,
            ComparedBy::Brier => self.brier_margin,
        }
    }
}

/// Takes back what is superior or worse in one cohort by the number of cohorts alone.
fn correct(cohorts: &mut [CohortComparison], options: &CompareOptions) {
    use ComparisonVerdict::{NotEnoughEvidence, NotWorse, Superior, Worse};
    let tested =
        |of: &Comparison| of.p_value.filter(|_| of.verdict != NotEnoughEvidence || of.difference.low.is_some());
    let p_values: Vec<f64> = cohorts.iter().flat_map(|cohort| cohort.comparisons.iter().filter_map(tested)).collect();
    let mut adjusted = holm(&p_values).into_iter();
    for cohort in cohorts {
        for comparison in &mut cohort.comparisons {
            let p_holm = tested(comparison).and_then(|_| adjusted.next());
            cohort.p_holm.push(p_holm);
            if matches!(comparison.verdict, Superior | Worse) && p_holm.is_none_or(|p| p > 1.0 - options.confidence) {
                let harmless = comparison.difference.low.is_some_and(|low| low >= -options.margin(comparison.by));
                comparison.verdict = if harmless { NotWorse } else { NotEnoughEvidence };
            }
        }
    }
}
