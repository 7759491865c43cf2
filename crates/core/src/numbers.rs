//! Lists of numbers as texts: parted by blanks, floats in the shortest digits that give them back. A list of JSON would take
//! a line a number.

use std::fmt::Display;
use std::str::FromStr;

pub(crate) fn joined<T: Display>(numbers: impl IntoIterator<Item = T>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
}

/// The numbers, or the first word that is none.
pub(crate) fn parted<T: FromStr>(text: &str) -> Result<Vec<T>, String> {
    text.split_ascii_whitespace().map(|word| word.parse().map_err(|_| word.to_owned())).collect()
}
