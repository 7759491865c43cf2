//! The score in use: what `evaluate` says of bands, lead times, interventions and renewals is what a direct count on
//! the scores of each day gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::OnceLock;

use expect_test::expect;
use serde_json::Value;

use crate::support::Folder;

/// Test days of the small book, trained with seed 7, and the snapshot days after them that have no label yet.
const DAYS: [&str; 8] =
    ["2024-05-31", "2024-06-30", "2024-07-31", "2024-08-31", "2024-09-30", "2024-10-31", "2024-11-30", "2024-12-31"];
const DATA_END: &str = "2024-12-31";
const HORIZON: i64 = 90;
const LEAD: i64 = 30;

const EVALUATION: &str = r#"
[sources.actions]
kind = "event"
path = "actions.csv"
account = "account"
date = "date"

[evaluation.interventions]
source = "actions"
filter = [{ column = "done", in = ["yes"] }]
control = [{ column = "done", in = ["no"] }]
kind = "what"
lasts_days = 14

[sources.decisions]
kind = "event"
path = "decisions.csv"
account = "account"
date = "date"

[evaluation.renewals]
source = "decisions"
renewed = [{ column = "renewed", in = ["yes"] }]

[evaluation.score_use]
source = "actions"
referenced = [{ column = "saw_score", in = ["yes"] }]
score_driven = [{ column = "what", in = ["call"] }]

[evaluation.costs]
contact = 100
capacity = [10, 40]
"#;

/// The trained small book with a log of actions and decisions, both made up.
struct Book {
    folder: Folder,
    json: Value,
    /// Health score and band by account and day, of customers.
    scores: BTreeMap<(String, i64), (f64, String)>,
    /// The first day without a plan by account.
    churned: BTreeMap<String, i64>,
    /// Account, day, what and whether it was done.
    actions: Vec<(String, i64, String, bool)>,
    /// Account, day and whether it renewed.
    decisions: Vec<(String, i64, bool)>,
}

fn book() -> &'static Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(|| {
        let folder = Folder::trained().copy();
        folder.edit("book/book.toml", |text| text + EVALUATION);
        let churned = churned(&folder.read("book/plans.csv"));
        let (actions, decisions) = made_up(&churned);
        folder.write("book/actions.csv", text_of_actions(&actions));
        folder.write("book/decisions.csv", text_of_decisions(&decisions));
        let json = folder.run("evaluate --book book/book.toml --model models/small --json").json();
        let scores = DAYS.into_iter().flat_map(|day| scores_of(&folder, day)).collect();
        Book { folder, json, scores, churned, actions, decisions }
    })
}

fn day(text: &str) -> i64 {
    let date: bellwether_core::Date = text.parse().expect("a date");
    i64::from(date.days())
}

fn date(day: i64) -> String {
    bellwether_core::Date::from_days(day as i32).to_string()
}

/// No account of the small book comes back.
fn churned(plans: &str) -> BTreeMap<String, i64> {
    let mut last: BTreeMap<String, Option<i64>> = BTreeMap::new();
    for line in plans.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        last.insert(fields[0].to_owned(), (!fields[2].is_empty()).then(|| day(fields[2])));
    }
    last.into_iter().filter_map(|(account, end)| Some((account, end?))).collect()
}

/// An account, a day, a kind, and whether it was done.
type Action = (String, i64, String, bool);

/// An account, a day, and whether it renewed.
type Decision = (String, i64, bool);

/// An account and a day, the band then, and whether it churned.
type Labelled<'a> = (&'a (String, i64), &'a str, bool);

/// Every fifth account is one for an action every 70 days, and every second has to decide every 50.
fn made_up(churned: &BTreeMap<String, i64>) -> (Vec<Action>, Vec<Decision>) {
    let (mut actions, mut decisions) = (Vec::new(), Vec::new());
    for account in 0..240_i64 {
        let id = format!("c-{account:03}");
        let end = churned.get(&id).copied().unwrap_or(i64::MAX);
        if account % 5 < 3 {
            for n in 0..4 {
                let at = day("2024-05-03") + 50 * n + account % 40;
                if at < end && at <= day(DATA_END) {
                    let what = if (account + n) % 2 == 0 { "call" } else { "training" };
                    actions.push((id.clone(), at, what.to_owned(), (account + n) % 3 > 0));
                }
            }
        }
        for n in 0..5 {
            let at = day("2024-06-20") + 40 * n + account % 30;
            if at <= day(DATA_END) {
                decisions.push((id.clone(), at, end > at + 20 && (account + n) % 7 > 0));
            }
        }
    }
    (actions, decisions)
}

fn text_of_actions(actions: &[(String, i64, String, bool)]) -> String {
    let mut text = "account,date,what,done,saw_score\n".to_owned();
    for (account, at, what, done) in actions {
        let saw = if at % 3 == 0 { "yes" } else { "no" };
        let _ = writeln!(text, "{account},{},{what},{},{saw}", date(*at), if *done { "yes" } else { "no" });
    }
    text
}

fn text_of_decisions(decisions: &[(String, i64, bool)]) -> String {
    let mut text = "account,date,renewed\n".to_owned();
    for (account, at, renewed) in decisions {
        let _ = writeln!(text, "{account},{},{}", date(*at), if *renewed { "yes" } else { "no" });
    }
    text
}

fn scores_of(folder: &Folder, as_of: &str) -> Vec<((String, i64), (f64, String))> {
    folder.run(&format!("score --book book/book.toml --model models/small --as-of {as_of} --out scores.jsonl")).done();
    let rows = folder.read("scores.jsonl");
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row"));
    let of_row = |row: Value| {
        let score = row["health_score"].as_f64()?;
        let account = row["account_id"].as_str()?.to_owned();
        Some(((account, day(as_of)), (score, row["band"].as_str()?.to_owned())))
    };
    rows.filter_map(of_row).collect()
}

impl Book {
    fn guide(&self, part: &str) -> &Value {
        &self.json["practice"]["guide"][part]["found"]
    }

    /// The rows whose outcome within the horizon is known.
    fn labelled(&self) -> impl Iterator<Item = (&(String, i64), &str, bool)> {
        let known = day(DATA_END) - HORIZON;
        let rows = self.scores.iter().filter(move |(key, _)| key.1 <= known);
        rows.map(|(key, (_, band))| {
            (key, band.as_str(), self.churned.get(&key.0).is_some_and(|&end| end <= key.1 + HORIZON))
        })
    }

    fn is_treated(&self, account: &str, at: i64) -> bool {
        let runs = |begin: i64| begin + 13 > at && begin <= at + HORIZON;
        self.actions.iter().any(|(of, begin, _, done)| of == account && *done && runs(*begin))
    }

    /// The row of the last snapshot day up to `at`.
    fn standing(&self, account: &str, at: i64) -> Option<&(f64, String)> {
        let snapshot = DAYS.iter().map(|of| day(of)).filter(|&of| of <= at).max()?;
        self.scores.get(&(account.to_owned(), snapshot))
    }
}

/// The finding is of `n` cases, of which `hits` are so.
#[track_caller]
fn check(finding: &Value, hits: usize, n: usize) {
    assert!(n > 0);
    let value = finding["estimate"]["value"].as_f64().expect("a share");
    assert_eq!(finding["n"].as_u64(), Some(n as u64), "{finding}");
    assert!((value - hits as f64 / n as f64).abs() < 1e-12, "{finding}: {hits} of {n}");
}

#[test]
fn bands_are_counted_on_test_rows() {
    let book = book();
    let found = book.guide("snapshots");
    let rows: Vec<_> = book.labelled().collect();
    let count = |holds: &dyn Fn(&Labelled<'_>) -> bool| rows.iter().filter(|row| holds(row)).count();
    let untreated = |row: &Labelled<'_>| row.1 == "red" && !book.is_treated(&row.0.0, row.0.1);
    check(&found["accuracy"], count(&|row| (row.1 == "red") == row.2), rows.len());
    check(&found["red_precision"], count(&|row| untreated(row) && row.2), count(&untreated));
    check(&found["red_churned"], count(&|row| row.1 == "red" && row.2), count(&|row| row.1 == "red"));
    check(&found["churned_green"], count(&|row| row.1 == "green" && row.2), count(&|row| row.2));
    assert!(count(&untreated) < count(&|row| row.1 == "red"), "some red rows are treated");
    for of in book.json["practice"]["guide"]["bands"].as_array().expect("a list") {
        let (outcome, band) = (of["outcome"].as_str().expect("a name"), of["band"].as_str().expect("a band"));
        let came = |row: &Labelled<'_>| row.2 == (outcome == "churn");
        if ["churn", "retention"].contains(&outcome) {
            check(&of["precision"], count(&|row| row.1 == band && came(row)), count(&|row| row.1 == band));
            check(&of["recall"], count(&|row| row.1 == band && came(row)), count(&came));
        }
    }
}

#[test]
fn lead_times_are_counted_on_all_days_of_the_test_part() {
    let book = book();
    let found = book.guide("lead_times");
    let accounts: BTreeSet<&String> = book.scores.keys().map(|key| &key.0).collect();
    let (mut leads, mut green) = (Vec::new(), Vec::new());
    for account in accounts {
        let Some(&end) = book.churned.get(account) else { continue };
        let bands: Vec<(i64, &str)> = DAYS
            .iter()
            .map(|of| day(of))
            .filter(|&at| at < end)
            .filter_map(|at| Some((at, book.scores.get(&(account.clone(), at))?.1.as_str())))
            .collect();
        let standing = bands.iter().rev().take_while(|of| of.1 != "green").last();
        leads.push(standing.map_or(0, |of| end - of.0));
        let before = bands.iter().rev().find(|of| of.0 <= end - 2);
        green.extend(before.map(|of| of.1 == "green"));
    }
    let of = &found["by_warning"][2];
    assert_eq!(of["warning"], "standing_not_green");
    let having = |least: i64| leads.iter().filter(|&&days| days >= least).count();
    check(&of["warned"], having(1), leads.len());
    check(&of["at_least_14"], having(14), leads.len());
    check(&of["at_least_30"], having(30), leads.len());
    let bins = of["histogram"].as_array().expect("a list");
    assert_eq!(bins.iter().filter_map(|bin| bin["n"].as_u64()).sum::<u64>(), leads.len() as u64);
    check(&found["before"][2]["shares"][2], green.iter().filter(|&&is| is).count(), green.len());
}

#[test]
fn renewals_are_counted_by_the_band_that_stood_a_lead_before() {
    let book = book();
    let found = book.guide("renewals");
    for (place, band) in ["red", "yellow", "green"].into_iter().enumerate() {
        let of_band = |of: &&(String, i64, bool)| book.standing(&of.0, of.1 - LEAD).is_some_and(|of| of.1 == band);
        let cases: Vec<_> = book.decisions.iter().filter(of_band).collect();
        check(&found["by_band"][place], cases.iter().filter(|of| of.2).count(), cases.len());
    }
}

#[test]
fn interventions_are_followed_for_a_horizon() {
    let book = book();
    let found = book.guide("interventions");
    let cases = |kind: Option<&str>| -> Vec<(f64, bool)> {
        let treated = book.actions.iter().filter(|of| of.3 && kind.is_none_or(|kind| of.2 == kind));
        let red = treated.filter_map(|(account, at, ..)| {
            let before = book.standing(account, at - 1).filter(|before| before.1 == "red")?;
            let end = book.churned.get(account).copied().filter(|&end| end <= at + HORIZON);
            if end.is_none() && at + HORIZON > day(DATA_END) {
                return None;
            }
            let last = end.map_or(at + HORIZON, |end| end - 1);
            let mut days = DAYS.iter().rev().map(|of| day(of)).filter(|&of| of <= last);
            let after = days.find_map(|of| book.scores.get(&(account.clone(), of)))?;
            Some((after.0 - before.0, end.is_none()))
        });
        red.collect()
    };
    let all = cases(None);
    check(&found["success"], all.iter().filter(|of| of.1).count(), all.len());
    let mean = all.iter().map(|of| of.0).sum::<f64>() / all.len() as f64;
    let change = found["score_change"]["estimate"]["value"].as_f64().expect("a mean");
    assert!((change - mean).abs() < 1e-9, "{change} {mean}");
    for of in book.json["practice"]["guide"]["by_kind"].as_array().expect("a list") {
        let of_kind = cases(of[0].as_str());
        check(&of[1]["success"], of_kind.iter().filter(|of| of.1).count(), of_kind.len());
    }
}

#[test]
fn use_of_the_score_is_counted_from_the_first_score_on() {
    let book = book();
    let found = book.guide("score_use");
    let counted: Vec<_> = book.actions.iter().filter(|of| of.1 >= day(DAYS[0])).collect();
    check(&found[0], counted.iter().filter(|of| of.1 % 3 == 0).count(), counted.len());
    check(&found[1], counted.iter().filter(|of| of.2 == "call").count(), counted.len());
}

#[test]
fn people_read_it() {
    let text = book().folder.run("evaluate --book book/book.toml --model models/small").done().stdout;
    let practice = text.split_once("what the guides ask").expect("it is there").1;
    expect![[r#"
        , on test rows
        id    what the guides ask                           seen [95 %]   of     goal  verdict
        V-01  accuracy: red left, rest stayed       57.3 % [50.2, 64.2]  572  >= 70 %  not met
        V-01  gain over 'nobody churns'          -30.8 % [-39.0, -22.5]  572    > 0 %  not met
        V-01  precision of red for churn            16.7 % [10.8, 24.8]  264        -  -
        V-01  recall of red for churn               64.7 % [45.0, 80.4]   68        -  -
        V-02  untreated red that churned            23.8 % [13.6, 38.3]  105  >= 70 %  not met
        V-03  median days, not green to churn             102 [43, 125]   34    >= 14  met
        V-03  churned, warned 14 days before        88.2 % [73.4, 95.3]   34        -  -
        V-03  churned, warned 30 days before        79.4 % [63.2, 89.7]   34        -  -
        V-03  churned, green 48 hours before          2.9 % [0.5, 14.9]   34        -  -
        V-04  treated red that stayed               78.6 % [63.3, 88.7]   56  40-50 %  not met
        V-05  red that renewed                      74.8 % [69.0, 79.8]  242   < 30 %  not met
        V-05  yellow that renewed                   82.7 % [77.4, 87.0]  260  50-70 %  not met
        V-05  green that renewed                    81.8 % [59.6, 93.2]   22  >= 85 %  not enough evidence
        V-07  red that churned, treated or not      16.7 % [10.8, 24.8]  264        -  -
        V-07  churned, green 90 days before           0.0 % [0.0, 17.6]   18        -  -
        V-07  churned, green 30 days before           3.6 % [0.6, 17.7]   28        -  -
        V-08  rank correlation with renewal           0.09 [0.00, 0.17]  524      > 0  not enough evidence
        V-08  correlation with renewal                0.09 [0.00, 0.17]  524      > 0  met
        V-09  treated red that turned green            0.0 % [0.0, 8.8]   56        -  -
        V-09  score change of treated red             -0.9 [-3.9, +2.1]   56        -  -
        V-09  score change over untreated red       +3.8 [-37.1, +44.7]    2      > 0  not enough evidence
        V-09  staying over untreated red            78.6 % [11.0, 88.7]    2    > 0 %  not enough evidence
        V-09  revenue kept for each unit spent     16.82x [2.36, 18.98]    2     > 1x  not enough evidence
        V-10  interactions that looked at score     33.5 % [27.7, 39.8]  233        -  -
        V-10  interactions led by the score         49.4 % [43.0, 55.7]  233        -  -
        V-10  days of response to red                       22 [16, 29]   25        -  -
        V-11  churned though green (missed)            1.5 % [0.2, 8.3]   68        -  -
        V-11  red and stayed (false alarm)          76.2 % [61.7, 86.4]  105        -  -

        V-06, each band as a prediction
        outcome    band    rows  events     precision [95 %]        recall [95 %]
        churn      red      264      44  16.7 % [10.8, 24.8]  64.7 % [45.0, 80.4]
        churn      yellow   285      23    8.1 % [4.3, 14.6]  33.8 % [18.8, 53.1]
        churn      green     23       1    4.3 % [0.6, 26.8]     1.5 % [0.2, 8.3]
        retention  red      264     220  83.3 % [75.2, 89.2]  43.7 % [36.0, 51.6]
        retention  yellow   285     262  91.9 % [85.4, 95.7]  52.0 % [44.4, 59.5]
        retention  green     23      22  95.7 % [73.2, 99.4]     4.4 % [2.2, 8.5]
        expansion  red      264      20    7.6 % [4.1, 13.6]  21.5 % [11.8, 35.9]
        expansion  yellow   285      65  22.8 % [15.9, 31.7]  69.9 % [55.1, 81.4]
        expansion  green     23       8  34.8 % [15.4, 61.1]    8.6 % [3.1, 21.6]

        contacting 108 accounts of 2024-09-30 ranked by revenue at risk
        a contact costs 100 and keeps 40.0 % of churners; with an account a year of its revenue is lost
        contacted  churned  of lost revenue [95 %]  net [95 %]  at random
               10        0               0.0 % [-]  -1,000 [-]       -211
               40        3              27.5 % [-]  -1,658 [-]       -844

        bias by segment, churn_90d: 0 alarms of 3 gaps tested; not enough evidence for 17 more.

        bias by segment, expansion_90d: 1 alarm of 5 gaps tested; not enough evidence for 15 more.
        segment   level      measure       rows    difference [95 %]  p, corrected
        industry  (missing)  false alarms   128  24.1 % [13.3, 35.9]       < 0.001
    "#]]
    .assert_eq(practice);
}

/// What `train` reports is what `evaluate` finds, and a bundle holds it.
#[test]
fn a_bundle_holds_what_its_test_rows_showed() {
    let folder = Folder::trained();
    let evaluated = folder.run("evaluate --book book/book.toml --model models/small --json").json();
    let stored: Value = serde_json::from_str(&folder.read("models/small/1/evaluation.json")).expect("JSON");
    assert_eq!(stored["practice"], evaluated["practice"]);
    let report = folder.read("models/small/1/report.md");
    assert!(report.contains("| V-10 | days of response to red | - | - | - | not measurable: a log of interactions"));
}

#[test]
fn a_wrong_source_of_evidence_is_refused_before_anything_is_fitted() {
    let folder = Folder::with_book();
    folder.edit("book/book.toml", |text| text + EVALUATION);
    let run = folder.run("train --book book/book.toml --models models");
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("source `actions`: there is no file book/actions.csv"), "{}", run.stderr);
    assert!(!run.stderr.contains("fitting"), "{}", run.stderr);
}
