//! The rules of `[targets]`.

use bellwether_core::Outcome;

use super::{BookFile, Checked, SourceKind, Span, source};
use crate::config::TargetRule;

/// A century: what is longer is a slip, and days must stay countable.
pub(super) const MAX_DAYS: u32 = 36_500;

pub(super) fn check(file: &BookFile) -> Checked {
    let main = file.horizon_days();
    if !(1..=MAX_DAYS).contains(&main) {
        let message = format!("targets.horizon_days is {main}; it must be within 1..={MAX_DAYS}");
        return Err(file.error(0..0, message, None));
    }
    for (outcome, rule) in file.outcomes() {
        check_source(file, rule.get_ref(), rule.span())?;
        check_numbers(file, outcome, rule.get_ref(), rule.span())?;
        check_direction(file, outcome, rule.get_ref(), rule.span())?;
    }
    check_horizons(file)
}

fn check_source(file: &BookFile, rule: &TargetRule, at: Span) -> Checked {
    let (name, kinds): (_, &[SourceKind]) = match rule {
        TargetRule::Event { source, .. }
        | TargetRule::NoActivity { source, .. }
        | TargetRule::SpendUp { source, .. }
        | TargetRule::SpendDown { source, .. } => (source, &[SourceKind::Event]),
        TargetRule::NoSubscription { source, .. } => (source, &[SourceKind::Subscription]),
        TargetRule::RecurringRevenueUp { source, .. } | TargetRule::RecurringRevenueDown { source, .. } => {
            (source, &[SourceKind::Subscription, SourceKind::Snapshot])
        }
        TargetRule::Column { source, .. } => (source, &[SourceKind::Labelled]),
    };
    let kind = source(file, name, at.clone())?.kind;
    if kinds.contains(&kind) {
        return Ok(());
    }
    let wanted: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}")).collect();
    let message = format!("source `{name}` is of kind {kind:?}; this rule needs {}", wanted.join(" or "));
    Err(file.error(at, message, None))
}

fn check_numbers(file: &BookFile, outcome: Outcome, rule: &TargetRule, at: Span) -> Checked {
    let refuse = |message: String, help: &str| {
        Err(file.error(at, format!("{}: {message}", outcome.name()), Some(help.to_owned())))
    };
    match *rule {
        TargetRule::NoSubscription { grace_days: days, .. } if days > MAX_DAYS => {
            refuse(format!("grace_days = {days}; it must be at most {MAX_DAYS}"), "give a shorter gap")
        }
        TargetRule::NoActivity { days: Some(days), .. } if !(1..=MAX_DAYS).contains(&days) => refuse(
            format!("days = {days}; it must be within 1..={MAX_DAYS}"),
            "say how many days of silence are a churn",
        ),
        TargetRule::RecurringRevenueUp { by, at_least, .. }
        | TargetRule::RecurringRevenueDown { by, at_least, .. }
        | TargetRule::SpendUp { by, at_least, .. }
        | TargetRule::SpendDown { by, at_least, .. } => {
            let falls = matches!(rule, TargetRule::RecurringRevenueDown { .. } | TargetRule::SpendDown { .. });
            let is_amount = |x: f64| x > 0.0 && x.is_finite();
            if by.is_none() && at_least.is_none() {
                return refuse(
                    "there is no threshold".to_owned(),
                    "add `by = 0.1` (a share), `at_least` (an amount) or both",
                );
            }
            if let Some(by) = by.filter(|&by| !is_amount(by) || (falls && by >= 1.0)) {
                let most = if falls { " and below 1" } else { "" };
                return refuse(format!("by = {by} must be above 0{most}"), "0.1 is a tenth");
            }
            match at_least.filter(|&amount| !is_amount(amount)) {
                Some(amount) => refuse(
                    format!("at_least = {amount} must be above 0"),
                    "give the least change, in the column's unit",
                ),
                None => Ok(()),
            }
        }
        TargetRule::Column { ref positive, .. } if positive.is_empty() => {
            refuse("`positive` lists no text".to_owned(), "list the texts that mean yes")
        }
        _ => Ok(()),
    }
}

/// A rule that tells another outcome is a slip.
fn check_direction(file: &BookFile, outcome: Outcome, rule: &TargetRule, at: Span) -> Checked {
    let tells = match rule {
        TargetRule::Event { .. } | TargetRule::Column { .. } => return Ok(()),
        TargetRule::NoSubscription { .. } | TargetRule::NoActivity { .. } => Outcome::Churn,
        TargetRule::RecurringRevenueUp { .. } | TargetRule::SpendUp { .. } => Outcome::Expansion,
        TargetRule::RecurringRevenueDown { .. } | TargetRule::SpendDown { .. } => Outcome::Contraction,
    };
    if tells == outcome {
        return Ok(());
    }
    let message = format!("{}: this rule tells {}", outcome.name(), tells.name());
    Err(file.error(at, message, Some(format!("move it to [targets.{}], or choose another rule", tells.name()))))
}

fn check_horizons(file: &BookFile) -> Checked {
    let Some(horizons) = &file.config.targets.horizons else { return Ok(()) };
    let (days, main) = (horizons.get_ref(), file.horizon_days());
    let refuse = |message: String, help: String| Err(file.error(horizons.span(), message, Some(help)));
    if !days.windows(2).all(|pair| pair[0] < pair[1]) || days.iter().any(|days| !(1..=MAX_DAYS).contains(days)) {
        let message = format!("targets.horizons is {days:?}; horizons are days within 1..={MAX_DAYS} that rise");
        return refuse(message, "write them as in [30, 60, 90]".to_owned());
    }
    if !days.contains(&main) {
        let message = format!("targets.horizons is {days:?}, without the main horizon of {main} days");
        return refuse(message, format!("add {main}, or make one of them `horizon_days`"));
    }
    if days.len() == 1 {
        return Ok(());
    }
    let outcomes = file.outcomes();
    let silence = |rule: &TargetRule| matches!(rule, TargetRule::NoActivity { days: None, .. });
    if let Some((outcome, rule)) = outcomes.iter().find(|(_, rule)| silence(rule.get_ref())) {
        let message = format!(
            "{}: silence throughout a horizon is rarer the longer it is, so several horizons have no order",
            outcome.name()
        );
        let help =
            format!("add `days = {main}`: the day on which so many days of silence are complete is then the churn");
        return Err(file.error(rule.span(), message, Some(help)));
    }
    if !outcomes.iter().any(|(_, rule)| rule.get_ref().is_nested()) {
        let message = "targets.horizons has no use: no outcome has a rule that tells a day".to_owned();
        return refuse(
            message,
            "spend_up, spend_down and column have the main horizon alone; take `horizons` away".to_owned(),
        );
    }
    Ok(())
}
