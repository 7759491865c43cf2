//! What scores will be explained against: the training rows, in a few numbers.

use bellwether_book::Segment;
use bellwether_core::{Background, Dimension, FeatureMatrix, HealthModel, Model, Reach, Target, UsualRange};
use bellwether_health::DimensionSpec;
use bellwether_score::Indicators;

use crate::pipeline::fit::Candidates;
use crate::pipeline::prepare::Prepared;

/// `None` where a feature is known in no training row, which a learnt encoding rules out.
pub(crate) fn learn(prepared: &Prepared, candidates: &[Candidates]) -> Option<Background> {
    let (x, training) = (&prepared.x, &prepared.split.training);
    let usual = |column: usize| UsualRange::of(training.iter().map(|&row| x.column(column)[row]));
    let expected = |of: &Candidates| -> Option<(Target, Vec<f64>)> {
        Some((of.target, expected(&of.chosen().model, x, &of.training.rows)?))
    };
    let n_rows = prepared.book.file().config.train.background_rows.min(training.len());
    let kept: Vec<usize> = (0..n_rows).map(|place| training[place * training.len() / n_rows]).collect();
    Some(Background {
        usual: (0..x.n_cols()).map(usual).collect::<Option<_>>()?,
        expected: candidates.iter().filter_map(expected).collect(),
        sample: (n_rows > 0).then(|| x.select(&kept)),
        reach: reach(prepared),
    })
}

/// Of the numbers that the health score reads; of percentiles, the feature that they are read off, where that is an input.
fn reach(prepared: &Prepared) -> Reach {
    let (health, indicators) = (prepared.scorecard.health_model(), Indicators::of(&prepared.encoding));
    let numbers = indicators.numbers_of(&health);
    let columns = numbers.into_iter().map(|indicator| indicators.column(indicator) as u32);
    let (training, account) = (&prepared.split.training, &prepared.table.account);
    Reach::learn(columns, dimensions(prepared, &health), &prepared.x, training, account)
}

/// What like accounts are told by: what the scorecard's thresholds are, else `[cohort]`, else `[[segments]]`; without those
/// that no model reads.
fn dimensions(prepared: &Prepared, health: &HealthModel) -> Vec<Dimension> {
    if let Some(thresholds) = health.rules.as_ref().and_then(|rules| rules.thresholds.as_ref()) {
        return thresholds.by.clone();
    }
    let file = prepared.book.file();
    let declared: Vec<&Segment> = match file.cohort() {
        None => file.config.segments.iter().collect(),
        Some(cohort) => {
            let segment = |name: &str| file.config.segments.iter().find(|segment| segment.name == name);
            cohort.by.iter().filter_map(|name| segment(name.get_ref())).collect()
        }
    };
    let dimension = |segment: &Segment| {
        let spec = DimensionSpec { feature: segment.feature.get_ref().clone(), edges: segment.edges.clone() };
        spec.dimension(&prepared.schema).ok()
    };
    declared.into_iter().filter_map(dimension).collect()
}

/// See [`Background::expected`]; `None` for trees, which have covers.
fn expected(model: &Model, x: &FeatureMatrix, rows: &[usize]) -> Option<Vec<f64>> {
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (mut sum, mut n) = (0.0, 0_u32);
        for value in values {
            sum += value;
            n += 1;
        }
        (n > 0).then(|| sum / f64::from(n))
    };
    let values = |column: usize| rows.iter().map(move |&row| x.column(column)[row]);
    match model {
        Model::Trees(_) | Model::Graph(_) => None,
        Model::Linear(linear) => {
            let terms = linear.terms.iter().enumerate();
            terms.map(|(column, term)| mean(&mut values(column).map(|value| term.logit(value)))).collect()
        }
        Model::Scorecard(card) => {
            let mut expected = vec![0.0; card.n_features];
            for indicator in &card.indicators {
                let column = indicator.feature as usize;
                let shares = &mut values(column).filter_map(|value| indicator.points(value));
                // Half of the points where no training row knows the indicator, as where nothing is known.
                expected[column] = mean(shares).unwrap_or(0.5);
            }
            Some(expected)
        }
    }
}
