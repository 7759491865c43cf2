//! Models to ONNX bytes and back, with the checks that a hostile file must fail.
