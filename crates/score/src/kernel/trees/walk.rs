//! An ensemble as one flat array of nodes, walked by several rows at a time.

use std::ops::Range;

use bellwether_core::{FeatureMatrix, Node, Trees};

use super::LANES as BLOCK_ROWS;
use crate::kernel::rows::{Block, Rows};

/// Rows that walk a tree side by side, so that the wait for one row's node is filled with the others' work.
const LANES: usize = 8;

/// `feature`'s bit that says that a missing value goes left.
const MISSING_LEFT: u32 = 1 << 31;

/// A split, or a leaf whose children are itself, so that a row that has arrived stays there.
#[derive(Debug, Clone, Copy)]
struct FlatNode {
    /// Place of the feature, and [`MISSING_LEFT`].
    feature: u32,
    /// The threshold; of a leaf the value.
    value: f32,
    left: u32,
    right: u32,
}

/// All trees of a model; nodes stand in the model's order, tree after tree.
#[derive(Debug, Clone)]
pub(super) struct FlatTrees {
    n_features: usize,
    nodes: Vec<FlatNode>,
    roots: Vec<u32>,
}

impl FlatTrees {
    pub(super) fn new(trees: &Trees) -> Self {
        let mut nodes = Vec::new();
        let mut roots = Vec::new();
        for tree in trees.trees() {
            let root = nodes.len() as u32;
            roots.push(root);
            nodes.extend(tree.nodes.iter().enumerate().map(|(at, node)| FlatNode::new(node, at as u32, root)));
        }
        Self { n_features: trees.n_features(), nodes, roots }
    }

    pub(super) fn n_trees(&self) -> usize {
        self.roots.len()
    }

    pub(super) const fn n_features(&self) -> usize {
        self.n_features
    }

    /// Adds the values of the leaves of one tree to `sums`, of a block of `rows`.
    pub(super) fn add(&self, tree: usize, rows: &[f32], sums: &mut [f64; BLOCK_ROWS]) {
        for (sums, rows) in sums.chunks_exact_mut(LANES).zip(rows.chunks_exact(LANES * self.n_features)) {
            let leaves = self.walk(self.roots[tree], rows);
            for (sum, leaf) in sums.iter_mut().zip(leaves) {
                *sum += f64::from(self.nodes[leaf as usize].value);
            }
        }
    }

    /// Writes the index in its tree of each leaf of the rows from `first_row`, row after row.
    pub(super) fn leaves(&self, x: &FeatureMatrix, first_row: usize, leaves: &mut [u32]) {
        let n_trees = self.n_trees();
        let n_rows = leaves.len() / n_trees;
        self.for_each_leaf(x, first_row, n_rows, |tree, row, leaf| {
            leaves[row * n_trees + tree] = leaf as u32 - self.roots[tree];
        });
    }

    /// The sum of the leaves of one row, in the order of the trees.
    pub(super) fn sum(&self, row: &[f32]) -> f64 {
        // Leaves read a value too, and throw it away.
        let row = if row.is_empty() { &[0.0] } else { row };
        let mut sum = -0.0;
        for roots in self.roots.chunks(LANES) {
            // Several trees side by side, as several rows elsewhere.
            let mut at = [0; LANES];
            at[..roots.len()].copy_from_slice(roots);
            let at = &mut at[..roots.len()];
            loop {
                let mut moved = 0;
                for at in &mut *at {
                    let next = self.nodes[*at as usize].next(row);
                    moved |= next ^ *at;
                    *at = next;
                }
                if moved == 0 {
                    break;
                }
            }
            for &mut leaf in at {
                sum += f64::from(self.nodes[leaf as usize].value);
            }
        }
        sum
    }

    /// Calls `visit(tree, row - first_row, leaf)` for `n_rows` rows; for each row the trees come in order.
    fn for_each_leaf(
        &self,
        x: &FeatureMatrix,
        first_row: usize,
        n_rows: usize,
        mut visit: impl FnMut(usize, usize, usize),
    ) {
        let x = Rows::from(x);
        let (mut rows, mut buffer) = (vec![0.0; BLOCK_ROWS * self.n_features], Vec::new());
        for block in (0..n_rows).step_by(BLOCK_ROWS) {
            let block_rows = BLOCK_ROWS.min(n_rows - block);
            let from = first_row + block;
            gather(&x.block(from..from + block_rows, &mut buffer), 0..block_rows, &mut rows);
            for (tree, &root) in self.roots.iter().enumerate() {
                for lane in (0..block_rows).step_by(LANES) {
                    let leaves = self.walk(root, &rows[lane * self.n_features..(lane + LANES) * self.n_features]);
                    let used = LANES.min(block_rows - lane);
                    for (row, &leaf) in leaves[..used].iter().enumerate() {
                        visit(tree, block + lane + row, leaf as usize);
                    }
                }
            }
        }
    }

    /// The leaves of [`LANES`] rows.
    fn walk(&self, root: u32, rows: &[f32]) -> [u32; LANES] {
        let mut at = [root; LANES];
        loop {
            let mut moved = 0;
            for (lane, row) in rows.chunks_exact(self.n_features).enumerate() {
                let next = self.nodes[at[lane] as usize].next(row);
                moved |= next ^ at[lane];
                at[lane] = next;
            }
            if moved == 0 {
                return at;
            }
        }
    }
}

impl FlatNode {
    fn new(node: &Node, at: u32, root: u32) -> Self {
        match *node {
            Node::Split { feature, threshold, missing_left, left, right } => Self {
                feature: feature | if missing_left { MISSING_LEFT } else { 0 },
                value: threshold,
                left: root + left,
                right: root + right,
            },
            Node::Leaf { value } => Self { feature: 0, value, left: root + at, right: root + at },
        }
    }

    /// Where `row` goes from here.
    #[expect(clippy::needless_bitwise_bool, reason = "a branch that depends on the row is mispredicted half the time")]
    fn next(&self, row: &[f32]) -> u32 {
        let x = row[(self.feature & !MISSING_LEFT) as usize];
        let goes_left = (x <= self.value) | (x.is_nan() & (self.feature >= MISSING_LEFT));
        if goes_left { self.left } else { self.right }
    }
}

/// Copies `places` of `block` into `rows`, row after row. What follows them is left as it was.
pub(super) fn gather(block: &Block<'_>, places: Range<usize>, rows: &mut [f32]) {
    let n_features = rows.len() / BLOCK_ROWS;
    for column in 0..n_features {
        for (row, &value) in rows.chunks_exact_mut(n_features).zip(&block.values(column)[places.clone()]) {
            row[column] = value;
        }
    }
}
