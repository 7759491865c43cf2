//! Groups of leaves that are evaluated one after the other on the same rows.

use bellwether_core::FeatureMatrix;

use super::deep::{DeepLeaf, OfCondition};
use super::group::Group;
use super::lookup::{self, Isa, LANES, TABLE_LENGTHS};
use super::ranks::{MISSING, Ranks};

/// Rows that a chunk works on before the next chunk does.
pub(super) const BLOCK_ROWS: usize = 512;

/// Groups whose sums fit 32 bits, whose ranks fit a byte, and whose tables stay near the processor.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    ranks: Ranks,
    groups: Vec<CompiledGroup>,
    /// Of all groups, one after the other.
    tables: Vec<i32>,
    deep: Vec<DeepLeaf>,
}

#[derive(Debug, Clone)]
struct CompiledGroup {
    steps: Vec<Step>,
    /// The slots that have a table.
    slots: Vec<usize>,
    /// Where the first table begins.
    tables: usize,
    table_length: usize,
}

/// Ranks above `bound` move the state by `by`, modulo 256.
#[derive(Debug, Clone, Copy)]
struct Step {
    slot: usize,
    bound: u8,
    by: u8,
}

/// What a chunk works on.
#[derive(Debug)]
pub(super) struct Block {
    ranks: Vec<u8>,
    sums: Vec<i32>,
    /// One sum a feature and row, feature after feature.
    pub(super) out: Vec<f64>,
    scratch: Vec<OfCondition>,
}

impl Block {
    pub(super) fn new(n_features: usize, n_slots: usize) -> Self {
        Self {
            ranks: vec![0; n_slots * BLOCK_ROWS],
            sums: vec![0; n_slots * BLOCK_ROWS],
            out: vec![0.0; n_features * BLOCK_ROWS],
            scratch: Vec::new(),
        }
    }
}

impl Chunk {
    pub(super) fn new(ranks: Ranks) -> Self {
        Self { ranks, ..Self::default() }
    }

    pub(super) fn n_slots(&self) -> usize {
        self.ranks.n_slots()
    }

    pub(super) fn push_deep(&mut self, leaf: &super::leaf::Leaf) {
        self.deep.push(DeepLeaf::new(leaf, &self.ranks));
    }

    /// Adds a group with one table of whole numbers for each of its features.
    pub(super) fn push(&mut self, group: &Group, tables: &[Vec<i32>]) {
        let mut steps = Vec::new();
        for (of, stride) in group.cells.iter().zip(group.strides()) {
            let slot = self.ranks.slot(of.feature);
            let bounds = of.bounds.iter().map(|&bound| self.ranks.bound(of.feature, bound)).chain([MISSING - 1]);
            for (bound, states) in bounds.zip(of.states.windows(2)) {
                let by = (stride as u8).wrapping_mul(states[1].wrapping_sub(states[0]));
                if by != 0 {
                    steps.push(Step { slot, bound, by });
                }
            }
        }
        let fits = |length: &&usize| **length >= group.n_states;
        let table_length = *TABLE_LENGTHS.iter().find(fits).expect("a group has at most 256 states");
        let first = self.tables.len();
        for table in tables {
            self.tables.extend(table);
            self.tables.resize(self.tables.len() + table_length - table.len(), 0);
        }
        let slots = group.cells.iter().map(|of| self.ranks.slot(of.feature)).collect();
        self.groups.push(CompiledGroup { steps, slots, tables: first, table_length });
    }

    /// Adds what the chunk gives each feature of at most [`BLOCK_ROWS`] rows to `block.out`, in units of `unit`.
    pub(super) fn evaluate(
        &self,
        isa: Isa,
        x: &FeatureMatrix,
        first_row: usize,
        n_rows: usize,
        unit: f64,
        block: &mut Block,
    ) {
        match isa {
            Isa::Portable => self.run(x, first_row, n_rows, unit, block, lookup::add),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Isa::detect` found AVX2 on this processor.
            Isa::Avx2 => unsafe { self.run_avx2(x, first_row, n_rows, unit, block) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Isa::detect` found these parts of AVX-512 on this processor.
            Isa::Avx512 => unsafe { self.run_avx512(x, first_row, n_rows, unit, block) },
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(&self, x: &FeatureMatrix, first_row: usize, n_rows: usize, unit: f64, block: &mut Block) {
        self.run(x, first_row, n_rows, unit, block, lookup::add);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
    fn run_avx512(&self, x: &FeatureMatrix, first_row: usize, n_rows: usize, unit: f64, block: &mut Block) {
        self.run(x, first_row, n_rows, unit, block, |table, states, sums| lookup::add_avx512(table, states, sums));
    }

    #[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
    #[inline(always)]
    fn run(
        &self,
        x: &FeatureMatrix,
        first_row: usize,
        n_rows: usize,
        unit: f64,
        block: &mut Block,
        add: impl Fn(&[i32], &[u8; LANES], &mut [i32; LANES]),
    ) {
        let Block { ranks, sums, out, scratch } = block;
        self.ranks.write(x, first_row, n_rows, BLOCK_ROWS, ranks);
        let n_lanes = n_rows.div_ceil(LANES);
        sums[..self.n_slots() * BLOCK_ROWS].fill(0);
        let at = |slot: usize, lanes: usize| slot * BLOCK_ROWS + lanes * LANES;
        for group in &self.groups {
            for lanes in 0..n_lanes {
                let mut states = [0_u8; LANES];
                for &Step { slot, bound, by } in &group.steps {
                    let ranks: &[u8; LANES] =
                        ranks[at(slot, lanes)..][..LANES].try_into().expect("there are as many as lanes");
                    for (state, &rank) in states.iter_mut().zip(ranks) {
                        // All bits where the rank is above.
                        let is_above = 0_u8.wrapping_sub(u8::from(rank > bound));
                        *state = state.wrapping_add(by & is_above);
                    }
                }
                let tables = self.tables[group.tables..].chunks_exact(group.table_length);
                for (table, &slot) in tables.zip(&group.slots) {
                    let sums = &mut sums[at(slot, lanes)..][..LANES];
                    add(table, &states, sums.try_into().expect("there are as many as lanes"));
                }
            }
        }
        for (slot, feature) in self.ranks.features().enumerate() {
            let out = &mut out[feature * BLOCK_ROWS..][..n_lanes * LANES];
            for (out, &sum) in out.iter_mut().zip(&sums[slot * BLOCK_ROWS..]) {
                *out += f64::from(sum) * unit;
            }
        }
        let features: Vec<usize> = self.ranks.features().collect();
        for leaf in &self.deep {
            for lanes in 0..n_lanes {
                let ranks = |slot: usize| -> &[u8; LANES] {
                    ranks[at(slot, lanes)..][..LANES].try_into().expect("there are as many as lanes")
                };
                leaf.contributions(ranks, scratch, |slot, given| {
                    let out = &mut out[at(features[slot], lanes)..][..LANES];
                    for (out, given) in out.iter_mut().zip(given) {
                        *out += given;
                    }
                });
            }
        }
    }
}
