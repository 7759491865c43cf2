//! Groups of leaves that are evaluated one after the other on the same rows.

use bellwether_core::FeatureMatrix;

use super::block::Block;
use super::deep::DeepLeaf;
use super::group::Group;
use super::lookup::{self, TABLE_LENGTHS};
use super::ranks::{self, Ranks};
use crate::SimdPath;
use crate::kernel::Instructions;
use crate::kernel::trees::ranks::{LANES, Lanes, MISSING, Ranks as Coder};

/// Groups whose sums fit 32 bits, whose codes fit a byte, and whose tables stay near the processor.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    /// While it is filled.
    ranks: Ranks,
    coder: Coder,
    groups: Vec<CompiledGroup>,
    steps: Vec<Step>,
    /// The slots that have a table, group after group.
    slots: Vec<u16>,
    /// Of all groups, one after the other.
    tables: Vec<i32>,
    deep: Vec<DeepLeaf>,
}

/// How much of the lists of the chunk is this group's.
#[derive(Debug, Clone)]
struct CompiledGroup {
    n_steps: usize,
    n_slots: usize,
    table_length: usize,
}

/// Codes above `bound` move the state by `by`, modulo 256.
#[derive(Debug, Clone, Copy)]
struct Step {
    slot: u16,
    bound: u8,
    by: u8,
}

impl Chunk {
    pub(super) fn new(ranks: Ranks) -> Self {
        Self { coder: ranks.compiled(), ranks, ..Self::default() }
    }

    pub(super) fn n_slots(&self) -> usize {
        self.coder.features().len()
    }

    pub(super) fn push_deep(&mut self, leaf: &super::leaf::Leaf) {
        self.deep.push(DeepLeaf::new(leaf, &self.ranks));
    }

    /// Adds a group with one table of whole numbers for each of its features.
    pub(super) fn push(&mut self, group: &Group, tables: &[Vec<i32>]) {
        let first_step = self.steps.len();
        for (of, stride) in group.cells.iter().zip(group.strides()) {
            let slot = self.ranks.slot(of.feature) as u16;
            let bounds = of.bounds.iter().map(|&bound| self.ranks.bound(of.feature, bound)).chain([MISSING - 1]);
            for (bound, states) in bounds.zip(of.states.windows(2)) {
                let by = (stride as u8).wrapping_mul(states[1].wrapping_sub(states[0]));
                if by != 0 {
                    self.steps.push(Step { slot, bound, by });
                }
            }
        }
        let fits = |length: &&usize| **length >= group.n_states;
        let table_length = *TABLE_LENGTHS.iter().find(fits).expect("a group has at most 256 states");
        for table in tables {
            self.tables.extend(table);
            self.tables.resize(self.tables.len() + table_length - table.len(), 0);
        }
        self.slots.extend(group.cells.iter().map(|of| self.ranks.slot(of.feature) as u16));
        let n_steps = self.steps.len() - first_step;
        self.groups.push(CompiledGroup { n_steps, n_slots: tables.len(), table_length });
    }

    /// Adds what the chunk gives each feature of at most [`LANES`] rows to the block, in units of `unit`.
    pub(super) fn evaluate(
        &self,
        path: SimdPath,
        x: &FeatureMatrix,
        first_row: usize,
        n_rows: usize,
        unit: f64,
        block: &mut Block,
    ) {
        ranks::write(&self.coder, path, x, first_row, n_rows, &mut block.codes);
        match path.instructions() {
            Instructions::Portable => self.run(unit, block, lookup::add_all),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the path is one of this processor.
            Instructions::Avx2 => unsafe { self.run_avx2(unit, block) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the path is one of this processor.
            Instructions::Avx512 => unsafe { self.run_avx512(unit, block) },
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(&self, unit: f64, block: &mut Block) {
        self.run(unit, block, lookup::add_all);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn run_avx512(&self, unit: f64, block: &mut Block) {
        self.run(unit, block, |tables, states, sums| lookup::add_all_avx512(tables, states, sums));
    }

    #[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
    #[inline(always)]
    fn run(
        &self,
        unit: f64,
        block: &mut Block,
        add_all: impl Fn(&lookup::Tables<'_>, &[u8; LANES], &mut [[i32; LANES]]),
    ) {
        let Block { codes, sums, out, scratch } = block;
        let codes = &codes[..self.n_slots()];
        let sums = &mut sums[..self.n_slots()];
        sums.fill([0; LANES]);
        let (mut steps, mut slots, mut tables) = (&self.steps[..], &self.slots[..], &self.tables[..]);
        for &CompiledGroup { n_steps, n_slots, table_length } in &self.groups {
            let states = states(steps.split_off(..n_steps).unwrap_or_default(), codes);
            let of_group = lookup::Tables {
                values: tables.split_off(..n_slots * table_length).unwrap_or_default(),
                length: table_length,
                slots: slots.split_off(..n_slots).unwrap_or_default(),
            };
            add_all(&of_group, &states, sums);
        }
        for (of, sums) in self.coder.features().iter().zip(sums) {
            for (out, &sum) in out[of.feature].iter_mut().zip(&*sums) {
                *out += f64::from(sum) * unit;
            }
        }
        for leaf in &self.deep {
            leaf.contributions(
                |slot| &codes[slot].0,
                scratch,
                |slot, given| {
                    for (out, given) in out[self.coder.features()[slot].feature].iter_mut().zip(given) {
                        *out += given;
                    }
                },
            );
        }
    }
}

/// The state of each row.
#[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
#[inline(always)]
fn states(steps: &[Step], codes: &[Lanes]) -> [u8; LANES] {
    let mut states = [0_u8; LANES];
    for &Step { slot, bound, by } in steps {
        for (state, &code) in states.iter_mut().zip(&codes[usize::from(slot)].0) {
            // All bits where the code is above.
            let is_above = 0_u8.wrapping_sub(u8::from(code > bound));
            *state = state.wrapping_add(by & is_above);
        }
    }
    states
}
