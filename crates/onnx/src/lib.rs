//! Models to ONNX bytes and back, with the checks that a hostile file must fail.
//!
//! One model is one graph: input `features` (f32, `[N, n_features]`, NaN = missing), output `logit` (f32, `[N, 1]`).
//! Feature names, the schema's digest and the target stand in the file's metadata. The graphs use operator set 17,
//! `ai.onnx.ml` 3 and IR version 8, which the ONNX checker, ONNX Runtime and tract all read.
//!
//! | model | operators |
//! |---|---|
//! | trees | `TreeEnsembleClassifier` (class 1 is the sum), `Gather`, `Add`; then `Mul`, `Sub`, `Div`, `Log` for a probability |
//! | linear | `IsNaN`, `Max`, `Min`, `Sub`, `Where`, `MatMul`, `Add` |
//! | scorecard | `Gather`, `IsNaN`, `Sub`, `Div`, `Max`, `Min`, `Where`, `MatMul`, `Greater`, `Mul`, `Add` |
//! | graph of other software | `Gather`, `IsNaN`, `Where`, then operators that compute row by row |
//!
//! [`decode`] accepts exactly what [`encode`] writes, byte for byte, so no other reader can see more in a file than
//! we did.
//!
//! [`import`] reads files of other software (skl2onnx, onnxmltools, `CatBoost`, `PyTorch`) as models of ours, which are then encoded
//! as any other. Where no kernel of ours computes what a file says, its own operators stay, if each of them makes a row from the
//! same row; an operator that is not understood is named.

mod codec;
mod error;
mod graph;
mod import;
mod limits;
mod linear;
mod opaque;
mod proto;
mod row_operators;
mod scorecard;
mod spelling;
mod trees;

pub use codec::{Decoded, decode, encode};
pub use error::OnnxError;
pub use import::{Converted, ImportError, Imported, InputNames, import};
pub use limits::{MAX_BYTES, MAX_FEATURES, MAX_TREE_DEPTH, MAX_TREE_NODES};
