//! Which rows arrive at a node of a tree.

use std::collections::BTreeMap;

use bellwether_core::{Node, Tree};

/// Values that a feature may have: the numbers from `low` to `high`, -0.0 before 0.0, and missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub(super) low: f32,
    /// Below `low` where no number will do.
    pub(super) high: f32,
    pub(super) missing: bool,
}

/// The rows that are wanted: features that matter, each with the values that it may have.
pub(super) type Wish = Vec<(u32, Cell)>;

impl Cell {
    pub(super) const ANY: Self = Self { low: f32::MIN, high: f32::MAX, missing: true };
    pub(super) const MISSING: Self = Self { low: f32::MAX, high: f32::MIN, missing: true };

    /// Whether some number will do.
    pub(super) fn has_numbers(self) -> bool {
        self.low.total_cmp(&self.high).is_le()
    }

    /// This number only.
    pub(super) const fn number(value: f32) -> Self {
        Self { low: value, high: value, missing: false }
    }

    /// What both allow; `None` where that is nothing.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        let low = std::cmp::max_by(self.low, other.low, f32::total_cmp);
        let high = std::cmp::min_by(self.high, other.high, f32::total_cmp);
        let both = Self { low, high, missing: self.missing && other.missing };
        (both.has_numbers() || both.missing).then_some(both)
    }
}

/// For each split of `tree` the rows that arrive at it with the f32 below its threshold, the threshold, the f32 above it,
/// both zeros where it is one, and with a missing value; for each leaf the rows that end there. As far as there are such
/// rows.
pub(super) fn at_every_node(tree: &Tree) -> Vec<Wish> {
    let mut wanted = Vec::new();
    let mut to_visit: Vec<(usize, BTreeMap<u32, Cell>)> = vec![(0, BTreeMap::new())];
    while let Some((at, path)) = to_visit.pop() {
        let Node::Split { feature, threshold, missing_left, left, right } = tree.nodes[at] else {
            wanted.push(path.into_iter().collect());
            continue;
        };
        let here = path.get(&feature).copied().unwrap_or(Cell::ANY);
        let zeros = (threshold == 0.0).then_some([0.0, -0.0]).into_iter().flatten();
        let numbers = [threshold.next_down(), threshold, threshold.next_up()].into_iter().chain(zeros);
        let values = numbers.filter(|value| value.is_finite()).map(Cell::number).chain([Cell::MISSING]);
        for cell in values.filter_map(|value| here.and(value)) {
            let mut of_row: Wish = path.iter().map(|(&feature, &cell)| (feature, cell)).collect();
            of_row.retain(|&(other, _)| other != feature);
            of_row.push((feature, cell));
            wanted.push(of_row);
        }
        let goes_left = Cell { low: f32::MIN, high: threshold, missing: missing_left };
        let goes_right = Cell { low: threshold.next_up(), high: f32::MAX, missing: !missing_left };
        for (child, goes) in [(right, goes_right), (left, goes_left)] {
            if let Some(cell) = here.and(goes) {
                let mut path = path.clone();
                path.insert(feature, cell);
                to_visit.push((child as usize, path));
            }
        }
    }
    wanted
}
