//! Leaves of one tree put together, so that one look into a table tells what all of them give a feature.
//!
//! What a leaf gives its features depends on the row only by which of the leaf's conditions the row meets. Leaves next to each
//! other in a tree have most of their conditions in common, so the ways in which a row can meet those of all of them are
//! few. A group numbers these ways, its states, and has for each feature a table of what a row in each state gets.

use bellwether_core::{Node, Tree};

use super::leaf::Leaf;
use crate::kernel::trees::ranks::WINDOW;

/// States that a group has at most: a state is a byte.
pub(super) const MAX_STATES: usize = 256;
/// A leaf with more conditions has too many states.
const MAX_CONDITIONS: usize = 8;

/// What a feature's value makes of a group's state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cells {
    pub(super) feature: u32,
    /// Where cells end, rising; a cell holds what is above the bound before and not above its own.
    pub(super) bounds: Vec<f32>,
    /// The state of each cell, of values above the last bound, and of missing values; the first is 0.
    pub(super) states: Vec<u8>,
    /// For each state the leaves of the group, by bit, whose condition on this feature is met.
    met: Vec<u64>,
}

/// Leaves whose states are numbered together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Their places among the leaves of the tree.
    leaves: Vec<usize>,
    pub(super) cells: Vec<Cells>,
    pub(super) n_states: usize,
    cost: f64,
}

/// The leaves of a tree that give anything.
#[derive(Debug, Default)]
pub(super) struct Grouped {
    pub(super) groups: Vec<Group>,
    /// Those with too many conditions.
    pub(super) deep: Vec<usize>,
}

impl Grouped {
    /// Puts leaves together bottom-up, as long as a group costs less than its two parts.
    pub(super) fn of(tree: &Tree, leaves: &[Leaf]) -> Self {
        let mut grouped = Self::default();
        let mut of_node: Vec<Vec<Group>> = vec![Vec::new(); tree.nodes.len()];
        let mut place = leaves.len();
        for (at, node) in tree.nodes.iter().enumerate().rev() {
            match *node {
                Node::Leaf { .. } => {
                    place -= 1;
                    if leaves[place].value == 0.0 || leaves[place].conditions.is_empty() {
                        continue;
                    }
                    match Group::of(vec![place], leaves) {
                        Some(group) => of_node[at].push(group),
                        None => grouped.deep.push(place),
                    }
                }
                Node::Split { left, right, .. } => {
                    let left = std::mem::take(&mut of_node[left as usize]);
                    let right = std::mem::take(&mut of_node[right as usize]);
                    of_node[at] = merged(left, right, leaves);
                }
            }
        }
        grouped.groups = std::mem::take(&mut of_node[0]);
        grouped.deep.reverse();
        grouped
    }
}

/// Two groups that are better looked up as one.
struct Union {
    saving: f64,
    both: Group,
    /// The places of the two, the lower first.
    of: [usize; 2],
}

/// Merges pairs of groups, the greatest saving first, until none saves anything. None of two groups of one side does: that
/// was found further down the tree.
fn merged(left: Vec<Group>, right: Vec<Group>, leaves: &[Leaf]) -> Vec<Group> {
    let n_left = left.len();
    let mut groups: Vec<Option<Group>> = left.into_iter().chain(right).map(Some).collect();
    let union = |groups: &[Option<Group>], of: [usize; 2]| {
        let [Some(a), Some(b)] = of.map(|place| groups[place].as_ref()) else { return None };
        if !a.may_join(b) {
            return None;
        }
        let both = Group::of([&a.leaves[..], &b.leaves].concat(), leaves)?;
        let saving = a.cost + b.cost - both.cost;
        (saving > 0.0).then_some(Union { saving, both, of })
    };
    let pairs = (0..n_left).flat_map(|a| (n_left..groups.len()).map(move |b| [a, b]));
    let mut unions: Vec<Union> = pairs.filter_map(|of| union(&groups, of)).collect();
    // The first of equal ones.
    let better = |a: &Union, b: &Union| a.saving.total_cmp(&b.saving).then(b.of.cmp(&a.of));
    while let Some(best) = (0..unions.len()).max_by(|&a, &b| better(&unions[a], &unions[b])) {
        let Union { both, of: [at, other], .. } = unions.swap_remove(best);
        groups[at] = Some(both);
        groups[other] = None;
        unions.retain(|union| !union.of.iter().any(|place| [at, other].contains(place)));
        let others = (0..groups.len()).filter(|&place| place != at);
        unions.extend(others.filter_map(|place| union(&groups, [at.min(place), at.max(place)])));
    }
    groups.into_iter().flatten().collect()
}

impl Group {
    /// `None` where there are too many states or bounds.
    fn of(members: Vec<usize>, leaves: &[Leaf]) -> Option<Self> {
        let of_members = || members.iter().map(|&leaf| &leaves[leaf]);
        let mut features: Vec<u32> = Vec::new();
        for leaf in of_members() {
            features.extend(leaf.conditions.iter().map(|condition| condition.feature));
        }
        features.sort_unstable();
        features.dedup();
        if features.len() > MAX_CONDITIONS || members.len() > u64::BITS as usize {
            return None;
        }
        let mut n_states = 1;
        let mut cells = Vec::with_capacity(features.len());
        for feature in features {
            let of_feature = Cells::of(feature, of_members())?;
            n_states *= of_feature.met.len();
            if n_states > MAX_STATES {
                return None;
            }
            cells.push(of_feature);
        }
        let n_steps: usize = cells.iter().map(|of| of.bounds.len() + 1).sum();
        let cost = cost(n_states) * cells.len() as f64 + 0.1 * n_steps as f64 + 0.5;
        Some(Self { leaves: members, cells, n_states, cost })
    }

    /// Their places among the leaves of the tree.
    pub(super) fn leaves(&self) -> &[usize] {
        &self.leaves
    }

    /// A cheap look at whether a union can have few enough features.
    fn may_join(&self, other: &Self) -> bool {
        let shared =
            self.cells.iter().filter(|of| other.cells.binary_search_by_key(&of.feature, |of| of.feature).is_ok());
        self.cells.len() + other.cells.len() - shared.count() <= MAX_CONDITIONS
    }

    /// What a row in each state gets, one table a feature, and what the leaves together add for it.
    pub(super) fn tables(&self, leaves: &[Leaf]) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut tables = vec![vec![0.0; self.n_states]; self.cells.len()];
        let mut values = vec![0.0; self.n_states];
        let met: Vec<Vec<u64>> = (0..self.n_states).map(|state| self.met(state)).collect();
        for (bit, leaf) in self.leaves.iter().map(|&leaf| &leaves[leaf]).enumerate() {
            let n = leaf.conditions.len();
            let mut of_pattern = vec![0.0; n << n];
            for (pattern, into) in (0..).zip(of_pattern.chunks_exact_mut(n)) {
                leaf.contributions(pattern, into);
            }
            // The place of each of the leaf's features among the group's.
            let places: Vec<usize> = leaf.conditions.iter().map(|condition| self.place(condition.feature)).collect();
            for (state, met) in met.iter().enumerate() {
                let is_met = |(at, &place): (usize, &usize)| (met[place] >> bit & 1) << at;
                let pattern = places.iter().enumerate().map(is_met).sum::<u64>() as usize;
                for (&place, given) in places.iter().zip(&of_pattern[pattern * n..][..n]) {
                    tables[place][state] += given;
                }
                // All conditions are met.
                if pattern + 1 == 1 << n {
                    values[state] += leaf.value;
                }
            }
        }
        (tables, values)
    }

    /// What the leaves together add in the mean over their references.
    pub(super) fn expected(&self, leaves: &[Leaf]) -> f64 {
        self.leaves.iter().map(|&leaf| leaves[leaf].expected()).sum()
    }

    /// What a state of each feature adds to the number of the group's state.
    pub(super) fn strides(&self) -> impl Iterator<Item = usize> {
        self.cells.iter().scan(1, |next, of| Some(std::mem::replace(next, *next * of.met.len())))
    }

    /// For each feature the leaves whose condition on it is met in `state`.
    fn met(&self, state: usize) -> Vec<u64> {
        self.cells.iter().zip(self.strides()).map(|(of, stride)| of.met[state / stride % of.met.len()]).collect()
    }

    fn place(&self, feature: u32) -> usize {
        self.cells.binary_search_by_key(&feature, |of| of.feature).expect("a leaf's features are its group's")
    }
}

impl Cells {
    fn of<'a>(feature: u32, leaves: impl Iterator<Item = &'a Leaf>) -> Option<Self> {
        let condition = |leaf: &Leaf| {
            let place = leaf.conditions.binary_search_by_key(&feature, |condition| condition.feature).ok()?;
            Some(leaf.conditions[place])
        };
        let conditions: Vec<_> = leaves.map(condition).collect();
        let limits = conditions.iter().flatten().flat_map(|condition| [condition.above, condition.through]);
        let mut bounds: Vec<f32> = limits.filter(|limit| limit.is_finite()).collect();
        bounds.sort_unstable_by(f32::total_cmp);
        bounds.dedup();
        if bounds.len() > WINDOW {
            return None;
        }
        let mut of = Self { feature, states: Vec::with_capacity(bounds.len() + 2), bounds, met: Vec::new() };
        for cell in 0..=of.bounds.len() + 1 {
            let above =
                cell.checked_sub(1).map_or(f32::NEG_INFINITY, |before| of.bounds[before.min(of.bounds.len() - 1)]);
            let through = of.bounds.get(cell).copied().unwrap_or(f32::INFINITY);
            let is_missing = cell > of.bounds.len();
            let is_met = |condition: &super::leaf::Condition| {
                if is_missing { condition.missing } else { condition.above <= above && through <= condition.through }
            };
            let bits = conditions.iter().enumerate().filter(|(_, of)| of.as_ref().is_some_and(is_met));
            let met: u64 = bits.map(|(bit, _)| 1 << bit).sum();
            let known = of.met.iter().position(|&known| known == met);
            let state = known.unwrap_or_else(|| {
                of.met.push(met);
                of.met.len() - 1
            });
            of.states.push(u8::try_from(state).ok()?);
        }
        Some(of)
    }
}

/// What it costs to look 16 rows up in a table, in steps of a processor that permutes 32 numbers at once.
fn cost(n_states: usize) -> f64 {
    match n_states {
        ..=16 => 2.0,
        17..=32 => 2.2,
        33..=64 => 3.5,
        65..=128 => 6.0,
        _ => 11.0,
    }
}
