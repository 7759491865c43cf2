//! The book through its public interface.

mod audit;
mod backtest;
mod catalogue;
mod common;
mod declared;
mod derived;
mod evaluation;
mod feature_file;
mod forms;
mod hostile;
mod label_rules;
mod labels;
mod naive;
mod partial;
mod parts;
mod point_in_time;
mod random;
mod split;
