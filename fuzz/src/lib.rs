//! What each fuzz target does with its bytes. `tests/tests/hostile.rs` compiles these files too, and runs the committed
//! corpus and alterations of it on every commit.

pub mod bundle;
pub mod graph;
