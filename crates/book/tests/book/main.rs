//! The book through its public interface.

mod common;
mod labels;
mod point_in_time;
