//! A wrong command line has exit code 2; a path that leads nowhere has another. Nothing is written.

use expect_test::{Expect, expect};

use crate::support::Folder;

const USAGE: i32 = 2;
const INVALID: i32 = 3;
const REFUSED: i32 = 4;

#[track_caller]
fn check_refused(arguments: &str, code: i32, stderr: &Expect) {
    let folder = Folder::trained().copy();
    let before = folder.files(".");
    let run = folder.run(arguments);
    stderr.assert_eq(&run.stderr);
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""));
    assert_eq!(folder.files("."), before, "something was written");
}

#[test]
fn no_command() {
    check_refused(
        "",
        USAGE,
        &expect![[r#"
            Tells where a book of accounts is going: who churns in the next 90 days, who expands, how healthy
            each one is

            Usage: bellwether <COMMAND>

            Commands:
              init         Write a commented book.toml to start from
              check        Audit a book: what it holds, what is wrong with its data, and what a model could know
                           that it must not
              simulate     Write a simulated B2B software book with known true probabilities
              features     Build the feature table of every customer on every snapshot day, with labels; or list
                           the catalogue of ready features
              scorecard    Show the scorecard of a book and which rules it breaks, without its data; or list the
                           ready frameworks
              train        Fit every learner, calibrate, choose, evaluate, and write the next version of the
                           bundle
              evaluate     Evaluate a bundle on the test rows of a book
              backtest     Fit and test every learner as of several days of the past: is it as good each time,
                           and which learner is?
              compare      Compare two bundles on the same test rows, which neither of them has learnt from
              score        Score every account as of a day
              forecast     Forecast recurring revenue from the churn and expansion models, month by month with
                           intervals; or see how it did
              models       Look after the models of a models folder: list and verify them
              demo         Do everything on a simulated book of 2,000 accounts and 24 months
              completions  Print a completion script for a shell
              help         Print this message or the help of the given subcommand(s)

            Options:
              -h, --help     Print help (see more with '--help')
              -V, --version  Print version

            Try it: `bellwether demo --out demo` makes a book, trains, scores and reports in about a minute.
        "#]],
    );
}

#[test]
fn an_unknown_command() {
    check_refused(
        "scores",
        USAGE,
        &expect![[r#"
            error: unrecognized subcommand 'scores'

              tip: some similar subcommands exist: 'compare', 'scorecard', 'score'

            Usage: bellwether <COMMAND>

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn an_unknown_flag() {
    check_refused(
        "check --book book/book.toml --verbos",
        USAGE,
        &expect![[r#"
            error: unexpected argument '--verbos' found

            Usage: bellwether check --book <FILE>

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn a_flag_that_is_missing() {
    check_refused(
        "score --book book/book.toml --model models/small",
        USAGE,
        &expect![[r#"
            error: the following required arguments were not provided:
              --as-of <DATE>
              --out <FILE>

            Usage: bellwether score --book <FILE> --model <BUNDLE> --as-of <DATE> --out <FILE>

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn a_day_that_is_none() {
    check_refused(
        "score --book book/book.toml --model models/small --as-of 2024-06-31 --out scores.csv",
        USAGE,
        &expect![[r#"
            error: invalid value '2024-06-31' for '--as-of <DATE>': `2024-06-31` is not a date of the form `%Y-%m-%d`

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn a_form_that_cannot_be_written() {
    check_refused(
        "score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.xlsx",
        USAGE,
        &expect![[r#"
            error: scores.xlsx is of no known form; known are .parquet, .csv, .jsonl, .arrow and .ipc
        "#]],
    );
}

#[test]
fn a_folder_that_is_not_there() {
    check_refused(
        "features --book book/book.toml --out nowhere/features.parquet",
        USAGE,
        &expect![[r#"
            error: nowhere/features.parquet: there is no folder nowhere
            hint: make the folder, or name another one
        "#]],
    );
}

#[test]
fn no_threads() {
    check_refused(
        "train --book book/book.toml --models models --threads 0",
        USAGE,
        &expect![[r#"
            error: --threads is 0; at least 1 is needed
        "#]],
    );
}

#[test]
fn a_number_that_is_none() {
    check_refused(
        "simulate --accounts many --out more",
        USAGE,
        &expect![[r#"
            error: invalid value 'many' for '--accounts <ACCOUNTS>': invalid digit found in string

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn an_unknown_leak() {
    check_refused(
        "simulate --leak gaps --out more",
        USAGE,
        &expect![[r#"
        error: invalid value 'gaps' for '--leak <KIND>'
          [possible values: updated_in_place, final_value, missing_after_churn, constant_column, duplicate_column, looks_ahead, from_outcomes, lead_labels, backfilled, unit_change, rows_after_churn, rows_before_start, gap, feed_stops, future_rows, duplicate_rows, shared_customer, orphan_rows, all]

          tip: a similar value exists: 'gap'

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn a_simulation_out_of_its_ranges() {
    check_refused(
        "simulate --accounts 0 --out more",
        INVALID,
        &expect![[r#"
            error: `n_accounts` is 0; it must be 1 to 10,000,000
        "#]],
    );
}

#[test]
fn a_simulation_into_a_folder_that_holds_other_things() {
    check_refused(
        "simulate --accounts 10 --out .",
        INVALID,
        &expect![[r#"
            error: `.` holds `book`; a book is written into a new folder, an empty one or over a simulated book
        "#]],
    );
}

#[test]
fn a_model_that_is_not_there() {
    check_refused(
        "evaluate --book book/book.toml --model models/large",
        INVALID,
        &expect![[r#"
            error: `models/large` is neither a bundle nor a name in a models folder; there is no such folder
            hint: name a bundle's folder, or MODELS/NAME for its newest version
        "#]],
    );
}

#[test]
fn a_folder_that_is_no_model() {
    check_refused(
        "evaluate --book book/book.toml --model book",
        INVALID,
        &expect![[r#"
            error: `book` is neither a bundle nor a name in a models folder; there is no index.json above it
            hint: name a bundle's folder, or MODELS/NAME for its newest version
        "#]],
    );
}

#[test]
fn a_book_that_exists_is_kept() {
    check_refused(
        "init book",
        REFUSED,
        &expect![[r#"
            error: book/book.toml exists; it was kept
            hint: name another folder, or move the file away
        "#]],
    );
}
