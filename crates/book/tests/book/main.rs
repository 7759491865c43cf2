//! The book through its public interface.

mod audit;
mod common;
mod forms;
mod label_rules;
mod labels;
mod point_in_time;
mod split;
