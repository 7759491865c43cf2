//! Fast inference: native kernels compiled from ONNX, tract as the reference.
