//! From a book to rows that a learner can take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellwether_book::{Book, BookError, Facts, FeatureTable, History, PartialLabels, Split, SplitPlan};
use bellwether_core::{Digest, Encoding, FeatureMatrix, FeatureSchema, Outcome, Progress, Target};
use bellwether_health::{Scorecard, learn_on_history};
use bellwether_score::Scorer;

use crate::failure::{Failure, INVALID, READINESS_HINT, Unexpected as _};
use crate::pipeline::practice::Unseen;
use crate::pipeline::weights::Happened;

/// A book's history, split before anything was learnt, and what was learnt on training rows before any model.
pub(crate) struct Prepared {
    pub(crate) book: Arc<Book>,
    pub(crate) table: Arc<FeatureTable>,
    pub(crate) split: Split,
    pub(crate) encoding: Encoding,
    pub(crate) schema: FeatureSchema,
    pub(crate) x: FeatureMatrix,
    pub(crate) scorecard: Scorecard,
    /// The expansion readiness, where the book declares one.
    pub(crate) readiness: Option<Scorecard>,
    pub(crate) warnings: Vec<String>,
    /// Each source's content.
    pub(crate) digests: BTreeMap<String, Digest>,
    /// What evidence is drawn from beside features and labels.
    pub(crate) facts: Arc<Facts>,
}

/// The three parts of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Training,
    Calibration,
    Test,
}

impl Part {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Calibration => "calibration",
            Self::Test => "test",
        }
    }
}

/// Rows of one target and part, with their labels.
#[derive(Clone)]
pub(crate) struct LabelledRows {
    pub(crate) rows: Vec<usize>,
    pub(crate) y: Vec<bool>,
}

/// A book's history, before anything is asked of it; shared by all that is prepared of it.
pub(crate) struct Built {
    pub(crate) book: Arc<Book>,
    pub(crate) table: Arc<FeatureTable>,
    digests: BTreeMap<String, Digest>,
    /// What evidence is drawn from beside features and labels.
    facts: Arc<Facts>,
}

impl Built {
    pub(crate) fn of(book: Book, progress: &dyn Progress) -> Result<Self, Failure> {
        let History { table, digests } = book.history(&book.snapshot_days(), progress)?;
        // Read before anything is fitted, so that what is wrong with it is said at once.
        let facts = Arc::new(book.facts(progress)?);
        Ok(Self { book: Arc::new(book), table: Arc::new(table), digests, facts })
    }
}

impl Prepared {
    pub(crate) fn of(built: &Built, seed: u64) -> Result<Self, Failure> {
        check_minimums(&built.book, &built.table)?;
        let split = built.book.split(&built.table, seed)?;
        Self::on(built, split)
    }

    /// Learns what comes before any model on the training rows of `split`.
    pub(crate) fn on(built: &Built, split: Split) -> Result<Self, Failure> {
        let Built { book, table, digests, facts } = built;
        let encoding = book.learn_encoding(table, &split.training)?;
        let schema = encoding.schema().unexpected("naming the features")?;
        let x = encoding.encode(&table.raw).map_err(BookError::from)?;
        let spec = book.file().config.scorecard.as_ref();
        let happened = Happened::of(book, table);
        let (scorecard, warnings) = learn_on_history(spec, &schema, &x, &split.training, &happened.history(table))?;
        let readiness = readiness(book, &schema, &x, &split)?;
        let (book, table, facts, digests) = (Arc::clone(book), Arc::clone(table), Arc::clone(facts), digests.clone());
        Ok(Self { book, table, split, encoding, schema, x, scorecard, readiness, warnings, digests, facts })
    }

    /// The scorecard that is the baseline of an outcome.
    pub(crate) fn baseline(&self, outcome: Outcome) -> &Scorecard {
        let readiness = self.readiness.as_ref().filter(|_| outcome == Outcome::Expansion);
        readiness.unwrap_or(&self.scorecard)
    }

    /// The rows that models of an outcome learn from: features that they may not read are missing throughout, and what is
    /// always missing changes no model.
    pub(crate) fn training_matrix(&self, outcome: Outcome, rows: &[usize]) -> Result<FeatureMatrix, Failure> {
        let x = self.x.select(rows);
        let Some(features) = self.book.file().config.train.features.get(&outcome) else { return Ok(x) };
        let is_read = |name: &str| features.iter().any(|feature| feature.get_ref() == name);
        let inputs = self.encoding.inputs.iter();
        let read = inputs.flat_map(|input| std::iter::repeat_n(is_read(&input.name), input.n_columns()));
        let column = |(column, is_read): (usize, bool)| {
            if is_read { x.column(column).to_vec() } else { vec![f32::NAN; x.n_rows()] }
        };
        FeatureMatrix::from_columns(&read.enumerate().map(column).collect::<Vec<_>>())
            .unexpected("leaving features out")
    }

    /// Outcome by outcome, the main horizon first.
    pub(crate) fn targets(&self) -> Vec<Target> {
        self.book.file().targets()
    }

    /// The rows that nothing was learnt from, with what scores them.
    pub(crate) fn unseen<'a>(&'a self, scorer: &'a Scorer, seed: u64) -> Unseen<'a> {
        let first_day = match &self.split.plan {
            SplitPlan::Time { test, .. } => Some(test.0),
            SplitPlan::Hashed { .. } => None,
        };
        Unseen {
            book: &self.book,
            facts: &self.facts,
            table: &self.table,
            x: &self.x,
            scorecard: &self.scorecard,
            scorer,
            test: &self.split.test,
            first_day,
            seed,
        }
    }

    /// The rows of `part` whose label for `target` is known; there may be none, or of one class only.
    pub(crate) fn labelled(&self, target: Target, part: Part) -> LabelledRows {
        let of_part = match part {
            Part::Training => &self.split.training,
            Part::Calibration => &self.split.calibration,
            Part::Test => &self.split.test,
        };
        let labels = &self.table.labels[&target];
        let (rows, y) = of_part.iter().filter_map(|&row| Some((row, labels[row]?))).unzip();
        LabelledRows { rows, y }
    }

    /// What the first test day knows of labels that are not whole by then.
    pub(crate) fn partial(&self, target: Target) -> PartialLabels {
        self.book.partial_labels(&self.table, &self.split, target)
    }

    /// As [`Prepared::labelled`], where both classes are needed.
    ///
    /// # Errors
    /// [`BookError::NoRows`] where no label is known, [`BookError::SingleClass`] where all labels are the same.
    pub(crate) fn rows(&self, target: Target, part: Part) -> Result<LabelledRows, Failure> {
        let LabelledRows { rows, y } = self.labelled(target, part);
        if rows.is_empty() {
            let what = format!("target {target}, the {} part", part.name());
            let rule = format!("a label is known only where {} days after it lie within the data", target.horizon_days);
            return Err(BookError::NoRows { what, rule }.into());
        }
        let n_events = y.iter().filter(|&&y| y).count();
        if n_events == 0 || n_events == y.len() {
            let (n_rows, only) = (y.len(), n_events > 0);
            return Err(BookError::SingleClass { target, n_rows, part: part.name(), only }.into());
        }
        Ok(LabelledRows { rows, y })
    }
}

fn readiness(
    book: &Book,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    split: &Split,
) -> Result<Option<Scorecard>, Failure> {
    let learnt = |spec| bellwether_health::learn(Some(spec), schema, x, &split.training);
    let learnt = book.file().config.readiness.as_ref().map(learnt).transpose();
    learnt.map_err(|error| Failure::new(INVALID, error, Some(READINESS_HINT)))
}

/// Enough accounts with and without each outcome, over all labelled rows.
pub(crate) fn check_minimums(book: &Book, table: &FeatureTable) -> Result<(), Failure> {
    let train = &book.file().config.train;
    for target in book.file().targets() {
        let labels = &table.labels[&target];
        let accounts_with = |wanted: bool| {
            let has = |&(row, label): &(usize, &Option<bool>)| *label == Some(wanted) && row < table.account.len();
            let accounts = labels.iter().enumerate().filter(has).map(|(row, _)| table.account[row]);
            accounts.collect::<BTreeSet<u32>>()
        };
        let (with, without) = (accounts_with(true), accounts_with(false));
        let n_other = without.difference(&with).count();
        let n_rows = labels.iter().flatten().count();
        if with.is_empty() || without.is_empty() {
            let only = without.is_empty();
            return Err(BookError::SingleClass { target, n_rows, part: "labelled", only }.into());
        }
        for (n_accounts, which, minimum, setting) in [
            (with.len(), "with the outcome", train.min_event_accounts, "min_event_accounts"),
            (n_other, "that never had the outcome", train.min_other_accounts, "min_other_accounts"),
        ] {
            if n_accounts < minimum {
                return Err(BookError::TooFew { target, n_accounts, which, minimum, setting }.into());
            }
        }
    }
    Ok(())
}
