//! A made-up book for the tests of this crate.

use bellwether_core::{
    Direction, Feature, FeatureMatrix, FeatureSchema, Indicator, Model, Outcome, Quiet, ScorecardModel,
};
use bellwether_learn::{LearnError, LearnerName, Settings, TrainingRows, learner};

/// A learner under settings that differ from [`Book::settings`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: LearnerName,
    /// What differs, empty where nothing does.
    pub(crate) what: &'static str,
    pub(crate) change: fn(Settings) -> Settings,
}

impl From<LearnerName> for Case {
    fn from(name: LearnerName) -> Self {
        Self { name, what: "", change: |settings| settings }
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.what)
    }
}

/// An owned table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Book {
    pub(crate) columns: Vec<Vec<f32>>,
    pub(crate) y: Vec<bool>,
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) day: Vec<i32>,
    pub(crate) group: Vec<u64>,
}

/// `SplitMix64` (Steele et al. 2014): its stream never changes.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal: the sum of 12 uniforms less 6.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

impl Book {
    /// `n` rows over 10 months. The label is true with logit `offset + 2 a - 1.5 b + (1.5 where c is missing)`; the
    /// columns are a, b on a scale of 1e-6, c with a fifth missing, and noise.
    pub(crate) fn made(n: usize, seed: u64, offset: f64) -> Self {
        let mut random = Random(seed);
        let mut book =
            Self { columns: vec![Vec::new(); 4], y: Vec::new(), weights: None, day: Vec::new(), group: Vec::new() };
        for row in 0..n {
            let (a, b, c, noise) = (random.normal(), random.normal(), random.normal(), random.normal());
            let c_is_missing = random.unit() < 0.2;
            let logit = offset + 2.0 * a - 1.5 * b + if c_is_missing { 1.5 } else { 0.0 };
            let values = [a, b * 1e-6, if c_is_missing { f64::NAN } else { c }, noise];
            for (column, value) in book.columns.iter_mut().zip(values) {
                column.push(value as f32);
            }
            book.y.push(random.unit() < 1.0 / (1.0 + (-logit).exp()));
            book.day.push((row % 10) as i32 * 30);
            book.group.push(random.bits() >> 1);
        }
        book
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.y.len()
    }

    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        fn take<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| values[row]).collect()
        }
        Self {
            columns: self.columns.iter().map(|column| take(column, rows)).collect(),
            y: take(&self.y, rows),
            weights: self.weights.as_ref().map(|weights| take(weights, rows)),
            day: take(&self.day, rows),
            group: take(&self.group, rows),
        }
    }

    /// The rows in an order that `seed` gives.
    pub(crate) fn shuffled(&self, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut keyed: Vec<(u64, usize)> = (0..self.n_rows()).map(|row| (random.bits(), row)).collect();
        keyed.sort_unstable();
        self.select(&keyed.into_iter().map(|(_, row)| row).collect::<Vec<_>>())
    }

    pub(crate) fn schema(&self) -> FeatureSchema {
        let feature = |place: usize| Feature {
            name: format!("f{place}"),
            category: None,
            good: match place {
                0 => Some(Direction::Down),
                1 => Some(Direction::Up),
                _ => None,
            },
        };
        FeatureSchema::new((0..self.columns.len()).map(feature).collect()).expect("names are unique")
    }

    pub(crate) fn settings(&self) -> Settings {
        // Low a and high b are healthy.
        let card = ScorecardModel {
            n_features: self.columns.len(),
            indicators: vec![Indicator { feature: 0, weight: 60.0, at_zero: 3.0, at_full: -3.0 }],
            slope: 0.0,
            intercept: 0.0,
        };
        let b = Indicator { feature: 1, weight: 40.0, at_zero: -3e-6, at_full: 3e-6 };
        let indicators = card.indicators.iter().copied().chain((self.columns.len() > 1).then_some(b)).collect();
        Settings {
            scorecard: Some(ScorecardModel { indicators, ..card }),
            forest_trees: 20,
            boosted_trees: 60,
            tree_depth: 4,
            ..Settings::new(11, Outcome::Churn)
        }
    }

    pub(crate) fn try_fit_with(&self, name: LearnerName, settings: &Settings) -> Result<Model, LearnError> {
        let (schema, x) = (self.schema(), FeatureMatrix::from_columns(&self.columns).expect("finite columns"));
        let rows = TrainingRows {
            schema: &schema,
            x: &x,
            y: &self.y,
            weights: self.weights.as_deref(),
            day: &self.day,
            group: &self.group,
        };
        learner(name, settings)?.fit(&rows, &Quiet)
    }

    pub(crate) fn try_fit(&self, case: impl Into<Case>) -> Result<Model, LearnError> {
        let case = case.into();
        self.try_fit_with(case.name, &(case.change)(self.settings()))
    }

    pub(crate) fn fit(&self, case: impl Into<Case>) -> Model {
        let case = case.into();
        self.try_fit(case).unwrap_or_else(|error| panic!("{case}: {error}: {:?}", std::error::Error::source(&error)))
    }

    pub(crate) fn row(&self, row: usize) -> Vec<f32> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    pub(crate) fn logits(&self, model: &Model) -> Vec<f64> {
        (0..self.n_rows()).map(|row| model.logit(&self.row(row))).collect()
    }

    /// The share of pairs of a true and a false row in which the true one has the higher logit; ties count half.
    pub(crate) fn auc(&self, model: &Model) -> f64 {
        let logits = self.logits(model);
        let of = |class: bool| (0..self.n_rows()).filter(move |&row| self.y[row] == class);
        let wins =
            of(true).flat_map(|a| of(false).map(move |b| (a, b))).map(|(a, b)| match logits[a].total_cmp(&logits[b]) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 1.0,
            });
        wins.sum::<f64>() / (of(true).count() * of(false).count()) as f64
    }
}
