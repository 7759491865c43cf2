//! The book through its public interface.

mod audit;
mod common;
mod declared;
mod forms;
mod label_rules;
mod labels;
mod naive;
mod parts;
mod point_in_time;
mod random;
mod split;
