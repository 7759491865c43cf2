//! Which indicators may be moved, and how far: to what the best tenth of like accounts has.

use bellwether_core::{
    Direction, Encoding, EncodingError, FeatureMatrix, HealthCard, HealthIndicator, HealthModel, RawTable, Reach, Scale,
};

use super::{Indicators, Lever};

/// The indicators of a health score that somebody can do something about.
#[derive(Debug, Clone, PartialEq)]
pub struct Levers {
    encoding: Encoding,
    reach: Reach,
    movable: Vec<Movable>,
}

#[derive(Debug, Clone, PartialEq)]
struct Movable {
    indicator: usize,
    name: String,
    column: usize,
    good: Direction,
}

impl Levers {
    /// The numbers that `health` reads and whose name `is_actionable`, as far as it is known which way is good: as declared,
    /// else as the first card says that has them.
    pub fn of(
        encoding: &Encoding,
        indicators: &Indicators,
        health: &HealthModel,
        reach: &Reach,
        is_actionable: impl Fn(&str) -> bool,
    ) -> Self {
        let declared =
            |name: &str| encoding.inputs.iter().find(|input| input.name == name).and_then(|input| input.good);
        let movable = |indicator: usize| {
            let name = indicators.name(indicator);
            let of_card = || good_on_card(health, |column| indicators.of_columns()[column] == indicator);
            let good = declared(name).or_else(of_card).filter(|_| is_actionable(name))?;
            Some(Movable { indicator, name: name.to_owned(), column: indicators.column(indicator), good })
        };
        let movable = indicators.numbers_of(health).into_iter().filter_map(movable).collect();
        Self { encoding: encoding.clone(), reach: reach.clone(), movable }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.movable.is_empty()
    }

    /// The levers of each row of `x`, which is `raw` encoded: each indicator that is known and worse than the best tenth of
    /// the row's cohort has it (p90 of the training rows, or p10 where lower is better) comes to that value. Its percentile
    /// moves with it.
    ///
    /// # Errors
    /// [`EncodingError`] if `raw` has other dimensions of cohorts than the encoding.
    ///
    /// # Panics
    /// If `x` has not the rows of `raw`, or not the columns of the encoding.
    pub fn of_rows(&self, raw: &RawTable, x: &FeatureMatrix) -> Result<Vec<Vec<Lever>>, EncodingError> {
        let mut levers = vec![Vec::new(); x.n_rows()];
        for of in &self.movable {
            let target = |row: usize| of.target(&self.reach, |column| x.value(row, column)).unwrap_or(f32::NAN);
            let targets: Vec<f32> = (0..x.n_rows()).map(target).collect();
            let percentiles = self.encoding.percentiles_of(&of.name, &targets, raw)?;
            for (row, &target) in targets.iter().enumerate().filter(|(_, target)| !target.is_nan()) {
                let companions = percentiles.iter().map(|(column, values)| (*column, values[row]));
                let becomes = std::iter::once((of.column, target)).chain(companions).collect();
                levers[row].push(Lever { indicator: of.indicator, becomes });
            }
        }
        Ok(levers)
    }
}

impl Movable {
    /// Where it comes to in the row whose feature `i` is `value(i)`; `None` where it is not known, or there already.
    fn target(&self, reach: &Reach, value: impl Fn(usize) -> f32) -> Option<f32> {
        let (now, range) = (value(self.column), reach.range(self.column, &value)?);
        match self.good {
            Direction::Up => (now < range.p90).then_some(range.p90),
            Direction::Down => (now > range.p10).then_some(range.p10),
        }
    }
}

/// Which way the first indicator of a card goes whose column `is_it`; `None` where no card has one.
fn good_on_card(health: &HealthModel, is_it: impl Fn(usize) -> bool) -> Option<Direction> {
    let up = |rises: bool| if rises { Direction::Up } else { Direction::Down };
    let Some(rules) = &health.rules else {
        let found = health.card.indicators.iter().find(|of| is_it(of.feature as usize))?;
        return Some(up(found.at_full > found.at_zero));
    };
    let mut indicators = rules.cards.iter().flat_map(HealthCard::indicators);
    let found: &HealthIndicator = indicators.find(|of| is_it(of.feature as usize))?;
    Some(match &found.scale {
        Scale::Linear { at_zero, at_full } => up(at_full > at_zero),
        Scale::Banded { points, .. } => up(points.last() > points.first()),
    })
}

#[cfg(test)]
mod tests {
    use bellwether_core::{
        Band, Bands, CohortPolicy, CohortReach, EncodedInput, HealthCategory, HealthRules, Indicator, InputKind,
        LevelPolicy, MissingPolicy, RawColumn, RawValues, ScorecardModel, TextColumn, UsualRange,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::TopActions;

    const NAN: f32 = f32::NAN;

    fn column(name: &str, values: Vec<f32>) -> RawColumn {
        RawColumn { name: name.to_owned(), values: RawValues::Number(values) }
    }

    /// Logins, tickets, tenure and, beside them, where logins stand in their cohort; every second account is large.
    fn raw(rows: &[[f32; 3]]) -> RawTable {
        let of = |at: usize| rows.iter().map(|row| row[at]).collect();
        let size = (0..rows.len()).map(|row| Some(if row % 2 == 0 { "small" } else { "large" }));
        RawTable {
            n_rows: rows.len(),
            columns: vec![column("logins", of(0)), column("tickets", of(1)), column("tenure", of(2))],
            helpers: Vec::new(),
            cohort: vec![("size".to_owned(), TextColumn::from_texts(size))],
        }
    }

    fn encoding() -> Encoding {
        let rows: Vec<[f32; 3]> = (0..100_u8).map(|at| [f32::from(at), f32::from(at % 10), 1.0]).collect();
        let (raw, all) = (raw(&rows), (0..100).collect::<Vec<usize>>());
        let good = |name: &str| match name {
            "logins" => Some(Direction::Up),
            "tickets" => Some(Direction::Down),
            _ => None,
        };
        let traits = |name: &str| (None, good(name));
        let learnt = Encoding::learn(&raw, &all, LevelPolicy::default(), traits).expect("all is known");
        let (features, account) = (["logins".to_owned()], (0..100).collect::<Vec<u32>>());
        let policy = CohortPolicy { features: &features, shrinkage: 5.0, min_accounts: 10, account: &account };
        learnt.with_percentiles(&raw, &all, &policy, traits).expect("logins are numbers")
    }

    /// The percentile of logins, tickets and tenure.
    fn health() -> HealthModel {
        let indicator = |feature, at_zero, at_full| Indicator { feature, weight: 1.0, at_zero, at_full };
        let indicators = vec![indicator(3, 0.0, 1.0), indicator(1, 10.0, 0.0), indicator(2, 0.0, 100.0)];
        let card = ScorecardModel { n_features: 4, indicators, slope: -0.1, intercept: 0.0 };
        HealthModel { card, bands: Bands::T_B, rules: None }
    }

    fn reach() -> Reach {
        let range = |p10, p90| UsualRange { p10, p90 };
        let ranges = vec![range(5.0, 90.0), range(1.0, 8.0), range(10.0, 80.0)];
        let everybody = CohortReach { levels: Vec::new(), n_accounts: 100, ranges };
        Reach { features: vec![0, 1, 2], by: Vec::new(), cohorts: vec![everybody] }
    }

    fn levers(is_actionable: impl Fn(&str) -> bool) -> Levers {
        let encoding = encoding();
        Levers::of(&encoding, &Indicators::of(&encoding), &health(), &reach(), is_actionable)
    }

    /// The levers of the first of `rows`, each with what its column becomes.
    fn of_first(levers: &Levers, rows: &[[f32; 3]]) -> Vec<(usize, (usize, f32))> {
        let raw = raw(rows);
        let x = encoding().encode(&raw).expect("it is of this encoding");
        let found = levers.of_rows(&raw, &x).expect("cohorts are the same").remove(0);
        found.into_iter().map(|lever| (lever.indicator, lever.becomes[0])).collect()
    }

    #[test]
    fn what_is_known_and_worse_comes_to_the_best_tenth() {
        let all = levers(|_| true);
        // The percentile belongs to the logins; the card says which way is good for tenure.
        assert_eq!(of_first(&all, &[[3.0, 9.0, 5.0]]), [(0, (0, 90.0)), (1, (1, 1.0)), (2, (2, 80.0))]);
        assert_eq!(of_first(&all, &[[90.0, 1.0, 80.0]]), []);
        assert_eq!(of_first(&all, &[[95.0, 0.0, NAN]]), []);
        let some = levers(|name| name == "tickets");
        assert_eq!(of_first(&some, &[[3.0, 9.0, 5.0]]), [(1, (1, 1.0))]);
        assert!(levers(|_| false).is_empty() && !some.is_empty());
    }

    #[test]
    fn the_card_says_which_way_steps_go() {
        let step = |feature, name: &str, scale| bellwether_core::HealthIndicator {
            feature,
            name: name.to_owned(),
            weight: 1.0,
            scale,
            missing: MissingPolicy::Redistribute,
        };
        let falls = Scale::Banded { edges: vec![1.0], points: vec![100.0, 0.0] };
        let rises = Scale::Linear { at_zero: 0.0, at_full: 9.0 };
        let indicators = vec![step(1, "tickets", falls), step(2, "tenure", rises)];
        let card = HealthCard {
            name: "base".to_owned(),
            when: Vec::new(),
            bands: Bands::T_B,
            categories: vec![HealthCategory { name: None, weight: 1.0, indicators }],
        };
        let rules = HealthRules { cards: vec![card], vetoes: Vec::new(), thresholds: None };
        let health = HealthModel { rules: Some(rules), ..health() };
        let input =
            |name: &str| EncodedInput { name: name.to_owned(), category: None, good: None, kind: InputKind::Number };
        let encoding = Encoding { inputs: ["logins", "tickets", "tenure"].map(input).into() };
        let found = Levers::of(&encoding, &Indicators::of(&encoding), &health, &reach(), |_| true);
        let goods: Vec<(usize, Direction)> = found.movable.iter().map(|of| (of.column, of.good)).collect();
        assert_eq!(goods, [(1, Direction::Down), (2, Direction::Up)]);
    }

    proptest! {
        /// The row is encoded anew, with its percentile, as one that was scored for the first time.
        #[test]
        fn actions_are_verified_by_scoring_again(rows in prop::collection::vec(
            (0.0..100.0_f32, 0.0..10.0_f32, 0.0..100.0_f32, 0..8_u8), 1..12,
        )) {
            let known = |at: u8, of: u8, value: f32| if at == of { NAN } else { value };
            let rows: Vec<[f32; 3]> =
                rows.into_iter().map(|(a, b, c, at)| [known(at, 0, a), known(at, 1, b), known(at, 2, c)]).collect();
            let (encoding, health, raw) = (encoding(), health(), raw(&rows));
            let x = encoding.encode(&raw).expect("it is of this encoding");
            let names = ["logins", "tickets", "tenure"];
            for (row, levers) in levers(|_| true).of_rows(&raw, &x).expect("one cohort").iter().enumerate() {
                let before = health.assess(|column| x.value(row, column));
                let Some(found) = TopActions::of(&health, |column| x.value(row, column), levers) else {
                    continue;
                };
                prop_assert!(before.band() != Band::Green && (1..=2).contains(&found.levers.len()));
                let mut altered = raw.clone();
                for &lever in &found.levers {
                    let (column, becomes) = levers[lever].becomes[0];
                    prop_assert_eq!(&altered.columns[column].name, names[column]);
                    if let RawValues::Number(values) = &mut altered.columns[column].values {
                        values[row] = becomes;
                    }
                }
                let again = encoding.encode(&altered).expect("it is of this encoding");
                let after = health.assess(|column| again.value(row, column));
                prop_assert_eq!(after.score.to_bits(), found.score.to_bits());
                prop_assert_eq!(after.band(), Band::Green);
            }
        }
    }
}
