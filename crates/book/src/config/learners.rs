//! `[train.logistic]`, `[train.tree]`, `[train.forest]`, `[train.boosted]`: what a learner is told in place of its defaults.

use serde::Deserialize;
use toml::Spanned;

use super::{BookFile, ConfigError};

/// What the rows of each class weigh where learners are fitted; scikit-learn's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// As many as there are.
    #[default]
    None,
    /// Both classes the same; probabilities are brought back to the true share of the outcome.
    Balanced,
}

/// What `logistic` is told; scikit-learn's names, on standardised columns.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticConfig {
    /// 1 / the penalty's strength, above 0; chosen on later training rows where not given.
    pub c: Option<f64>,
    /// The L1 share of the penalty, in `0.0..=1.0`.
    pub l1_ratio: f64,
    /// Days after which a training row counts half, above 0; all count alike where not given.
    pub recency_half_life_days: Option<f64>,
}

/// What `tree` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TreeConfig {
    /// Splits on a path, at most, in `1..=16`; fewer are chosen where more do not pay.
    pub depth: Option<u32>,
}

/// What `forest` is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ForestConfig {
    /// Trees, at most, in `1..=5000`; a large table gets fewer.
    pub trees: Option<u32>,
}

/// What `boosted` is told.
///
/// With any of `leaves`, `depth` and `learning_rate` the recipe is given, and grows just `trees` trees; what of it is not
/// said is the usual one's. Without, a search chooses the recipe, and how many trees of at most `trees`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoostedConfig {
    /// Trees, in `1..=5000`.
    pub trees: Option<u32>,
    /// What the search may cost, in nominal seconds, `0.0..=86400.0`.
    pub search_seconds: Option<f64>,
    /// Whether logits must follow the features' `good`; they do where not given.
    pub monotone: Option<bool>,
    /// Leaves of a tree, at most, in `2..=1024`.
    pub leaves: Option<usize>,
    /// Splits on a path, at most, in `1..=16`.
    pub depth: Option<usize>,
    /// What a leaf's value is multiplied with, above 0, at most 1.
    pub learning_rate: Option<f64>,
}

impl BoostedConfig {
    /// Whether the recipe is given.
    pub const fn has_recipe(&self) -> bool {
        self.leaves.is_some() || self.depth.is_some() || self.learning_rate.is_some()
    }
}

/// Splits on a path that can be asked for.
const MOST_DEPTH: f64 = 16.0;
/// Trees that can be asked for.
const MOST_TREES: f64 = 5_000.0;
/// Leaves of a tree that can be asked for.
const MOST_LEAVES: f64 = 1_024.0;
/// Seconds of search that can be asked for: a day.
const MOST_SECONDS: f64 = 86_400.0;

/// A setting with its range: name, value, least, greatest, what to do.
type Ranged = (&'static str, Option<f64>, Least, f64, &'static str);

/// The least value of a setting.
#[derive(Debug, Clone, Copy)]
enum Least {
    From(f64),
    Above(f64),
}

pub(super) fn check(file: &BookFile) -> Result<(), ConfigError> {
    let train = &file.config.train;
    let (logistic, tree, forest) = (train.logistic.get_ref(), train.tree.get_ref(), train.forest.get_ref());
    let (choose, usual) = ("take it away to have it chosen on later training rows", "take it away for the default");
    let of_logistic: [Ranged; 3] = [
        ("c", logistic.c, Least::Above(0.0), f64::MAX, choose),
        ("l1_ratio", Some(logistic.l1_ratio), Least::From(0.0), 1.0, "0 is L2 alone, 1 is L1 alone"),
        (
            "recency_half_life_days",
            logistic.recency_half_life_days,
            Least::Above(0.0),
            f64::MAX,
            "take it away to weigh all days alike",
        ),
    ];
    in_range(file, &train.logistic, "train.logistic", &of_logistic)?;
    let depth = tree.depth.map(f64::from);
    in_range(file, &train.tree, "train.tree", &[("depth", depth, Least::From(1.0), MOST_DEPTH, usual)])?;
    let trees = forest.trees.map(f64::from);
    in_range(file, &train.forest, "train.forest", &[("trees", trees, Least::From(1.0), MOST_TREES, usual)])?;
    check_boosted(file)
}

fn check_boosted(file: &BookFile) -> Result<(), ConfigError> {
    let at = &file.config.train.boosted;
    let boosted = at.get_ref();
    let whole = |value: Option<usize>| value.map(|value| value as f64);
    let usual = "take it away for the default";
    let ranged: [Ranged; 5] = [
        ("trees", boosted.trees.map(f64::from), Least::From(1.0), MOST_TREES, usual),
        ("search_seconds", boosted.search_seconds, Least::From(0.0), MOST_SECONDS, usual),
        ("leaves", whole(boosted.leaves), Least::From(2.0), MOST_LEAVES, usual),
        ("depth", whole(boosted.depth), Least::From(1.0), MOST_DEPTH, usual),
        ("learning_rate", boosted.learning_rate, Least::Above(0.0), 1.0, usual),
    ];
    in_range(file, at, "train.boosted", &ranged)?;
    let refuse = |message: &str, help: &str| Err(file.error(at.span(), message.to_owned(), Some(help.to_owned())));
    if !boosted.has_recipe() {
        return Ok(());
    }
    if boosted.search_seconds.is_some() {
        return refuse(
            "train.boosted has search_seconds, and a recipe that leaves nothing to search",
            "take away search_seconds, or leaves, depth and learning_rate",
        );
    }
    if boosted.trees.is_none() {
        return refuse(
            "train.boosted has a recipe without trees; a given recipe is grown as it is, with no early stopping",
            "say how many: `trees = 200`",
        );
    }
    match (boosted.leaves, boosted.depth) {
        (Some(leaves), Some(depth)) if leaves > 1 << depth => {
            let message =
                format!("train.boosted.leaves is {leaves}; a tree of depth {depth} has {} at most", 1 << depth);
            Err(file.error(at.span(), message, Some("raise depth, or lower leaves".to_owned())))
        }
        _ => Ok(()),
    }
}

fn in_range<T>(file: &BookFile, at: &Spanned<T>, place: &str, settings: &[Ranged]) -> Result<(), ConfigError> {
    for &(name, value, least, greatest, help) in settings {
        let Some(value) = value else { continue };
        let (fits, from) = match least {
            Least::From(least) => (value >= least, format!("at least {least}")),
            Least::Above(least) => (value > least, format!("above {least}")),
        };
        if fits && value <= greatest {
            continue;
        }
        let to = if greatest == f64::MAX { "finite".to_owned() } else { format!("at most {greatest}") };
        let message = format!("{place}.{name} is {value}; it must be {from} and {to}");
        return Err(file.error(at.span(), message, Some(help.to_owned())));
    }
    Ok(())
}
