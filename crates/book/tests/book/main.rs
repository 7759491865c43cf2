//! The book through its public interface.

mod common;
mod declared;
mod forms;
mod labels;
mod naive;
mod parts;
mod point_in_time;
mod random;
mod split;
