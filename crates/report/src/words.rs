//! What outcomes are called.

use bellwether_core::{Outcome, Target};

/// A target in words, such as `Churn within 90 days`.
pub(crate) fn title(target: Target) -> String {
    let outcome = match target.outcome {
        Outcome::Churn => "Churn",
        Outcome::Expansion => "Expansion",
        Outcome::Contraction => "Contraction",
    };
    let days = target.horizon_days;
    format!("{outcome} within {days} {}", if days == 1 { "day" } else { "days" })
}

/// What one does whose outcome came.
pub(crate) const fn did(target: Target) -> &'static str {
    match target.outcome {
        Outcome::Churn => "churned",
        Outcome::Expansion => "expanded",
        Outcome::Contraction => "contracted",
    }
}

/// The rows of highest probability.
pub(crate) const fn the_top(target: Target) -> &'static str {
    match target.outcome {
        Outcome::Churn | Outcome::Contraction => "riskiest",
        Outcome::Expansion => "most promising",
    }
}

/// `n` and a noun, which takes an s unless `n` is 1.
pub(crate) fn many(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", crate::number::count(n), if n == 1 { "" } else { "s" })
}

/// The texts with commas, the last after `and`.
pub(crate) fn list(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
