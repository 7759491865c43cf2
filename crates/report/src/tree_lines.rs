//! A tree as lines: one a node, children below their parent.

use crate::drawn::{DrawnKind, DrawnNode, DrawnTree, Question};
use crate::markdown::{clean, code_in_table};
use crate::number::{Number, short};
use crate::table::{Align, Cell, Table, shortened};

/// One line of a drawn tree.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) node: &'a DrawnNode,
    /// Splits above the node.
    pub(crate) depth: usize,
    /// What leads here from the parent; nothing leads to the root.
    pub(crate) condition: Option<Condition<'a>>,
}

/// What rows of a child have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition<'a> {
    feature: &'a str,
    question: Question,
    is_left: bool,
    /// Whether a missing value comes here too.
    missing: bool,
}

impl Condition<'_> {
    /// In words, `feature` in place of the name.
    fn with(&self, feature: &str) -> String {
        let missing = if self.missing { " or missing" } else { "" };
        match (self.question, self.is_left) {
            (Question::AtMost(threshold), true) => format!("{feature} <= {}{missing}", short(threshold.into())),
            (Question::AtMost(threshold), false) => format!("{feature} > {}{missing}", short(threshold.into())),
            (Question::IsNot, true) => format!("{feature}: no{missing}"),
            (Question::IsNot, false) => format!("{feature}: yes{missing}"),
        }
    }

    /// In at most about `most` characters, of which the name has at least eight.
    pub(crate) fn text(&self, most: usize) -> String {
        let of_name = most.saturating_sub(self.with("").chars().count()).max(8);
        self.with(&shortened(&clean(self.feature), of_name))
    }

    fn markdown(&self) -> String {
        // Signs of Markdown and HTML that the words hold.
        self.with(&code_in_table(self.feature)).replace("<=", "≤").replace(" > ", " &gt; ")
    }
}

/// The lines of `tree`, the root first, left children before right ones.
pub(crate) fn lines(tree: &DrawnTree) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut open = vec![(0, 0, None)];
    while let Some((at, depth, condition)) = open.pop() {
        let node = &tree.nodes[at];
        lines.push(Line { node, depth, condition });
        if let DrawnKind::Split { feature, question, missing_left, left, right } = &node.kind {
            let condition = |is_left: bool| {
                let missing = *missing_left == Some(is_left);
                Some(Condition { feature, question: *question, is_left, missing })
            };
            open.push((*right, depth + 1, condition(false)));
            open.push((*left, depth + 1, condition(true)));
        }
    }
    lines
}

impl DrawnNode {
    /// The share of training rows with the outcome.
    pub(crate) fn rate(&self) -> Option<f64> {
        (self.n_rows > 0).then(|| self.n_events as f64 / self.n_rows as f64)
    }

    /// The probability of a leaf.
    pub(crate) const fn probability(&self) -> Option<f64> {
        match self.kind {
            DrawnKind::Leaf(probability) => Some(probability),
            DrawnKind::Split { .. } => None,
        }
    }
}

/// The most characters of a line of [`tree_text`] before its numbers.
const WIDEST: usize = 60;

/// The tree for a terminal of 100 columns: a line a node, two blanks deeper than its parent, with the training rows that
/// come there, the share of them with the outcome and the calibrated probability of a leaf. No line break stands at the
/// end.
pub fn tree_text(tree: &DrawnTree) -> String {
    let mut table = Table::new(&[
        ("tree", Align::Left),
        ("training rows", Align::Right),
        ("rate", Align::Right),
        ("probability", Align::Right),
    ]);
    for line in lines(tree) {
        let indent = "  ".repeat(line.depth);
        let words = line.condition.map_or_else(|| "all rows".to_owned(), |of| of.text(WIDEST - indent.len().min(40)));
        let probability = line.node.probability().map_or_else(String::new, |p| Number::Percent.of(p));
        table.row([
            Cell::from(format!("{indent}{words}")),
            Cell::count(line.node.n_rows),
            Cell::number(Number::Percent, line.node.rate()),
            Cell::from(probability),
        ]);
    }
    table.text()
}

/// The leaves with the path to each, the most probable first.
pub(crate) fn leaves(tree: &DrawnTree) -> Table {
    let mut table = Table::new(&[
        ("leaf", Align::Left),
        ("training rows", Align::Right),
        ("rate", Align::Right),
        ("probability", Align::Right),
    ]);
    let mut path: Vec<String> = Vec::new();
    let mut leaves = Vec::new();
    for line in lines(tree) {
        path.truncate(line.depth.saturating_sub(1));
        path.extend(line.condition.map(|condition| condition.markdown()));
        if let Some(probability) = line.node.probability() {
            let words = if path.is_empty() { "all rows".to_owned() } else { path.join(", ") };
            leaves.push((probability, words, line.node));
        }
    }
    leaves.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (probability, words, node) in leaves {
        table.row([
            Cell::from(words),
            Cell::count(node.n_rows),
            Cell::number(Number::Percent, node.rate()),
            Cell::number(Number::Percent, Some(probability)),
        ]);
    }
    table
}
