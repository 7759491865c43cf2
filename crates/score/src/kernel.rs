//! A graph, compiled to flat arrays.

#[cfg(feature = "tract")]
mod graph;
#[cfg(not(feature = "tract"))]
#[path = "kernel/no_graph.rs"]
mod graph;
mod linear;
mod path;
mod rows;
mod scorecard;
pub(crate) mod trees;

use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_core::{FeatureMatrix, Linear, Model, ScorecardModel};
use bellwether_onnx::Decoded;
use rayon::prelude::*;

use crate::ScoreError;
use graph::GraphPlan;

pub(crate) use path::Instructions;
pub use path::SimdPath;
pub use rows::Rows;
pub(crate) use scorecard::{UNASSESSED, assess};
use trees::TreeKernel;

/// Rows that one task of the thread pool works on.
pub(crate) const TASK_ROWS: usize = 2048;

/// One graph, compiled from its ONNX bytes. Results depend on the row alone: not on the batch, not on the threads.
#[derive(Debug, Clone)]
pub struct Kernel {
    feature_names: Vec<String>,
    schema_digest: String,
    target: String,
    used: Vec<bool>,
    compiled: Compiled,
}

#[derive(Debug, Clone)]
enum Compiled {
    Linear(Linear),
    Trees(TreeKernel),
    Scorecard(ScorecardModel),
    Graph(GraphPlan),
}

impl Kernel {
    /// Compiles the bytes that `bellwether_onnx::encode` wrote.
    ///
    /// # Errors
    /// [`ScoreError::Onnx`] for every other file, [`ScoreError::NoRuntime`] for a graph of other software where the crate is
    /// built without tract.
    pub fn compile(bytes: &[u8]) -> Result<Self, ScoreError> {
        let Decoded { model, feature_names, schema_digest, target } = bellwether_onnx::decode(bytes)?;
        Self::of(bytes, &model, feature_names, schema_digest, target)
    }

    /// Compiles `model`, which `bytes` were decoded to.
    pub(crate) fn of(
        bytes: &[u8],
        model: &Model,
        feature_names: Vec<String>,
        schema_digest: String,
        target: String,
    ) -> Result<Self, ScoreError> {
        let compiled = match model {
            Model::Linear(linear) => Compiled::Linear(linear.clone()),
            Model::Trees(trees) => Compiled::Trees(TreeKernel::new(trees)),
            Model::Scorecard(card) => Compiled::Scorecard(card.clone()),
            Model::Graph(graph) => Compiled::Graph(GraphPlan::new(bytes, graph.n_features, &target)?),
        };
        Ok(Self { feature_names, schema_digest, target, used: used_features(model), compiled })
    }

    /// The logit of each row, in row order; equal to `Model::logit` bit for bit, but for a graph of other software, whose
    /// last bits are the processor's.
    ///
    /// # Errors
    /// [`ScoreError::Features`] for rows of another width, [`ScoreError::GraphNotFinite`] where a graph of other software
    /// gives no finite number.
    pub fn logits(&self, x: &FeatureMatrix) -> Result<Vec<f64>, ScoreError> {
        self.logits_of(&x.into())
    }

    /// [`Kernel::logits`] of rows that are borrowed in the caller's layout, without a copy of them.
    ///
    /// # Errors
    /// [`ScoreError::Features`] for rows of another width, [`ScoreError::Infinite`] for the first infinite value.
    pub fn logits_of(&self, rows: &Rows<'_>) -> Result<Vec<f64>, ScoreError> {
        self.logits_on(SimdPath::fastest(), rows)
    }

    /// [`Kernel::logits_of`] with the instructions of `path`: for tests and measurements, because every path gives the
    /// same bits. A graph of other software has tract's instructions.
    ///
    /// # Errors
    /// As [`Kernel::logits_of`].
    pub fn logits_on(&self, path: SimdPath, rows: &Rows<'_>) -> Result<Vec<f64>, ScoreError> {
        self.check_width(rows.n_features())?;
        if let Compiled::Graph(graph) = &self.compiled {
            return match rows.first_infinite(0..rows.n_rows()).and_then(|row| rows.infinite_of(row)) {
                None => graph.logits(rows),
                Some((row, feature, value)) => Err(ScoreError::Infinite { row, feature, value }),
            };
        }
        let mut logits = vec![0.0; rows.n_rows()];
        let first_refused = AtomicUsize::new(usize::MAX);
        for_each_task(&mut logits, 1, |first_row, logits| {
            if let Some(row) = rows.first_infinite(first_row..first_row + logits.len()) {
                first_refused.fetch_min(row, Ordering::Relaxed);
                return;
            }
            match &self.compiled {
                Compiled::Linear(linear) => linear::logits(linear, path, rows, first_row, logits),
                Compiled::Trees(trees) => trees.logits(path, rows, first_row, logits),
                Compiled::Scorecard(card) => scorecard::logits(card, rows, first_row, logits),
                Compiled::Graph(_) => unreachable!("a graph has no tasks of its own"),
            }
        });
        match rows.infinite_of(first_refused.into_inner()) {
            None => Ok(logits),
            Some((row, feature, value)) => Err(ScoreError::Infinite { row, feature, value }),
        }
    }

    /// The logit of one row, NaN = missing, without allocation; to the same bits as in any batch. A graph of other software
    /// allocates.
    ///
    /// # Errors
    /// As [`Kernel::logits_of`].
    pub fn logit_row(&self, row: &[f32]) -> Result<f64, ScoreError> {
        self.check_width(row.len())?;
        if let Some(feature) = row.iter().position(|value| value.is_infinite()) {
            return Err(ScoreError::Infinite { row: 0, feature, value: row[feature] });
        }
        Ok(match &self.compiled {
            Compiled::Linear(linear) => linear::logit_row(linear, row),
            Compiled::Trees(trees) => trees.logit_row(row),
            Compiled::Scorecard(card) => scorecard::logit_of(card, card.health(row)),
            Compiled::Graph(graph) => graph.logit_row(row)?,
        })
    }

    /// The index of the leaf of each row in each tree, `n_rows x n_trees`, row after row; a leaf's index is its place
    /// among the nodes of its tree. Empty for models without trees.
    ///
    /// # Errors
    /// [`ScoreError::Features`] for rows of another width.
    pub fn leaves(&self, x: &FeatureMatrix) -> Result<Vec<u32>, ScoreError> {
        self.check_width(x.n_cols())?;
        let Compiled::Trees(trees) = &self.compiled else { return Ok(Vec::new()) };
        let mut leaves = vec![0; x.n_rows() * trees.n_trees()];
        for_each_task(&mut leaves, trees.n_trees(), |first_row, leaves| trees.leaves(x, first_row, leaves));
        Ok(leaves)
    }

    /// How many features a row has.
    pub fn n_features(&self) -> usize {
        self.feature_names.len()
    }

    /// How many trees, 0 for models without trees.
    pub fn n_trees(&self) -> usize {
        match &self.compiled {
            Compiled::Trees(trees) => trees.n_trees(),
            Compiled::Linear(_) | Compiled::Scorecard(_) | Compiled::Graph(_) => 0,
        }
    }

    /// Whether it is a graph of other software, which tract computes.
    pub(crate) const fn is_graph(&self) -> bool {
        matches!(self.compiled, Compiled::Graph(_))
    }

    /// The names of the features in the order in which a row has them.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The digest of the schema that the graph was written for.
    pub fn schema_digest(&self) -> &str {
        &self.schema_digest
    }

    /// What the graph predicts, such as `churn_90d`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// For each feature whether the logit can depend on it.
    pub(crate) fn used_features(&self) -> &[bool] {
        &self.used
    }

    pub(crate) fn check_width(&self, found: usize) -> Result<(), ScoreError> {
        let expected = self.n_features();
        if found == expected { Ok(()) } else { Err(ScoreError::Features { found, expected }) }
    }
}

/// Calls `work(first_row, places)` for stretches of rows on the thread pool; a row has `per_row` places.
pub(crate) fn for_each_task<T: Send>(places: &mut [T], per_row: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if places.len() <= TASK_ROWS * per_row {
        work(0, places);
        return;
    }
    let tasks = places.par_chunks_mut(TASK_ROWS * per_row).enumerate();
    tasks.for_each(|(task, places)| work(task * TASK_ROWS, places));
}

fn used_features(model: &Model) -> Vec<bool> {
    let mut used = vec![false; model.n_features()];
    let features: Vec<u32> = match model {
        Model::Linear(linear) => {
            let is_used =
                |&(_, term): &(u32, &bellwether_core::LinearTerm)| term.weight != 0.0 || term.missing_weight != 0.0;
            (0..).zip(&linear.terms).filter(is_used).map(|(feature, _)| feature).collect()
        }
        Model::Trees(trees) => {
            let nodes = trees.trees().iter().flat_map(|tree| &tree.nodes);
            let feature = |node: &bellwether_core::Node| match *node {
                bellwether_core::Node::Split { feature, .. } => Some(feature),
                bellwether_core::Node::Leaf { .. } => None,
            };
            nodes.filter_map(feature).collect()
        }
        Model::Scorecard(card) => card.indicators.iter().map(|indicator| indicator.feature).collect(),
        Model::Graph(graph) => graph.inputs.iter().map(|input| input.feature).collect(),
    };
    for feature in features {
        used[feature as usize] = true;
    }
    used
}
