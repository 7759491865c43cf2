//! What models of ours compute: a constant, straight lines and trees, added.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::chain::Chain;
use crate::limits::MAX_TREE_NODES;

/// `base + sum of lines + sum of factor * tree`, of a file's inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) base: f64,
    /// By input.
    pub(super) lines: BTreeMap<usize, SumLine>,
    pub(super) trees: Vec<(f64, Rc<SumTree>)>,
    /// Inputs of which the file does not say what a missing value means.
    pub(super) unruled: BTreeSet<usize>,
}

/// `slope * (x - center)`, or `missing` where there is no `x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SumLine {
    pub(super) slope: f64,
    pub(super) center: f64,
    /// `None` where the file does not say.
    pub(super) missing: Option<f64>,
}

/// A tree over a file's inputs; node 0 is the root, children stand after their parent.
#[derive(Debug, PartialEq)]
pub(super) struct SumTree {
    pub(super) nodes: Vec<SumNode>,
}

/// A node of a [`SumTree`]; `x <= threshold` goes left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SumNode {
    Split { input: usize, threshold: f32, missing_left: bool, left: u32, right: u32 },
    Leaf(f64),
}

impl Sum {
    pub(super) fn constant(base: f64) -> Self {
        Self { base, ..Self::default() }
    }

    /// The value at the end of a chain.
    pub(super) fn of_chain(chain: &Chain) -> Self {
        let line = chain.line();
        let missing = chain.is_filled().then(|| chain.value(f32::NAN) - line.shift);
        Self {
            base: line.shift,
            lines: BTreeMap::from([(chain.input, SumLine { slope: line.slope, center: line.center, missing })]),
            unruled: if chain.is_filled() { BTreeSet::new() } else { BTreeSet::from([chain.input]) },
            trees: Vec::new(),
        }
    }

    pub(super) fn times(&self, factor: f64) -> Self {
        let line = |line: &SumLine| SumLine {
            slope: line.slope * factor,
            center: line.center,
            missing: line.missing.map(|missing| missing * factor),
        };
        Self {
            base: self.base * factor,
            lines: self.lines.iter().map(|(&input, of)| (input, line(of))).collect(),
            trees: self.trees.iter().map(|(of, tree)| (of * factor, Rc::clone(tree))).collect(),
            unruled: self.unruled.clone(),
        }
    }

    /// The inputs that trees read, ascending.
    pub(super) fn read_by_trees(&self) -> BTreeSet<usize> {
        let nodes = self.trees.iter().flat_map(|(_, tree)| &tree.nodes);
        let input = |node: &SumNode| match *node {
            SumNode::Split { input, .. } => Some(input),
            SumNode::Leaf(_) => None,
        };
        nodes.filter_map(input).collect()
    }

    /// `None` where there are more trees than any model has.
    pub(super) fn plus(mut self, other: &Self) -> Option<Self> {
        if self.trees.len() + other.trees.len() > MAX_TREE_NODES {
            return None;
        }
        self.base += other.base;
        for (&input, line) in &other.lines {
            let joined = match self.lines.get(&input) {
                None => *line,
                Some(own) => {
                    let moved = line.slope * (own.center - line.center);
                    self.base += moved;
                    SumLine {
                        slope: own.slope + line.slope,
                        center: own.center,
                        missing: own.missing.zip(line.missing).map(|(own, of)| own + of - moved),
                    }
                }
            };
            self.lines.insert(input, joined);
        }
        self.trees.extend_from_slice(&other.trees);
        self.unruled.extend(&other.unruled);
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::chain::{Step, Width};

    #[test]
    fn two_lines_of_one_input_are_one() {
        let of = |fill: f64, summand: f64, factor: f64| {
            let chain =
                Chain::new(0, Width::F32).then(Step::Fill(fill)).and_then(|chain| chain.then(Step::Add(summand)));
            Sum::of_chain(&chain.and_then(|chain| chain.then(Step::Multiply(factor))).expect("steps"))
        };
        let (first, second) = (of(1.0, -2.0, 3.0), of(5.0, -4.0, 0.5));
        let both = first.plus(&second).expect("no trees");
        let line = both.lines[&0];
        // 3 * (x - 2) + 0.5 * (x - 4) at x = 10, and (1 - 2) * 3 + (5 - 4) * 0.5.
        assert_eq!(both.base + line.slope * (10.0 - line.center), 27.0);
        assert_eq!(line.missing.map(|missing| both.base + missing), Some(-2.5));
    }

    #[test]
    fn sums_can_not_grow_without_end() {
        let tree = Rc::new(SumTree { nodes: vec![SumNode::Leaf(1.0)] });
        let mut sum = Some(Sum { trees: vec![(1.0, tree)], ..Sum::default() });
        let mut n = 0;
        while let Some(of) = sum {
            sum = of.clone().plus(&of);
            n += 1;
        }
        assert_eq!(n, 21);
    }
}
