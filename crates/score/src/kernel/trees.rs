//! Ensembles of trees, evaluated for blocks of rows.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod program;
pub(crate) mod ranks;
mod walk;

use bellwether_core::{FeatureMatrix, Link, Trees};

use super::path::{Instructions, SimdPath};
use super::rows::{Block, MAX_BLOCK_ROWS, Rows};
use program::{Kind, Program, TreeProgram, has_program, slots};
use ranks::{LANES, Lanes, RankedFeature, Ranks};
use walk::FlatTrees;

/// An ensemble, compiled.
#[derive(Debug, Clone)]
pub(super) struct TreeKernel {
    base: f32,
    link: Link,
    ranks: Ranks,
    program: Program,
    nodes: FlatTrees,
}

/// What a group of rows is worked on in.
struct Scratch {
    /// The columns of each block.
    codes: Vec<Lanes>,
    slots: Vec<Lanes>,
    sums: [f64; LANES],
    /// A block's values, row after row, where a tree is walked.
    rows: Vec<f32>,
}

impl TreeKernel {
    pub(super) fn new(trees: &Trees) -> Self {
        let programmed = || {
            let programmed = trees.trees().iter().filter(|tree| has_program(tree));
            let (ranks, coder) = Ranks::new(trees.n_features(), programmed.flat_map(|tree| &tree.nodes));
            (ranks, Program::new(trees.trees(), &coder))
        };
        let ((ranks, program), nodes) = rayon::join(programmed, || FlatTrees::new(trees));
        Self { base: trees.base(), link: trees.link(), ranks, program, nodes }
    }

    pub(super) fn n_trees(&self) -> usize {
        self.nodes.n_trees()
    }

    /// Writes the index in its tree of each leaf of the rows from `first_row`, row after row.
    pub(super) fn leaves(&self, x: &FeatureMatrix, first_row: usize, leaves: &mut [u32]) {
        self.nodes.leaves(x, first_row, leaves);
    }

    /// The logit of one row.
    pub(super) fn logit_row(&self, row: &[f32]) -> f64 {
        self.logit(self.nodes.sum(row))
    }

    /// Writes the logits of the rows from `first_row`. Every row adds its leaves in the order of the trees.
    pub(super) fn logits(&self, path: SimdPath, rows: &Rows<'_>, first_row: usize, logits: &mut [f64]) {
        let mut scratch = self.scratch();
        let mut buffer = Vec::new();
        let mut from = first_row;
        for logits in logits.chunks_mut(rows.block_rows()) {
            let block = rows.block(from..from + logits.len(), &mut buffer);
            for feature in &self.ranks.features {
                self.encode(path, feature, &block, &mut scratch.codes);
            }
            for (place, logits) in logits.chunks_mut(LANES).enumerate() {
                if !scratch.rows.is_empty() {
                    let first = place * LANES;
                    walk::gather(&block, first..first + logits.len(), &mut scratch.rows);
                }
                self.add_trees(path, place, &mut scratch);
                for (logit, &sum) in logits.iter_mut().zip(&scratch.sums) {
                    *logit = self.logit(sum);
                }
            }
            from += logits.len();
        }
    }

    fn logit(&self, sum: f64) -> f64 {
        self.link.logit(sum + f64::from(self.base))
    }

    fn scratch(&self) -> Scratch {
        let walks = self.program.trees.iter().any(|tree| tree.kind == Kind::Walk);
        Scratch {
            codes: vec![Lanes([0; LANES]); (MAX_BLOCK_ROWS / LANES) * self.ranks.columns.len()],
            slots: slots(),
            sums: [0.0; LANES],
            rows: if walks { vec![0.0; LANES * self.nodes.n_features()] } else { Vec::new() },
        }
    }

    /// Codes one feature of a block of rows. What is left of the last lanes gets codes of some values or other.
    fn encode(&self, path: SimdPath, of: &RankedFeature, block: &Block<'_>, codes: &mut [Lanes]) {
        let n_columns = self.ranks.columns.len();
        let values = block.values(of.feature);
        for (values, codes) in values.chunks(LANES).zip(codes.chunks_exact_mut(n_columns)) {
            if let Ok(whole) = values.try_into() {
                self.ranks.encode(path, of, whole, codes);
            } else {
                let mut whole = [0.0; LANES];
                whole[..values.len()].copy_from_slice(values);
                self.ranks.encode(path, of, &whole, codes);
            }
        }
    }

    /// Makes the sums of the lanes at `block`.
    fn add_trees(&self, path: SimdPath, block: usize, scratch: &mut Scratch) {
        let n_columns = self.ranks.columns.len();
        let Scratch { codes, slots, sums, rows, .. } = scratch;
        let codes = &codes[block * n_columns..][..n_columns];
        // What `Iterator::sum` begins with, so that a sum of -0.0 has the same bits.
        *sums = [-0.0; LANES];
        for (place, tree) in self.program.trees.iter().enumerate() {
            match tree.kind {
                Kind::Walk => self.nodes.add(place, rows, sums),
                Kind::Selects | Kind::Oblivious => self.add_tree(path, tree, codes, slots, sums),
            }
        }
    }

    fn add_tree(
        &self,
        path: SimdPath,
        tree: &TreeProgram,
        codes: &[Lanes],
        slots: &mut [Lanes],
        sums: &mut [f64; LANES],
    ) {
        let selects = &self.program.selects[tree.first as usize..][..tree.n as usize];
        let values = &self.program.values[tree.first_value as usize..][..tree.n_values as usize];
        let root = usize::from(tree.root);
        match path.instructions() {
            Instructions::Portable => {
                match tree.kind {
                    Kind::Oblivious => portable::bits(selects, codes, slots),
                    _ => portable::select(selects, codes, slots),
                }
                portable::add(&slots[root], values, sums);
            }
            // SAFETY: the path is one of this processor.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe {
                match tree.kind {
                    Kind::Oblivious => avx2::bits(selects, codes, slots),
                    _ => avx2::select(selects, codes, slots),
                }
                avx2::add(&slots[root], values, sums);
            },
            // SAFETY: the path is one of this processor.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe {
                match tree.kind {
                    Kind::Oblivious => avx512::bits(selects, codes, slots),
                    _ => avx512::select(selects, codes, slots),
                }
                avx512::add(&slots[root], values, sums);
            },
        }
    }
}
