//! What the learner `logistic` weighs, for the report.

use bellwether_learn::{LogisticReport, LogisticTerm, WeightOf};
use bellwether_report::{Coefficient, CoefficientReport};

use crate::pipeline::fit::Candidates;
use crate::pipeline::prepare::Prepared;

/// `None` where `logistic` was not tried.
pub(crate) fn of(prepared: &Prepared, candidates: &Candidates) -> Option<CoefficientReport> {
    let LogisticReport { penalty, tried, terms, intercept, converged, .. } =
        candidates.fitted.iter().find_map(|fitted| fitted.coefficients.as_ref())?;
    let settings = prepared.book.file().config.train.logistic.get_ref();
    let coefficient = |term: &LogisticTerm| {
        let name = prepared.schema.features()[term.feature].name.clone();
        let of_deviation = |x: f64| x * term.deviation;
        let (weight, error) = (of_deviation(term.weight), term.standard_error.map(of_deviation));
        Coefficient::new(name, term.of == WeightOf::Missing, term.deviation, weight, error)
    };
    Some(CoefficientReport {
        c: 1.0 / penalty.strength,
        l1_ratio: penalty.l1_share,
        tried: tried.iter().map(|&(strength, loss)| (1.0 / strength, loss)).collect(),
        is_given: settings.c.is_some(),
        recency_half_life_days: settings.recency_half_life_days,
        converged: *converged,
        intercept: *intercept,
        coefficients: terms.iter().map(coefficient).collect(),
    })
}
