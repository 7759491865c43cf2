//! Shapley values of ensembles.

use bellwether_core::{FeatureMatrix, Trees};
use rayon::prelude::*;

use super::block::Block;
use super::chunk::Chunk;
use super::group::{Group, Grouped};
use super::leaf::{Leaf, ReferenceRows};
use super::ranks::Ranks;
use crate::SimdPath;
use crate::kernel::trees::ranks::LANES;

/// Tables of a chunk take at most as many bytes.
const CHUNK_BYTES: usize = 512 << 10;
/// Contributions are whole multiples of a power of 2; not of a smaller one than this.
const SMALLEST_UNIT: i32 = -32;

/// An ensemble, compiled to tables.
#[derive(Debug, Clone)]
pub(super) struct TreeShapley {
    n_features: usize,
    expected: f64,
    unit: f64,
    chunks: Vec<Chunk>,
    path: SimdPath,
}

/// A tree's leaves, and which of them are looked up together.
struct Prepared {
    leaves: Vec<Leaf>,
    grouped: Grouped,
    /// What was taken off each leaf.
    constant: f64,
}

/// A group's tables in units, and what the group adds in the mean.
struct Rounded {
    tables: Vec<Vec<i32>>,
    expected: i64,
}

impl TreeShapley {
    /// Against rows that are told for each tree by `reference`.
    pub(super) fn new<'a>(trees: &Trees, reference: impl Fn(usize) -> ReferenceRows<'a> + Sync) -> Self {
        let of_tree = |(place, tree)| {
            let mut leaves = Leaf::of_tree(tree, reference(place));
            let constant = take_constant(&mut leaves);
            let grouped = Grouped::of(tree, &leaves);
            Prepared { leaves, grouped, constant }
        };
        let prepared: Vec<Prepared> = trees.trees().par_iter().enumerate().map(of_tree).collect();
        let unit = unit(&prepared);
        let round = |of: &Prepared| of.grouped.groups.iter().map(|group| rounded(group, &of.leaves, unit)).collect();
        let rounded: Vec<Vec<Rounded>> = prepared.par_iter().map(round).collect();
        let constants: f64 = prepared.iter().map(|of| of.constant).sum();
        let in_units: i64 = rounded.iter().flatten().map(|of| of.expected).sum();
        let deep = prepared.iter().flat_map(|of| of.grouped.deep.iter().map(|&leaf| of.leaves[leaf].expected()));
        let expected = f64::from(trees.base()) + constants + in_units as f64 * unit + deep.sum::<f64>();
        let chunks = chunks(&prepared, &rounded);
        Self { n_features: trees.n_features(), expected, unit, chunks, path: SimdPath::fastest() }
    }

    /// The mean of the sum over the trees.
    pub(super) const fn expected(&self) -> f64 {
        self.expected
    }

    /// What rows are worked on in.
    pub(super) fn block(&self) -> Block {
        Block::new(self.n_features, self.chunks.iter().map(Chunk::n_slots).max().unwrap_or(0))
    }

    /// Writes what each feature adds to the sum over the trees of `n_rows` rows from `first_row`.
    pub(super) fn contributions(&self, x: &FeatureMatrix, first_row: usize, n_rows: usize, block: &mut Block) {
        block.out.fill([0.0; LANES]);
        for chunk in &self.chunks {
            chunk.evaluate(self.path, x, first_row, n_rows, self.unit, block);
        }
    }

    /// The same on another of the processor's instruction sets.
    #[cfg(any(test, feature = "tract"))]
    pub(super) fn on(self, path: SimdPath) -> Self {
        Self { path, ..self }
    }
}

/// Takes the value of the leaf with the most conditions off all leaves: it then gives nothing, and the mean has it.
fn take_constant(leaves: &mut [Leaf]) -> f64 {
    let Some(constant) = leaves.iter().max_by_key(|leaf| leaf.conditions.len()).map(|leaf| leaf.value) else {
        return 0.0;
    };
    for leaf in leaves {
        leaf.value -= constant;
    }
    constant
}

/// So small that rounding is not seen, so large that what one group can give fits 31 bits.
fn unit(prepared: &[Prepared]) -> f64 {
    let most = |of: &Prepared| {
        let sum = |group: &Group| group.leaves().iter().map(|&leaf| of.leaves[leaf].value.abs()).sum::<f64>();
        of.grouped.groups.iter().map(sum).fold(0.0, f64::max)
    };
    let most = prepared.iter().map(most).fold(f64::MIN_POSITIVE, f64::max);
    f64::from((most.log2().ceil() as i32 - 30).max(SMALLEST_UNIT)).exp2()
}

/// The tables in units, rounded so that in each state the features together get what the leaves add, less the mean.
fn rounded(group: &Group, leaves: &[Leaf], unit: f64) -> Rounded {
    let (tables, values) = group.tables(leaves);
    let expected = -(0.5 - group.expected(leaves) / unit).floor();
    let mut of_units: Vec<Vec<i32>> = tables.iter().map(|table| vec![0; table.len()]).collect();
    let (mut exact, mut down) = (vec![0.0; tables.len()], vec![0.0; tables.len()]);
    let mut order: Vec<usize> = Vec::new();
    for (state, value) in values.into_iter().enumerate() {
        for (at, table) in tables.iter().enumerate() {
            exact[at] = table[state] / unit;
            down[at] = exact[at].floor();
            of_units[at][state] = down[at] as i32;
        }
        let left = (value / unit).round() - expected - down.iter().sum::<f64>();
        // Those that lost most are rounded up; the first of equal ones.
        order.clear();
        order.extend((0..exact.len()).filter(|&at| exact[at] != down[at]));
        order.sort_by(|&a, &b| (exact[b] - down[b]).total_cmp(&(exact[a] - down[a])));
        for &at in order.iter().take(left.max(0.0) as usize) {
            of_units[at][state] = (down[at] + 1.0) as i32;
        }
    }
    Rounded { tables: of_units, expected: expected as i64 }
}

/// Groups and deep leaves in the order of the trees, as many a chunk as fit.
fn chunks(prepared: &[Prepared], rounded: &[Vec<Rounded>]) -> Vec<Chunk> {
    let mut drafts = Vec::new();
    for (tree, (of, rounded)) in prepared.iter().zip(rounded).enumerate() {
        for (group, Rounded { tables, .. }) in of.grouped.groups.iter().zip(rounded) {
            let thresholds: Vec<_> = group.cells.iter().map(|of| (of.feature, of.bounds.clone())).collect();
            let largest = |table: &Vec<i32>| table.iter().map(|&value| i64::from(value).abs()).max().unwrap_or(0);
            let most: Vec<i64> = tables.iter().map(largest).collect();
            let n_bytes = 4 * tables.len() * group.n_states;
            with_room(&mut drafts, &thresholds, &most, n_bytes).groups.push((group, tables));
        }
        for &leaf in &of.grouped.deep {
            let limits = |condition: &super::leaf::Condition| {
                let limits = [condition.above, condition.through];
                (condition.feature, limits.into_iter().filter(|limit| limit.is_finite()).collect())
            };
            let thresholds: Vec<(u32, Vec<f32>)> = of.leaves[leaf].conditions.iter().map(limits).collect();
            with_room(&mut drafts, &thresholds, &vec![0; thresholds.len()], 0).deep.push((tree, leaf));
        }
    }
    let compiled = |draft: Draft<'_>| {
        let mut chunk = Chunk::new(draft.ranks);
        for (group, tables) in draft.groups {
            chunk.push(group, tables);
        }
        for (tree, leaf) in draft.deep {
            chunk.push_deep(&prepared[tree].leaves[leaf]);
        }
        chunk
    };
    drafts.into_iter().map(compiled).collect()
}

/// A chunk as it is filled.
#[derive(Default)]
struct Draft<'a> {
    ranks: Ranks,
    /// The largest sum that each feature can reach.
    most: std::collections::BTreeMap<u32, i64>,
    n_bytes: usize,
    groups: Vec<(&'a Group, &'a Vec<Vec<i32>>)>,
    deep: Vec<(usize, usize)>,
}

/// The last draft, or a new one where that is full, with the thresholds and the sums added.
fn with_room<'a, 'b>(
    drafts: &'b mut Vec<Draft<'a>>,
    thresholds: &[(u32, Vec<f32>)],
    most: &[i64],
    n_bytes: usize,
) -> &'b mut Draft<'a> {
    if !drafts.last().is_some_and(|last| last.fits(thresholds, most, n_bytes)) {
        drafts.push(Draft::default());
    }
    let last = drafts.last_mut().expect("there is one now");
    last.add(thresholds, most, n_bytes);
    last
}

impl Draft<'_> {
    fn fits(&self, thresholds: &[(u32, Vec<f32>)], most: &[i64], n_bytes: usize) -> bool {
        let sum = |(feature, most)| self.most.get(feature).copied().unwrap_or(0) + most;
        let features = thresholds.iter().map(|(feature, _)| feature);
        self.n_bytes + n_bytes <= CHUNK_BYTES
            && features.zip(most).all(|of| sum(of) <= i64::from(i32::MAX))
            && self.ranks.fits(thresholds.iter().map(|(feature, bounds)| (*feature, &bounds[..])))
    }

    fn add(&mut self, thresholds: &[(u32, Vec<f32>)], most: &[i64], n_bytes: usize) {
        for ((feature, bounds), most) in thresholds.iter().zip(most) {
            self.ranks.add(*feature, bounds);
            *self.most.entry(*feature).or_default() += most;
        }
        self.n_bytes += n_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::{Link, Node, Tree};

    /// Trees over eight features, leaf by leaf, by a fixed rule.
    fn ensemble() -> Trees {
        let mut state = 7_u64;
        let mut draw = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let mut tree = || {
            let mut nodes = vec![Node::Leaf { value: 0.25 }];
            for _ in 0..24 {
                let leaves: Vec<usize> =
                    (0..nodes.len()).filter(|&at| matches!(nodes[at], Node::Leaf { .. })).collect();
                // One of the last four, so that some paths are deep.
                let at = leaves[leaves.len() - 1 - draw(leaves.len().min(4) as u64) as usize];
                let left = nodes.len() as u32;
                nodes[at] = Node::Split {
                    feature: draw(12) as u32,
                    threshold: draw(50) as f32 / 10.0,
                    missing_left: draw(2) == 0,
                    left,
                    right: left + 1,
                };
                nodes.extend([(); 2].map(|()| Node::Leaf { value: draw(1000) as f32 / 1000.0 - 0.5 }));
            }
            Tree { nodes }
        };
        let trees: Vec<Tree> = (0..30).map(|_| tree()).collect();
        let covers = trees.iter().map(|tree| tree.covers(|at| (at % 9 + 1) as f32)).collect();
        let trees = Trees::new(12, 0.1, Link::Logit, trees).expect("grown trees are trees");
        trees.with_covers(covers).expect("covers add up")
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let trees = ensemble();
        let covers = trees.covers().expect("they were counted");
        let column = |column: usize| {
            let value = |row: usize| {
                if (row * 7 + column).is_multiple_of(11) {
                    f32::NAN
                } else {
                    ((row * 13 + column * 5) % 53) as f32 / 10.0
                }
            };
            (0..700).map(value).collect()
        };
        let x = FeatureMatrix::from_columns(&(0..12).map(column).collect::<Vec<Vec<f32>>>()).expect("700 rows");
        let found = SimdPath::available().into_iter().map(|path| {
            let shapley = TreeShapley::new(&trees, |tree| ReferenceRows::Covers(&covers[tree])).on(path);
            let mut block = shapley.block();
            let of_block = |first_row: usize| {
                let n_rows = LANES.min(700 - first_row);
                shapley.contributions(&x, first_row, n_rows, &mut block);
                block.out.iter().flat_map(|of| of[..n_rows].iter().map(|value| value.to_bits())).collect::<Vec<u64>>()
            };
            (0..700).step_by(LANES).flat_map(of_block).collect::<Vec<u64>>()
        });
        let found: Vec<Vec<u64>> = found.collect();
        assert!(found.iter().all(|bits| *bits == found[0]), "{:?}", SimdPath::available());
        let has_deep = trees.trees().iter().zip(covers).any(|(tree, covers)| {
            let leaves = Leaf::of_tree(tree, ReferenceRows::Covers(covers));
            !Grouped::of(tree, &leaves).deep.is_empty()
        });
        assert!(has_deep, "some path has more than eight features");
    }
}
