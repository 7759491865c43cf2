//! The rules of `[evaluation]`.

use super::targets::MAX_DAYS;
use super::{BookFile, Checked, SourceKind, Span, need_kind, source};
use crate::config::{CostsConfig, InterventionsConfig, MarginsConfig, RenewalsConfig, ScoreUseConfig, TargetRule};

pub(super) fn check(file: &BookFile) -> Checked {
    let config = &file.config.evaluation;
    if let Some(interventions) = &config.interventions {
        check_interventions(file, interventions.get_ref(), &interventions.span())?;
    }
    if let Some(renewals) = &config.renewals {
        check_renewals(file, renewals.get_ref(), &renewals.span())?;
    }
    if let Some(score_use) = &config.score_use {
        check_score_use(file, score_use.get_ref(), &score_use.span())?;
    }
    if let Some(costs) = &config.costs {
        check_costs(file, costs.get_ref(), &costs.span())?;
    }
    config.margins.as_ref().map_or(Ok(()), |margins| check_margins(file, margins.get_ref(), &margins.span()))
}

fn check_interventions(file: &BookFile, of: &InterventionsConfig, at: &Span) -> Checked {
    need_kind(file, &of.source, SourceKind::Event, at.clone())?;
    check_days(file, "interventions.lasts_days", of.lasts_days, 1, at)?;
    check_days(file, "interventions.follow_days", of.follow_days.unwrap_or(1), 1, at)?;
    if of.filter.is_empty() && !of.control.is_empty() {
        let message = "evaluation.interventions has a control and no filter: every row is an intervention".to_owned();
        return refuse(file, at, message, "say in `filter` which rows were done");
    }
    Ok(())
}

fn check_renewals(file: &BookFile, of: &RenewalsConfig, at: &Span) -> Checked {
    check_days(file, "renewals.lead_days", of.lead_days, 0, at)?;
    check_days(file, "renewals.grace_days", of.grace_days, 0, at)?;
    match (&of.due, of.renewed.is_empty()) {
        (Some(_), true) => {
            if source(file, &of.source, at.clone())?.date.is_none() {
                let message = format!("evaluation.renewals: source `{}` has no dates", of.source);
                return refuse(file, at, message, "name a source whose rows say from when on a contract runs");
            }
            if !file.has_churn_days() {
                let message = "evaluation.renewals: `due` needs a churn target whose rule tells a day".to_owned();
                let help = "use the rule event, no_subscription or no_activity with `days`, or give `renewed`";
                return refuse(file, at, message, help);
            }
            Ok(())
        }
        (None, false) if of.grace_days > 0 => {
            let message = "evaluation.renewals: `grace_days` goes with `due`".to_owned();
            refuse(file, at, message, "take it away: `renewed` says what became of each row")
        }
        (None, false) => need_kind(file, &of.source, SourceKind::Event, at.clone()),
        (Some(_), false) | (None, true) => {
            let message = "evaluation.renewals needs one of `due` and `renewed`".to_owned();
            let help = "`due` names the column with the day of renewal, `renewed` the rows that renewed";
            refuse(file, at, message, help)
        }
    }
}

fn check_score_use(file: &BookFile, of: &ScoreUseConfig, at: &Span) -> Checked {
    need_kind(file, &of.source, SourceKind::Event, at.clone())?;
    for (name, conditions) in [("referenced", &of.referenced), ("score_driven", &of.score_driven)] {
        if conditions.is_empty() {
            let message = format!("evaluation.score_use: `{name}` names no condition, so every row would meet it");
            return refuse(file, at, message, "say which rows, as in [{ column = \"from\", in = [\"alert\"] }]");
        }
    }
    Ok(())
}

fn check_costs(file: &BookFile, costs: &CostsConfig, at: &Span) -> Checked {
    for (name, value, most) in [
        ("contact", costs.contact, f64::INFINITY),
        ("success_rate", costs.success_rate, 1.0),
        ("years_lost", costs.years_lost, f64::INFINITY),
    ] {
        if !(value >= 0.0 && value <= most && value.is_finite()) {
            let rule = if most == 1.0 { "within 0..=1" } else { "finite and at least 0" };
            let message = format!("evaluation.costs.{name} is {value}; it must be {rule}");
            return Err(file.error(at.clone(), message, None));
        }
    }
    if costs.capacity.contains(&0) || !costs.capacity.windows(2).all(|pair| pair[0] < pair[1]) {
        let message = format!("evaluation.costs.capacity is {:?}; it must rise from 1 or more", costs.capacity);
        return refuse(file, at, message, "write how many accounts can be contacted, as in [25, 50, 100]");
    }
    Ok(())
}

fn check_margins(file: &BookFile, margins: &MarginsConfig, at: &Span) -> Checked {
    for (name, value) in [("auc", margins.auc), ("log_loss", margins.log_loss), ("brier", margins.brier)] {
        if !(value >= 0.0 && value.is_finite()) {
            let message = format!("evaluation.margins.{name} is {value}; it must be finite and at least 0");
            return refuse(file, at, message, "say how much may be lost without being worse");
        }
    }
    Ok(())
}

fn check_days(file: &BookFile, name: &str, days: u32, least: u32, at: &Span) -> Checked {
    if (least..=MAX_DAYS).contains(&days) {
        return Ok(());
    }
    let message = format!("evaluation.{name} is {days}; it must be within {least}..={MAX_DAYS}");
    Err(file.error(at.clone(), message, None))
}

fn refuse(file: &BookFile, at: &Span, message: String, help: &str) -> Checked {
    Err(file.error(at.clone(), message, Some(help.to_owned())))
}

impl BookFile {
    /// Whether the book's churn rule tells the day of a churn.
    pub(crate) fn has_churn_days(&self) -> bool {
        let churn = self.config.targets.churn.as_ref().map(toml::Spanned::get_ref);
        churn.is_some_and(TargetRule::tells_days)
    }
}
