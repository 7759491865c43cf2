//! Exact contributions of features to a model's sum.

use bellwether_core::{Background, FeatureMatrix, Link, Model, Target};
use rayon::prelude::*;

use super::block::Block;
use super::enumerated::EnumeratedShapley;
use super::leaf::ReferenceRows;
use super::linear::LinearShapley;
use super::scorecard::ScorecardShapley;
use super::trees::TreeShapley;
use crate::kernel::TASK_ROWS;
use crate::kernel::trees::ranks::LANES;
use crate::{Kernel, ScoreError};

/// How far the contributions of a row and what is expected may be from the model's logit, as a share of the logit or, below 1,
/// in logits. Trees miss it by rounding of f64 alone.
pub const ADDITIVITY_TOLERANCE: f64 = 1e-9;

/// What a feature that is not known counts as.
#[derive(Debug, Clone, Copy)]
pub enum Against<'a> {
    /// Like the training rows: in trees, like those of them that reach the split (path-dependent); in linear models and
    /// scorecards, like all of them. Needs what training stored.
    Training(Option<&'a Background>),
    /// Like each of these rows in turn, of which there is at least one (interventional).
    Rows(&'a FeatureMatrix),
}

/// A model's sum, taken apart by feature: exact Shapley values, many rows at once.
#[derive(Debug, Clone)]
pub struct Explainer {
    kernel: Kernel,
    link: Link,
    expected: f64,
    method: Method,
}

#[derive(Debug, Clone)]
enum Method {
    Linear(LinearShapley),
    Scorecard(ScorecardShapley),
    Trees(TreeShapley),
    Graph(EnumeratedShapley),
}

/// What each feature adds to the sum of each row: `expected + sum of a row = the model's sum`.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// The mean sum of what rows are held against.
    pub expected: f64,
    n_features: usize,
    values: Vec<f64>,
}

/// Some rows next to each other, explained.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExplainedBlock<'a> {
    /// For each feature what it adds to each row; some number or other beyond the last row.
    pub(crate) by_feature: &'a [[f64; LANES]],
    /// The model's sum of each row, before its link.
    pub(crate) sums: &'a [f64],
    /// The logit of each row, as the kernel gave it.
    pub(crate) logits: &'a [f64],
}

impl ExplainedBlock<'_> {
    /// How many rows.
    pub(crate) const fn n_rows(&self) -> usize {
        self.sums.len()
    }
}

impl Contributions {
    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.values.len() / self.n_features
    }

    /// One number a feature, in schema order; NaN throughout for a row of a scorecard with more than 20 missing indicators.
    ///
    /// # Panics
    /// If `row` is outside.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_features..(row + 1) * self.n_features]
    }

    /// The model's sum: a logit, or under [`Link::Probability`] a mean probability.
    ///
    /// # Panics
    /// If `row` is outside.
    pub fn sum(&self, row: usize) -> f64 {
        self.expected + self.row(row).iter().sum::<f64>()
    }
}

impl Explainer {
    /// Compiles the tables for `model`, whose kernel computes the logits that contributions are checked against.
    ///
    /// # Errors
    /// [`ScoreError::NoBackground`] if the model or the background lacks what `against` needs, [`ScoreError::Features`] for
    /// rows of another width, [`ScoreError::NotExplained`] for a graph of other software that is not held against rows, or reads
    /// more than 12 features.
    pub fn new(kernel: &Kernel, model: &Model, target: Target, against: Against<'_>) -> Result<Self, ScoreError> {
        if let Against::Rows(rows) = against {
            kernel.check_width(rows.n_cols())?;
        }
        let lacks = |what: &'static str| ScoreError::NoBackground { target, what };
        let expected = |background: Option<&Background>| {
            let of_target = background.and_then(|background| background.expected.get(&target).cloned());
            of_target.ok_or_else(|| lacks("the bundle does not say what its linear models and scorecards expect"))
        };
        if let Against::Rows(rows) = against
            && rows.n_rows() == 0
        {
            return Err(lacks("there is no row to compare with"));
        }
        let mut link = Link::Logit;
        let (method, expected) = match (model, against) {
            (Model::Linear(linear), against) => {
                let of = match against {
                    Against::Training(background) => LinearShapley::new(linear, expected(background)?),
                    Against::Rows(rows) => LinearShapley::against(linear, rows),
                };
                let expected = of.expected();
                (Method::Linear(of), expected)
            }
            (Model::Scorecard(card), Against::Training(background)) => {
                let of = ScorecardShapley::new(card, &expected(background)?);
                let expected = of.expected();
                (Method::Scorecard(of), expected)
            }
            (Model::Scorecard(_), Against::Rows(_)) => {
                return Err(lacks("a scorecard is explained against the training means alone"));
            }
            (Model::Graph(graph), Against::Rows(rows)) => {
                let of = EnumeratedShapley::new(kernel, graph, rows)?;
                let of = of.ok_or(ScoreError::NotExplained { target, what: "it reads more than 12 features" })?;
                let expected = of.expected();
                (Method::Graph(of), expected)
            }
            (Model::Graph(_), Against::Training(_)) => {
                let what = "only stored rows tell what it expects (`explain --interventional`)";
                return Err(ScoreError::NotExplained { target, what });
            }
            (Model::Trees(trees), against) => {
                link = trees.link();
                let of = match against {
                    Against::Rows(rows) => TreeShapley::new(trees, |_| ReferenceRows::Rows(rows)),
                    Against::Training(_) => {
                        let covers = trees.covers().ok_or_else(|| lacks("its graph has no hit rates"))?;
                        TreeShapley::new(trees, |tree| ReferenceRows::Covers(&covers[tree]))
                    }
                };
                let expected = of.expected();
                (Method::Trees(of), expected)
            }
        };
        Ok(Self { kernel: kernel.clone(), link, expected, method })
    }

    /// What each feature adds to each row of `x`, on the thread pool; a row's numbers depend on the row alone.
    ///
    /// # Errors
    /// [`ScoreError::Features`] for rows of another width, [`ScoreError::Additivity`] if contributions do not add up to a
    /// row's logit.
    pub fn contributions(&self, x: &FeatureMatrix) -> Result<Contributions, ScoreError> {
        let n_features = self.kernel.n_features();
        let parts = self.each_task(x, &self.kernel.logits(x)?, Vec::new, |values, of| {
            for row in 0..of.n_rows() {
                values.extend(of.by_feature.iter().map(|of_feature| of_feature[row]));
            }
        })?;
        Ok(Contributions { expected: self.expected, n_features, values: parts.concat() })
    }

    /// Explains rows whose logits the kernel has given, on the thread pool: `add` gets the rows of one of the results after
    /// the other. The results are in row order.
    ///
    /// # Errors
    /// As [`Explainer::contributions`].
    pub(crate) fn each_task<T: Send>(
        &self,
        x: &FeatureMatrix,
        logits: &[f64],
        begin: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, &ExplainedBlock<'_>) + Sync,
    ) -> Result<Vec<T>, ScoreError> {
        self.kernel.check_width(x.n_cols())?;
        let task = |(task, logits): (usize, &[f64])| {
            let mut result = begin();
            let mut block = self.block();
            let first_rows = (task * TASK_ROWS..).step_by(LANES);
            for (first_row, logits) in first_rows.zip(logits.chunks(LANES)) {
                self.explain(x, first_row, logits.len(), &mut block)?;
                let sums = self.sums(&block);
                let explained = ExplainedBlock { by_feature: &block.out, sums: &sums[..logits.len()], logits };
                self.check(first_row, &explained)?;
                add(&mut result, &explained);
            }
            Ok(result)
        };
        // The first error in row order, whichever task ends first.
        logits.par_chunks(TASK_ROWS).enumerate().map(task).collect::<Vec<_>>().into_iter().collect()
    }

    fn block(&self) -> Block {
        match &self.method {
            Method::Trees(of) => of.block(),
            Method::Linear(_) | Method::Scorecard(_) | Method::Graph(_) => Block::new(self.kernel.n_features(), 0),
        }
    }

    fn explain(&self, x: &FeatureMatrix, first_row: usize, n_rows: usize, block: &mut Block) -> Result<(), ScoreError> {
        match &self.method {
            Method::Linear(of) => of.contributions(x, first_row, &mut block.out),
            Method::Scorecard(of) => of.contributions(x, first_row, n_rows, &mut block.out),
            Method::Trees(of) => of.contributions(x, first_row, n_rows, block),
            Method::Graph(of) => of.contributions(&self.kernel, x, first_row, n_rows, &mut block.out)?,
        }
        Ok(())
    }

    /// The model's sum of each row.
    fn sums(&self, block: &Block) -> [f64; LANES] {
        let mut sums = [0.0; LANES];
        for of_feature in &block.out {
            for (sum, value) in sums.iter_mut().zip(of_feature) {
                *sum += value;
            }
        }
        sums.map(|sum| self.expected + sum)
    }

    fn check(&self, first_row: usize, rows: &ExplainedBlock<'_>) -> Result<(), ScoreError> {
        for (row, (&sum, &logit)) in rows.sums.iter().zip(rows.logits).enumerate() {
            let found = self.link.logit(sum);
            let is_explained = !rows.by_feature[0][row].is_nan();
            // An infinite or missing difference is none that is small enough.
            let adds_up = (found - logit).abs() <= ADDITIVITY_TOLERANCE * logit.abs().max(1.0);
            if is_explained && !adds_up {
                return Err(ScoreError::Additivity { row: first_row + row, sum: found, logit });
            }
        }
        Ok(())
    }

    /// The same on each of the processor's instruction sets, of which only trees use several.
    #[cfg(feature = "tract")]
    pub(crate) fn on_each_instruction_set(self) -> Vec<Self> {
        match &self.method {
            Method::Linear(_) | Method::Scorecard(_) | Method::Graph(_) => vec![self],
            Method::Trees(of) => {
                let on = |path| Self { method: Method::Trees(of.clone().on(path)), ..self.clone() };
                crate::SimdPath::available().into_iter().map(on).collect()
            }
        }
    }

    /// The mean sum of what rows are held against.
    pub const fn expected(&self) -> f64 {
        self.expected
    }

    /// How a sum becomes a logit.
    pub const fn link(&self) -> Link {
        self.link
    }
}
