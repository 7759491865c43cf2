//! `[cohort]`: which features the models also see as percentiles among like accounts.

use serde::Deserialize;
use toml::Spanned;

use bellwether_core::PERCENTILE_SUFFIX;

use super::check::choose_from;
use super::{BookFile, ConfigError, ValueType};

/// Cohorts, and the features whose percentile in an account's cohort is one more feature, `<feature>_percentile`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortConfig {
    /// Names of segments, coarse to fine. A cohort's parent leaves the last out; the last parent is everybody.
    pub by: Vec<Spanned<String>>,
    /// Number features; helpers may serve.
    pub features: Vec<Spanned<String>>,
    /// Accounts that a cohort needs to weigh as much as its parent; 50.
    #[serde(default = "fifty")]
    pub shrinkage: Spanned<f64>,
    /// Distinct accounts that a cohort needs in the training rows; its parent stands in for a thinner one. 10.
    #[serde(default = "ten")]
    pub min_accounts: usize,
}

fn fifty() -> Spanned<f64> {
    Spanned::new(0..0, 50.0)
}

const fn ten() -> usize {
    10
}

impl BookFile {
    /// The cohorts, where the book has any.
    pub fn cohort(&self) -> Option<&CohortConfig> {
        self.config.cohort.as_ref().map(Spanned::get_ref)
    }
}

pub(super) fn check(file: &BookFile) -> Result<(), ConfigError> {
    let Some(spanned) = &file.config.cohort else { return Ok(()) };
    let cohort = spanned.get_ref();
    let refuse =
        |at: &Spanned<String>, message: String, help: Option<String>| Err(file.error(at.span(), message, help));
    let is_repeated = |list: &[Spanned<String>], place: usize| list[..place].iter().any(|name| name == &list[place]);
    for (list, what) in [(&cohort.by, "by"), (&cohort.features, "features")] {
        if list.is_empty() {
            let help = "name some, or take [cohort] away".to_owned();
            return Err(file.error(spanned.span(), format!("cohort.{what} names nothing"), Some(help)));
        }
        if let Some(place) = (0..list.len()).find(|&place| is_repeated(list, place)) {
            return refuse(&list[place], format!("cohort.{what} names `{}` twice", list[place].get_ref()), None);
        }
    }
    let segments = || file.config.segments.iter().map(|segment| segment.name.as_str());
    for name in &cohort.by {
        match segments().filter(|segment| segment == name.get_ref()).count() {
            1 => {}
            0 => {
                let help = choose_from(name.get_ref(), segments());
                let help = help.or_else(|| Some("declare it: [[segments]] with `name` and `feature`".to_owned()));
                return refuse(name, format!("there is no segment `{}`", name.get_ref()), help);
            }
            _ => {
                let help = Some("give one another `name`".to_owned());
                return refuse(name, format!("segment `{}` is declared twice", name.get_ref()), help);
            }
        }
    }
    let declared = file.declared();
    for name in &cohort.features {
        let Some(found) = declared.iter().find(|feature| &feature.name == name.get_ref()) else {
            let help = choose_from(name.get_ref(), declared.iter().map(|feature| feature.name.as_str()));
            return refuse(name, format!("there is no feature `{}`", name.get_ref()), help);
        };
        if found.r#type == ValueType::Text {
            return refuse(name, format!("feature `{}` is a text, which has no percentile", found.name), None);
        }
        let percentile = format!("{}{PERCENTILE_SUFFIX}", found.name);
        if declared.iter().any(|feature| feature.name == percentile) {
            let help = Some(format!("give the feature `{percentile}` another name"));
            return refuse(name, format!("`{percentile}` is a declared feature and a percentile"), help);
        }
    }
    let shrinkage = *cohort.shrinkage.get_ref();
    if !(shrinkage.is_finite() && shrinkage >= 0.0) {
        let message = format!("cohort.shrinkage is {shrinkage}; it must be finite and at least 0");
        return Err(file.error(cohort.shrinkage.span(), message, None));
    }
    Ok(())
}
