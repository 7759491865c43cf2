//! What would bring an account to green: effects on the score, not promises about the account.

use bellwether_core::{Assessment, Band, HealthModel};

/// A change of one indicator that is thought to be within reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Lever {
    /// Its place among the [`crate::Indicators`].
    pub indicator: usize,
    /// The columns that change, such as the feature and its percentile, with what they become; finite.
    pub becomes: Vec<(usize, f32)>,
}

/// At most two levers after which the health score is green, found by scoring the row again.
#[derive(Debug, Clone, PartialEq)]
pub struct TopActions {
    /// Places among the levers that were offered; one where one is enough, of two first the one that does more by itself.
    pub levers: Vec<usize>,
    /// The health score with them, `0.0..=100.0`.
    pub score: f64,
}

impl TopActions {
    /// Of the row whose feature `i` is `value(i)`: of single levers that make it green the one with the highest score, else
    /// of pairs; of equal ones the first. `None` where the row is green already, has no score that may be shown, or no two
    /// levers are enough.
    pub fn of(model: &HealthModel, value: impl Fn(usize) -> f32, levers: &[Lever]) -> Option<Self> {
        let with = |pulled: &[usize]| {
            model.assess(|feature| {
                let mut becomes = pulled.iter().rev().flat_map(|&lever| levers[lever].becomes.iter().rev());
                becomes.find(|(column, _)| *column == feature).map_or_else(|| value(feature), |&(_, x)| x)
            })
        };
        let is_green = |found: &Assessment| !found.is_refused && found.band() == Band::Green;
        let now = with(&[]);
        if now.is_refused || is_green(&now) {
            return None;
        }
        let best = |ways: &mut dyn Iterator<Item = Vec<usize>>| {
            ways.fold(None, |best: Option<Self>, levers| {
                let found = with(&levers);
                let is_better = is_green(&found) && best.as_ref().is_none_or(|best| found.score > best.score);
                if is_better { Some(Self { levers, score: found.score }) } else { best }
            })
        };
        let n = levers.len();
        let mut found = best(&mut (0..n).map(|lever| vec![lever]))
            .or_else(|| best(&mut (0..n).flat_map(|first| (first + 1..n).map(move |second| vec![first, second]))))?;
        found.levers.sort_by(|&a, &b| with(&[b]).score.total_cmp(&with(&[a]).score).then(a.cmp(&b)));
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Bands, Indicator, ScorecardModel};

    use super::*;

    /// Four indicators from 0 to 10 that weigh the same.
    fn model() -> HealthModel {
        let indicator = |feature| Indicator { feature, weight: 25.0, at_zero: 0.0, at_full: 10.0 };
        let indicators = (0..4).map(indicator).collect();
        let card = ScorecardModel { n_features: 4, indicators, slope: -0.1, intercept: 0.0 };
        HealthModel { card, bands: Bands::T_B, rules: None }
    }

    fn to(indicator: usize, x: f32) -> Lever {
        Lever { indicator, becomes: vec![(indicator, x)] }
    }

    #[test]
    fn as_few_levers_as_are_enough_are_pulled() {
        let check = |row: [f32; 4], levers: &[Lever], expected: Option<(&[usize], f64)>| {
            let found = TopActions::of(&model(), |feature| row[feature], levers);
            let found = found.as_ref().map(|found| (&found.levers[..], found.score));
            assert_eq!(found, expected, "{row:?}");
        };
        let all = [to(0, 9.0), to(1, 10.0), to(2, 8.0), to(3, 10.0)];
        // One is enough: the one with the highest score, of equal ones the first.
        check([10.0, 3.0, 10.0, 3.0], &all, Some((&[1], 82.5)));
        // Two are needed; the second does more.
        check([0.0, 0.0, 10.0, 10.0], &all, Some((&[1, 0], 97.5)));
        // Two are not enough, there is none, or the row is green already.
        check([0.0, 0.0, 0.0, 0.0], &all, None);
        check([10.0, 3.0, 10.0, 3.0], &[], None);
        check([10.0; 4], &all, None);
    }
}
