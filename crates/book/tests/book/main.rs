//! The book through its public interface.

mod catalogue;
mod common;
mod derived;
mod forms;
mod labels;
mod point_in_time;
mod split;
