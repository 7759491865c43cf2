//! Grows one tree, leaf by leaf: the leaf with the largest gain is split next.

use rayon::prelude::*;

use super::bins::{Binned, Bins, LANES, MISSING};
use super::gradient::{Quantised, Steps};
use super::partition::part;
use super::split::{Bounds, Candidate, Monotone, Rules, Split, better};
use super::sums::{GroupSums, Histogram, LeafRows, Pool, Sum, change};
use crate::Recipe;

/// A node of a [`BinTree`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum BinNode {
    /// Bins up to `bin` go left, missing values where `missing_left` says.
    Split { feature: u32, bin: u8, missing_left: bool, left: u32, right: u32 },
    /// What the tree adds.
    Leaf { value: f32 },
}

/// A tree on bins; node 0 is the root, children stand after their parent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BinTree {
    pub(crate) nodes: Vec<BinNode>,
}

impl BinTree {
    /// What the tree adds to a row with these groups of bins.
    pub(crate) fn value(&self, groups: &[[u8; LANES]]) -> f32 {
        let mut at = 0;
        loop {
            match self.nodes[at as usize] {
                BinNode::Leaf { value } => return value,
                BinNode::Split { feature, bin, missing_left, left, right } => {
                    let of_row = groups[feature as usize / LANES][feature as usize % LANES];
                    at = if goes_left(of_row, bin, missing_left) { left } else { right };
                }
            }
        }
    }
}

#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "a branch that no processor can guess costs more")]
pub(super) fn goes_left(of_row: u8, bin: u8, missing_left: bool) -> bool {
    // No bin of a known value is `MISSING`.
    (of_row <= bin) | (missing_left & (of_row == MISSING))
}

/// Grows trees on the same rows, one after the other.
pub(crate) struct Grower<'a> {
    pub(crate) binned: &'a Binned,
    pub(crate) bins: &'a Bins,
    /// One a feature.
    pub(crate) monotone: &'a [Monotone],
    pub(crate) recipe: Recipe,
    pub(crate) steps: Steps,
    rows: Vec<u32>,
    buffer: Vec<u32>,
    pool: Pool,
}

/// A leaf of the growing tree.
struct Leaf {
    node: usize,
    depth: usize,
    /// Its place among the rows.
    first: usize,
    n_rows: usize,
    sum: Sum,
    bounds: Bounds,
    histogram: Histogram,
    best: Option<Split>,
}

impl Leaf {
    fn candidate(&self) -> Candidate {
        Candidate { sum: self.sum, n_rows: self.n_rows, bounds: self.bounds }
    }
}

/// Below this many rows, and with no more groups than [`FEW_GROUPS`], threads would cost more than they bring.
const FEW_ROWS: usize = 1_024;

/// See [`FEW_ROWS`].
const FEW_GROUPS: usize = 8;

/// A leaf's hessian, at least; a row of weight 1 has 0.25 at a probability of a half.
const LEAST_HESSIAN: f64 = 1e-3;

impl<'a> Grower<'a> {
    pub(crate) fn new(
        binned: &'a Binned,
        bins: &'a Bins,
        monotone: &'a [Monotone],
        recipe: Recipe,
        steps: Steps,
    ) -> Self {
        let n_rows = binned.n_rows();
        Self {
            binned,
            bins,
            monotone,
            recipe,
            steps,
            rows: vec![0; n_rows],
            buffer: vec![0; n_rows],
            pool: Pool::default(),
        }
    }

    /// Grows a tree on the features that are `seen` and adds it to `logits`.
    pub(crate) fn grow(&mut self, quantised: &[Quantised], seen: &[bool], logits: &mut [f32]) -> BinTree {
        for (row, place) in (0..).zip(&mut self.rows) {
            *place = row;
        }
        let rules = self.rules();
        let mut nodes = vec![BinNode::Leaf { value: 0.0 }];
        let mut leaves = vec![self.root(&rules, quantised, seen)];
        while leaves.len() < self.recipe.leaves {
            let gain = |leaf: &Leaf| leaf.best.map_or(0.0, |split| split.gain);
            // The first leaf wins a tie.
            let next = (0..leaves.len()).rev().max_by(|&a, &b| gain(&leaves[a]).total_cmp(&gain(&leaves[b])));
            let Some((next, split)) = next.and_then(|next| Some((next, leaves[next].best?))) else { break };
            let is_last = leaves.len() + 1 == self.recipe.leaves;
            let parent = leaves.swap_remove(next);
            let (left, right) = (nodes.len() as u32, nodes.len() as u32 + 1);
            let Split { feature, bin, .. } = split;
            let missing_left = self.bins.default_left(feature, bin).unwrap_or(split.missing_left);
            nodes[parent.node] = BinNode::Split { feature: feature as u32, bin, missing_left, left, right };
            nodes.extend([BinNode::Leaf { value: 0.0 }; 2]);
            let children = self.split(parent, split, &rules, left as usize);
            leaves.extend(self.looked_at(children, is_last, &rules, quantised, seen));
        }
        self.finish(leaves, &rules, &mut nodes, logits);
        BinTree { nodes }
    }

    fn rules(&self) -> Rules {
        Rules {
            l2: self.recipe.l2 / self.steps.hessian,
            least_rows: self.recipe.least_rows,
            least_hessian: (LEAST_HESSIAN / self.steps.hessian).max(1.0),
        }
    }

    fn root(&mut self, rules: &Rules, quantised: &[Quantised], seen: &[bool]) -> Leaf {
        let rows = LeafRows { binned: self.binned, rows: &self.rows, quantised };
        let mut histogram = self.pool.histogram(self.binned);
        rows.sum_shared(&mut histogram, &self.pool);
        let sum = histogram[0][0].iter().fold(Sum::default(), |all, &bin| all + bin);
        let candidate = Candidate { sum, n_rows: self.rows.len(), bounds: Bounds::NONE };
        let best_of = |(group, sums): (usize, &GroupSums)| self.best_of_group(rules, &candidate, group, sums, seen);
        let best = histogram.par_iter().enumerate().map(best_of).collect::<Vec<_>>().into_iter().fold(None, better);
        let Candidate { sum, n_rows, bounds } = candidate;
        Leaf { node: 0, depth: 0, first: 0, n_rows, sum, bounds, histogram, best }
    }

    /// The children of `parent`, the smaller one first; the larger has the parent's histogram, the smaller none yet.
    fn split(&mut self, parent: Leaf, split: Split, rules: &Rules, left_node: usize) -> [Leaf; 2] {
        let bins = self.binned.feature(split.feature);
        let rows = parent.first..parent.first + parent.n_rows;
        let left = |row: u32| goes_left(bins[row as usize], split.bin, split.missing_left);
        let n_left = part(&mut self.rows[rows.clone()], &mut self.buffer[rows], left);
        let sums = [split.left, parent.sum - split.left];
        let outputs = sums.map(|sum| rules.output(sum, parent.bounds));
        let bounds = parent.bounds.of_children(self.monotone[split.feature], outputs);
        let places = [(parent.first, n_left), (parent.first + n_left, parent.n_rows - n_left)];
        let mut children = [0, 1].map(|side| Leaf {
            node: left_node + side,
            depth: parent.depth + 1,
            first: places[side].0,
            n_rows: places[side].1,
            sum: sums[side],
            bounds: bounds[side],
            histogram: Histogram::new(),
            best: None,
        });
        if children[0].n_rows > children[1].n_rows {
            children.swap(0, 1);
        }
        children[1].histogram = parent.histogram;
        children
    }

    /// Fills in the histograms and the best splits of two children, unless the tree is complete.
    fn looked_at(
        &mut self,
        [mut small, mut large]: [Leaf; 2],
        is_last: bool,
        rules: &Rules,
        quantised: &[Quantised],
        seen: &[bool],
    ) -> [Leaf; 2] {
        let may_be_split = [&small, &large].into_iter().any(|leaf| rules.allow_a_split(&leaf.candidate()));
        if is_last || small.depth >= self.recipe.depth || !may_be_split {
            self.pool.put_back(std::mem::take(&mut large.histogram));
            return [small, large];
        }
        let rows = &self.rows[small.first..small.first + small.n_rows];
        let rows = LeafRows { binned: self.binned, rows, quantised };
        let n_groups = self.binned.n_groups();
        let is_summed = rows.are_many();
        let mut of_small = self.pool.histogram(self.binned);
        if is_summed {
            rows.sum_shared(&mut of_small, &self.pool);
        }
        let few = rows.rows.len() < FEW_ROWS && n_groups <= FEW_GROUPS;
        let n_parts = if few { 1 } else { rayon::current_num_threads() };
        let groups_a_part = n_groups.div_ceil(n_parts);
        let candidates = [small.candidate(), large.candidate()];
        let look = |(part, (of_small, of_large)): (usize, (&mut [GroupSums], &mut [GroupSums]))| {
            let first_group = part * groups_a_part;
            if !is_summed {
                rows.sum(first_group, of_small, &self.pool);
            }
            for ((large, small), n_bins) in
                of_large.iter_mut().zip(&*of_small).zip(&self.binned.n_bins()[first_group..])
            {
                change(large, small, n_bins, |large, small| *large -= small);
            }
            [(&candidates[0], of_small), (&candidates[1], of_large)].map(|(leaf, sums)| {
                let groups = (first_group..).zip(sums.iter()).filter(|_| rules.allow_a_split(leaf));
                groups
                    .fold(None, |best, (group, sums)| better(best, self.best_of_group(rules, leaf, group, sums, seen)))
            })
        };
        let parts =
            of_small.par_chunks_mut(groups_a_part).zip(large.histogram.par_chunks_mut(groups_a_part)).enumerate();
        let best: Vec<[Option<Split>; 2]> = parts.map(look).collect();
        small.best = best.iter().fold(None, |best, of_part| better(best, of_part[0]));
        large.best = best.iter().fold(None, |best, of_part| better(best, of_part[1]));
        small.histogram = of_small;
        [small, large]
    }

    fn best_of_group(
        &self,
        rules: &Rules,
        leaf: &Candidate,
        group: usize,
        sums: &GroupSums,
        seen: &[bool],
    ) -> Option<Split> {
        let features = group * LANES..self.bins.n_features().min((group + 1) * LANES);
        let of_seen = features.zip(sums).filter(|&(feature, _)| seen[feature]);
        of_seen.fold(None, |best, (feature, sums)| {
            let n_bins = self.bins.n_bins(feature);
            better(best, rules.best_split(leaf, feature, sums, n_bins, self.monotone[feature]))
        })
    }

    /// Sets the values of the leaves and adds them to the logits of their rows.
    fn finish(&mut self, leaves: Vec<Leaf>, rules: &Rules, nodes: &mut [BinNode], logits: &mut [f32]) {
        let unit = self.recipe.learning_rate * self.steps.gradient / self.steps.hessian;
        for leaf in leaves {
            let value = (rules.output(leaf.sum, leaf.bounds) * unit) as f32;
            nodes[leaf.node] = BinNode::Leaf { value };
            for &row in &self.rows[leaf.first..leaf.first + leaf.n_rows] {
                logits[row as usize] += value;
            }
            if !leaf.histogram.is_empty() {
                self.pool.put_back(leaf.histogram);
            }
        }
    }
}
