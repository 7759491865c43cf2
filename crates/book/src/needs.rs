//! Which columns of which source are read, and for what.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::config::{Active, Aggregate, BookFile, Condition, TargetRule, ValueType};
use crate::source::{ColumnUse, Needs};

/// By source.
pub(crate) type NeedsOfSources = BTreeMap<String, Needs>;

/// What features, targets and accounts need.
pub(crate) fn of_features(file: &BookFile) -> NeedsOfSources {
    let mut needs = NeedsOfSources::new();
    need(&mut needs, file.config.accounts.from.get_ref(), None, &[]);
    if let Some(Active::Subscription { source } | Active::Activity { source, .. }) = &file.config.accounts.active {
        need(&mut needs, source, None, &[]);
    }
    for feature in file.declared() {
        let wanted = match (feature.r#type, feature.aggregate) {
            (ValueType::Text, _) => ColumnUse::Text,
            (_, aggregate) if aggregate.is_of_texts() => ColumnUse::Value,
            (_, Aggregate::DaysUntil) => ColumnUse::DateAsNumber,
            _ => ColumnUse::Number,
        };
        let column = feature.column.as_ref().map(|column| (column.get_ref().as_str(), wanted));
        need(&mut needs, &feature.from, column, &[&feature.filter]);
    }
    for agree in &file.config.check.agree {
        need(&mut needs, agree.source.get_ref(), Some((agree.column.get_ref(), ColumnUse::Text)), &[]);
    }
    for (_, rule) in file.outcomes() {
        of_target(&mut needs, rule.get_ref());
    }
    needs
}

/// What the churn days and `[evaluation]` need, and the accounts.
pub(crate) fn of_evaluation(file: &BookFile) -> NeedsOfSources {
    let mut needs = NeedsOfSources::new();
    need(&mut needs, file.config.accounts.from.get_ref(), None, &[]);
    let evaluation = &file.config.evaluation;
    if let Some(of) = evaluation.interventions.as_ref().map(Spanned::get_ref) {
        let kind = of.kind.as_ref().map(|kind| (kind.as_str(), ColumnUse::Text));
        need(&mut needs, &of.source, kind, &[&of.filter, &of.control]);
    }
    if let Some(of) = evaluation.renewals.as_ref().map(Spanned::get_ref) {
        let due = of.due.as_ref().map(|due| (due.as_str(), ColumnUse::DateAsNumber));
        need(&mut needs, &of.source, due, &[&of.filter, &of.renewed]);
    }
    if let Some(of) = evaluation.score_use.as_ref().map(Spanned::get_ref) {
        need(&mut needs, &of.source, None, &[&of.filter, &of.referenced, &of.score_driven]);
    }
    if let Some(rule) = file.config.targets.churn.as_ref().filter(|_| file.has_churn_days()) {
        of_target(&mut needs, rule.get_ref());
    }
    needs
}

fn of_target(needs: &mut NeedsOfSources, rule: &TargetRule) {
    match rule {
        TargetRule::Event { source, filter } | TargetRule::NoActivity { source, filter, .. } => {
            need(needs, source, None, &[filter]);
        }
        TargetRule::NoSubscription { source, .. } => need(needs, source, None, &[]),
        TargetRule::RecurringRevenueUp { source, column, .. }
        | TargetRule::RecurringRevenueDown { source, column, .. }
        | TargetRule::SpendUp { source, column, .. }
        | TargetRule::SpendDown { source, column, .. } => need(needs, source, Some((column, ColumnUse::Number)), &[]),
        TargetRule::Column { source, column, .. } => need(needs, source, Some((column, ColumnUse::Text)), &[]),
    }
}

fn need(needs: &mut NeedsOfSources, source: &str, column: Option<(&str, ColumnUse)>, conditions: &[&[Condition]]) {
    let columns = &mut needs.entry(source.to_owned()).or_default().columns;
    columns.extend(column.map(|(column, wanted)| (column.to_owned(), wanted)));
    for condition in conditions.iter().copied().flatten() {
        let wanted = if condition.is_numeric() { ColumnUse::Number } else { ColumnUse::Text };
        columns.insert((condition.column.clone(), wanted));
    }
}
