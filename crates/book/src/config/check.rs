//! The rules of `book.toml` that no type can state.

use super::feature::MIN_PERIODS;
use super::{
    Aggregate, BookFile, Change, ConfigError, DeclaredFeature, FeatureDeclaration, Source, SourceKind, Span, SplitKind,
    TargetRule, ValueType,
};

mod evaluation;
mod targets;

type Checked = Result<(), ConfigError>;

const LEARNERS: [&str; 8] =
    ["scorecard", "logistic", "logistic_linfa", "tree", "tree_linfa", "forest", "forest_smartcore", "boosted"];

pub(super) fn check(file: &BookFile) -> Checked {
    check_name(file)?;
    check_accounts(file)?;
    targets::check(file)?;
    check_features(file)?;
    check_uses_of_features(file)?;
    super::cohort::check(file)?;
    check_training(file)?;
    evaluation::check(file)?;
    super::reasons::check(file)?;
    check_audit(file)
}

/// `help` that lists what there is, the nearest first.
pub(super) fn choose_from<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.collect();
    known.sort_by_key(|name| (strsim::levenshtein(wanted, name), *name));
    let nearest = known.first()?;
    Some(format!("did you mean `{nearest}`? known here: {}", known.join(", ")))
}

fn check_name(file: &BookFile) -> Checked {
    let name = file.config.name.get_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        return Ok(());
    }
    let message = format!("name `{name}` is not usable; names are letters, digits, `-` and `_`");
    Err(file.error(file.config.name.span(), message, None))
}

pub(super) fn source<'a>(file: &'a BookFile, name: &str, at: Span) -> Result<&'a Source, ConfigError> {
    file.config.sources.get(name).ok_or_else(|| {
        let help = choose_from(name, file.config.sources.keys().map(|known| known.get_ref().as_str()));
        file.error(at, format!("there is no source `{name}`"), help)
    })
}

/// The rules of `[sources]`.
pub(super) fn check_sources(file: &BookFile) -> Checked {
    for (name, source) in &file.config.sources {
        let refuse = |message: String, help: &str| Err(file.error(name.span(), message, Some(help.to_owned())));
        let name = name.get_ref();
        match (&source.account, &source.account_via) {
            (None, None) => {
                return refuse(format!("source `{name}` names no account column"), "add `account = \"...\"`");
            }
            (Some(_), Some(_)) => {
                return refuse(format!("source `{name}` has both account and account_via"), "keep one of them");
            }
            (None, Some(via)) => {
                let other = self::source(file, via.source.get_ref(), via.source.span())?;
                if other.account.is_none() {
                    let message = format!("source `{}` has no account column to look up", via.source.get_ref());
                    return Err(file.error(via.source.span(), message, None));
                }
            }
            (Some(_), None) => {}
        }
        let needs_date = matches!(source.kind, SourceKind::Snapshot | SourceKind::Event | SourceKind::Subscription);
        if needs_date && source.date.is_none() {
            return refuse(format!("source `{name}` needs a date column"), "add `date = \"...\"`");
        }
        if source.kind == SourceKind::Labelled && (source.date.is_some() || source.known_at.is_some()) {
            return refuse(
                format!("source `{name}` is labelled and so has no dates"),
                "take away `date` and `known_at`, or use kind = \"snapshot\"",
            );
        }
        if source.end.is_some() && source.kind != SourceKind::Subscription {
            return refuse(format!("source `{name}` has an end"), "only kind = \"subscription\" has `end`");
        }
        for derived in &source.derived {
            if derived.derivation().is_none() {
                let message = format!("derived column `{}` has no rule, or several", derived.name.get_ref());
                let help = "give it one of multiply, divide, subtract, days_between and sentiment_of".to_owned();
                return Err(file.error(derived.name.span(), message, Some(help)));
            }
        }
        if !source.separator.is_ascii() {
            return refuse(format!("separator `{}` is not one byte", source.separator), "use an ASCII character");
        }
    }
    Ok(())
}

fn check_accounts(file: &BookFile) -> Checked {
    let accounts = &file.config.accounts;
    source(file, accounts.from.get_ref(), accounts.from.span())?;
    let (name, kind) = match &accounts.active {
        None => return Ok(()),
        Some(super::Active::Subscription { source }) => (source, SourceKind::Subscription),
        Some(super::Active::Activity { source, .. }) => (source, SourceKind::Event),
    };
    need_kind(file, name, kind, accounts.from.span())
}

fn need_kind(file: &BookFile, name: &str, kind: SourceKind, at: Span) -> Checked {
    let source = source(file, name, at.clone())?;
    if source.kind == kind {
        return Ok(());
    }
    let message = format!("source `{name}` is of kind {:?}; this rule needs {kind:?}", source.kind);
    Err(file.error(at, message, None))
}

fn check_features(file: &BookFile) -> Checked {
    let mut seen: Vec<String> = Vec::new();
    for declared in &file.config.features {
        let at = declared.name.as_ref().map_or_else(|| declared.from.span(), toml::Spanned::span);
        let refuse = |message: String, help: &str| Err(file.error(at.clone(), message, Some(help.to_owned())));
        let source = source(file, declared.from.get_ref(), declared.from.span())?;
        let features = declared.expand();
        let Some(first) = features.first() else {
            return refuse("this feature has no name".to_owned(), "add `name`, `column` or `columns`");
        };
        let name = &first.name;
        for feature in &features {
            if seen.contains(&feature.name) {
                return refuse(format!("feature `{}` is declared twice", feature.name), "give one another `name`");
            }
            seen.push(feature.name.clone());
        }
        if declared.aggregate.needs_column() && features.iter().any(|feature| feature.column.is_none()) {
            return refuse(format!("feature `{name}` aggregates no column"), "add `column`");
        }
        let is_pick = matches!(declared.aggregate, Aggregate::Last | Aggregate::First);
        if declared.r#type == ValueType::Text && (!is_pick || declared.change.is_some() || declared.per.is_some()) {
            return refuse(
                format!("feature `{name}` is a text, which only `last` and `first` give, without change or per"),
                "take away `type = \"text\"`, or use aggregate = \"distinct\"",
            );
        }
        check_times(file, declared, name, at.clone())?;
        if source.kind == SourceKind::Labelled && (declared.window.is_some() || !is_pick) {
            return refuse(
                format!("feature `{name}` is from a table without dates, where a row is a value"),
                "use aggregate = \"last\" (the default) without window",
            );
        }
        let dated = source.date.is_some() || source.kind == SourceKind::Labelled;
        if !dated && (declared.window.is_some() || declared.lag.is_some() || declared.aggregate.needs_dates()) {
            return refuse(
                format!("feature `{name}` needs dates and source `{}` has none", declared.from.get_ref()),
                "name the source's `date`",
            );
        }
        if let Some(per) = &declared.per {
            let earlier = &seen[..seen.len() - features.len()];
            if !earlier.contains(per.get_ref()) {
                let help = choose_from(per.get_ref(), earlier.iter().map(String::as_str));
                let message = format!("feature `{name}` is per `{}`, which is no earlier feature", per.get_ref());
                return Err(file.error(per.span(), message, help));
            }
            let is_it = |other: &DeclaredFeature| &other.name == per.get_ref() && other.r#type == ValueType::Text;
            if file.declared().iter().any(is_it) {
                let message = format!("feature `{name}` is per `{}`, which is a text", per.get_ref());
                return Err(file.error(per.span(), message, Some("divide by a number".to_owned())));
            }
        }
    }
    if file.config.cohort.is_none() && file.declared().iter().all(|feature| feature.helper) {
        return Err(file.error(0..0, "no feature is declared; a model needs at least one".to_owned(), None));
    }
    Ok(())
}

/// The rules of window, change and lag.
fn check_times(file: &BookFile, declared: &FeatureDeclaration, name: &str, at: Span) -> Checked {
    let refuse = |message: String, help: &str| Err(file.error(at, message, Some(help.to_owned())));
    let has_window = declared.window.is_some();
    let is_z_score = declared.change == Some(Change::ZScore);
    if !has_window && (declared.aggregate.needs_window() || declared.from_start || is_z_score) {
        return refuse(format!("feature `{name}` needs a window"), "add `window = \"30d\"`");
    }
    if !has_window && declared.change.is_some() && declared.lag.is_none() {
        return refuse(
            format!("feature `{name}` is a change without window or lag"),
            "add `window = \"30d\"`, or `lag = \"90d\"` to compare with the state so much earlier",
        );
    }
    if declared.lag.is_some() && (declared.change.is_none() || is_z_score) {
        return refuse(
            format!("feature `{name}` has a lag, which only change = \"difference\" or \"ratio\" has"),
            "add `change`, or take away `lag`",
        );
    }
    if declared.periods.is_some_and(|periods| periods < MIN_PERIODS || !is_z_score) {
        return refuse(
            format!("feature `{name}` has periods, of which change = \"z_score\" has at least {MIN_PERIODS}"),
            "raise `periods`, or take it away",
        );
    }
    if declared.from_start && declared.change.is_some() {
        return refuse(
            format!("feature `{name}` begins with the account's first day, where there is no earlier window"),
            "take away `change` or `from_start`",
        );
    }
    let of_start = declared.from_start || declared.aggregate == Aggregate::DaysToFirst;
    if of_start && file.config.sources[file.config.accounts.from.get_ref().as_str()].date.is_none() {
        return refuse(
            format!("feature `{name}` counts from the account's first day, which the accounts' source does not tell"),
            "name the `date` of the accounts' source",
        );
    }
    Ok(())
}

fn check_uses_of_features(file: &BookFile) -> Checked {
    let declared = file.declared();
    let config = &file.config;
    let need = |name: &toml::Spanned<String>, kind: Option<ValueType>| -> Checked {
        let found = declared.iter().find(|feature| &feature.name == name.get_ref());
        match (found, kind) {
            (None, _) => {
                let help = choose_from(name.get_ref(), declared.iter().map(|feature| feature.name.as_str()));
                Err(file.error(name.span(), format!("there is no feature `{}`", name.get_ref()), help))
            }
            (Some(found), Some(kind)) if found.r#type != kind => {
                let message = format!("feature `{}` must be a {kind:?} here", name.get_ref());
                Err(file.error(name.span(), message, None))
            }
            _ => Ok(()),
        }
    };
    for segment in &config.segments {
        let kind = if segment.edges.is_empty() { ValueType::Text } else { ValueType::Number };
        need(&segment.feature, Some(kind))?;
        if !segment.edges.windows(2).all(|pair| pair[0] < pair[1]) {
            let message = format!("segment `{}`: edges must rise, got {:?}", segment.name, segment.edges);
            return Err(file.error(segment.feature.span(), message, None));
        }
    }
    if let Some(value) = &config.value {
        need(&value.feature, Some(ValueType::Number))?;
    }
    match (&config.split.group, config.split.kind) {
        (Some(group), Some(SplitKind::Grouped)) => need(group, Some(ValueType::Text)),
        (Some(group), _) => {
            Err(file.error(group.span(), "split.group needs split.kind = \"grouped\"".to_owned(), None))
        }
        (None, Some(SplitKind::Grouped)) => {
            Err(file.error(0..0, "split.kind = \"grouped\" needs split.group".to_owned(), None))
        }
        (None, _) => Ok(()),
    }
}

/// Lists of features by outcome name inputs of models.
fn check_features_of_outcomes(file: &BookFile) -> Checked {
    let declared = file.declared();
    let inputs = declared.iter().filter(|of| !of.helper).map(|of| of.name.clone());
    let with_percentile = file.cohort().into_iter().flat_map(|cohort| &cohort.features);
    let percentiles = with_percentile.map(|of| format!("{}{}", of.get_ref(), bellwether_core::PERCENTILE_SUFFIX));
    let known: Vec<String> = inputs.chain(percentiles).collect();
    for (outcome, features) in &file.config.train.features {
        let unknown = features.iter().find(|name| !known.contains(name.get_ref()));
        if let Some(name) = unknown {
            let message = format!("train.features.{}: no model reads a feature `{}`", outcome.name(), name.get_ref());
            let help = choose_from(name.get_ref(), known.iter().map(String::as_str));
            return Err(file.error(name.span(), message, help));
        }
        if features.is_empty() {
            let message = format!("train.features.{} lists no feature", outcome.name());
            return Err(file.error(0..0, message, Some("take it away, or name what its models may read".to_owned())));
        }
    }
    Ok(())
}

fn check_training(file: &BookFile) -> Checked {
    let (split, train) = (&file.config.split, &file.config.train);
    for learner in &train.learners {
        if !LEARNERS.contains(&learner.get_ref().as_str()) {
            let help = choose_from(learner.get_ref(), LEARNERS.into_iter());
            return Err(file.error(learner.span(), format!("there is no learner `{}`", learner.get_ref()), help));
        }
    }
    check_features_of_outcomes(file)?;
    for (name, share) in [("test_share", split.test_share), ("calibration_share", split.calibration_share)] {
        if share.is_some_and(|share| !(share > 0.0 && share < 1.0)) {
            let message = format!("split.{name} is {}; it must be above 0 and below 1", share.unwrap_or(0.0));
            return Err(file.error(0..0, message, None));
        }
    }
    let reach_days = file.reach_days();
    if let Some(days) = split.purge_days.filter(|&days| days < reach_days) {
        let message = format!(
            "split.purge_days is {days}, shorter than the {reach_days} days that labels reach (the longest horizon and \
             grace_days): training outcomes would reach into the test part"
        );
        return Err(file.error(0..0, message, Some(format!("take it away or make it at least {reach_days}"))));
    }
    if !(0.0..=1.0).contains(&train.min_coverage) {
        let message = format!("train.min_coverage is {}; it must be within 0..=1", train.min_coverage);
        return Err(file.error(0..0, message, None));
    }
    super::learners::check(file)
}

fn check_audit(file: &BookFile) -> Checked {
    for agree in &file.config.check.agree {
        source(file, agree.source.get_ref(), agree.source.span())?;
        let refuse = |message: String| Err(file.error(agree.with.span(), message, None));
        let outcome = *agree.with.get_ref();
        let rule =
            file.outcomes().into_iter().find(|(declared, _)| *declared == outcome).map(|(_, rule)| rule.get_ref());
        match rule {
            None => return refuse(format!("check.agree: there is no target `{}`", outcome.name())),
            Some(TargetRule::Event { .. } | TargetRule::NoSubscription { .. }) => {}
            Some(_) => {
                return refuse(format!(
                    "check.agree: the rule of target `{}` has no dated outcome; `event` and `no_subscription` have",
                    outcome.name()
                ));
            }
        }
        if agree.positive.is_empty() {
            return refuse("check.agree: `positive` lists no text".to_owned());
        }
    }
    for waiver in &file.config.check.waive {
        if waiver.reason.trim().is_empty() {
            let message = format!("the waiver of `{}` gives no reason", waiver.id.get_ref());
            let help = "say in `reason` why the finding is accepted; it is stored in the bundle";
            return Err(file.error(waiver.id.span(), message, Some(help.to_owned())));
        }
    }
    Ok(())
}
