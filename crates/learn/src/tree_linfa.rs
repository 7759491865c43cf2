//! The reference of `tree`: one readable tree, grown split by split with linfa-trees.
//!
//! linfa prunes neighbouring leaves with the same majority away, which leaves nothing of a tree for a rare outcome. So
//! it is asked for one split at a time, with the classes weighted to be even in the node: then the two sides of a useful
//! split differ in their majority. Leaves are the smoothed outcome rates of the training rows.

use bellwether_core::{Model, Progress};
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2, ShapeBuilder};
use rayon::prelude::*;

use crate::grown::{Grown, GrownNode, GrownSplit};
use crate::rows::Table;
use crate::threshold::halfway;
use crate::tree::{fit_by_depth, least_rows};
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Grows one tree.
#[derive(Debug)]
pub(crate) struct LinfaTree {
    pub(crate) settings: Settings,
}

/// linfa sees this many features at a time, which bounds memory and gives the threads something to do.
const FEATURES_A_BLOCK: usize = 8;

/// The least gain of a split, as a decrease of an even node's Gini impurity of 0.5.
const LEAST_GAIN: f64 = 1e-4;

impl Learner for LinfaTree {
    fn name(&self) -> LearnerName {
        LearnerName::TreeLinfa
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        fit_by_depth(self.name(), &self.settings, rows, progress, |table, depth| Grower::new(table).grow(depth))
    }
}

/// `x <= threshold` goes left.
#[derive(Debug, Clone, Copy)]
struct Split {
    feature: usize,
    threshold: f32,
    missing_left: bool,
    gain: f64,
}

struct Grower<'a> {
    table: &'a Table,
    /// Each side of a split weighs at least as much as this many rows of the rarer class.
    least_rows: f64,
}

impl<'a> Grower<'a> {
    fn new(table: &'a Table) -> Self {
        Self { table, least_rows: least_rows(table.n_rows()) }
    }

    fn grow(&self, depth: u32) -> Result<Grown, LearnError> {
        let mut grown = Grown::default();
        self.node((0..self.table.n_rows()).collect(), depth, &mut grown)?;
        Ok(grown)
    }

    /// Grows the node of `rows` and all below it; where it stands.
    fn node(&self, rows: Vec<usize>, depth: u32, grown: &mut Grown) -> Result<usize, LearnError> {
        let mut of_class = [0.0; 2];
        for &row in &rows {
            of_class[usize::from(self.table.y[row])] += self.table.weight(row);
        }
        let at = grown.nodes.len();
        grown.nodes.push(GrownNode { of_class, split: None });
        let may_split = depth > 0 && of_class.iter().all(|&weight| weight > 0.0);
        let [negative, positive] = of_class;
        let Some(split) = may_split.then(|| self.best_split(&rows, positive, negative)).transpose()?.flatten() else {
            return Ok(at);
        };
        let goes_left = |&row: &usize| {
            let x = self.table.columns[split.feature][row];
            if x.is_nan() { split.missing_left } else { x <= split.threshold }
        };
        let (left, right): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(goes_left);
        let (left, right) = (self.node(left, depth - 1, grown)?, self.node(right, depth - 1, grown)?);
        let Split { feature, threshold, missing_left, .. } = split;
        grown.nodes[at].split = Some(GrownSplit { feature, threshold, missing_left, left, right });
        Ok(at)
    }

    /// The split with the largest gain; the first feature wins a tie.
    fn best_split(&self, rows: &[usize], positive: f64, negative: f64) -> Result<Option<Split>, LearnError> {
        let even = EvenClasses::new(self.table, rows, positive, negative);
        let features: Vec<usize> = (0..self.table.n_cols()).collect();
        let of_blocks = features
            .par_chunks(FEATURES_A_BLOCK)
            .map(|block| self.best_of_block(rows, block, &even))
            .collect::<Result<Vec<_>, _>>()?;
        let better = |best: Split, next: Split| if next.gain > best.gain { next } else { best };
        Ok(of_blocks.into_iter().flatten().reduce(better))
    }

    fn best_of_block(&self, rows: &[usize], block: &[usize], even: &EvenClasses) -> Result<Option<Split>, LearnError> {
        let ranked: Vec<Ranked> =
            block.iter().flat_map(|&feature| Ranked::of(feature, &self.table.columns[feature], rows)).collect();
        if ranked.is_empty() {
            return Ok(None);
        }
        let shape = (rows.len(), ranked.len()).f();
        let ranks = ranked.iter().flat_map(|column| column.ranks.iter().copied()).collect();
        let ranks = Array2::from_shape_vec(shape, ranks).expect("each ranked column has one rank a row");
        let y = Array1::from_iter(rows.iter().map(|&row| self.table.y[row]));
        let dataset = DatasetBase::new(ranks, y).with_weights(Array1::from(even.weights.clone()));
        let stump = DecisionTree::params()
            .max_depth(Some(1))
            .min_weight_leaf(self.least_rows as f32 * even.of_rarer)
            .min_impurity_decrease(LEAST_GAIN)
            .check()
            .and_then(|parameters| parameters.fit(&dataset))
            .map_err(|error| LearnError::fit(LearnerName::TreeLinfa, error))?;
        let root = stump.root_node();
        let (column, rank, gain) = root.split();
        Ok((!root.is_leaf()).then(|| ranked[column].split(rank, gain)).filter(|split| split.threshold.is_finite()))
    }
}

/// Weights under which both classes of a node weigh the same.
struct EvenClasses {
    /// One a row of the node; linfa takes f32.
    weights: Vec<f32>,
    /// The weight of a row of the rarer class.
    of_rarer: f32,
}

impl EvenClasses {
    /// Steps so coarse that f32 sums of a million rows are exact.
    const STEP: f64 = 16.0;

    fn new(table: &Table, rows: &[usize], positive: f64, negative: f64) -> Self {
        let ratio = (positive.max(negative) / positive.min(negative) * Self::STEP).round() / Self::STEP;
        let rarer = positive < negative;
        let weight = |&row: &usize| (table.weight(row) * if table.y[row] == rarer { ratio } else { 1.0 }) as f32;
        Self { weights: rows.iter().map(weight).collect(), of_rarer: ratio as f32 }
    }
}

/// A feature as ranks: linfa takes values closer than 1e-5 for equal and cannot take a missing one.
struct Ranked {
    feature: usize,
    /// One a row of the node.
    ranks: Vec<f64>,
    /// The known values of the node's rows, sorted and distinct; `distinct[r]` has rank `r`.
    distinct: Vec<f32>,
    missing: MissingRank,
}

#[derive(Clone, Copy)]
enum MissingRank {
    /// No row of the node lacks the value: a missing one goes with most rows.
    Absent,
    BelowAll,
    AboveAll,
}

impl Ranked {
    /// One column, or two where values are missing: missing below all, and above all. None where nothing varies.
    fn of(feature: usize, column: &[f32], rows: &[usize]) -> Vec<Self> {
        let mut distinct: Vec<f32> = rows.iter().map(|&row| column[row]).filter(|x| !x.is_nan()).collect();
        let some_missing = distinct.len() < rows.len();
        distinct.sort_unstable_by(f32::total_cmp);
        distinct.dedup();
        let ways: &[MissingRank] = match (some_missing, distinct.len()) {
            (_, 0) | (false, 1) => &[],
            (false, _) => &[MissingRank::Absent],
            (true, _) => &[MissingRank::BelowAll, MissingRank::AboveAll],
        };
        let rank_missing =
            |way: MissingRank| if matches!(way, MissingRank::BelowAll) { -1.0 } else { distinct.len() as f64 };
        let ranked = |&missing: &MissingRank| {
            let rank = |&row: &usize| match column[row] {
                x if x.is_nan() => rank_missing(missing),
                x => distinct.partition_point(|&value| value < x) as f64,
            };
            Self { feature, ranks: rows.iter().map(rank).collect(), distinct: distinct.clone(), missing }
        };
        ways.iter().map(ranked).collect()
    }

    /// linfa's split at `rank` as a threshold halfway between the values on its two sides.
    fn split(&self, rank: f64, gain: f64) -> Split {
        let n_left = self.distinct.partition_point(|&value| self.rank_of(value) <= rank);
        let threshold = match (n_left.checked_sub(1).map(|last| self.distinct[last]), self.distinct.get(n_left)) {
            (Some(below), Some(&above)) => halfway(below, above),
            (None, _) => f32::MIN,
            (Some(_), None) => f32::MAX,
        };
        let missing_left = match self.missing {
            MissingRank::BelowAll => true,
            MissingRank::AboveAll => false,
            MissingRank::Absent => 2 * self.ranks.iter().filter(|&&of_row| of_row <= rank).count() >= self.ranks.len(),
        };
        Split { feature: self.feature, threshold, missing_left, gain }
    }

    fn rank_of(&self, value: f32) -> f64 {
        self.distinct.partition_point(|&other| other < value) as f64
    }
}
