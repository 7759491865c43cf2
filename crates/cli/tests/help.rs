//! The help of every command, whole.

use expect_test::{Expect, expect};

use crate::support::Folder;

#[track_caller]
fn check_help(command: &str, text: &Expect) {
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
fn models() {
    check_help(
        "models",
        &expect![[r#"
            Look after the models of a models folder: list and verify them, and take in those of other software

            Usage: bellwether models <COMMAND>

            Commands:
              list    List the versions that were registered
              verify  Verify bundles: every byte, and every number of the parity certificate in each runtime
              import  Take a model that other software made, as the next version of a bundle
              help    Print this message or the help of the given subcommand(s)

            Options:
              -h, --help  Print help
        "#]],
    );
}

#[test]
fn models_list() {
    check_help(
        "models list",
        &expect![[r#"
        List the versions that were registered

        Usage: bellwether models list [OPTIONS]

        Options:
              --models <DIR>  The models folder [default: models]
              --json          Print JSON to stdout
          -h, --help          Print help

        Example:
          bellwether models list --models models
    "#]],
    );
}

#[test]
fn models_verify() {
    check_help(
        "models verify",
        &expect![[r#"
            Verify bundles: every byte, and every number of the parity certificate in each runtime.

            A certificate has rows at both sides of every split of every tree, with missing values, unseen
            levels and more, and what each must give. The native kernels and tract compute them anew;
            `docs/MODEL_FORMAT.md` tells how to check them in another language. A difference ends with exit code
            5.

            Usage: bellwether models verify [OPTIONS] [BUNDLE]

            Arguments:
              [BUNDLE]
                      NAME@VERSION, NAME or MODELS/NAME for the newest version, or a bundle's folder; all
                      versions where not given

            Options:
                  --models <DIR>
                      The models folder

                      [default: models]

                  --json
                      Print JSON to stdout

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              bellwether models verify                      # the audit log and every version below models
              bellwether models verify mybook@3
              bellwether models verify models/mybook --json # the newest version
        "#]],
    );
}

#[test]
fn demo() {
    check_help(
        "demo",
        &expect![[r#"
            Do everything on a simulated book of 2,000 accounts and 24 months

            Usage: bellwether demo [OPTIONS]

            Options:
                  --out <DIR>  The folder that gets book/, models/, scores.parquet and report.html [default:
                               demo]
              -h, --help       Print help

            Example:
              bellwether demo --out demo      # then open demo/report.html
        "#]],
    );
}

#[test]
fn completions() {
    check_help(
        "completions",
        &expect![[r#"
            Print a completion script for a shell

            Usage: bellwether completions <SHELL>

            Arguments:
              <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

            Options:
              -h, --help  Print help

            Example:
              bellwether completions bash > ~/.local/share/bash-completion/completions/bellwether
        "#]],
    );
}

#[test]
fn the_first_line_of_version_is_the_release() {
    let run = Folder::new().run("--version").done();
    assert_eq!(run.stdout, format!("bellwether {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = Folder::new().run(&format!("completions {shell}")).done();
        assert!(run.stdout.contains("bellwether") && run.stdout.contains("evaluate"), "{shell}");
    }
}

#[test]
fn models_import() {
    check_help(
        "models import",
        &expect![[r#"
            Take a model that other software made, as the next version of a bundle.

            FILE is an ONNX file of `skl2onnx`, `onnxmltools` (`LightGBM`, `XGBoost`) or `CatBoost`: a
            classifier of trees or straight lines with labels 0 and 1, behind imputers and scalers where it has
            any. It reads the columns `feature:...` of the matrix that `bellwether features --book BOOK --model
            BUNDLE` writes; fit it to the rows whose `part` is `training` alone. It is calibrated, evaluated,
            compared and scored as a model of ours; the other targets keep the bundle's models.

            Usage: bellwether models import [OPTIONS] --book <FILE> --like <BUNDLE> --target <TARGET> <FILE>

            Arguments:
              <FILE>
                      The model

            Options:
                  --book <FILE>
                      The book's configuration; its features must be those of the bundle

                  --like <BUNDLE>
                      The bundle whose matrix the model reads: its folder, or MODELS/NAME for the newest version

                  --target <TARGET>
                      What the model predicts, such as `churn_90d`

                  --features <FILE>
                      A file with the names of the features that the model reads, one a line, in the model's
                      order; where not given, the file's own names, or all features in the bundle's order

                  --missing <MISSING>
                      What a missing value counts as where the file does not say; without it, a feature of which
                      the book misses values is refused then

                      Possible values:
                      - mean: The feature's mean over training rows

                  --check <FILE>
                      The maker's own probabilities, one a line for each row of the matrix: a row on which the
                      file says another is refused.

                      Software that writes ONNX files sometimes changes a model, and the file does not show it.

                  --models <DIR>
                      The models folder

                      [default: models]

                  --name <NAME>
                      The bundle's name; the book's where not given

                  --actor <ACTOR>
                      Who imports, for the audit log; $USER where not given

                  --json
                      Print JSON to stdout

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              bellwether features --book mybook/book.toml --model models/mybook --out matrix.parquet
              bellwether models import churn.onnx --book mybook/book.toml --like models/mybook --target
              churn_90d
              bellwether compare --book mybook/book.toml --model models/mybook/2 --model models/mybook/1
        "#]],
    );
}

#[test]
fn explain() {
    check_help(
        "explain",
        &expect![[r#"
            Say why an account has its scores: what each indicator adds to its probabilities, and costs of its
            health.

            Exact Shapley values, against the training rows that reach each split. They say what a score is made
            of, not what would change the account.

            Usage: bellwether explain [OPTIONS] --book <FILE> --model <BUNDLE> --account <ID> --as-of <DATE>

            Options:
                  --book <FILE>
                      The book's configuration; its features must be those of the bundle

                  --model <BUNDLE>
                      A bundle's folder, or MODELS/NAME for the newest version

                  --account <ID>
                      The account's id

                  --as-of <DATE>
                      The last day that a score may know

                  --top <N>
                      Reasons of each probability that are told one by one

                      [default: 8]

                  --interventional
                      Hold the account against the training rows that the bundle keeps, one by one
                      (interventional)

                  --json
                      Print JSON to stdout

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              bellwether explain --book mybook/book.toml --model models/mybook --account a17 --as-of 2026-09-30
              bellwether explain --book mybook/book.toml --model models/mybook --account a17 --as-of 2026-09-30
              --json | jq .targets
        "#]],
    );
}

#[test]
fn why() {
    check_help(
        "why",
        &expect![[r#"
            Say why scores moved between two days: what the account's own values, its cohort and another model
            version did.

            The parts total the change exactly. Of an account that is no customer on one of the days nothing is
            said.

            Usage: bellwether why [OPTIONS] --book <FILE> --model <BUNDLE> --from <DATE> --to <DATE>

            Options:
                  --book <FILE>
                      The book's configuration; its features must be those of the bundles

                  --model <BUNDLE>
                      A bundle's folder, or MODELS/NAME for the newest version

                  --model-before <BUNDLE>
                      The bundle that scored the first day, where it was another

                  --account <ID>
                      The account's id; all accounts where not given

                  --from <DATE>
                      The last day that the first score may know

                  --to <DATE>
                      The last day that the second score may know

                  --out <FILE>
                      The parts as a table, one row an account, target and part: .parquet, .csv, .jsonl or
                      .arrow

                  --json
                      Print JSON to stdout

              -h, --help
                      Print help (see a summary with '-h')

            Examples:
              bellwether why --book mybook/book.toml --model models/mybook --account a17 --from 2026-08-31 --to
              2026-09-30
              bellwether why --book mybook/book.toml --model models/mybook/2 --model-before models/mybook/1
              --from 2026-08-31 --to 2026-09-30 --out why.parquet
        "#]],
    );
}
