//! The book through its public interface.

mod audit;
mod common;
mod forms;
mod labels;
mod point_in_time;
mod split;
