//! The audit: what is wrong with a book's data, and what a model could know that it must not.
//!
//! Each family of rules is a file. Rows are read once, part by part; all else is told from the feature table. What the
//! rules are, with their limits and where these come from, is one table: [`RULES`].

mod agree;
mod catalogue;
mod columns;
mod days;
mod feeds;
mod finding;
mod life;
mod replay;
mod rows;
mod sample;
mod signal;
mod split;
mod twins;
mod whole_rows;

use bellwether_core::{Date, Progress};

use crate::{Book, BookError, FeatureTable, Split};

pub use catalogue::{RULES, Rule};
pub use days::{FeatureDay, FeatureDays};
pub use finding::{Finding, Severity};
pub use replay::Replay;

/// What an audit found, and what its plots show.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// What is wrong, by severity, the most severe first, then by id. Waived ones are among them.
    pub findings: Vec<Finding>,
    /// The rows of each source with dates, by month.
    pub sources: Vec<SourceMonths>,
    /// The models' features by snapshot day; empty for a book without dates.
    pub features: Vec<FeatureDays>,
    /// What became of features when what came later was erased.
    pub replay: Replay,
}

/// The rows of a source by month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMonths {
    /// The source.
    pub name: String,
    /// The last day of each month from the source's first to its last, and how many rows have a date in it.
    pub months: Vec<(Date, usize)>,
}

impl Audit {
    /// The findings of severity error that nobody waived: what `train` refuses.
    pub fn refused(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|found| found.severity == Severity::Error && found.waived.is_none())
    }
}

impl Book {
    /// Audits the book: its rows, `table`, which is its history, and `split`, where there is one. What is drawn, is
    /// drawn with `seed`.
    ///
    /// # Errors
    /// [`BookError`] where rows can't be read again.
    pub fn audit(
        &self,
        table: &FeatureTable,
        split: Option<&Split>,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Audit, BookError> {
        progress.begin("audit", 0);
        let read = rows::read(self)?;
        let mut findings = life::findings(self, &read);
        findings.extend(feeds::findings(self, &read));
        findings.extend(whole_rows::findings(self, &read, seed)?);
        findings.extend(agree::findings(self, &read));
        findings.extend(twins::findings(self, table, split, &read));
        let (features, of_days) = days::by_day(self, table, split);
        findings.extend(of_days);
        findings.extend(columns::findings(self, table, split, &read));
        findings.extend(split::findings(self, table, split));
        findings.extend(signal::findings(self, table, split, &read, seed));
        let (replay, of_replay) = replay::replay(self, table, seed)?;
        findings.extend(of_replay);
        progress.end();
        Ok(Audit {
            findings: finding::waived(findings, &self.file().config.check.waive),
            sources: read.months(),
            features,
            replay,
        })
    }
}
