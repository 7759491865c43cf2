//! The binary as a script sees it: files, exit codes, stdout and stderr.
//!
//! One test target, so that one trained model serves all of it. Commands run in a folder of their own and are given
//! relative paths: what they print is the same on every machine.

mod actions;
mod audit;
mod backtest;
mod bad_bundle;
mod bad_input;
mod bad_usage;
mod catalogue;
mod cohorts;
mod compare;
mod determinism;
mod drift;
mod end_to_end;
mod feature_scores;
mod forecast;
mod forms;
mod help;
mod help_models;
mod horizons;
mod import;
mod interrupted;
mod models;
mod practice;
mod reasons;
mod scorecard;
mod settings;
mod shared_data;
mod support;
