//! What goes to stdout: data for scripts, or text for people.

use std::io::Write as _;

use serde::Serialize;

use crate::failure::{Failure, Unexpected as _};

/// Prints `value` as indented JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).unexpected("writing JSON")?;
    print_text(&text)
}

/// Prints `text`; a reader that has gone away is no failure.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.unexpected("writing to stdout"),
    }
}

/// `n` with commas between thousands.
pub(crate) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
