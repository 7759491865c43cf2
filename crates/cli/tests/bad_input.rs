//! A book that gives no honest model or score is refused: the exit code is 3 or 4, stderr names file, column, row or
//! count, the value, the rule and what to do, and nothing is written.

use expect_test::{Expect, expect};

use crate::support::{Folder, csv};

const INVALID: i32 = 3;
const REFUSED: i32 = 4;

/// `check` and `train` refuse the small book after `spoil`, in the same words.
#[track_caller]
fn check_refused(spoil: impl FnOnce(&Folder), code: i32, told: &Expect) {
    let folder = Folder::with_book();
    spoil(&folder);
    let before = folder.files(".");
    let checked = folder.run("check --book book/book.toml");
    told.assert_eq(&below_a_line(&checked.stderr));
    assert_eq!(checked.code, Some(code));
    // What can be read is audited, also where it can't be learnt from.
    assert!(checked.stdout.is_empty() || checked.stdout.ends_with(" waived\n"), "{}", checked.stdout);
    let trained = folder.run("train --book book/book.toml --models models");
    assert!(trained.stderr.ends_with(&checked.stderr), "`train` says {}", trained.stderr);
    assert_eq!((trained.code, trained.stdout.as_str()), (Some(code), ""));
    assert_eq!(folder.files("."), before, "something was written");
}

/// `score` refuses the trained book after `spoil`, and leaves the scores of yesterday alone.
#[track_caller]
fn check_not_scored(spoil: impl FnOnce(&Folder), as_of: &str, code: i32, told: &Expect) {
    let folder = Folder::trained().copy();
    spoil(&folder);
    folder.write("scores.csv", "of yesterday\n");
    let before = folder.files(".");
    let run = folder.run(&format!("score --book book/book.toml --model models/small --as-of {as_of} --out scores.csv"));
    told.assert_eq(&below_a_line(&run.stderr));
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""));
    assert_eq!(folder.files("."), before, "something was written");
}

/// A snapshot loses the blanks that all its lines begin with: the first line has none.
fn below_a_line(text: &str) -> String {
    format!("----\n{text}")
}

/// A change of a field of a CSV file, by its row, from 1, and column, from 0.
fn set(file: &str, row: usize, column: usize, value: &str) -> impl FnOnce(&Folder) {
    let changed = move |at: usize, fields: &[&str]| if at == row { value } else { fields[column] }.to_owned();
    move |folder| folder.edit(&format!("book/{file}"), |text| csv::set_fields(&text, column, changed))
}

/// A change of every field of a column of a CSV file, by the column's place, from 0.
fn set_all(file: &str, column: usize, value: &str) -> impl FnOnce(&Folder) {
    move |folder| folder.edit(&format!("book/{file}"), |text| csv::set_fields(&text, column, |_, _| value.to_owned()))
}

/// Keeps the rows of a CSV file, header apart, for which `keep` says so.
fn keep(file: &str, keep: impl Fn(&[&str]) -> bool) -> impl FnOnce(&Folder) {
    move |folder| folder.edit(&format!("book/{file}"), |text| csv::keep_rows(&text, keep))
}

/// A change of `book.toml`.
fn config(text: &str, with: &str) -> impl FnOnce(&Folder) {
    move |folder| folder.replace("book/book.toml", text, with)
}

#[test]
fn an_unknown_column_is_named_beside_the_nearest_there_is() {
    check_refused(
        config(r#"column = "logins""#, r#"column = "login""#),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: there is no column `login` (source `usage`)
            hint: did you mean `logins`? the file also has date, account, errors
        "#]],
    );
}

#[test]
fn an_unknown_date_column_is_named() {
    check_refused(
        config("end = \"end\"", "end = \"ends\""),
        INVALID,
        &expect![[r#"
            ----
            error: book/plans.csv: there is no column `ends` (source `plans`)
            hint: did you mean `end`? the file also has mrr, start, account
        "#]],
    );
}

#[test]
fn a_text_where_a_number_is_needed_is_shown_with_its_row() {
    check_refused(
        set("usage.csv", 41, 2, "many"),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: column `logins`, row 41 is `many`; a finite number is needed, at most 3.4e38 in size
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn a_column_of_the_wrong_type_is_named_with_its_type() {
    // CSV has texts alone; a simulated book is Parquet.
    let folder = Folder::new();
    folder.run("simulate --accounts 20 --months 3 --out book").done();
    folder.replace("book/book.toml", r#"column = "logins""#, r#"column = "date""#);
    let run = folder.run("check --book book/book.toml");
    expect![[r#"
        ----
        error: book/usage.parquet: column `date` is date; a number or a truth value is needed
        hint: convert the column, or name another one in book.toml
    "#]]
    .assert_eq(&below_a_line(&run.stderr));
    assert_eq!(run.code, Some(INVALID));
}

#[test]
fn two_rows_of_an_account_and_day_are_shown_with_their_numbers() {
    let repeat_row_5 = |folder: &Folder| {
        folder.edit("book/surveys.csv", |text| {
            let row = text.lines().nth(5).expect("it has so many").to_owned();
            text + &row + "\n"
        });
    };
    check_refused(
        repeat_row_5,
        INVALID,
        &expect![[r#"
            ----
            error: book/surveys.csv: account `c-001` has 2 rows on 2023-07-17; a source of kind snapshot has one (rows 5, 1707)
            hint: keep one row a key; if a later row corrects an earlier one, name its `known_at` column; if rows are events, use kind = "event"
        "#]],
    );
}

#[test]
fn two_rows_of_one_account_are_shown_with_their_numbers() {
    let repeat = |folder: &Folder| {
        folder.edit("book/accounts.csv", |text| {
            let row = text.lines().nth(3).expect("it has so many").to_owned();
            text + &row + "\n"
        });
    };
    check_refused(
        repeat,
        INVALID,
        &expect![[r#"
            ----
            error: book/accounts.csv: account `c-002` has 2 rows on 2023-01-05; a source of kind attribute has one (rows 3, 241)
            hint: keep one row a key; if a later row corrects an earlier one, name its `known_at` column; if rows are events, use kind = "event"
        "#]],
    );
}

#[test]
fn a_date_that_does_not_parse_is_shown_with_its_row() {
    check_refused(
        set("usage.csv", 17, 1, "31/12/2023"),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: column `date`, row 17 is `31/12/2023`; a date of the form `%Y-%m-%d` is needed
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn a_day_that_no_month_has_is_shown_with_its_row() {
    check_refused(
        set("plans.csv", 3, 2, "2023-02-29"),
        INVALID,
        &expect![[r#"
            ----
            error: book/plans.csv: column `end`, row 3 is `2023-02-29`; a date of the form `%Y-%m-%d` is needed
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn a_row_without_date_is_shown() {
    check_refused(
        set("usage.csv", 100, 1, ""),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: column `date`, row 100 is `(missing)`; every row needs a date
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn a_row_without_account_is_shown() {
    check_refused(
        set("usage.csv", 100, 0, ""),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: column `account`, row 100 is `(missing)`; every row needs an account (`drop_missing_account = true` leaves such rows out)
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn an_empty_source_is_named() {
    check_refused(
        keep("usage.csv", |_| false),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: source `usage` has no row
            hint: check the export; a feed without rows can't be told from a feed that failed
        "#]],
    );
}

#[test]
fn a_file_of_no_bytes_is_named() {
    check_refused(
        |folder| folder.write("book/usage.csv", ""),
        INVALID,
        &expect![[r#"
            ----
            error: source `usage`: book/usage.csv can't be read: no data: empty CSV
            hint: the file may be cut, or of another form than its ending says; export it again
        "#]],
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    check_refused(
        config(r#"path = "usage.csv""#, r#"path = "use.csv""#),
        INVALID,
        &expect![[r#"
            ----
            error: source `usage`: there is no file book/use.csv
            hint: paths are relative to book.toml's folder; see `path` of the source
        "#]],
    );
}

#[test]
fn a_row_with_too_many_fields_is_refused() {
    check_refused(
        set("usage.csv", 8, 2, "3,4"),
        INVALID,
        &expect![[r#"
            ----
            error: source `usage`: book/usage.csv can't be read: found more fields than defined in 'Schema'

            Consider setting 'truncate_ragged_lines=true'.
            hint: the file may be cut, or of another form than its ending says; export it again
        "#]],
    );
}

#[test]
fn a_file_that_is_not_of_its_form_is_named() {
    let spoil = |folder: &Folder| {
        folder.write("book/usage.parquet", folder.read("book/usage.csv"));
        folder.replace("book/book.toml", r#"path = "usage.csv""#, r#"path = "usage.parquet""#);
    };
    check_refused(
        spoil,
        INVALID,
        &expect![[r#"
            ----
            error: source `usage`: book/usage.parquet can't be read: parquet: File out of specification: The file must end with PAR1
            hint: the file may be cut, or of another form than its ending says; export it again
        "#]],
    );
}

#[test]
fn a_source_without_rows_before_the_split_is_named() {
    check_refused(
        keep("surveys.csv", |fields| fields[1] >= "2024-02"),
        REFUSED,
        &expect![[r#"
            ----
            error: book/surveys.csv: source `surveys` has no row up to 2023-10-31, the last training day; its first is on 2024-02-01
            hint: leave the source out until it has history, or move `split.test_from` to a later day
        "#]],
    );
}

#[test]
fn a_feature_without_any_value_is_named() {
    check_refused(
        set_all("surveys.csv", 2, "n/a"),
        INVALID,
        &expect![[r#"
            ----
            error: book/surveys.csv: feature `nps` of column `nps` is missing in all 1303 training rows
            hint: take the feature out, or check its column, window and filter
        "#]],
    );
}

#[test]
fn an_infinite_value_is_shown_with_its_row() {
    check_refused(
        set("usage.csv", 12, 3, "inf"),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: column `errors`, row 12 is `inf`; a finite number is needed, at most 3.4e38 in size
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn a_value_beyond_single_precision_is_shown_with_its_row() {
    check_refused(
        set("usage.csv", 12, 3, "1e300"),
        INVALID,
        &expect![[r#"
            ----
            error: book/usage.csv: column `errors`, row 12 is `1e300`; a finite number is needed, at most 3.4e38 in size
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn a_target_that_never_happens_is_refused() {
    check_refused(
        set_all("plans.csv", 2, ""),
        REFUSED,
        &expect![[r#"
            ----
            error: target churn_90d: all 4105 labelled rows have outcome false; both classes are needed
            hint: check the target's rule and filter, and the split's dates
        "#]],
    );
}

#[test]
fn fewer_accounts_with_the_outcome_than_the_minimum_are_refused() {
    check_refused(
        config("min_event_accounts = 20\n", ""),
        REFUSED,
        &expect![[r#"
            ----
            error: target churn_90d: 125 accounts with the outcome; at least 200 are needed (min_event_accounts)
            hint: add history or accounts; `min_event_accounts` in [train] lowers the minimum, at the price of wide intervals
        "#]],
    );
}

#[test]
fn fewer_accounts_without_the_outcome_than_the_minimum_are_refused() {
    check_refused(
        config("min_other_accounts = 20\n", ""),
        REFUSED,
        &expect![[r#"
            ----
            error: target churn_90d: 96 accounts that never had the outcome; at least 500 are needed (min_other_accounts)
            hint: add history or accounts; `min_other_accounts` in [train] lowers the minimum, at the price of wide intervals
        "#]],
    );
}

#[test]
fn a_history_too_short_for_the_split_is_refused() {
    check_refused(
        config("from = 2023-03-31", "from = 2024-05-31"),
        REFUSED,
        &expect![[r#"
            ----
            error: the training part: 0 rows; 5 snapshot days have labels; with 90 days of purge between the parts that is too short a history
            hint: check `snapshots`, `split` and the dates of the sources
        "#]],
    );
}

#[test]
fn an_unknown_key_of_the_configuration_is_shown_in_its_line() {
    check_refused(
        config("window = \"30d\"", "windows = \"30d\""),
        INVALID,
        &expect![[r#"
            ----
              × unknown field `windows`, expected one of `name`, `from`, `column`, `columns`, `aggregate`, `window`, `filter`,
              │ `type`, `from_start`, `change`, `lag`, `periods`, `per`, `good`, `category`, `helper`
                ╭─[book/book.toml:79:1]
             78 │ aggregate = "sum"
             79 │ windows = "30d"
                · ───┬───
                ·    ╰── here
             80 │ good = "up"
                ╰────
        "#]],
    );
}

#[test]
fn a_wrong_value_of_the_configuration_is_shown_in_its_line() {
    check_refused(
        config("window = \"30d\"", "window = \"30 days\""),
        INVALID,
        &expect![[r#"
            ----
              × `30 days` is not a window; windows look like `30d`, `4w` or `3mo`
                ╭─[book/book.toml:79:10]
             78 │ aggregate = "sum"
             79 │ window = "30 days"
                ·          ────┬────
                ·              ╰── here
             80 │ good = "up"
                ╰────
        "#]],
    );
}

#[test]
fn an_unknown_source_of_the_configuration_is_shown_in_its_line() {
    check_refused(
        config("from = \"usage\"", "from = \"use\""),
        INVALID,
        &expect![[r#"
            ----
              × there is no source `use`
                ╭─[book/book.toml:76:8]
             75 │ name = "logins_30d"
             76 │ from = "use"
                ·        ──┬──
                ·          ╰── here
             77 │ column = "logins"
                ╰────
            hint: did you mean `usage`? known here: usage, plans, surveys, accounts
        "#]],
    );
}

#[test]
fn an_unknown_feature_of_the_scorecard_is_refused() {
    check_refused(
        config("feature = \"nps\"", "feature = \"npss\""),
        INVALID,
        &expect![[r#"
            ----
            error: indicator `npss` is no feature of this book; near matches: `nps`
            hint: see [scorecard] and the features' `good` in book.toml
        "#]],
    );
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let remove = |folder: &Folder| std::fs::remove_file(folder.path("book/book.toml")).expect("it was there");
    check_refused(
        remove,
        INVALID,
        &expect![[r#"
            ----
              × book/book.toml can't be read
              ╰─▶ No such file or directory (os error 2)
            hint: name a book.toml with --book; `bellwether init FOLDER` writes one to start from
        "#]],
    );
}

#[test]
fn a_feed_with_a_bad_value_is_not_scored() {
    check_not_scored(
        set("usage.csv", 41, 2, "many"),
        "2024-06-30",
        INVALID,
        &expect![[r#"
            ----
            scoring book/book.toml as of 2024-06-30
            error: book/usage.csv: column `logins`, row 41 is `many`; a finite number is needed, at most 3.4e38 in size
            hint: correct the value; a text that means missing goes into the source's `null_values`, a date's form into `date_format`
        "#]],
    );
}

#[test]
fn a_feed_that_lost_a_column_is_not_scored() {
    check_not_scored(
        |folder| folder.replace("book/usage.csv", "logins", "signins"),
        "2024-06-30",
        INVALID,
        &expect![[r#"
            ----
            scoring book/book.toml as of 2024-06-30
            error: book/usage.csv: there is no column `logins` (source `usage`)
            hint: did you mean `signins`? the file also has errors, account, date
        "#]],
    );
}

#[test]
fn an_empty_feed_is_not_scored() {
    check_not_scored(
        keep("surveys.csv", |_| false),
        "2024-06-30",
        INVALID,
        &expect![[r#"
            ----
            scoring book/book.toml as of 2024-06-30
            error: book/surveys.csv: source `surveys` has no row
            hint: check the export; a feed without rows can't be told from a feed that failed
        "#]],
    );
}

#[test]
fn other_features_than_the_bundle_was_trained_with_are_not_scored() {
    check_not_scored(
        config("window = \"30d\"", "window = \"60d\""),
        "2024-06-30",
        REFUSED,
        &expect![[r#"
            ----
            scoring book/book.toml as of 2024-06-30
            error: book/book.toml declares other features than the bundle was trained with: feature `logins_30d` (number 5)
            hint: score with the book.toml that the bundle holds (its book.toml), or train again
        "#]],
    );
}

#[test]
fn another_meaning_of_a_source_is_not_scored() {
    check_not_scored(
        config("null_values = [\"n/a\"]", "null_values = [\"n/a\", \"0\"]"),
        "2024-06-30",
        REFUSED,
        &expect![[r#"
            ----
            scoring book/book.toml as of 2024-06-30
            error: book/book.toml declares other features than the bundle was trained with: `sources.surveys.null_values`
            hint: score with the book.toml that the bundle holds (its book.toml), or train again
        "#]],
    );
}

#[test]
fn a_day_after_the_data_ends_is_not_scored() {
    check_not_scored(
        |_| (),
        "2025-01-01",
        REFUSED,
        &expect![[r#"
            ----
            scoring book/book.toml as of 2025-01-01
            error: as of 2025-01-01: the data ends on 2024-12-31; a score of days that nobody saw is no honest score
            hint: deliver the missing days, score as of 2024-12-31, or say in `snapshots.data_end` until when the sources are complete
        "#]],
    );
}
