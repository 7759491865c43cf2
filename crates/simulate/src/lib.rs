//! A book of B2B software accounts with a known truth, at any size.
//!
//! Every account has a hidden life: a fit that never changes, a health and an appetite that wander from week to week,
//! and a champion who may leave. Hazards of churn, expansion and contraction follow from it, and so do noisy traces:
//! usage, tickets, surveys, invoices, contacts, goals, notes. `truth.parquet` keeps the probabilities that follow from the hidden
//! life, so that a model can be held against the best that was possible.
//!
//! On request high hazards are met with interventions of a known effect, the hidden state is a table too, and [`Leak`]s are planted for an audit to find.
//!
//! Each account is made from its own stream of random numbers, so a small book is a prefix of a large one and a book
//! of any size is written with bounded memory.

mod account;
mod adoption;
mod auc;
mod business;
mod calendar;
mod chain;
mod config;
mod contacts;
mod crm;
mod drivers;
mod engagement;
mod error;
mod folder;
mod hazard;
mod hidden;
mod interventions;
mod lateness;
mod leak;
mod life;
mod messages;
mod money;
mod plant;
mod random;
mod rows;
mod support;
mod tables;
mod truth;
mod usage;
mod words;

pub use auc::expected_auc;
pub use config::SimulateConfig;
pub use error::SimulateError;
pub use folder::{BayesAuc, SimulatedBook, simulate};
pub use leak::Leak;
pub use tables::{TABLE_NAMES, tables};
