//! The same bytes through tract.

use bellwether_core::{Feature, FeatureMatrix, FeatureSchema, Link, Model, Node, Tree, Trees};
use rayon::prelude::*;
use tract_onnx::prelude::*;

use crate::ScoreError;

/// Rows that tract is given at a time.
const BATCH_ROWS: usize = 1024;

/// One graph in tract: the independent check of [`crate::Kernel`].
pub struct Reference {
    model: Model,
    plan: Arc<TypedSimplePlan>,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reference").field("model", &self.model).finish_non_exhaustive()
    }
}

impl Reference {
    /// Prepares the bytes that `bellwether_onnx::encode` wrote. They are validated first: tract walks trees unchecked.
    ///
    /// # Errors
    /// [`ScoreError::Onnx`] for every other file, [`ScoreError::Reference`] if tract refuses it.
    pub fn new(bytes: &[u8]) -> Result<Self, ScoreError> {
        let model = bellwether_onnx::decode(bytes)?.model;
        let plan = plan(bytes).map_err(refused)?;
        Ok(Self { model, plan })
    }

    /// The logit of each row, in row order.
    ///
    /// Slow for large ensembles: for each tree of each row, tract 0.23 steps over the leaves of all trees before it. It
    /// also makes an error of every leaf it meets and drops it; where `RUST_BACKTRACE` is set, `RUST_LIB_BACKTRACE=0`
    /// makes that ten times faster.
    ///
    /// # Errors
    /// [`ScoreError::Features`] for rows of another width, [`ScoreError::Reference`] if tract fails.
    pub fn logits(&self, x: &FeatureMatrix) -> Result<Vec<f32>, ScoreError> {
        self.for_batches(x, |rows| run(&self.plan, rows))
    }

    /// The index of the leaf of each row in each tree, as [`crate::Kernel::leaves`] gives it; empty for models without
    /// trees. tract runs each tree alone, with its leaves' indices as their values.
    ///
    /// # Errors
    /// As [`Reference::logits`].
    pub fn leaves(&self, x: &FeatureMatrix) -> Result<Vec<u32>, ScoreError> {
        let Model::Trees(trees) = &self.model else { return Ok(Vec::new()) };
        let plan_of = |tree| plan(&index_graph(tree, trees.n_features())?).map_err(refused);
        let plans = trees.trees().iter().map(plan_of).collect::<Result<Vec<_>, ScoreError>>()?;
        self.for_batches(x, |rows| {
            let mut leaves = vec![0; rows.shape()[0] * plans.len()];
            for (tree, plan) in plans.iter().enumerate() {
                let places = leaves.iter_mut().skip(tree).step_by(plans.len());
                places.zip(run(plan, rows)?).for_each(|(place, index)| *place = index as u32);
            }
            Ok(leaves)
        })
    }

    /// What `work` gives for stretches of rows, in row order.
    fn for_batches<T: Send + Clone>(
        &self,
        x: &FeatureMatrix,
        work: impl Fn(&TValue) -> TractResult<Vec<T>> + Sync,
    ) -> Result<Vec<T>, ScoreError> {
        let (found, expected) = (x.n_cols(), self.model.n_features());
        if found != expected {
            return Err(ScoreError::Features { found, expected });
        }
        let starts: Vec<usize> = (0..x.n_rows()).step_by(BATCH_ROWS).collect();
        let batch = |first_row| work(&tensor(x, first_row, BATCH_ROWS.min(x.n_rows() - first_row)));
        let batches: TractResult<Vec<Vec<T>>> = starts.into_par_iter().map(batch).collect();
        Ok(batches.map_err(refused)?.concat())
    }
}

fn plan(bytes: &[u8]) -> TractResult<Arc<TypedSimplePlan>> {
    let mut bytes = bytes;
    tract_onnx::onnx().model_for_read(&mut bytes)?.into_optimized()?.into_runnable()
}

fn tensor(x: &FeatureMatrix, first_row: usize, n_rows: usize) -> TValue {
    let value = |(row, column)| x.value(first_row + row, column);
    Tensor::from(tract_ndarray::Array2::from_shape_fn((n_rows, x.n_cols()), value)).into_tvalue()
}

fn run(plan: &Arc<TypedSimplePlan>, rows: &TValue) -> TractResult<Vec<f32>> {
    let logits = plan.run(tvec!(rows.clone()))?;
    Ok(logits[0].to_plain_array_view::<f32>()?.iter().copied().collect())
}

/// A graph whose logit is the index of the leaf, exact in f32 below 2^24.
fn index_graph(tree: &Tree, n_features: usize) -> Result<Vec<u8>, ScoreError> {
    let index = |(at, node): (usize, &Node)| match *node {
        Node::Leaf { .. } => Node::Leaf { value: at as f32 },
        split @ Node::Split { .. } => split,
    };
    let tree = Tree { nodes: tree.nodes.iter().enumerate().map(index).collect() };
    let feature = |place| Feature { name: format!("{place}"), category: None, good: None };
    let schema = FeatureSchema::new((0..n_features).map(feature).collect())?;
    let trees = Trees::new(n_features, 0.0, Link::Logit, vec![tree])?;
    Ok(bellwether_onnx::encode(&Model::Trees(trees), &schema, "leaf")?)
}

fn refused(error: TractError) -> ScoreError {
    ScoreError::Reference(error.into())
}
