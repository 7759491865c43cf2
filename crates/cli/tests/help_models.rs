//! What `--help` says of bundles: of looking after them, and of asking them why.

use expect_test::expect;

use crate::help::check_help;
use crate::support::Folder;

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
fn models_import() {
    check_help(
        "models import",
        &expect![[r#"
            Take a model that other software made, as the next version of a bundle.

            FILE is an ONNX file of `skl2onnx`, `onnxmltools` (`LightGBM`, `XGBoost`), `CatBoost` or `PyTorch`:
            a classifier with labels 0 and 1. Trees and straight lines, behind imputers and scalers where there
            are any, become a model of ours. Neural networks and other operators that compute row by row, in
            f32, are computed by tract; such a model has no reasons in `score`. Any other operator is refused by
            its name. The model reads the columns `feature:...` of the matrix that `bellwether features --book
            BOOK --model BUNDLE` writes; fit it to the rows whose `part` is `training` alone. It is calibrated,
            evaluated, compared and scored as a model of ours; the other targets keep the bundle's models.

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
