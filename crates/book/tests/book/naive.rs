//! Every aggregate and window against a naive reading of its documentation, on random books.
//!
//! The reference filters a list of rows anew for each value and reads nothing but the documentation of `book.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bellwether_book::{Aggregate, BookFile, Change, FeatureTable, SourceKind};
use bellwether_core::{Date, Quiet, RawValues};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::declared::{self, AGGREGATES, Column, Feature, WINDOWS, is_state};
use crate::random::{self, Files, N_ACCOUNTS, RandomBook, RandomSource, Row, account_id};

/// What a feature should be.
#[derive(Debug, Clone, PartialEq)]
enum Expected {
    Number(Option<f64>),
    Text(Option<String>),
}

/// The rows of one feature's source that count as of `t`, told from what is known by `known_by`.
struct Seen<'a> {
    /// Within the window.
    rows: Vec<&'a Row>,
    /// Before it.
    earlier: Vec<&'a Row>,
    /// First and last day of the window.
    span: Option<(Date, Date)>,
    t: Date,
    first_day: Option<Date>,
}

/// The day before a window's first, by plain calendar arithmetic on year, month and day.
fn window_start(window: &str, t: Date) -> Date {
    let digits = window.trim_end_matches(char::is_alphabetic);
    let n: i32 = digits.parse().expect("a window of the test");
    match &window[digits.len()..] {
        "d" => t.plus_days(-n),
        "w" => t.plus_days(-7 * n),
        _ if t.plus_days(1).ymd().2 == 1 => month_later(t, -n, 31),
        _ => month_later(t, -n, t.ymd().2),
    }
}

/// The last day of the window that begins with `first`.
fn window_end(window: &str, first: Date) -> Date {
    let digits = window.trim_end_matches(char::is_alphabetic);
    let n: i32 = digits.parse().expect("a window of the test");
    match &window[digits.len()..] {
        "d" => first.plus_days(n - 1),
        "w" => first.plus_days(7 * n - 1),
        _ => month_later(first, n, first.ymd().2).plus_days(-1),
    }
}

/// Day `day` of the month `n` months later, or its last day where there is none.
fn month_later(t: Date, n: i32, day: i8) -> Date {
    let (year, month, _) = t.ymd();
    let months = i32::from(year) * 12 + i32::from(month) - 1 + n;
    let (year, month) = ((months / 12) as i16, (months % 12) as i8 + 1);
    (28..=day).rev().chain([day]).find_map(|day| Date::from_ymd(year, month, day)).expect("a month has such a day")
}

/// Rows of an account that are known by `t`, each in the version known last.
fn known_rows(source: &RandomSource, account: usize, t: Date) -> Vec<&Row> {
    let form = source.form;
    let is_seen =
        |row: &&Row| row.account == account && (!form.is_dated || row.day <= t) && (!form.has_known || row.known <= t);
    let seen: Vec<&Row> = source.rows.iter().filter(is_seen).collect();
    let is_last_version = |row: &&Row| {
        let replaces = |other: &&Row| (!form.is_dated || other.day == row.day) && other.known > row.known;
        !(is_state(form.kind) && form.has_known && seen.iter().any(replaces))
    };
    seen.iter().copied().filter(is_last_version).collect()
}

/// An account's first day as known by `t`: `None` before it is known; a day before all others where it has no date.
fn first_day(book: &RandomBook, account: usize, t: Date) -> Option<Date> {
    let listed = known_rows(&book.sources[0], account, t);
    let day = |row: &&Row| if book.sources[0].form.is_dated { row.day } else { Date::from_days(-1_000_000) };
    listed.iter().map(day).min()
}

/// The rows of a feature as of `t`, known by `known_by`.
fn seen<'a>(book: &'a RandomBook, feature: &Feature, account: usize, t: Date, known_by: Date) -> Seen<'a> {
    let source = &book.sources[feature.from];
    let dated = source.form.is_dated;
    let first_day = first_day(book, account, known_by);
    let span = feature.window.map(|window| match first_day {
        Some(first) if feature.from_start => (first, window_end(window, first).min(t)),
        _ => (window_start(window, t).plus_days(1), t),
    });
    let mut rows = known_rows(source, account, known_by);
    rows.retain(|row| feature.filter.iter().all(|condition| condition.holds(row)));
    let is_active = |row: &Row| row.day <= t && row.end.is_none_or(|end| t < end);
    let is_in = |row: &Row| match span {
        Some((first, last)) => first <= row.day && row.day <= last,
        None if source.form.kind == SourceKind::Subscription => is_active(row),
        None => !dated || row.day <= t,
    };
    let earlier = rows.iter().copied().filter(|row| span.is_some_and(|(first, _)| row.day < first)).collect();
    Seen { rows: rows.into_iter().filter(|row| is_in(row)).collect(), earlier, span, t, first_day }
}

/// Rows with the values of the column, in order of day, then of known day, then of value.
fn in_order<'a>(source: &RandomSource, column: Column, rows: &[&'a Row]) -> Vec<(&'a Row, f64)> {
    let mut valued: Vec<(&Row, f64)> = rows.iter().filter_map(|row| Some((*row, column.number(row)?))).collect();
    let form = source.form;
    let key = |row: &Row| (form.is_dated.then_some(row.day), form.has_known.then_some(row.known));
    valued.sort_by(|(a, x), (b, y)| key(a).cmp(&key(b)).then(x.total_cmp(y)));
    valued
}

/// What tells a value from others: the number where the file has numbers, the text otherwise.
fn identity(book: &RandomBook, column: Column, row: &Row) -> Option<String> {
    match (book.files, column) {
        (Files::Parquet, Column::X) => column.number(row).map(|x| (x + 0.0).to_string()),
        _ => column.text(row),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation of the population.
fn deviation(values: &[f64]) -> Option<f64> {
    let center = mean(values)?;
    mean(&values.iter().map(|x| (x - center).powi(2)).collect::<Vec<_>>()).map(f64::sqrt)
}

fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let (days, values): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (day, value) = (mean(&days)?, mean(&values)?);
    let below: f64 = days.iter().map(|x| (x - day).powi(2)).sum();
    let above: f64 = points.iter().map(|(x, y)| (x - day) * (y - value)).sum();
    (below > 0.0).then(|| above / below)
}

fn days_between(from: Date, to: Date) -> f64 {
    f64::from(to.days() - from.days())
}

/// The whole weeks of a span, counted back from its last day: each one's first and last day.
fn weeks((first, last): (Date, Date)) -> Vec<(Date, Date)> {
    let week = |n: i32| (last.plus_days(-7 * n - 6), last.plus_days(-7 * n));
    let n_weeks = (last.days() - first.days() + 1) / 7;
    (0..n_weeks).map(week).collect()
}

/// The aggregate of the rows that are seen, by the documentation of [`Aggregate`].
fn aggregate(book: &RandomBook, feature: &Feature, seen: &Seen<'_>) -> Option<f64> {
    let source = &book.sources[feature.from];
    let column = feature.column;
    // Where a column is given, rows without a value are passed over.
    let rows: Vec<&Row> = match column {
        Some(column @ (Column::X | Column::Flag | Column::Due)) => {
            seen.rows.iter().copied().filter(|row| column.number(row).is_some()).collect()
        }
        _ => seen.rows.clone(),
    };
    let ordered = column.map(|column| in_order(source, column, &seen.rows)).unwrap_or_default();
    let values: Vec<f64> = ordered.iter().map(|&(_, x)| x).collect();
    let ids = |rows: &[&Row]| -> Vec<String> { rows.iter().filter_map(|row| identity(book, column?, row)).collect() };
    let distinct = |rows: &[&Row]| ids(rows).into_iter().collect::<BTreeSet<_>>();
    let span = || seen.span.expect("these aggregates have a window");
    let n_days = || days_between(span().0, span().1) + 1.0;
    let days = || rows.iter().map(|row| row.day);
    let within = |(from, to): (Date, Date)| rows.iter().filter(move |row| from <= row.day && row.day <= to);
    match feature.aggregate {
        Aggregate::Last => values.last().copied(),
        Aggregate::First => {
            let first = ordered.first()?.0.day;
            let is_first = |row: &Row| !source.form.is_dated || row.day == first;
            ordered.iter().find(|(row, _)| is_first(row)).map(|&(_, x)| x)
        }
        Aggregate::Sum => Some(values.iter().sum()),
        Aggregate::Mean => mean(&values),
        Aggregate::Min => values.iter().copied().reduce(f64::min),
        Aggregate::Max => values.iter().copied().reduce(f64::max),
        Aggregate::Count => Some(rows.len() as f64),
        Aggregate::Distinct => Some(distinct(&seen.rows).len() as f64),
        Aggregate::DistinctNew => Some(distinct(&seen.rows).difference(&distinct(&seen.earlier)).count() as f64),
        Aggregate::MeanDailyDistinct => {
            let days: BTreeSet<Date> = seen.rows.iter().map(|row| row.day).collect();
            let on = |day: &Date| seen.rows.iter().copied().filter(|row| row.day == *day).collect::<Vec<_>>();
            Some(days.iter().map(|day| distinct(&on(day)).len() as f64).sum::<f64>() / n_days())
        }
        Aggregate::LargestShare => {
            let all = ids(&seen.rows);
            let times = |id: &String| all.iter().filter(|other| *other == id).count();
            all.iter().map(times).max().map(|most| most as f64 / all.len() as f64)
        }
        Aggregate::Median => {
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
            Some(f64::midpoint(sorted[low], sorted[high]))
        }
        Aggregate::Std => deviation(&values).filter(|_| values.len() >= 2),
        Aggregate::Slope => slope(&ordered.iter().map(|&(row, x)| (f64::from(row.day.days()), x)).collect::<Vec<_>>()),
        Aggregate::DaysSince => days().max().map(|day| days_between(day, seen.t)),
        Aggregate::DaysSinceFirst => days().min().map(|day| days_between(day, seen.t)),
        Aggregate::DaysToFirst => Some(days_between(seen.first_day?, days().min()?)),
        Aggregate::DaysUntil => values.last().map(|due| due - f64::from(seen.t.days())),
        Aggregate::ShareOfDaysActive => Some(days().collect::<BTreeSet<_>>().len() as f64 / n_days()),
        Aggregate::ShareOfWeeksActive => {
            let weeks = weeks(span());
            let n_active = weeks.iter().filter(|week| within(**week).next().is_some()).count();
            (!weeks.is_empty()).then(|| n_active as f64 / weeks.len() as f64)
        }
        Aggregate::WeeklyVariation => {
            let total = |week: &(Date, Date)| {
                within(*week).map(|row| column.map_or(Some(1.0), |of| of.number(row)).unwrap_or(0.0)).sum()
            };
            let totals: Vec<f64> = weeks(span()).iter().map(total).collect();
            let center = mean(&totals).filter(|mean| *mean != 0.0)?;
            Some(deviation(&totals)? / center)
        }
    }
}

/// The text of the latest (or earliest) row that has one.
fn text(book: &RandomBook, feature: &Feature, seen: &Seen<'_>) -> Option<String> {
    let form = book.sources[feature.from].form;
    let column = feature.column.expect("a text is of a column");
    let mut texts: Vec<_> = seen
        .rows
        .iter()
        .filter_map(|row| {
            Some((form.is_dated.then_some(row.day), form.has_known.then_some(row.known), column.text(row)?))
        })
        .collect();
    texts.sort();
    let picked = if feature.aggregate == Aggregate::First { texts.first() } else { texts.last() };
    picked.map(|(_, _, text)| text.clone())
}

/// The number of a feature as of `t`, before `per`.
fn number(book: &RandomBook, feature: &Feature, account: usize, t: Date) -> Option<f64> {
    let at = |day: Date| aggregate(book, feature, &seen(book, feature, account, day, t));
    let earlier = |day: Date| {
        let step = feature.lag.or(feature.window).expect("a change has a lag or a window");
        window_start(step, day)
    };
    match feature.change {
        None => at(t),
        Some(Change::Difference) => Some(at(t)? - at(earlier(t))?),
        Some(Change::Ratio) => Some(at(t)? / at(earlier(t)).filter(|before| *before != 0.0)?),
        Some(Change::ZScore) => {
            let first = first_day(book, account, t)?;
            let n_periods = feature.periods.unwrap_or(6) as usize;
            let ends = std::iter::successors(Some(earlier(t)), |day| Some(earlier(*day))).take(n_periods);
            let before: Vec<f64> = ends.filter(|day| earlier(*day).plus_days(1) >= first).filter_map(at).collect();
            // Sums that differ by the order of addition alone do not differ.
            let largest = before.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            let spread = deviation(&before).filter(|spread| before.len() >= 3 && *spread > 1e-9 * largest)?;
            Some((at(t)? - mean(&before)?) / spread)
        }
    }
}

/// What the features of an account should be as of `t`.
fn expected(book: &RandomBook, features: &[Feature], account: usize, t: Date) -> Vec<Expected> {
    let mut values: Vec<Expected> = Vec::new();
    for feature in features {
        // Before the account is known to be there, no window begins with its first day.
        let is_there = !feature.from_start || first_day(book, account, t).is_some();
        let value = if feature.is_text {
            Expected::Text(text(book, feature, &seen(book, feature, account, t, t)).filter(|_| is_there))
        } else {
            let own = number(book, feature, account, t).filter(|_| is_there);
            Expected::Number(match feature.per.map(|per| &values[per]) {
                None => own,
                Some(Expected::Number(Some(per))) if *per != 0.0 => own.map(|own| own / per),
                Some(_) => None,
            })
        };
        values.push(value);
    }
    values
}

/// Whether the definition fixes every bit: a row's own value, or a quotient of whole numbers.
fn is_exact(feature: &Feature) -> bool {
    let is_computed = matches!(
        feature.aggregate,
        Aggregate::Sum
            | Aggregate::Mean
            | Aggregate::Median
            | Aggregate::Std
            | Aggregate::Slope
            | Aggregate::WeeklyVariation
    );
    !is_computed && feature.change.is_none() && feature.per.is_none()
}

/// Sums in another order differ in the last bits of 64, which a difference or z-score of like numbers makes larger; the
/// feature itself has 24 bits, 6e-8.
const TOLERANCE: f64 = 1e-6;

fn agrees(feature: &Feature, found: &RawValues, row: usize, expected: &Expected) -> bool {
    match (found, expected) {
        (RawValues::Text(texts), Expected::Text(text)) => texts.get(row) == text.as_deref(),
        (RawValues::Number(values), Expected::Number(None)) => values[row].is_nan(),
        // 0.0 and -0.0 are one number.
        (RawValues::Number(values), Expected::Number(Some(x))) if is_exact(feature) => values[row] == *x as f32,
        (RawValues::Number(values), Expected::Number(Some(x))) => {
            (f64::from(values[row]) - x).abs() <= TOLERANCE * x.abs().max(1.0)
        }
        _ => false,
    }
}

fn found_row(table: &FeatureTable, account: usize) -> usize {
    let id = account_id(account);
    table.keys.iter().position(|key| key.account.0 == id).expect("as_of has every account")
}

/// Compares every cell of a book; tells each to `visit`.
fn check(
    book: &RandomBook,
    features: &[Feature],
    days: &[Date],
    mut visit: impl FnMut(&Feature, &Expected),
) -> Result<(), TestCaseError> {
    let (_folder, opened) = book.open(&declared::toml(features)).expect("a valid book");
    for &t in days {
        let table = opened.as_of(t, &Quiet).expect("within the data");
        prop_assert_eq!(table.n_rows(), N_ACCOUNTS);
        for account in 0..N_ACCOUNTS {
            let row = found_row(&table, account);
            for ((feature, column), expected) in
                features.iter().zip(&table.raw.columns).zip(expected(book, features, account, t))
            {
                let found = || match &column.values {
                    RawValues::Number(values) => format!("{:?}", values[row]),
                    RawValues::Text(texts) => format!("{:?}", texts.get(row)),
                };
                prop_assert!(
                    agrees(feature, &column.values, row, &expected),
                    "{} of a{:02} as of {}: found {}, expected {:?}\n{:?}\n{}",
                    column.name,
                    account,
                    t,
                    found(),
                    expected,
                    feature,
                    rows_shown(book, feature, account)
                );
                visit(feature, &expected);
            }
        }
    }
    Ok(())
}

fn rows_shown(book: &RandomBook, feature: &Feature, account: usize) -> String {
    let of = |source: &RandomSource| {
        let rows = source.rows.iter().filter(|row| row.account == account);
        rows.map(|row| format!("  {row:?}")).collect::<Vec<_>>().join("\n")
    };
    format!("accounts:\n{}{}:\n{}", of(&book.sources[0]), feature.from, of(&book.sources[feature.from]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn features_equal_their_definition(
        book in random::book(),
        drawn in prop::collection::vec(declared::feature(), 40),
        days in random::snapshot_days(),
    ) {
        let features = declared::in_book(drawn, &book);
        check(&book, &features, &days, |_, _| ())?;
    }
}

/// Kind of a window: none, days, weeks or months.
fn window_kind(window: Option<&str>) -> &'static str {
    match window {
        None => "none",
        Some(window) if window.ends_with("mo") => "months",
        Some(window) if window.ends_with('w') => "weeks",
        Some(_) => "days",
    }
}

/// The random books reach every aggregate over every kind of window, with rows and without.
#[test]
fn every_aggregate_and_kind_of_window_is_reached() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<(Aggregate, &str), [usize; 2]> = BTreeMap::new();
    let all = |(aggregate, _): &(Aggregate, &str)| {
        let of = |from| WINDOWS.iter().map(move |&window| (from, window)).collect::<Vec<_>>();
        let plain = [1, 2, 3, 8].into_iter().flat_map(of);
        plain.map(|(from, window)| Feature::plain(from, *aggregate, window)).collect::<Vec<_>>()
    };
    let plain: Vec<Feature> = AGGREGATES.iter().flat_map(all).collect();
    for _ in 0..4 {
        let strategy = (random::book(), random::snapshot_days());
        let (book, days) = strategy.new_tree(&mut runner).expect("draws").current();
        let features = declared::in_book(plain.clone(), &book);
        let tally = |feature: &Feature, expected: &Expected| {
            let is_nothing = matches!(expected, Expected::Number(None | Some(0.0)) | Expected::Text(None));
            let key = (feature.aggregate, window_kind(feature.window));
            seen.entry(key).or_default()[usize::from(is_nothing)] += 1;
        };
        check(&book, &features, &days, tally).expect("features equal their definition");
    }
    for (aggregate, _) in AGGREGATES {
        for kind in ["none", "days", "weeks", "months"] {
            let needs_window = Feature::plain(1, aggregate, None).window.is_some();
            if kind == "none" && needs_window {
                continue;
            }
            let [n_some, n_nothing] = seen.get(&(aggregate, kind)).copied().unwrap_or_default();
            assert!(n_some > 0 && n_nothing > 0, "{aggregate:?} over {kind}: {n_some} with, {n_nothing} without");
        }
    }
}

#[test]
fn a_feature_is_not_divided_by_a_text() {
    let toml = r#"
        name = "per"
        [sources.accounts]
        kind = "attribute"
        path = "accounts.csv"
        account = "account"
        [accounts]
        from = "accounts"
        [[features]]
        from = "accounts"
        column = "segment"
        type = "text"
        [[features]]
        from = "accounts"
        column = "seats"
        per = "segment"
    "#;
    let error = BookFile::parse(toml.to_owned(), Path::new("book.toml")).expect_err("a text is no divisor");
    assert_eq!(error.to_string(), "feature `seats` is per `segment`, which is a text");
}
