//! Trees as straight-line programs over blocks of rows.
//!
//! Every split of a tree is computed for all rows of a block, children before parents: where `code <= at_most` a row
//! takes the left child's leaf, else the right child's. There is no branch on a value and no walk, and a processor that
//! holds one byte for each of 64 rows in a register needs a handful of instructions a split. What the root holds in the
//! end is the leaf of each row.
//!
//! A tree whose levels each have one split (an oblivious tree) needs one comparison a level: its bits are the leaf.

use bellwether_core::{Node, Tree};

use super::ranks::{CodeSplit, Coder, LANES, Lanes};

/// The most leaves of a tree that a byte can name.
pub(super) const MAX_LEAVES: usize = 256;
/// Slots for what splits give: a tree of 256 leaves needs at most 8 at a time.
const N_RESULTS: usize = 8;

/// `slots[into] = codes[column] <= at_most ? slots[left] : slots[right]`; all four places are in bytes from the first.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Select {
    pub(super) column: u32,
    /// The code in each of four bytes, as processors that fill a register take it.
    pub(super) at_most: u32,
    pub(super) left: u16,
    pub(super) right: u16,
    pub(super) into: u16,
}

/// All trees of an ensemble.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    pub(super) trees: Vec<TreeProgram>,
    pub(super) selects: Vec<Select>,
    /// The leaf values of the trees.
    pub(super) values: Vec<f32>,
}

/// How the leaves of one tree are found.
#[derive(Debug, Clone, Copy)]
pub(super) struct TreeProgram {
    pub(super) kind: Kind,
    /// Its place in the list of its kind's instructions.
    pub(super) first: u32,
    pub(super) n: u32,
    /// Where the leaves stand in the end.
    pub(super) root: u16,
    /// Its values: one a leaf, filled up to a power of two of at least 16.
    pub(super) first_value: u32,
    pub(super) n_values: u32,
}

/// How the leaves of a tree are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `n` selects from `first`.
    Selects,
    /// Bit `i` of the leaf is whether the code of select `first + i` is above.
    Oblivious,
    /// A walk over the nodes, because there are too many leaves.
    Walk,
}

/// The slots that every tree begins with: slot `i` names leaf `i` in every row.
pub(super) fn slots() -> Vec<Lanes> {
    let leaf = |leaf: usize| Lanes([leaf.min(255) as u8; LANES]);
    (0..MAX_LEAVES + N_RESULTS).map(leaf).collect()
}

/// Whether the tree has few enough leaves for a program.
pub(super) fn has_program(tree: &Tree) -> bool {
    tree.nodes.len().div_ceil(2) <= MAX_LEAVES
}

impl Program {
    /// The program of `trees`, whose splits `coder` knows.
    pub(super) fn new(trees: &[Tree], coder: &Coder) -> Self {
        let mut program = Self::default();
        for tree in trees {
            let first = program.selects.len() as u32;
            let first_value = program.values.len() as u32;
            let (kind, root) = if !has_program(tree) {
                (Kind::Walk, 0)
            } else if let Some(depth) = oblivious_depth(tree) {
                program.push_oblivious(tree, depth, coder);
                (Kind::Oblivious, (MAX_LEAVES) as u16)
            } else {
                let weights = stack_needs(tree);
                let root = program.push_selects(tree, 0, &weights, 0, first_value as usize, coder);
                (Kind::Selects, root)
            };
            let n_leaves = program.values.len() - first_value as usize;
            let n_values = if kind == Kind::Walk { 0 } else { n_leaves.next_power_of_two().max(16) as u32 };
            program.values.resize(first_value as usize + n_values as usize, 0.0);
            let n = program.selects.len() as u32 - first;
            program.trees.push(TreeProgram { kind, first, n, root, first_value, n_values });
        }
        program
    }

    /// Adds the selects below and at `node`, with `height` slots taken; returns the slot that holds its leaves.
    fn push_selects(
        &mut self,
        tree: &Tree,
        node: u32,
        needs: &[u8],
        height: usize,
        first_value: usize,
        coder: &Coder,
    ) -> u16 {
        match tree.nodes[node as usize] {
            Node::Leaf { value } => {
                self.values.push(value);
                (self.values.len() - 1 - first_value) as u16
            }
            Node::Split { feature, threshold, missing_left, left, right } => {
                // The child that needs more slots comes first, so that the other finds all but one of them free.
                let left_first = needs[left as usize] >= needs[right as usize];
                let (first, second) = if left_first { (left, right) } else { (right, left) };
                let of_first = self.push_selects(tree, first, needs, height, first_value, coder);
                let taken = height + usize::from(usize::from(of_first) >= MAX_LEAVES);
                let of_second = self.push_selects(tree, second, needs, taken, first_value, coder);
                let (left, right) = if left_first { (of_first, of_second) } else { (of_second, of_first) };
                let into = (MAX_LEAVES + height) as u16;
                self.push(coder.code(feature, threshold, missing_left), left, right, into);
                into
            }
        }
    }

    /// Adds one select a level, and the leaves in the order of their bits.
    fn push_oblivious(&mut self, tree: &Tree, depth: u32, coder: &Coder) {
        let mut at = 0;
        while let Node::Split { feature, threshold, missing_left, left, .. } = tree.nodes[at as usize] {
            self.push(coder.code(feature, threshold, missing_left), 0, 0, 0);
            at = left;
        }
        for leaf in 0..1_u32 << depth {
            let mut at = 0;
            let mut level = 0;
            loop {
                match tree.nodes[at as usize] {
                    Node::Leaf { value } => break self.values.push(value),
                    Node::Split { left, right, .. } => at = if leaf >> level & 1 == 0 { left } else { right },
                }
                level += 1;
            }
        }
    }

    fn push(&mut self, split: Option<CodeSplit>, left: u16, right: u16, into: u16) {
        let CodeSplit { column, at_most } = split.expect("the coder was made from these splits");
        let column = column * LANES as u32;
        let (left, right, into) = (left * LANES as u16, right * LANES as u16, into * LANES as u16);
        self.selects.push(Select { column, at_most: u32::from_ne_bytes([at_most; 4]), left, right, into });
    }
}

/// For each node how many slots its selects need at a time (Sethi and Ullman 1970): a leaf none.
fn stack_needs(tree: &Tree) -> Vec<u8> {
    let mut needs = vec![0_u8; tree.nodes.len()];
    for at in (0..tree.nodes.len()).rev() {
        if let Node::Split { left, right, .. } = tree.nodes[at] {
            let (left, right) = (needs[left as usize], needs[right as usize]);
            needs[at] = if left == right { left + 1 } else { left.max(right) };
        }
    }
    needs
}

/// The depth of a complete tree of which each level has one split on all its nodes; `None` of every other tree, and of
/// a leaf alone.
fn oblivious_depth(tree: &Tree) -> Option<u32> {
    let depth = tree.nodes.len().div_ceil(2).ilog2();
    if depth == 0 || tree.nodes.len() != (2 << depth) - 1 {
        return None;
    }
    let mut level = vec![0_u32];
    for _ in 0..depth {
        let mut below = Vec::with_capacity(2 * level.len());
        let mut of_level = None;
        for &at in &level {
            let Node::Split { feature, threshold, missing_left, left, right } = tree.nodes[at as usize] else {
                return None;
            };
            let split = (feature, threshold.to_bits(), missing_left);
            if *of_level.get_or_insert(split) != split {
                return None;
            }
            below.extend([left, right]);
        }
        level = below;
    }
    Some(depth)
}
