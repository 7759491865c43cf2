//! One file a command; each `run` reads as its table of contents.

pub(crate) mod backtest;
pub(crate) mod catalogue;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod features;
pub(crate) mod forecast;
pub(crate) mod init;
pub(crate) mod models;
pub(crate) mod score;
pub(crate) mod scorecard;
pub(crate) mod simulate;
pub(crate) mod train;
pub(crate) mod why;
