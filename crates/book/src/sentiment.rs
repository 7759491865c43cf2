//! How glad or angry a text is: the rules of VADER over its lexicon.
//!
//! Source of the rules: Hutto and Gilbert (2014), ICWSM, as `vaderSentiment` 3.3.2 (Python) runs them, its peculiarities
//! with them. The Rust crates that have the lexicon find boosters inside other words and add them up in the order of a
//! hash map: on the sentences of the tests below they miss the reference in every third. So the lexicon is theirs and
//! the rules stand here.

mod lexicon;
mod rules;

pub(crate) use rules::compound;
