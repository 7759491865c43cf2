//! The help of every command, whole.

use expect_test::{Expect, expect};

use crate::support::Folder;

#[track_caller]
pub(crate) fn check_help(command: &str, text: &Expect) {
    let run = Folder::new().run(&format!("{command} --help")).done();
    // Between the paragraphs of an option stand blanks, which a snapshot loses.
    let lines: Vec<&str> = run.stdout.lines().map(str::trim_end).collect();
    text.assert_eq(&format!("{}\n", lines.join("\n")));
    assert_eq!(run.stderr, "");
}

#[test]
fn bellwether() {
    check_help(
        "",
        &expect![[r#"
            Tells where a book of accounts is going: who churns in the next 90 days, who expands, how healthy
            each one is.

            Exit codes: 0 done, 1 unexpected, 2 usage, 3 input or configuration invalid, 4 refused (no honest
            result can be had), 5 verification failed (a bundle is not what was written).

            Usage: bellwether <COMMAND>

            Commands:
              init         Write a commented book.toml to start from
              check        Audit a book: what it holds, what is wrong with its data, and what a model could know
                           that it must not
              simulate     Write a simulated B2B software book with known true probabilities
              features     Build the feature table of every customer on every snapshot day, with labels, or of
                           every account on one day; or list the catalogue of ready features
              scorecard    Show the scorecard of a book and which rules it breaks, without its data; or list the
                           ready frameworks
              train        Fit every learner, calibrate, choose, evaluate, and write the next version of the
                           bundle
              evaluate     Evaluate a bundle on the test rows of a book
              backtest     Fit and test every learner as of several days of the past: is it as good each time,
                           and which learner is?
              compare      Compare two bundles on the same test rows, which neither of them has learnt from
              score        Score every account as of a day, from the sources of a book or from a table of its
                           features
              explain      Say why an account has its scores: what each indicator adds to its probabilities, and
                           costs of its health
              why          Say why scores moved between two days: what the account's own values, its cohort and
                           another model version did
              forecast     Forecast recurring revenue from the churn and expansion models, month by month with
                           intervals; or see how it did
              models       Look after the models of a models folder: list and verify them, and take in those of
                           other software
              demo         Do everything on a simulated book of 2,000 accounts and 24 months
              completions  Print a completion script for a shell
              help         Print this message or the help of the given subcommand(s)

            Options:
              -h, --help
                      Print help (see a summary with '-h')

              -V, --version
                      Print version

            Try it: `bellwether demo --out demo` makes a book, trains, scores and reports in about a minute.
        "#]],
    );
}

#[test]
fn init() {
    check_help(
        "init",
        &expect![[r#"
            Write a commented book.toml to start from

            Usage: bellwether init <FOLDER>

            Arguments:
              <FOLDER>  The folder that gets book.toml; it is made where it does not exist, and an existing file
                        is kept

            Options:
              -h, --help  Print help

            Example:
              bellwether init mybook      # writes mybook/book.toml
        "#]],
    );
}

#[test]
fn check() {
    check_help(
        "check",
        &expect![[r#"
            Audit a book: what it holds, what is wrong with its data, and what a model could know that it must
            not.

            Findings are errors, warnings and notes. An error that book.toml does not waive ends with exit code
            4, and `train` refuses it.

            Usage: bellwether check [OPTIONS]

            Options:
                  --book <FILE>
                      The book's configuration

                  --rules
                      Print every rule with its limits and their reasons instead

                  --html <FILE>
                      Write the audit with plots as one page too

                  --json
                      Print JSON to stdout

                  --seed <SEED>
                      Draws the parts of the split, and what is drawn to be looked at

                      [default: 0]

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              bellwether check --book mybook/book.toml
              bellwether check --book mybook/book.toml --html audit.html
              bellwether check --book mybook/book.toml --json | jq .findings
              bellwether check --rules
        "#]],
    );
}

#[test]
fn simulate() {
    check_help(
        "simulate",
        &expect![[r#"
            Write a simulated B2B software book with known true probabilities

            Usage: bellwether simulate [OPTIONS] --out <DIR>

            Options:
                  --accounts <ACCOUNTS>
                      How many accounts; the accounts of a smaller book are the first of a larger one

                      [default: 2000]

                  --months <MONTHS>
                      How many calendar months of history

                      [default: 24]

                  --seed <SEED>
                      Another seed, other accounts

                      [default: 1]

                  --interventions
                      Do something about every other account with a high hazard of churn, at random; README.md
                      tells the effect

                  --reveal
                      Write the hidden state as a table too: then the truth is the best that a model can reach
                      that sees the tables

                  --leak <KIND>
                      Plant an accident for an audit to find; may be given several times

                      Possible values:
                      - updated_in_place:    accounts.status says who has left in the end, undated, and is a
                        feature
                      - final_value:         accounts.seats_now is the value at the end, 0 for who has left, and
                        is a feature
                      - missing_after_churn: accounts.onboarding_score is null for exactly those who leave, and
                        is a feature
                      - constant_column:     accounts.currency_rate is 1 everywhere, and is a feature
                      - duplicate_column:    accounts.staff repeats employee_count, and so does the feature made
                        of it
                      - looks_ahead:         account_snapshots.renewal_risk knows the next 90 days, and is a
                        feature
                      - from_outcomes:       a feature counts the rows of outcomes that the targets are read off
                      - lead_labels:         every churn has a second outcome, dated 45 days earlier
                      - backfilled:          a stretch of usage became known months later, with a migration
                      - unit_change:         usage.sessions_minutes holds seconds from the middle of the book on
                      - rows_after_churn:    usage goes on for 60 days after a churn
                      - rows_before_start:   half of the new accounts have usage and a ticket before they sign
                        up
                      - gap:                 usage lacks 30 days in the middle of the book
                      - feed_stops:          usage ends 75 days before the book does
                      - future_rows:         usage has rows dated after the last day of the book
                      - duplicate_rows:      three rows in a hundred of usage stand there twice
                      - shared_customer:     one account in ten stands in every table under two ids, and the
                        split is at random
                      - orphan_rows:         usage has rows of accounts that nobody lists
                      - all:                 every kind

                  --out <DIR>
                      The folder that gets book.toml, the tables and truth.parquet

                  --json
                      Print JSON to stdout

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              bellwether simulate --accounts 2000 --months 24 --seed 1 --out book
              bellwether simulate --leak looks_ahead --leak gap --out leaking
        "#]],
    );
}

#[test]
fn features() {
    check_help(
        "features",
        &expect![[r#"
            Build the feature table of every customer on every snapshot day, with labels, or of every account on
            one day; or list the catalogue of ready features

            Usage: bellwether features [OPTIONS]

            Options:
                  --book <FILE>     The book's configuration
                  --out <FILE>      The table: .parquet, .csv, .jsonl or .arrow
                  --as-of <DATE>    Every account on this day instead, customers or not, with what the book says
                                    of its status and revenue
                  --model <BUNDLE>  Write the encoded matrix that this bundle reads instead, with the part of
                                    each row in its split and its probabilities
                  --list            Print the catalogue instead: each entry's metrics, unit, direction, formula
                                    and needs, and whether the book can build it
                  --markdown        Print the catalogue as a page
                  --json            Print JSON to stdout
              -h, --help            Print help

            Examples:
              bellwether features --book mybook/book.toml --out features.parquet
              bellwether features --book mybook/book.toml --as-of 2026-09-30 --out today.parquet      # for
              score --features
              bellwether features --book mybook/book.toml --model models/mybook --out matrix.parquet
              bellwether features --list --book mybook/book.toml
        "#]],
    );
}

#[test]
fn scorecard() {
    check_help(
        "scorecard",
        &expect![[r#"
        Show the scorecard of a book and which rules it breaks, without its data; or list the ready
        frameworks.

        Rules are on weights, points, bands, steps, directions and how many indicators there are. A broken
        one that is no warning ends with exit code 3, and `train` refuses it.

        Usage: bellwether scorecard [OPTIONS]

        Options:
              --book <FILE>
                  The book's configuration

              --list
                  Print the presets instead: categories, weights, points, and the features that can play
                  each role

              --json
                  Print JSON to stdout

          -h, --help
                  Print help (see a summary with '-h')

        Examples:
          bellwether scorecard --book mybook/book.toml
          bellwether scorecard --list
          bellwether scorecard --list --book mybook/book.toml      # what of them this book can play
    "#]],
    );
}

#[test]
fn train() {
    check_help(
        "train",
        &expect![[r#"
            Fit every learner, calibrate, choose, evaluate, and write the next version of the bundle

            Usage: bellwether train [OPTIONS] --book <FILE> --models <DIR>

            Options:
                  --book <FILE>        The book's configuration
                  --models <DIR>       The models folder
                  --seed <SEED>        Where every random choice comes from [default: 0]
                  --threads <THREADS>  Threads; the bundle is the same on any number
                  --actor <ACTOR>      Who trains, for the audit log; $USER where not given
                  --json               Print JSON to stdout
              -h, --help               Print help

            Example:
              bellwether train --book mybook/book.toml --models models --seed 1

            The bundle stands in MODELS/NAME/VERSION, its report in report.html there.
        "#]],
    );
}

#[test]
fn compare() {
    check_help(
        "compare",
        &expect![[r#"
        Compare two bundles on the same test rows, which neither of them has learnt from.

        The first is judged against the second, for each target and within each segment: superior, not worse
        (by less than a margin), worse, or not enough evidence. A bundle that was trained with other
        features than the book declares has them built by its own book.toml, from the book's files.

        Usage: bellwether compare [OPTIONS] --book <FILE> --model <BUNDLE>

        Options:
              --book <FILE>
                  The book's configuration; its targets must be those of the bundles

              --model <BUNDLE>
                  A bundle's folder, or MODELS/NAME for the newest version; given twice

              --json
                  Print JSON to stdout

          -h, --help
                  Print help (see a summary with '-h')

        Example:
          bellwether compare --book mybook/book.toml --model models/mybook/2 --model models/mybook/1

        The test rows are those of later days than both trainings saw; bundles that were tested on other
        accounts must have drawn them alike.
    "#]],
    );
}

#[test]
fn evaluate() {
    check_help(
        "evaluate",
        &expect![[r#"
            Evaluate a bundle on the test rows of a book

            Usage: bellwether evaluate [OPTIONS] --book <FILE> --model <BUNDLE>

            Options:
                  --book <FILE>     The book's configuration; its features must be those of the bundle
                  --model <BUNDLE>  A bundle's folder, or MODELS/NAME for the newest version
                  --json            Print JSON to stdout
              -h, --help            Print help

            Example:
              bellwether evaluate --book mybook/book.toml --model models/mybook

            The test rows are those of the split that the bundle was trained with, and every labelled row of a
            later day.
        "#]],
    );
}

#[test]
fn backtest() {
    check_help(
        "backtest",
        &expect![[r#"
        Fit and test every learner as of several days of the past: is it as good each time, and which
        learner is?

        Test windows follow each other; before each, all is learnt anew from what was known by then. Where
        the book is split by account or group, or has no dates, accounts are dealt into folds instead. No
        bundle is written.

        Usage: bellwether backtest [OPTIONS] --book <FILE>

        Options:
              --book <FILE>
                  The book's configuration

              --origins <ORIGINS>
                  Test windows; of a book that is split by account or group, folds

                  [default: 4]

              --repeats <REPEATS>
                  How often folds are drawn

                  [default: 1]

              --learners <LEARNERS>
                  Learners, with commas between; the book's where not given. The scorecard is always there

              --ablation
                  Also fit the learner chosen at each origin without each category of features: what does it
                  add?

              --learning-curve
                  Also fit it on an eighth, a quarter and a half of the training accounts: is more data
                  worth it?

              --seed <SEED>
                  Where every random choice comes from

                  [default: 0]

              --threads <THREADS>
                  Threads; the result is the same on any number

              --html <FILE>
                  Write the result with plots as one page too

              --json
                  Print JSON to stdout

          -h, --help
                  Print help (see a summary with '-h')

        Examples:
          bellwether backtest --book mybook/book.toml
          bellwether backtest --book mybook/book.toml --learners logistic --ablation --learning-curve --html
          backtest.html
          bellwether backtest --book mybook/book.toml --json | jq '.targets[].pooled.learners[] | {learner,
          auc_within}'
    "#]],
    );
}

#[test]
fn score() {
    check_help(
        "score",
        &expect![[r#"
            Score every account as of a day, from the sources of a book or from a table of its features.

            Reading, scoring and writing overlap, and memory stays bounded whatever the size. The output stands
            by account and day, has the same bytes on any number of threads, and is there whole or not at all.

            Usage: bellwether score [OPTIONS] --model <BUNDLE> --out <FILE>

            Options:
                  --book <FILE>
                      The book's configuration; its features must be those of the bundle

                  --features <FILE>
                      A table as `bellwether features` writes it, in place of a book: .parquet, .csv, .csv.gz or
                      .arrow. What only the book knows (`book:arr`, `book:status`) is null, or that of a
                      customer, where the table has no such column

                  --model <BUNDLE>
                      A bundle's folder, or MODELS/NAME for the newest version

                  --as-of <DATE>
                      The last day that scores may know; of a table of features, the one day whose rows are
                      scored

                  --shard <I/N>
                      Score share I of N of the accounts: those of whose id's SHA-256 the first 8 bytes,
                      little-endian, are I - 1 modulo N

                  --reasons <K>
                      How many reasons a row has of each outcome: the indicators that move its probability most;
                      0 for none. Three where not given, or none for a bundle of a release that did not store
                      what they need

                  --actions
                      Say what brings an account to green: at most two indicators that somebody can do something
                      about (`[reasons] actionable` in book.toml), what they are, what the best tenth of like
                      accounts has, and the health score with them. An effect on the score, not a promise

                  --resume
                      Keep what is finished beside the output until it is whole, and continue where a run on the
                      same files, model and day was killed. The output is the same

                  --out <FILE>
                      The scores: .parquet, .csv, .jsonl or .arrow

                  --json
                      Print JSON to stdout

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              bellwether score --book mybook/book.toml --model models/mybook --as-of 2026-09-30 --out
              scores.parquet
              bellwether score --features features.parquet --model models/mybook --out scores.parquet
              bellwether score --features features.parquet --model models/mybook --shard 2/8 --out
              scores-2.parquet
        "#]],
    );
}

#[test]
fn forecast() {
    check_help(
        "forecast",
        &expect![[r#"
        Forecast recurring revenue from the churn and expansion models, month by month with intervals; or
        see how it did.

        A step is a horizon that every outcome of the bundle has a model for: months only where the book was
        trained with them. New customers are not in it.

        Usage: bellwether forecast [OPTIONS] --book <FILE> --model <BUNDLE>

        Options:
              --book <FILE>
                  The book's configuration; its features must be those of the bundle

              --model <BUNDLE>
                  A bundle's folder, or MODELS/NAME for the newest version

              --as-of <DATE>
                  The last day that the forecast may know

              --backtest
                  Forecast as of each test day whose future is known, and compare

              --html <FILE>
                  Write the forecast with its chart, or the comparison, as one page too

              --out <FILE>
                  The numbers as a table, one row a quantity and horizon: .parquet, .csv, .jsonl or .arrow

              --json
                  Print JSON to stdout

          -h, --help
                  Print help (see a summary with '-h')

        Examples:
          bellwether forecast --book mybook/book.toml --model models/mybook --as-of 2026-09-30 --html
          forecast.html
          bellwether forecast --book mybook/book.toml --model models/mybook --backtest
    "#]],
    );
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = Folder::new().run(&format!("completions {shell}")).done();
        assert!(run.stdout.contains("bellwether") && run.stdout.contains("evaluate"), "{shell}");
    }
}
