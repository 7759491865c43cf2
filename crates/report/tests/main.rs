//! What reports say, through the public interface.

mod common;
mod render;
mod scorecard;
mod tree;
