//! Shared generators of the benches.
