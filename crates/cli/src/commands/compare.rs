//! `bellwether compare`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bellwether_book::{Book, BookError, BookFile, FeatureTable};
use bellwether_bundle::Bundle;
use bellwether_core::{Date, Digest, FeatureMatrix, Progress, Quiet, RowKey, Target};
use bellwether_evaluate::{CompareOptions, EvaluateOptions, Scored, compare_models, evaluate};
use bellwether_report::TargetComparison;
use bellwether_score::Scorer;
use serde::Serialize;

use crate::args::Compare;
use crate::failure::{Failure, USAGE, Unexpected as _};
use crate::output::{grouped, print_json, print_text};
use crate::pipeline::evidence::cohorts;
use crate::pipeline::test_rows;
use crate::progress::{Bars, say};

/// A verified bundle that is compared.
struct Candidate {
    path: String,
    bundle: Bundle,
    scorer: Scorer,
}

#[derive(Serialize)]
struct Compared<'a> {
    models: [ComparedModel<'a>; 2],
    /// By time: rows from this day on.
    first_day: Option<Date>,
    rows: usize,
    /// Rows that one of the two knows nothing of.
    left_out: usize,
    features: FeatureDifference,
    options: CompareOptions,
    targets: BTreeMap<String, &'a TargetComparison>,
}

#[derive(Serialize)]
struct ComparedModel<'a> {
    name: &'a str,
    path: &'a str,
    digest: &'a Digest,
}

/// Columns of the matrix that only one of two bundles reads.
#[derive(Serialize)]
struct FeatureDifference {
    only_first: Vec<String>,
    only_second: Vec<String>,
}

pub(crate) fn run(arguments: &Compare) -> Result<(), Failure> {
    let bars = Bars::default();
    let [first, second] = &arguments.models[..] else {
        let message = anyhow::anyhow!("compare takes two models, not {}", arguments.models.len());
        return Err(Failure::new(USAGE, message, Some("give --model twice: the first is judged against the second")));
    };
    let pair = [Candidate::open(first)?, Candidate::open(second)?];
    require_comparable(&pair)?;
    let file = BookFile::read(&arguments.book)?;
    require_equal_split(&pair, &file)?;
    let book = Book::open(file, &bars)?;
    let table = book.history(&book.snapshot_days(), &bars)?.table;
    let first_day = pair.iter().map(|of| test_rows::first_day(&of.bundle)).collect::<Result<Vec<_>, _>>()?;
    let first_day = first_day.into_iter().max().flatten();
    let unseen = match first_day {
        Some(day) => test_rows::from_day(&table, &pair[0].scorer, day),
        None => book.split(&table, pair[0].bundle.provenance().seed)?.test,
    };
    let rows = Matched::of(&pair, &book, &table, &unseen, &bars)?;
    let options = options(&book);
    let targets = rows.compare(&pair, &table, &options)?;
    let compared = Compared {
        models: pair.each_ref().map(Candidate::named),
        first_day,
        rows: rows.rows.len(),
        left_out: unseen.len() - rows.rows.len(),
        features: FeatureDifference::of(&pair),
        options,
        targets: targets.iter().map(|of| (of.target.to_string(), of)).collect(),
    };
    if arguments.json { print_json(&compared) } else { print_text(&compared.text(&targets)) }
}

/// With the margins that the book fixed.
fn options(book: &Book) -> CompareOptions {
    let margins = book.file().config.evaluation.margins();
    CompareOptions {
        auc_margin: margins.auc,
        log_loss_margin: margins.log_loss,
        brier_margin: margins.brier,
        ..CompareOptions::default()
    }
}

impl Candidate {
    fn open(path: &Path) -> Result<Self, Failure> {
        let bundle = Bundle::open(&bellwether_registry::resolve(path)?)?;
        let scorer = Scorer::from_bundle(&bundle)?;
        Ok(Self { path: path.display().to_string(), bundle, scorer })
    }

    fn named(&self) -> ComparedModel<'_> {
        ComparedModel { name: self.bundle.name(), path: &self.path, digest: self.bundle.digest() }
    }

    fn targets(&self) -> Vec<Target> {
        self.scorer.targets().collect()
    }
}

/// Two bundles that predict the same, and are not the same.
fn require_comparable([first, second]: &[Candidate; 2]) -> Result<(), Failure> {
    let digest = first.bundle.digest();
    if digest == second.bundle.digest() {
        let message = format!("{} and {} are the same bundle, {}", first.path, second.path, digest.short());
        return Err(Failure::refused(message, "a model compared with itself shows nothing; name another version"));
    }
    let (here, there) = (first.targets(), second.targets());
    if here == there {
        return Ok(());
    }
    let list = |targets: &[Target]| targets.iter().map(Target::to_string).collect::<Vec<_>>().join(", ");
    let message = format!(
        "the models predict different targets: {} predicts {}, {} predicts {}",
        first.path,
        list(&here),
        second.path,
        list(&there)
    );
    Err(Failure::refused(message, "train both with the same [targets]"))
}

/// By time, rows after both first test days are unseen by both. By a hash, only where both drew it alike, and the book
/// draws it so again.
fn require_equal_split([first, second]: &[Candidate; 2], file: &BookFile) -> Result<(), Failure> {
    let kinds = [test_rows::first_day(&first.bundle)?, test_rows::first_day(&second.bundle)?];
    let refuse = |message: String| {
        Err(Failure::refused(message, "compare bundles whose test rows were drawn alike: train one of them again"))
    };
    match kinds.map(|day| day.is_some()) {
        [true, true] => Ok(()),
        [false, false] => {
            let (here, there) = (first.bundle.provenance(), second.bundle.provenance());
            if here.split != there.split {
                return refuse(format!("the test rows were drawn differently: {} and {}", here.split, there.split));
            }
            let alike = [&first.bundle, &second.bundle].iter().all(|bundle| file.has_split_of(bundle.book_toml()));
            if alike {
                return Ok(());
            }
            refuse("[split] of the book is not that of both bundles, so their test rows can't be told".to_owned())
        }
        _ => refuse("one bundle's test rows are later days, the other's are other accounts".to_owned()),
    }
}

/// Rows that both know, with what each of them reads there.
struct Matched {
    /// Places in the book's table, rising.
    rows: Vec<usize>,
    x: [FeatureMatrix; 2],
}

impl Matched {
    fn of(
        pair: &[Candidate; 2],
        book: &Book,
        table: &FeatureTable,
        rows: &[usize],
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        let mut rows = rows.to_vec();
        let mut own = Vec::new();
        for of in pair {
            own.push(of.own_table(book, progress)?);
        }
        for of in own.iter().flatten() {
            let known: BTreeSet<&RowKey> = of.keys.iter().collect();
            rows.retain(|&row| known.contains(&table.keys[row]));
        }
        let x = |place: usize| -> Result<FeatureMatrix, Failure> {
            let encode =
                |table: &FeatureTable| pair[place].bundle.encoding().encode(&table.raw).map_err(BookError::from);
            Ok(match &own[place] {
                None => encode(table)?.select(&rows),
                Some(own) => encode(own)?.select(&places(own, table, &rows)),
            })
        };
        let x = [x(0)?, x(1)?];
        Ok(Self { rows, x })
    }

    fn compare(
        &self,
        pair: &[Candidate; 2],
        table: &FeatureTable,
        options: &CompareOptions,
    ) -> Result<Vec<TargetComparison>, Failure> {
        let probabilities = [pair[0].scorer.probabilities(&self.x[0])?, pair[1].scorer.probabilities(&self.x[1])?];
        let place_of: BTreeMap<usize, usize> = self.rows.iter().enumerate().map(|(place, &row)| (row, place)).collect();
        let compare = |target: Target| {
            let labelled = test_rows::labelled(table, target, &self.rows)?;
            let of_side = |side: usize| -> Vec<f64> {
                labelled.rows.iter().map(|row| probabilities[side][&target][place_of[row]]).collect()
            };
            let [first, second] = [of_side(0), of_side(1)];
            let account: Vec<u32> = labelled.rows.iter().map(|&row| table.account[row]).collect();
            let scored = Scored { probability: &first, outcome: &labelled.y, account: &account };
            let alone = EvaluateOptions { n_bootstrap: 0, ..EvaluateOptions::default() };
            let metrics = |probability: &[f64]| {
                let scored = Scored { probability, ..scored };
                evaluate(&scored, None, &[], &alone, &Quiet).unexpected("evaluating")
            };
            let cohorts = cohorts(table, &labelled.rows);
            let compared = compare_models(&scored, &second, &cohorts, options);
            Ok(TargetComparison {
                target,
                first: metrics(&first)?.overall,
                second: metrics(&second)?.overall,
                comparison: compared.unexpected("comparing models")?,
            })
        };
        pair[0].scorer.targets().map(compare).collect()
    }
}

impl Candidate {
    /// The rows as the bundle's own book.toml builds them, where the book builds other features.
    fn own_table(&self, book: &Book, progress: &dyn Progress) -> Result<Option<FeatureTable>, Failure> {
        let (file, own) = (book.file(), self.bundle.book_toml());
        let Some(difference) = file.difference_to(own) else { return Ok(None) };
        say(&format!(
            "{} was trained with other features ({difference}); building them by its own book.toml",
            self.path
        ));
        let own = Book::open(BookFile::parse(own.to_owned(), &file.path)?, progress)?;
        Ok(Some(own.history(&book.snapshot_days(), progress)?.table))
    }
}

/// Where the rows of a table are in another, which has them all. Both are in order of accounts, then days.
fn places(own: &FeatureTable, table: &FeatureTable, rows: &[usize]) -> Vec<usize> {
    let mut at = 0;
    let place = |&row: &usize| {
        while own.keys[at] != table.keys[row] {
            at += 1;
        }
        at
    };
    rows.iter().map(place).collect()
}

impl FeatureDifference {
    fn of([first, second]: &[Candidate; 2]) -> Self {
        let names = |of: &Candidate| -> BTreeSet<String> {
            of.scorer.schema().features().iter().map(|feature| feature.name.clone()).collect()
        };
        let (here, there) = (names(first), names(second));
        Self {
            only_first: here.difference(&there).cloned().collect(),
            only_second: there.difference(&here).cloned().collect(),
        }
    }
}

impl Compared<'_> {
    fn text(&self, targets: &[TargetComparison]) -> String {
        let model =
            |name: &str, of: &ComparedModel<'_>| format!("{name}: {}, {} ({})", of.path, of.name, of.digest.short());
        let [first, second] = &self.models;
        let from = self.first_day.map_or_else(|| "of accounts".to_owned(), |day| format!("from {day} on"));
        let left_out = if self.left_out > 0 {
            format!("; {} that one of them has no features for are left out", grouped(self.left_out))
        } else {
            String::new()
        };
        let features = |name: &str, columns: &[String]| {
            (!columns.is_empty()).then(|| format!("features of the {name} alone: {}", columns.join(", ")))
        };
        let mut head = vec![model("first", first), model("second", second)];
        head.push(format!("{} rows {from} that neither has learnt from{left_out}", grouped(self.rows)));
        head.extend(features("first", &self.features.only_first));
        head.extend(features("second", &self.features.only_second));
        let tables = bellwether_report::comparison_text(targets, &self.options);
        format!("{}\n\n{tables}", head.join("\n"))
    }
}
