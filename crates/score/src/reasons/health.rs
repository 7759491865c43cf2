//! What each indicator gives and costs in points of the health score.

use bellwether_core::{HealthModel, MissingPolicy};

/// An indicator of the card that scores a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthShare {
    /// Place of the feature in the schema.
    pub feature: usize,
    /// Whether its value is known; a missing one counts where its card says that it is neutral.
    pub is_known: bool,
    /// The points that it gives.
    pub gives: f64,
    /// The points that it could give beyond; 0 or more.
    pub costs: f64,
}

/// A row's health, taken apart: `100 - sum of costs - cost of the veto = the score`, and where no veto lowers it,
/// `sum of gives = the score`, both to rounding of f64.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthShares {
    /// The indicators that count, category by category; empty where none is known, and the score is 50 by rule.
    pub shares: Vec<HealthShare>,
    /// What the veto with the lowest cap costs, and its place.
    pub veto: Option<(usize, f64)>,
}

impl HealthShares {
    /// Of the row whose feature `i` is `value(i)`.
    pub fn of(model: &HealthModel, value: impl Fn(usize) -> f32) -> Self {
        let found = model.assess(&value);
        // The weight and the points, 0 to 100, of each indicator that counts.
        let mut counted: Vec<(usize, bool, f64, f64)> = Vec::new();
        match &model.rules {
            None => {
                for of in &model.card.indicators {
                    if let Some(share) = of.points(value(of.feature as usize)) {
                        counted.push((of.feature as usize, true, f64::from(of.weight), 100.0 * share));
                    }
                }
            }
            Some(rules) => {
                for category in &rules.cards[found.card].categories {
                    let first = counted.len();
                    for of in &category.indicators {
                        let own = of.scale.points(value(of.feature as usize));
                        let neutral = (of.missing == MissingPolicy::Neutral).then_some(50.0);
                        if let Some(points) = own.or(neutral) {
                            counted.push((of.feature as usize, own.is_some(), of.weight, points));
                        }
                    }
                    let weights: f64 = counted[first..].iter().map(|of| of.2).sum();
                    counted[first..].iter_mut().for_each(|of| of.2 *= category.weight / weights);
                }
            }
        }
        let weights: f64 = counted.iter().map(|of| of.2).sum();
        let share = |(feature, is_known, weight, points): (usize, bool, f64, f64)| {
            let of_score = weight / weights;
            HealthShare { feature, is_known, gives: of_score * points, costs: of_score * (100.0 - points) }
        };
        let shares: Vec<HealthShare> = counted.into_iter().map(share).collect();
        let before: f64 = if shares.is_empty() { 50.0 } else { shares.iter().map(|of| of.gives).sum() };
        Self { shares, veto: found.veto.map(|veto| (veto, before - found.score)) }
    }
}
