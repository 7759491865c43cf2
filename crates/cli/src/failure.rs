//! Exit codes, and what each kind of failure means.

use bellwether_book::{BookError, ConfigError, FeatureFileError, TableError};
use bellwether_bundle::BundleError;
use bellwether_onnx::ImportError;
use bellwether_registry::RegistryError;
use bellwether_score::ScoreError;
use bellwether_simulate::SimulateError;

/// Everything that was asked for was done.
pub(crate) const DONE: u8 = 0;
/// Something that should not happen.
pub(crate) const UNEXPECTED: u8 = 1;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// The input or the configuration is invalid.
pub(crate) const INVALID: u8 = 3;
/// The input is valid, and an honest result can't be had from it.
pub(crate) const REFUSED: u8 = 4;
/// A bundle is not what was written.
pub(crate) const VERIFICATION: u8 = 5;

/// What to do about a scorecard that breaks a rule.
pub(crate) const SCORECARD_HINT: &str = "see [scorecard] and the features' `good` in book.toml";
/// The same of a readiness.
pub(crate) const READINESS_HINT: &str = "see [readiness] in book.toml";

/// A failed command: the exit code, what happened and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: u8, error: impl Into<anyhow::Error>, hint: Option<&str>) -> Self {
        Self { code, error: error.into(), hint: hint.map(str::to_owned) }
    }

    pub(crate) fn refused(message: String, hint: &str) -> Self {
        Self::new(REFUSED, anyhow::Error::msg(message), Some(hint))
    }

    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    /// What happened, where it is the input that an honest result can't be had from; else the failure itself.
    pub(crate) fn of_input(self) -> Result<String, Self> {
        if [INVALID, REFUSED].contains(&self.code) { Ok(self.told()) } else { Err(self) }
    }

    /// What happened, with its causes.
    pub(crate) fn told(&self) -> String {
        format!("{:#}", self.error)
    }

    /// Says it on stderr: the error with its causes, a line of the configuration where there is one, and the hint.
    pub(crate) fn print(&self) {
        match self.error.downcast_ref::<ConfigError>() {
            Some(config) => eprintln!("{}", config.rendered()),
            None => eprintln!("error: {:#}", self.error),
        }
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: UNEXPECTED, error, hint: None }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { code: UNEXPECTED, error: error.into(), hint: None }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Self { code: INVALID, error: error.into(), hint }
    }
}

impl From<BookError> for Failure {
    fn from(error: BookError) -> Self {
        let hint = error.hint();
        let code = match &error {
            BookError::TooFew { .. }
            | BookError::SingleClass { .. }
            | BookError::NoRows { .. }
            | BookError::Stale { .. }
            | BookError::TooFewOrigins { .. }
            | BookError::NothingBeforeSplit { .. } => REFUSED,
            _ => INVALID,
        };
        match error {
            BookError::Config(config) => config.into(),
            error => Self { code, error: error.into(), hint },
        }
    }
}

impl From<FeatureFileError> for Failure {
    fn from(error: FeatureFileError) -> Self {
        let hint = error.hint();
        Self { code: INVALID, error: error.into(), hint }
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        let (code, hint) = match &error {
            TableError::UnknownForm(_) => (USAGE, None),
            TableError::AtWork(_) => (REFUSED, Some("wait until it is done, or name another output")),
            TableError::NoFolder { .. } => (USAGE, Some("make the folder, or name another one")),
            _ => (UNEXPECTED, None),
        };
        Self::new(code, error, hint)
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let hint = "the bundle is not what was written; restore it from a copy, or train again";
        Self::new(VERIFICATION, error, Some(hint))
    }
}

impl From<ScoreError> for Failure {
    fn from(error: ScoreError) -> Self {
        let hint = "nothing was scored; restore the bundle from a copy, or train again";
        Self::new(VERIFICATION, error, Some(hint))
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Onnx(error) => Self::new(INVALID, error, Some("name an ONNX file as its exporter wrote it")),
            error => {
                let hint = "what is read: a classifier with labels 0 and 1, on numbers: trees or straight lines, behind \
                            imputers and scalers, or layers and other operators that compute row by row; export that \
                            alone, or train with bellwether";
                Self::new(REFUSED, error, Some(hint))
            }
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Bundle(error) => error.into(),
            error @ RegistryError::NotFound { .. } => {
                let hint = "name a bundle's folder, or MODELS/NAME for its newest version";
                Self::new(INVALID, error, Some(hint))
            }
            error @ (RegistryError::Audit { .. }
            | RegistryError::Index { .. }
            | RegistryError::Disagree(_)
            | RegistryError::Replaced { .. }) => {
                let hint = "the models folder was changed by other hands; restore it from a copy";
                Self::new(VERIFICATION, error, Some(hint))
            }
            error => Self::new(UNEXPECTED, error, None),
        }
    }
}

impl From<SimulateError> for Failure {
    fn from(error: SimulateError) -> Self {
        Self::new(INVALID, error, None)
    }
}

impl From<bellwether_health::HealthError> for Failure {
    fn from(error: bellwether_health::HealthError) -> Self {
        Self::new(INVALID, error, Some(SCORECARD_HINT))
    }
}

impl From<bellwether_learn::LearnError> for Failure {
    fn from(error: bellwether_learn::LearnError) -> Self {
        Self::new(REFUSED, error, None)
    }
}

/// Says where an error that should not happen came from.
pub(crate) trait Unexpected<T> {
    fn unexpected(self, doing: &'static str) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Unexpected<T> for Result<T, E> {
    fn unexpected(self, doing: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure::from(error.into().context(doing)))
    }
}
