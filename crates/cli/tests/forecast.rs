//! Revenue to come and revenue past: what `forecast` prints and writes, held against a naive reading of the book.

use std::sync::OnceLock;

use expect_test::expect;
use serde_json::Value;

use crate::support::{Folder, Run, csv};

const AS_OF: &str = "forecast --book book/book.toml --model models/small --as-of 2024-09-30";
const BACKTEST: &str = "forecast --book book/book.toml --model models/small --backtest";

/// The small book with three horizons, and its bundle `models/small/1`.
fn three_horizons() -> &'static Folder {
    static THREE: OnceLock<Folder> = OnceLock::new();
    THREE.get_or_init(|| {
        let folder = Folder::with_book();
        folder.replace("book/book.toml", "[targets.churn]", "[targets]\nhorizons = [30, 60, 90]\n[targets.churn]");
        folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"logistic\"]");
        folder.run("train --book book/book.toml --models models --seed 7").done();
        folder
    })
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn one_horizon_is_one_step() {
    let run = Folder::trained().run(AS_OF).done();
    expect![[r#"
        small: recurring revenue from 2024-09-30
        108 customers with 226,236 a year

        Expected in each step
        until         start  churned  expanded  contracted      end
        2024-12-29  226,236   36,397     8,345           0  198,185

        Since 2024-09-30
        until       what        expected       80 % interval       95 % interval
        2024-12-29  churned       36,397    22,675 to 52,237    17,219 to 61,945
        2024-12-29  expanded       8,345     4,184 to 14,760     2,326 to 19,458
        2024-12-29  contracted         0              0 to 0              0 to 0
        2024-12-29  end          198,185  182,155 to 213,941  171,455 to 220,086
        2024-12-29  NRR           87.6 %    80.5 % to 94.6 %    75.8 % to 97.3 %
        2024-12-29  GRR           83.9 %    76.9 % to 90.0 %    72.6 % to 92.4 %

        By segment, until 2024-12-29
        segment   level         accounts   start  churned  expanded     end     80 % interval     NRR
        industry  IT                  28  58,572   10,151     2,263  50,684  43,924 to 57,342  86.5 %
        industry  Ilıca               22  51,048    7,333     1,728  45,443  39,227 to 51,098  89.0 %
        industry  iron                14  26,640    5,355       916  22,201  17,806 to 26,279  83.3 %
        industry  media, print        19  41,028    6,054     1,413  36,387  31,246 to 41,438  88.7 %
        industry  (missing)           25  48,948    7,503     2,025  43,469  37,421 to 48,902  88.8 %

        Customers who may sign up are not in it.
        Gains and losses are those of an account between two days, not of each of its events.
    "#]]
    .assert_eq(&run.stdout);
}

#[test]
fn past_days() {
    let run = Folder::trained().run(BACKTEST).done();
    expect![[r#"
        small: forecasts of past days

        quantity    days  n  in 80 %  in 95 %     bias  error  last rates  no change
        churned       90  5   4 of 5   5 of 5  +36.8 %  9,993       6,490     27,125
        expanded      90  5   5 of 5   5 of 5   +8.1 %    907       2,494      7,973
        contracted    90  5   5 of 5   5 of 5        -      0           0          0
        end           90  5   5 of 5   5 of 5   -4.4 %  9,347       4,965     19,152

        as of       quantity  days   actual  forecast       80 % interval       95 % interval  found
        2024-05-31  churned     90   28,260    37,452    23,531 to 53,576    17,423 to 63,786  in 80 %
        2024-06-30  churned     90   29,700    37,058    23,027 to 52,913    17,267 to 63,288  in 80 %
        2024-07-31  churned     90   27,204    36,695    22,534 to 52,068    17,325 to 61,308  in 80 %
        2024-08-31  churned     90   29,160    37,985    24,130 to 53,788    17,656 to 64,576  in 80 %
        2024-09-30  churned     90   21,300    36,397    22,675 to 52,237    17,219 to 61,945  in 95 %
        2024-05-31  expanded    90    6,600     9,016     4,541 to 15,632     2,735 to 21,375  in 80 %
        2024-06-30  expanded    90    7,380     8,846     4,381 to 15,183     2,641 to 20,895  in 80 %
        2024-07-31  expanded    90    8,448     8,427     4,287 to 14,561     2,618 to 19,838  in 80 %
        2024-08-31  expanded    90    8,712     8,461     4,175 to 14,546     2,579 to 20,027  in 80 %
        2024-09-30  expanded    90    8,724     8,345     4,184 to 14,760     2,326 to 19,458  in 80 %
        2024-05-31  end         90  222,612   215,836  198,883 to 231,849  187,563 to 239,889  in 80 %
        2024-06-30  end         90  217,416   211,524  194,679 to 227,949  184,239 to 234,065  in 80 %
        2024-07-31  end         90  210,804   201,292  185,184 to 217,083  174,867 to 223,439  in 80 %
        2024-08-31  end         90  209,424   200,348  183,673 to 216,312  171,997 to 224,257  in 80 %
        2024-09-30  end         90  213,660   198,185  182,155 to 213,941  171,455 to 220,086  in 80 %

        Windows of neighbouring days overlap: their hits and misses come together, so few days say little.
    "#]]
    .assert_eq(&run.stdout);
}

#[test]
fn months_only_where_the_bundle_has_them() {
    let folder = three_horizons().copy();
    let found = folder.run(&format!("{AS_OF} --json --html forecast.html --out forecast.jsonl")).json();
    let steps = found["all"]["steps"].as_array().expect("steps");
    assert_eq!(steps.iter().map(|step| number(&step["horizon_days"])).collect::<Vec<_>>(), [30.0, 60.0, 90.0]);
    let expected = |step: &Value, what: &str| number(&step[what]["expected"]);
    let mut revenue = number(&found["all"]["start"]);
    for step in steps {
        revenue -= expected(step, "churned_in_step") + expected(step, "contracted_in_step");
        revenue += expected(step, "expanded_in_step");
        assert!((revenue - expected(step, "end")).abs() < 1e-6 * revenue, "{step}");
        assert!(expected(step, "churned_in_step") >= 0.0);
    }
    // Every customer has one level of each segment.
    let groups = found["groups"].as_array().expect("groups");
    let dimensions: std::collections::BTreeSet<&str> =
        groups.iter().map(|group| group["dimension"].as_str().expect("a name")).collect();
    for dimension in dimensions {
        let of = groups.iter().filter(|group| group["dimension"] == dimension);
        let sum: f64 = of.map(|group| expected(&group["steps"][2], "end")).sum();
        assert!((sum - revenue).abs() < 1e-6 * revenue, "{dimension}");
    }
    let page = folder.read("forecast.html");
    assert!(page.contains("<svg") && page.contains("Customers who may sign up are not in it"));
    let rows: Vec<Value> =
        folder.read("forecast.jsonl").lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let end = rows.iter().find(|row| row["quantity"] == "end" && row["until"] == "2024-12-29");
    assert_eq!(end.expect("the last step")["expected"], steps[2]["end"]["expected"]);
}

/// The book's plans as text; days sort as texts do.
struct Plans(Vec<(String, String, String, f64)>);

impl Plans {
    fn of(folder: &Folder) -> Self {
        let plans = folder.read("book/plans.csv");
        let row = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            let end = if fields[2].is_empty() { "9999" } else { fields[2] };
            (fields[0].to_owned(), fields[1].to_owned(), end.to_owned(), fields[3].parse().expect("an amount"))
        };
        Self(plans.lines().skip(1).map(row).collect())
    }

    fn accounts(&self) -> Vec<&str> {
        let mut accounts: Vec<&str> = self.0.iter().map(|plan| plan.0.as_str()).collect();
        accounts.dedup();
        accounts
    }

    /// What an account pays a year at the end of a day.
    fn arr(&self, account: &str, day: &str) -> f64 {
        let runs = |plan: &&(String, String, String, f64)| {
            plan.0 == account && plan.1.as_str() <= day && day < plan.2.as_str()
        };
        12.0 * self.0.iter().filter(runs).map(|plan| plan.3).sum::<f64>()
    }
}

#[test]
fn what_happened_is_what_the_plans_say() {
    let folder = Folder::trained();
    let plans = Plans::of(folder);
    let found = folder.run(&format!("{BACKTEST} --json")).json();
    let (from, to) = ("2024-08-31", "2024-11-29");
    let actual = |quantity: &str| {
        let cases = found["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["as_of"] == from && case["quantity"] == quantity);
        number(&case.expect("a test day")["actual"])
    };
    let (mut churned, mut expanded, mut contracted, mut end) = (0.0, 0.0, 0.0, 0.0);
    for account in plans.accounts() {
        // Plans of an account follow on each other, so that who pays nothing at the end has left.
        let (before, after) = (plans.arr(account, from), plans.arr(account, to));
        if before > 0.0 {
            end += after;
            churned += if after == 0.0 { before } else { 0.0 };
            expanded += if after == 0.0 { 0.0 } else { f64::max(after - before, 0.0) };
            contracted += if after == 0.0 { 0.0 } else { f64::max(before - after, 0.0) };
        }
    }
    assert!(churned > 0.0 && expanded > 0.0);
    for (quantity, by_hand) in [("churned", churned), ("expanded", expanded), ("contracted", contracted), ("end", end)]
    {
        assert!((actual(quantity) - by_hand).abs() < 1e-6 * end, "{quantity}: {} for {by_hand}", actual(quantity));
    }
}

#[track_caller]
fn check_refused(run: &Run, message: &str, hint: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""));
    assert!(run.stderr.contains(message) && run.stderr.contains(&format!("hint: {hint}")), "{}", run.stderr);
}

#[test]
fn days_that_nobody_saw_are_refused() {
    let arguments = AS_OF.replace("2024-09-30", "2025-01-31");
    let message = "error: as of 2025-01-31: the data ends on 2024-12-31";
    check_refused(&Folder::trained().run(&arguments), message, "deliver the missing days");
}

/// The small book changed, its bundle of one quick learner, and a forecast with it.
fn forecast_with(change: impl FnOnce(String) -> String) -> Run {
    let folder = Folder::with_book();
    folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"scorecard\"]");
    folder.edit("book/book.toml", change);
    folder.run("train --book book/book.toml --models models --seed 7").done();
    folder.run(AS_OF)
}

#[test]
fn a_bundle_without_churn_is_refused() {
    let run = forecast_with(|text| {
        let active = "[accounts]\nactive = { rule = \"subscription\", source = \"plans\" }";
        text.replace("[accounts]", active)
            .replace("[targets.churn]\nrule = \"no_subscription\"\nsource = \"plans\"\n", "")
    });
    check_refused(&run, "error: the bundle small has no model of churn", "declare [targets.churn]");
}

#[test]
fn a_book_without_value_is_refused() {
    let run = forecast_with(|text| text.replace("[value]\nfeature = \"mrr\"\ntimes = 12\n", ""));
    check_refused(&run, "error: book/book.toml declares no value", "name the feature with the recurring revenue");
}

const READINESS: &str = "
[readiness]
indicators = [
    { feature = \"logins_change_30d\", weight = 60, at_zero = 0, at_full = 40 },
    { feature = \"nps\", weight = 40, at_zero = 0, at_full = 10 },
]
";

/// The rows of a score of the small book, once with its readiness declared.
fn scores(folder: &Folder) -> Vec<Value> {
    folder.run("score --book book/book.toml --model models/small --as-of 2024-09-30 --out scores.jsonl").done();
    folder.read("scores.jsonl").lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

#[test]
fn readiness_is_the_baseline_of_expansion_and_a_column() {
    let folder = Folder::with_book();
    folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"scorecard\"]");
    let train = |models: &str| {
        folder.run(&format!("train --book book/book.toml --models {models} --seed 7 --json")).json()["targets"].clone()
    };
    let by_health = train("by_health");
    folder.edit("book/book.toml", |text| text + READINESS);
    let by_readiness = train("models");
    assert_eq!(by_health[0], by_readiness[0], "churn is told by health all the same");
    assert_ne!(by_health[1]["test"]["roc_auc"], by_readiness[1]["test"]["roc_auc"]);
    folder.run("features --book book/book.toml --model models/small --out matrix.jsonl").done();
    let matrix = folder.read("matrix.jsonl");
    let rows: Vec<Value> = matrix.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect();
    let mut n_checked = 0;
    for scored in scores(&folder) {
        let is_row = |row: &&Value| row["account_id"] == scored["account_id"] && row["as_of"] == "2024-09-30";
        let Some(row) = rows.iter().find(is_row) else { continue };
        let points =
            |feature: &str, full: f64| row[format!("feature:{feature}")].as_f64().map(|x| (x / full).clamp(0.0, 1.0));
        let known = [(points("logins_change_30d", 40.0), 60.0), (points("nps", 10.0), 40.0)];
        let known: Vec<(f64, f64)> = known.into_iter().filter_map(|(points, weight)| Some((points?, weight))).collect();
        let weight: f64 = known.iter().map(|of| of.1).sum();
        if let (true, Some(found)) = (weight > 0.0, scored["expansion_readiness"].as_f64()) {
            let by_hand = known.iter().map(|(points, weight)| 100.0 * points * weight).sum::<f64>() / weight;
            assert!((found - by_hand).abs() < 1e-4, "{found} for {by_hand}");
            n_checked += 1;
        }
    }
    assert!(n_checked > 50, "{n_checked}");
}

/// Probability, share that stays, mean gain and revenue, multiplied.
#[test]
fn an_expansion_is_worth_its_probability_times_what_others_gained() {
    let folder = Folder::trained().copy();
    let revenue: Value = serde_json::from_str(&folder.read("models/small/1/revenue.json")).expect("it is JSON");
    let expanded = &revenue["horizons"][0]["expanded"];
    let mut n_checked = 0;
    for row in scores(&folder) {
        let Some(found) = row["expected_expansion_arr"].as_f64() else { continue };
        let (p, arr) = (number(&row["expansion_probability"]), number(&row["arr"]));
        // The segment of the book is the industry, which the scores do not hold: any level's gain, or that of all.
        let levels = expanded["by_level"].as_object().expect("levels").values();
        let gains = levels.chain([&expanded["all"]]).map(|slices| {
            let slices = slices.as_array().expect("slices");
            slices.iter().map(|slice| number(slice).max(0.0)).sum::<f64>() / slices.len() as f64
        });
        let by_hand: Vec<f64> = gains.map(|gain| arr * p * number(&expanded["kept"]) * gain).collect();
        assert!(by_hand.iter().any(|by_hand| (found - by_hand).abs() < 1e-9 * arr), "{found} of {by_hand:?}");
        n_checked += 1;
    }
    assert!(n_checked > 100, "{n_checked}");
}

/// The baseline, which may be chosen, reads what it declares.
const FEATURES_OF_EXPANSION: &str = "
[train.features]
expansion = [\"logins_30d\", \"industry\"]

[readiness]
indicators = [{ feature = \"logins_30d\", weight = 100 }]
";

#[test]
fn models_of_an_outcome_read_the_features_that_it_names() {
    let folder = Folder::with_book();
    folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"logistic\", \"tree\", \"boosted\"]");
    folder.edit("book/book.toml", |text| text + FEATURES_OF_EXPANSION);
    folder.run("train --book book/book.toml --models models --seed 7").done();
    let scored = |folder: &Folder| -> Vec<(Value, Value)> {
        scores(folder)
            .into_iter()
            .map(|row| (row["churn_probability"].clone(), row["expansion_probability"].clone()))
            .collect()
    };
    let before = scored(&folder);
    // What the survey says may change what is told of churn, and nothing that is told of expansion.
    folder.edit("book/surveys.csv", |text| {
        csv::set_fields(&text, 2, |_, fields| {
            fields[2].parse::<f64>().map_or_else(|_| fields[2].to_owned(), |nps| (10.0 - nps).to_string())
        })
    });
    let after = scored(&folder);
    assert!(before.iter().zip(&after).any(|(a, b)| a.0 != b.0), "churn is told by the survey too");
    assert!(before.iter().zip(&after).all(|(a, b)| a.1 == b.1));
    folder.replace("book/book.toml", "\"industry\"]\n", "\"sector\"]\n");
    let refused = folder.run("train --book book/book.toml --models models --seed 7");
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("train.features.expansion: no model reads a feature `sector`"),
        "{}",
        refused.stderr
    );
}
