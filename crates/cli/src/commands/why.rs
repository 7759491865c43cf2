//! `bellwether why`

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bellwether_book::{Column, FeatureTable, Table, check_output, write_table};
use bellwether_core::{Date, FeatureMatrix, RawTable, RowStatus, Target};
use bellwether_score::{Contributions, ExplainedMove, Moved};
use serde::Serialize;

use crate::args::Why;
use crate::commands::explain::{json, line, row_of};
use crate::failure::Failure;
use crate::output::{print_json, print_text};
use crate::pipeline::explained::{Explained, ExplainedTarget, named};
use crate::pipeline::opened::Opened;
use crate::progress::{Bars, say};

/// Parts smaller than this, in points, are not told one by one.
const LEAST_POINTS: f64 = 0.05;

/// One account and target, for scripts; numbers are percentage points of the probability.
#[derive(Serialize)]
struct Move {
    account_id: String,
    target: Target,
    from: Date,
    to: Date,
    before: f64,
    after: f64,
    change: f64,
    /// Those that moved anything, the largest first.
    indicators: Vec<MovedIndicator>,
    cohort: f64,
    model: f64,
}

#[derive(Serialize)]
struct MovedIndicator {
    indicator: String,
    value_before: serde_json::Value,
    value_after: serde_json::Value,
    points: f64,
    text: String,
}

pub(crate) fn run(arguments: &Why) -> Result<(), Failure> {
    let bars = Bars::default();
    if let Some(out) = &arguments.out {
        check_output(out)?;
    }
    let after = Version::open(arguments, &arguments.model, &bars)?;
    let before = arguments.model_before.as_ref().map(|model| Version::open(arguments, model, &bars)).transpose()?;
    say(&format!("reading {} as of {} and {}", arguments.book.display(), arguments.from, arguments.to));
    let [from, to] = [arguments.from, arguments.to].map(|day| after.opened.book.as_of(day, &bars));
    let days = Days::of(&from?, &to?, arguments)?;
    let moves = moves(before.as_ref().unwrap_or(&after), &after, &days, arguments)?;
    if let Some(out) = &arguments.out {
        write_table(&table(&moves), out)?;
        say(&format!("{}: {} accounts and targets", out.display(), moves.len()));
    }
    match (&arguments.account, arguments.json) {
        (_, true) => print_json(&moves),
        (Some(_), false) => print_text(&text(&moves)),
        (None, false) => Ok(()),
    }
}

/// A bundle beside the book.
struct Version {
    opened: Opened,
    explained: Explained,
}

impl Version {
    fn open(arguments: &Why, model: &std::path::Path, bars: &Bars) -> Result<Self, Failure> {
        let opened = Opened::open(&arguments.book, model, bars)?;
        let explained = Explained::of(&opened, false)?;
        Ok(Self { opened, explained })
    }

    /// What the version's models read on both days, and on the second one in the first one's cohorts.
    fn encode(&self, days: &Days) -> Result<[FeatureMatrix; 3], Failure> {
        let encode = |raw: &RawTable| {
            self.opened
                .bundle
                .encoding()
                .encode(raw)
                .map_err(|error| Failure::from(bellwether_book::BookError::from(error)))
        };
        let in_old_cohort = RawTable { cohort: days.before.cohort.clone(), ..days.after.clone() };
        Ok([encode(&days.before)?, encode(&in_old_cohort)?, encode(&days.after)?])
    }
}

/// The accounts that are customers on both days, row by row.
struct Days {
    accounts: Vec<String>,
    before: RawTable,
    after: RawTable,
}

impl Days {
    fn of(from: &FeatureTable, to: &FeatureTable, arguments: &Why) -> Result<Self, Failure> {
        let is_scored = |table: &FeatureTable, row: usize| table.status[row] == RowStatus::Scored;
        let wanted = arguments.account.as_deref();
        let is_wanted = |account: &str| wanted.is_none_or(|wanted| wanted == account);
        let first: BTreeMap<&str, usize> = (0..from.n_rows())
            .filter(|&row| is_scored(from, row) && is_wanted(&from.keys[row].account.0))
            .map(|row| (from.keys[row].account.0.as_str(), row))
            .collect();
        let on_both = (0..to.n_rows()).filter(|&row| is_scored(to, row));
        let rows: Vec<(usize, usize)> =
            on_both.filter_map(|row| Some((*first.get(to.keys[row].account.0.as_str())?, row))).collect();
        if let (Some(account), true) = (wanted, rows.is_empty()) {
            row_of(&from.keys, account, arguments.from)?;
            row_of(&to.keys, account, arguments.to)?;
            let message = format!("account `{account}` is no customer on one of the days");
            return Err(Failure::refused(message, "name days on which it is one; `score` tells its status"));
        }
        let (first, second): (Vec<usize>, Vec<usize>) = rows.into_iter().unzip();
        Ok(Self {
            accounts: second.iter().map(|&row| to.keys[row].account.to_string()).collect(),
            before: from.raw.select(&first),
            after: to.raw.select(&second),
        })
    }
}

fn moves(first: &Version, second: &Version, days: &Days, arguments: &Why) -> Result<Vec<Move>, Failure> {
    let [x_first, x_second] = [first.encode(days)?, second.encode(days)?];
    let names: Vec<String> = names(first, second);
    let mut moves = Vec::new();
    for of_second in &second.explained.targets {
        let Some(of_first) = first.explained.targets.iter().find(|of| of.target == of_second.target) else { continue };
        let [found_first, found_second] = [found(of_first, &x_first)?, found(of_second, &x_second)?];
        for (row, account) in days.accounts.iter().enumerate() {
            let [one, other] = [(first, &found_first), (second, &found_second)].map(|(version, found)| {
                let row = |of: &Contributions| ExplainedTarget::row(of, row, &version.explained.indicators, &names);
                ExplainedMove { before: row(&found[0]), in_old_cohort: row(&found[1]), after: row(&found[2]) }
            });
            let [before, after] = [of_first, of_second].map(|of| move |sum: f64| 100.0 * of.probability(sum));
            let moved = Moved::of(&one, &other, [&before, &after]);
            if moved.after.is_nan() || moved.before.is_nan() {
                continue;
            }
            let indicators = indicators(&moved, &second.explained, [&x_second[0], &x_second[2]], row, &names);
            moves.push(Move {
                account_id: account.clone(),
                target: of_second.target,
                from: arguments.from,
                to: arguments.to,
                before: moved.before,
                after: moved.after,
                change: moved.after - moved.before,
                indicators,
                cohort: moved.cohort,
                model: moved.model,
            });
        }
    }
    Ok(moves)
}

/// The indicators of either version, those of the second first.
fn names(first: &Version, second: &Version) -> Vec<String> {
    let of = |version: &Version| -> Vec<String> {
        let indicators = &version.explained.indicators;
        (0..indicators.len()).map(|of| indicators.name(of).to_owned()).collect()
    };
    let mut names = of(second);
    for name in of(first) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn found(of: &ExplainedTarget, x: &[FeatureMatrix; 3]) -> Result<[Contributions; 3], Failure> {
    Ok([of.contributions(&x[0])?, of.contributions(&x[1])?, of.contributions(&x[2])?])
}

fn indicators(
    moved: &Moved,
    explained: &Explained,
    [before, after]: [&FeatureMatrix; 2],
    row: usize,
    names: &[String],
) -> Vec<MovedIndicator> {
    let mut order: Vec<usize> = (0..names.len()).filter(|&at| moved.by_indicator[at].abs() > 0.0).collect();
    let points = |at: usize| moved.by_indicator[at];
    order.sort_by(|&a, &b| points(b).abs().total_cmp(&points(a).abs()).then(a.cmp(&b)));
    let told = |at: usize| {
        let is_known = at < explained.indicators.len();
        let value =
            |x: &FeatureMatrix| if is_known { json(explained.value(at, x, row)) } else { serde_json::Value::Null };
        let text = if is_known {
            let (wording, value) = (&explained.wordings[at], |x| explained.value(at, x, row));
            format!("{}; before: {}", wording.says(value(after)), wording.state(value(before)))
        } else {
            names[at].replace('_', " ")
        };
        MovedIndicator {
            indicator: names[at].clone(),
            value_before: value(before),
            value_after: value(after),
            points: points(at),
            text,
        }
    };
    order.into_iter().map(told).collect()
}

fn text(moves: &[Move]) -> String {
    let mut text = String::new();
    for of in moves {
        let (target, from, to) = (named(of.target), of.from, of.to);
        let (before, after) = (of.before, of.after);
        let _ = writeln!(text, "{}, {target}: {before:.1} % on {from}, {after:.1} % on {to}; points", of.account_id);
        let sizes = of.indicators.iter().map(|of| of.points.abs()).chain([of.cohort.abs(), of.model.abs()]);
        let largest = sizes.fold(0.0, f64::max);
        let (shown, others): (Vec<_>, Vec<_>) = of.indicators.iter().partition(|of| of.points.abs() >= LEAST_POINTS);
        for of in shown {
            text.push_str(&line(of.points, largest, &of.text));
        }
        let others: f64 = others.iter().map(|of| of.points).sum();
        text.push_str(&line(others, largest, "all other indicators together"));
        text.push_str(&line(of.cohort, largest, "it is held against other accounts (cohort)"));
        text.push_str(&line(of.model, largest, "another model version scores it"));
        text.push_str(&line(of.change, of.change.abs().max(largest), "in all"));
        text.push('\n');
    }
    text.push_str("Parts say what moved the score, not what moved the account.");
    text
}

/// What one part moved.
struct Part<'a> {
    of: &'a Move,
    kind: &'static str,
    indicator: Option<&'a str>,
    points: f64,
}

/// One row a part that moved anything.
fn table(moves: &[Move]) -> Table {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for of in moves {
        let indicators = of.indicators.iter();
        parts.extend(indicators.map(|found| Part {
            of,
            kind: "indicator",
            indicator: Some(found.indicator.as_str()),
            points: found.points,
        }));
        let others = [("cohort", of.cohort), ("model", of.model)];
        parts.extend(others.map(|(kind, points)| Part { of, kind, indicator: None, points }));
    }
    let text = |value: &dyn Fn(&Part<'_>) -> Option<String>| Column::Text(parts.iter().map(value).collect());
    let date = |value: &dyn Fn(&Move) -> Date| Column::Date(parts.iter().map(|part| Some(value(part.of))).collect());
    let number = |value: &dyn Fn(&Part<'_>) -> f64| Column::Float(parts.iter().map(|part| Some(value(part))).collect());
    Table::default()
        .with("account_id", text(&|part| Some(part.of.account_id.clone())))
        .with("target", text(&|part| Some(part.of.target.to_string())))
        .with("from", date(&|of| of.from))
        .with("to", date(&|of| of.to))
        .with("before", number(&|part| part.of.before / 100.0))
        .with("after", number(&|part| part.of.after / 100.0))
        .with("part", text(&|part| Some(part.kind.to_owned())))
        .with("indicator", text(&|part| part.indicator.map(str::to_owned)))
        .with("points", number(&|part| part.points))
}
