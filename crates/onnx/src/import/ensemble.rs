//! The attributes of a tree ensemble as trees.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::attributes::Attributes;
use super::chain::{Chain, first_stretch};
use super::sum::{Sum, SumNode, SumTree};
use crate::limits::MAX_TREE_NODES;

/// The trees of one node of a graph.
pub(super) struct Ensemble {
    nodes: Vec<FileNode>,
    /// In the order of their ids.
    roots: Vec<usize>,
    /// Whether a missing value goes to the true branch of any node.
    tracks_missing: bool,
}

/// A node as it stands in the file.
struct FileNode {
    mode: Mode,
    feature: i64,
    value: f64,
    /// Places of the children.
    yes: usize,
    no: usize,
    missing_yes: bool,
    /// Of a leaf: what it gives to each class or target.
    weights: Vec<(i64, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Leaf,
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    NotEqual,
}

impl Mode {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "LEAF" => Self::Leaf,
            "BRANCH_LEQ" => Self::AtMost,
            "BRANCH_LT" => Self::Below,
            "BRANCH_GTE" => Self::AtLeast,
            "BRANCH_GT" => Self::Above,
            "BRANCH_EQ" => Self::Equal,
            "BRANCH_NEQ" => Self::NotEqual,
            _ => return None,
        })
    }

    fn holds(self, x: f64, value: f64) -> bool {
        match self {
            Self::AtMost => x <= value,
            Self::Below => x < value,
            Self::AtLeast => x >= value,
            Self::Above => x > value,
            Self::Equal => x == value,
            Self::NotEqual => x != value,
            Self::Leaf => false,
        }
    }
}

/// What of the tree is still to be grown.
struct Bud {
    /// The place in the file.
    place: usize,
    /// In the place of the node's own mode.
    mode: Option<Mode>,
    /// The grown node above and whether this is its left child.
    above: Option<(usize, bool)>,
}

impl Ensemble {
    /// Reads the trees; `leaves` begins the names of the attributes of leaves, `class` or `target`.
    pub(super) fn read(of: Attributes<'_>, leaves: &str) -> Result<Self, String> {
        let modes = of.strings("nodes_modes");
        let n = modes.len();
        if n > MAX_TREE_NODES {
            return Err(format!("it has {n} tree nodes; at most {MAX_TREE_NODES} are read"));
        }
        let ints = |name: &str| of_length(name, of.ints(name), n);
        let (tree, id) = (ints("nodes_treeids")?, ints("nodes_nodeids")?);
        let (feature, yes, no) = (ints("nodes_featureids")?, ints("nodes_truenodeids")?, ints("nodes_falsenodeids")?);
        let value = of.thresholds("nodes_values")?;
        of_length("nodes_values", &value, n)?;
        let missing_yes = match of.ints("nodes_missing_value_tracks_true") {
            [] => vec![0; n],
            given => of_length("nodes_missing_value_tracks_true", given, n)?.to_vec(),
        };
        let mut places = BTreeMap::new();
        for place in 0..n {
            if places.insert((tree[place], id[place]), place).is_some() {
                return Err(format!("node {} stands twice in tree {}", id[place], tree[place]));
            }
        }
        let mut nodes = Vec::with_capacity(n);
        for place in 0..n {
            let mode = Mode::of(&modes[place]).ok_or_else(|| format!("branch mode `{}` is not known", modes[place]))?;
            let child = |id: i64| match places.get(&(tree[place], id)) {
                _ if mode == Mode::Leaf => Ok(place),
                Some(&child) => Ok(child),
                None => Err(format!("tree {} has no node {id}", tree[place])),
            };
            nodes.push(FileNode {
                mode,
                feature: feature[place],
                value: value[place],
                yes: child(yes[place])?,
                no: child(no[place])?,
                missing_yes: missing_yes[place] != 0,
                weights: Vec::new(),
            });
        }
        read_weights(of, leaves, &places, &mut nodes)?;
        let roots = roots(&nodes, tree)?;
        Ok(Self { tracks_missing: missing_yes.iter().any(|&yes| yes != 0), nodes, roots })
    }

    pub(super) fn n_trees(&self) -> usize {
        self.roots.len()
    }

    /// Whether a missing value goes to the true branch of any node.
    pub(super) const fn tracks_missing(&self) -> bool {
        self.tracks_missing
    }

    /// The classes or targets that leaves give something to, ascending.
    pub(super) fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.nodes.iter().flat_map(|node| &node.weights).map(|&(id, _)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// What the trees give to class or target `id`, which reads `columns`.
    pub(super) fn sum(&self, id: i64, columns: &[Chain]) -> Result<Sum, String> {
        let mut sum = Sum::default();
        let mut n_nodes = 0;
        for &root in &self.roots {
            let tree = self.grow(root, id, columns, MAX_TREE_NODES - n_nodes)?;
            n_nodes += tree.nodes.len();
            sum.trees.push((1.0, Rc::new(tree)));
        }
        Ok(sum)
    }

    fn grow(&self, root: usize, id: i64, columns: &[Chain], limit: usize) -> Result<SumTree, String> {
        let mut nodes: Vec<SumNode> = Vec::new();
        let mut buds = vec![Bud { place: root, mode: None, above: None }];
        while let Some(Bud { place, mode, above }) = buds.pop() {
            let at = nodes.len();
            if at >= limit {
                return Err(format!("its trees have more than {MAX_TREE_NODES} nodes"));
            }
            if let Some((parent, is_left)) = above
                && let SumNode::Split { left, right, .. } = &mut nodes[parent]
            {
                *(if is_left { left } else { right }) = at as u32;
            }
            let of_file = &self.nodes[place];
            let mode = mode.unwrap_or(of_file.mode);
            if mode == Mode::Leaf {
                let weights = of_file.weights.iter().filter(|(of, _)| *of == id);
                nodes.push(SumNode::Leaf(weights.map(|(_, weight)| weight).sum()));
                continue;
            }
            let column = usize::try_from(of_file.feature).ok().and_then(|feature| columns.get(feature));
            let chain = column.ok_or_else(|| format!("it reads feature {} of {}", of_file.feature, columns.len()))?;
            if of_file.value.is_nan() {
                return Err("a threshold is NaN".to_owned());
            }
            let (split, children) = of_file.split(mode, place, chain);
            nodes.push(split);
            let bud = |(place, mode), is_left| Bud { place, mode, above: Some((at, is_left)) };
            buds.extend([bud(children[1], false), bud(children[0], true)]);
        }
        Ok(SumTree { nodes })
    }
}

impl FileNode {
    /// The split that does what the node says, with what stands left and right of it.
    ///
    /// Among finite values a condition holds up to a last one or from a first one on. For an equality that is so of
    /// each half: `x <= value`, and then `x >= value`.
    fn split(&self, mode: Mode, place: usize, chain: &Chain) -> (SumNode, [(usize, Option<Mode>); 2]) {
        let (mode, yes, no) = match mode {
            Mode::Equal => (Mode::AtMost, (place, Some(Mode::AtLeast)), (self.no, None)),
            Mode::NotEqual => (Mode::Below, (self.yes, None), (place, Some(Mode::Above))),
            other => (other, (self.yes, None), (self.no, None)),
        };
        let holds = |x: f32| mode.holds(chain.value(x), self.value);
        let (first, last) = first_stretch(holds);
        let missing_yes = if chain.is_filled() { holds(f32::NAN) } else { self.missing_yes };
        let split = SumNode::Split {
            input: chain.input,
            threshold: last,
            missing_left: missing_yes == first,
            left: 0,
            right: 0,
        };
        (split, if first { [yes, no] } else { [no, yes] })
    }
}

fn read_weights(
    of: Attributes<'_>,
    leaves: &str,
    places: &BTreeMap<(i64, i64), usize>,
    nodes: &mut [FileNode],
) -> Result<(), String> {
    let name = |of_what: &str| format!("{leaves}_{of_what}");
    let ids = of.ints(&name("ids"));
    let of_ids = |what: &str| of_length(&name(what), of.ints(&name(what)), ids.len());
    let (tree, node) = (of_ids("treeids")?, of_ids("nodeids")?);
    let weights = of.numbers(&name("weights"))?;
    of_length(&name("weights"), &weights, ids.len())?;
    for at in 0..ids.len() {
        let place = places.get(&(tree[at], node[at])).filter(|&&place| nodes[place].mode == Mode::Leaf);
        let place = *place.ok_or_else(|| format!("a weight is of node {} of tree {}, no leaf", node[at], tree[at]))?;
        nodes[place].weights.push((ids[at], weights[at]));
    }
    Ok(())
}

/// The node of each tree that is nobody's child, in order of trees. From there a path leads to every node, and one only.
fn roots(nodes: &[FileNode], tree: &[i64]) -> Result<Vec<usize>, String> {
    let mut is_child = vec![false; nodes.len()];
    for (place, node) in nodes.iter().enumerate().filter(|(_, node)| node.mode != Mode::Leaf) {
        for child in [node.yes, node.no] {
            if child == place || std::mem::replace(&mut is_child[child], true) {
                return Err(format!("a node of tree {} has two parents, or is its own", tree[place]));
            }
        }
    }
    let mut roots = BTreeMap::new();
    for (place, tree) in tree.iter().enumerate().filter(|&(place, _)| !is_child[place]) {
        if roots.insert(tree, place).is_some() {
            return Err(format!("tree {tree} has two roots"));
        }
    }
    let roots: Vec<usize> = roots.into_values().collect();
    let mut n_reached = 0;
    let mut to_visit = roots.clone();
    while let Some(place) = to_visit.pop() {
        n_reached += 1;
        if nodes[place].mode != Mode::Leaf {
            to_visit.extend([nodes[place].yes, nodes[place].no]);
        }
    }
    match n_reached {
        0 => Err("it has no tree".to_owned()),
        n if n == nodes.len() => Ok(roots),
        _ => Err("a tree runs in a circle".to_owned()),
    }
}

fn of_length<'a, T>(name: &str, values: &'a [T], n: usize) -> Result<&'a [T], String> {
    if values.len() == n {
        Ok(values)
    } else {
        Err(format!("attribute `{name}` has {} values where {n} are needed", values.len()))
    }
}
