//! One readable tree, grown split by split with linfa-trees.
//!
//! linfa prunes neighbouring leaves with the same majority away, which leaves nothing of a tree for a rare outcome. So
//! it is asked for one split at a time, with the classes weighted to be even in the node: then the two sides of a useful
//! split differ in their majority. Leaves are the smoothed outcome rates of the training rows.

use bellwether_core::{Link, Model, Node, Progress, Tree, Trees};
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2, ShapeBuilder};
use rayon::prelude::*;

use crate::holdout::folds;
use crate::learner::checked;
use crate::logistic::log_loss;
use crate::rows::Table;
use crate::threshold::halfway;
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Grows one tree.
#[derive(Debug)]
pub(crate) struct OneTree {
    pub(crate) settings: Settings,
}

/// A leaf's rate is that of its rows and of this many more at the base rate. Source: m-estimate, Cestnik (1990).
const SMOOTHING_ROWS: f64 = 10.0;

/// linfa sees this many features at a time, which bounds memory and gives the threads something to do.
const FEATURES_A_BLOCK: usize = 8;

/// The least gain of a split, as a decrease of an even node's Gini impurity of 0.5.
const LEAST_GAIN: f64 = 1e-4;

impl Learner for OneTree {
    fn name(&self) -> LearnerName {
        LearnerName::Tree
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        let most_depth = self.settings.tree_depth;
        let folds = folds(&table, self.settings.purge_days);
        progress.begin("tree", folds.len() as u64 + 1);
        let mut losses = vec![0.0; most_depth as usize + 1];
        for fold in &folds {
            let (fit, check) = (table.select(&fold.fit), table.select(&fold.check));
            let grown = Grower::new(&fit).grow(most_depth)?;
            for (depth, loss) in (0..).zip(&mut losses) {
                *loss += log_loss(&grown.model(&fit, depth)?, &check);
            }
            progress.advance(1);
        }
        let best = (0..=most_depth).min_by(|&a, &b| losses[a as usize].total_cmp(&losses[b as usize]));
        let depth = best.filter(|_| !folds.is_empty()).unwrap_or(most_depth);
        let grown = Grower::new(&table).grow(depth)?;
        progress.advance(1);
        progress.end();
        checked(LearnerName::Tree, grown.model(&table, depth)?)
    }
}

/// A grown node: what its rows are, and how it is split.
struct Branch {
    positive: f64,
    all: f64,
    split: Option<Box<(Split, [Branch; 2])>>,
}

/// `x <= threshold` goes left.
#[derive(Debug, Clone, Copy)]
struct Split {
    feature: usize,
    threshold: f32,
    missing_left: bool,
    gain: f64,
}

impl Branch {
    /// The tree down to `depth` splits a path.
    fn model(&self, table: &Table, depth: u32) -> Result<Model, LearnError> {
        let mut nodes = Vec::new();
        self.add_to(&mut nodes, self.positive / self.all, depth);
        let trees = Trees::new(table.n_cols(), 0.0, Link::Logit, vec![Tree { nodes }]);
        trees.map(Model::Trees).map_err(|source| LearnError::Model { learner: LearnerName::Tree, source })
    }

    fn add_to(&self, nodes: &mut Vec<Node>, base_rate: f64, depth: u32) -> u32 {
        let at = nodes.len();
        let rate = (self.positive + SMOOTHING_ROWS * base_rate) / (self.all + SMOOTHING_ROWS);
        nodes.push(Node::Leaf { value: (rate / (1.0 - rate)).ln() as f32 });
        if let Some((split, [left, right])) = self.split.as_deref().filter(|_| depth > 0) {
            let left = left.add_to(nodes, base_rate, depth - 1);
            let right = right.add_to(nodes, base_rate, depth - 1);
            let Split { feature, threshold, missing_left, .. } = *split;
            nodes[at] = Node::Split { feature: feature as u32, threshold, missing_left, left, right };
        }
        at as u32
    }
}

struct Grower<'a> {
    table: &'a Table,
    /// Each side of a split weighs at least as much as this many rows of the rarer class.
    least_rows: f64,
}

impl<'a> Grower<'a> {
    fn new(table: &'a Table) -> Self {
        Self { table, least_rows: ((table.n_rows() as f64).sqrt() / 4.0).clamp(5.0, 50.0) }
    }

    fn grow(&self, depth: u32) -> Result<Branch, LearnError> {
        self.branch((0..self.table.n_rows()).collect(), depth)
    }

    fn branch(&self, rows: Vec<usize>, depth: u32) -> Result<Branch, LearnError> {
        let weight_of = |class: bool| {
            let of_class = rows.iter().filter(|&&row| self.table.y[row] == class);
            of_class.map(|&row| self.table.weight(row)).sum::<f64>()
        };
        let (positive, negative) = (weight_of(true), weight_of(false));
        let all = positive + negative;
        let may_split = depth > 0 && positive > 0.0 && negative > 0.0;
        let Some(split) = may_split.then(|| self.best_split(&rows, positive, negative)).transpose()?.flatten() else {
            return Ok(Branch { positive, all, split: None });
        };
        let goes_left = |&row: &usize| {
            let x = self.table.columns[split.feature][row];
            if x.is_nan() { split.missing_left } else { x <= split.threshold }
        };
        let (left, right): (Vec<usize>, Vec<usize>) = rows.into_iter().partition(goes_left);
        let children = [self.branch(left, depth - 1)?, self.branch(right, depth - 1)?];
        Ok(Branch { positive, all, split: Some(Box::new((split, children))) })
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
            .map_err(|error| LearnError::fit(LearnerName::Tree, error))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 rows; the outcome is rare above 99.5 and absent below.
    fn table(column: Vec<f32>) -> Table {
        let n = column.len();
        let y = (0..n).map(|row| row >= 100 && row.is_multiple_of(5)).collect();
        Table { columns: vec![column], y, weights: None, day: vec![0; n], group: vec![0; n] }
    }

    fn grown(table: &Table) -> Vec<Node> {
        match Grower::new(table).grow(1).and_then(|grown| grown.model(table, 1)) {
            Ok(Model::Trees(trees)) => trees.trees()[0].nodes.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_rare_outcome_is_split_halfway_and_leaves_are_smoothed_rates() {
        let nodes = grown(&table((0..200).map(|row| row as f32).collect()));
        let Node::Split { threshold, left: 1, right: 2, .. } = nodes[0] else { panic!("{nodes:?}") };
        assert_eq!(threshold, 99.5);
        // 20 of 200 have the outcome; a leaf has 10 more rows at that rate: 1 of 110 and 21 of 110.
        for (leaf, rate) in [(1, 1.0 / 110.0), (2, 21.0 / 110.0_f64)] {
            let Node::Leaf { value } = nodes[leaf] else { panic!("{nodes:?}") };
            assert!((f64::from(value) - (rate / (1.0 - rate)).ln()).abs() < 1e-5, "{value}");
        }
    }

    #[test]
    fn a_small_scale_is_split_as_a_large_one() {
        let nodes = grown(&table((0..200).map(|row| row as f32 * 1e-9).collect()));
        let Node::Split { threshold, .. } = nodes[0] else { panic!("{nodes:?}") };
        assert!(99.0e-9 < threshold && threshold < 100.0e-9, "{threshold}");
    }

    #[test]
    fn what_is_missing_goes_where_it_belongs() {
        for missing_high in [false, true] {
            let is_missing = |row: usize| (row >= 100) == missing_high;
            let nodes = grown(&table((0..200).map(|row| if is_missing(row) { f32::NAN } else { 1.0 }).collect()));
            let tree = Tree { nodes };
            let (missing, known) = (tree.leaf(&[f32::NAN]).1, tree.leaf(&[1.0]).1);
            assert_eq!(missing > known, missing_high);
        }
    }
}
