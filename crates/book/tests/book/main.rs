//! The book through its public interface.

mod audit;
mod catalogue;
mod common;
mod derived;
mod forms;
mod label_rules;
mod labels;
mod point_in_time;
mod split;
