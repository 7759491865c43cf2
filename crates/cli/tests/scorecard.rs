//! The scorecard end to end: presets on a simulated book, policies for what is missing, weights, and the linter's command.

use std::sync::OnceLock;

use expect_test::expect;
use serde_json::Value;

use crate::support::{Folder, csv};

const MINIMUMS: &str =
    "[train]\nlearners = [\"logistic\"]\nmin_event_accounts = 30\nmin_other_accounts = 30\n\n[scorecard]";

/// A simulated book in `book/`. Not to be written to.
fn simulated() -> &'static Folder {
    static SIMULATED: OnceLock<Folder> = OnceLock::new();
    SIMULATED.get_or_init(|| {
        let folder = Folder::shared();
        folder.run("simulate --accounts 250 --months 20 --seed 1 --out book").done();
        folder.replace("book/book.toml", "[scorecard]", MINIMUMS);
        folder
    })
}

/// The text of `book.toml` with another scorecard.
fn with_scorecard(text: &str, scorecard: &str) -> String {
    let at = text.find("[scorecard]").expect("the book has one");
    format!("{}[scorecard]\n{scorecard}\n", &text[..at])
}

/// The rows of a JSON Lines file.
fn lines(folder: &Folder, name: &str) -> Vec<Value> {
    folder.read(name).lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

/// What stands in a report from `heading` to the next one of its rank.
fn part<'a>(report: &'a str, heading: &str) -> &'a str {
    let at = report.find(heading).unwrap_or_else(|| panic!("no {heading} in {report}"));
    let rank = &heading[..=heading.find(' ').expect("a rank")];
    let rest = &report[at..];
    &rest[..rest[heading.len()..].find(&format!("\n{rank}")).map_or(rest.len(), |to| heading.len() + to)]
}

/// Every preset trains and scores on the simulated book as it is, whose tables have what the presets ask for: what no
/// declared feature plays, the catalogue builds.
#[test]
fn every_preset_trains_and_scores() {
    let text = simulated().read("book/book.toml");
    for (preset, n_indicators, bands, weights) in [
        ("w-a", 7, "from 50, below 80", "declared"),
        ("w-b", 9, "from 50, below 80", "declared"),
        ("w-c", 7, "from 50, below 80", "declared"),
        ("w-d", 5, "from 50, below 80", "declared"),
        ("w-e", 7, "from 50, to 75", "correlation"),
        ("mvp", 5, "from 50, below 80", "declared"),
    ] {
        let folder = simulated().copy();
        folder.write("book/book.toml", with_scorecard(&text, &format!("preset = \"{preset}\"")));
        folder.run("train --book book/book.toml --models models --seed 1").done();
        let report = folder.read("models/simulated/1/report.md");
        let health = part(&report, "## Health score");
        assert!(health.contains(bands) && health.contains(&format!("weights are `{weights}`")), "{preset}: {health}");
        let stored: Value = serde_json::from_str(&folder.read("models/simulated/1/scorecard.json")).expect("JSON");
        let names = stored["names"].as_array().expect("a list").len();
        // Correlation leaves out what does not go with staying.
        assert!(names == n_indicators || (weights == "correlation" && names < n_indicators), "{preset}: {names}");
        let score = "score --book book/book.toml --model models/simulated --as-of 2024-06-30 --out scores.jsonl";
        folder.run(score).done();
        let rows = lines(&folder, "scores.jsonl");
        let scored: Vec<&Value> = rows.iter().filter(|row| row["status"] == "scored").collect();
        assert!(scored.len() > 100, "{preset}");
        for row in scored {
            let health = row["health_score"].as_f64().expect("a score");
            let coverage = row["health_coverage"].as_f64().expect("a share");
            assert!((0.0..=100.0).contains(&health) && (0.0..=1.0).contains(&coverage), "{row}");
        }
        if preset == "w-b" {
            // The preset decides which features there are.
            folder.write("book/book.toml", with_scorecard(&text, "preset = \"mvp\""));
            let run = folder.run(score);
            assert_eq!(run.code, Some(4));
            expect![[r#"
                ----
                scoring book/book.toml as of 2024-06-30
                error: book/book.toml declares other features than the bundle was trained with: feature `new_features_90d`, which the preset of [scorecard] takes from the catalogue
                hint: score with the book.toml that the bundle holds (its book.toml), or train again
            "#]].assert_eq(&format!("----\n{}", run.stderr));
        }
    }
}

#[test]
fn a_preset_that_nothing_plays_says_what_to_write() {
    let folder = Folder::with_book();
    folder.edit("book/book.toml", |text| {
        with_scorecard(&text, "preset = \"mvp\"")
            + "[catalogue.roles.usage]\nsource = \"usage\"\nhas = [\"logins\"]\n\
               [catalogue.roles.subscriptions]\nsource = \"plans\"\nhas = [\"mrr\"]\n"
    });
    let refused = folder.run("train --book book/book.toml --models models");
    assert_eq!(refused.code, Some(3));
    expect![[r#"
        ----
        reading book/book.toml
          × preset `mvp` finds no feature for monthly active users: active_users or mau_share or active_users_per_seat_28d;
          │ count of support tickets: tickets_per_seat or tickets_per_seat_90d or tickets_90d; days until renewal:
          │ days_to_renewal or days_until_renewal; declare features of these names, or give the category's indicators in
          │ [scorecard]
             ╭─[book/book.toml:122:10]
         121 │ [scorecard]
         122 │ preset = "mvp"
             ·          ──┬──
             ·            ╰── here
         123 │ [catalogue.roles.usage]
             ╰────
        hint: let the catalogue build them: for `active_users`, write [catalogue.roles.feature_use] with `source` and, in `has` or `columns`, user; for `tickets_per_seat`, write [catalogue.roles.tickets] with `source`; name seats in `has` or `columns` of [catalogue.roles.subscriptions]; for `days_to_renewal`, name renews_on in `has` or `columns` of [catalogue.roles.subscriptions]
    "#]].assert_eq(&format!("----\n{}", refused.stderr));
}

/// `score` on the small book whose surveys are missing for some, under each policy.
#[test]
fn what_a_missing_indicator_does_is_seen_in_the_scores() {
    let scored = |policy: &str| {
        let folder = Folder::with_book();
        folder.edit("book/surveys.csv", |text| csv::keep_rows(&text, |fields| !fields[0].ends_with('3')));
        folder.replace("book/book.toml", "[scorecard]", &format!("[scorecard]\nmissing = \"{policy}\""));
        folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"logistic\"]");
        folder.run("train --book book/book.toml --models models --seed 7").done();
        let run = folder
            .run("score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.jsonl --json")
            .json();
        (run, lines(&folder, "scores.jsonl"), folder.read("models/small/1/report.md"))
    };
    let (_, redistributed, _) = scored("redistribute");
    let (_, neutral, _) = scored("neutral");
    let (run, refused, report) = scored("refuse");
    let mut n_missing = 0;
    for ((redistributed, neutral), refused) in redistributed.iter().zip(&neutral).zip(&refused) {
        assert_eq!(redistributed["health_coverage"], neutral["health_coverage"]);
        assert_eq!(redistributed["health_coverage"], refused["health_coverage"]);
        if redistributed["status"] != "scored" {
            assert_eq!(refused["status"], redistributed["status"]);
            continue;
        }
        let coverage = redistributed["health_coverage"].as_f64().expect("a share");
        let score = |row: &Value| row["health_score"].as_f64();
        if coverage == 1.0 {
            // Rules and straight lines add up in another order.
            let difference = score(redistributed).expect("a score") - score(refused).expect("a score");
            assert!(difference.abs() < 1e-9 && refused["status"] == "scored", "{refused}");
            continue;
        }
        n_missing += 1;
        // 50 points for the weight that is missing.
        let expected = coverage * score(redistributed).expect("a score") + (1.0 - coverage) * 50.0;
        assert!((score(neutral).expect("a score") - expected).abs() < 1e-4, "{neutral} is not {expected}");
        assert_eq!(refused["status"], "health_refused");
        assert_eq!((&refused["health_score"], &refused["band"]), (&Value::Null, &Value::Null));
        assert!(refused["churn_probability"].is_number() && refused["arr_at_risk"].is_number(), "{refused}");
    }
    assert!(n_missing > 0);
    assert!(report.contains("test rows have no health score, as an indicator is missing that must not be"), "{report}");
    assert_eq!(run["by_status"]["health_refused"], n_missing);
}

/// Each way's sentence, and that the chosen one is what the bundle holds.
#[test]
fn weights_from_history_are_a_choice() {
    let names = |weights: &str| {
        let folder = Folder::with_book();
        folder.replace("book/book.toml", "[scorecard]", &format!("[scorecard]\nweights = \"{weights}\""));
        folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"logistic\"]");
        folder.run("train --book book/book.toml --models models --seed 7").done();
        let stored: Value = serde_json::from_str(&folder.read("models/small/1/scorecard.json")).expect("JSON");
        let indicators = stored["model"]["indicators"].as_array().expect("a list");
        let total: f64 = indicators.iter().map(|of| of["weight"].as_f64().expect("a number")).sum();
        assert!((total - 100.0).abs() < 1e-3, "{weights}: {total}");
        let report = folder.read("models/small/1/report.md");
        let section = part(&report, "### Weights from history").to_owned();
        assert!(section.contains(&format!("**{weights}** (used):")), "{section}");
        (indicators.len(), section)
    };
    let (_, declared) = names("declared");
    for way in ["declared", "equal", "doubled", "correlation", "logistic"] {
        assert!(declared.contains(&format!("- **{way}**")), "{way} in {declared}");
    }
    let (n_indicators, logistic) = names("logistic");
    assert!((1..=3).contains(&n_indicators));
    // What is learnt does not hang on what is used.
    let table = |text: &str| {
        text.lines().filter(|line| line.starts_with("| logistic |")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(table(&declared), table(&logistic));
}

const RULES: &str = r#"
indicators = [
    { feature = "logins_30d", weight = 60, steps = [{ to = 20, points = 0 }, { to = 60, points = 50 }, { points = 100 }] },
    { feature = "errors_90d", weight = 40, missing = "neutral" },
]

[[scorecard.variants]]
name = "new"
when = [{ feature = "tenure_days", below = 180 }]
indicators = [{ feature = "logins_30d", weight = 100 }]

[[scorecard.vetoes]]
name = "unhappy"
when = [{ feature = "nps", below = 5 }]
at_most = 30

[scorecard.thresholds]
by = [{ feature = "tenure_days", edges = [180] }, { feature = "industry" }]
shrinkage = 50
min_accounts = 20"#;

/// Steps, a variant, a veto and bands by cohort: in the report with their numbers, and in the scores.
#[test]
fn what_goes_beyond_a_weighted_sum_is_reported_and_scored() {
    let folder = Folder::with_book();
    folder.edit("book/book.toml", |text| with_scorecard(&text, RULES));
    folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"logistic\"]");
    folder.run("train --book book/book.toml --models models --seed 7").done();
    let report = folder.read("models/small/1/report.md");
    let health = part(&report, "## Health score");
    for told in [
        "It has 2 cards",
        "Scores rows where `tenure_days` is below 180.",
        "| `logins_30d` | usage | 60.0 | 0 below 20; 50 from 20; 100 from 60 | its weight goes to others |",
        "`unhappy`: at most 30 where `nps` is below 5",
        "by `tenure_days`, then `industry`",
        "with n accounts and k = 50; a cohort of fewer than 20 accounts has those of the coarser one",
    ] {
        assert!(health.contains(told), "{told} in {health}");
    }
    let cohorts = part(&report, "### Bands by cohort");
    let rows: Vec<Vec<&str>> =
        cohorts.lines().filter(|line| line.starts_with("| ")).map(|line| line.split(" | ").collect()).collect();
    assert_eq!(rows[2][0], "| everybody");
    assert!(rows.len() > 4 && rows[2..].iter().all(|row| row[1].parse::<u32>().is_ok_and(|n| n >= 20)), "{rows:?}");
    folder.run("score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.jsonl").done();
    folder.run("features --book book/book.toml --out features.jsonl").done();
    let features = lines(&folder, "features.jsonl");
    let is_unhappy = |row: &&Value| row["as_of"] == "2024-06-30" && row["nps"].as_f64().is_some_and(|nps| nps < 5.0);
    let unhappy: Vec<&Value> = features.iter().filter(is_unhappy).map(|row| &row["account_id"]).collect();
    let scores = lines(&folder, "scores.jsonl");
    let capped = scores.iter().filter(|row| row["status"] == "scored" && unhappy.contains(&&row["account_id"]));
    let capped: Vec<f64> = capped.map(|row| row["health_score"].as_f64().expect("a score")).collect();
    assert!(!capped.is_empty() && capped.iter().all(|score| *score <= 30.0), "{capped:?}");
    assert!(scores.iter().any(|row| row["health_score"].as_f64().is_some_and(|score| score > 30.0)));
}

#[test]
fn presets_are_listed_with_what_plays_them() {
    let list = |arguments: &str| simulated().run(&format!("scorecard --list {arguments}"));
    let shown = list("").done().stdout;
    let w_b = &shown[shown.find("w-b:").expect("it is listed")..shown.find("w-c:").expect("it is listed")];
    expect![[r#"
        w-b: weights declared, yellow from 50, green from 80
          business 20: points of 20
            contract value (up, 10 points): contract_value or mrr
            growth of the account against the year before (up, 10 points): contract_growth_365d or seats_growth_365d
          engagement 25: points of 25
            new features in 90 days (up, 15 points): new_features_90d
            seats or users added in 90 days (up, 10 points): seats_added_90d or new_users_90d
          support 15: points of 15
            resolution time (down, 10 points): resolution_hours or resolution_hours_90d
            trend of the ticket volume (down, 5 points): ticket_trend
          usage 40: points of 45
            MAU rate (up, 30 points): mau_share or active_users_per_seat_28d
            feature breadth (up, 10 points): feature_breadth or daily_feature_breadth or features_used_28d
            time in product a month (up, 5 points): minutes_per_seat or minutes_per_seat_28d
    "#]]
    .assert_eq(w_b);
    let listed = list("--book book/book.toml --json").json();
    let played = listed["played"].as_array().expect("a list");
    assert!(played.iter().all(|of| of["feature"].is_string()), "the simulated book plays every role");
    let of_catalogue = played.iter().filter(|of| of["preset"] == "w-b" && of["from_catalogue"] == true);
    let features: Vec<&str> = of_catalogue.map(|of| of["feature"].as_str().expect("a name")).collect();
    assert_eq!(features, ["contract_growth_365d", "new_features_90d", "seats_added_90d", "ticket_trend"]);
    let small = Folder::with_book().run("scorecard --list --book book/book.toml").done().stdout;
    assert!(small.contains("no: missing role `feature_use`"), "{small}");
}

/// W-B's points as they stand are refused with their arithmetic, divided by their maxima they are accepted (1.16.1).
#[test]
fn the_linter_refuses_points_that_are_not_their_maximum() {
    let literal = |maximum: &str| {
        format!(
            "[scorecard]\ncategories = {{ usage = {{ weight = 60{maximum} }}, support = {{ weight = 40 }} }}\n\
             indicators = [\n  {{ feature = \"logins_30d\", weight = 30 }},\n  {{ feature = \"logins_change_30d\", \
             weight = 15 }},\n  {{ feature = \"errors_90d\", weight = 100 }},\n]\n"
        )
    };
    let lint = |maximum: &str, form: &str| {
        let folder = Folder::with_book();
        folder.edit("book/book.toml", |text| {
            let at = text.find("[scorecard]").expect("it has one");
            format!("{}{}", &text[..at], literal(maximum))
        });
        folder.run(&format!("scorecard --book book/book.toml {form}"))
    };
    let refused = lint("", "");
    assert_eq!(refused.code, Some(3));
    expect![[r#"
        book/book.toml: weights declared, yellow from 50, green from 80
           18.00  usage          logins_30d
            9.00  usage          logins_change_30d
           40.00  support        errors_90d
        error category-points: the points of category `usage` total 45 where its maximum is 100; all points total 145, and taken as they stand no account could have more than 67 of 100: declare maximum = 45
        1 error, 0 warnings
    "#]].assert_eq(&refused.stdout);
    expect![[r#"
        error: the scorecard of book/book.toml breaks a rule
        hint: correct [scorecard] or [readiness] in book.toml; docs/SCORECARD.md has an example of each part
    "#]]
    .assert_eq(&refused.stderr);
    let accepted = lint(", maximum = 45", "").done();
    expect![[r#"
        book/book.toml: weights declared, yellow from 50, green from 80
           40.00  usage          logins_30d
           20.00  usage          logins_change_30d
           40.00  support        errors_90d
        0 errors, 0 warnings
    "#]]
    .assert_eq(&accepted.stdout);
    let found = &lint(", maximum = 45", "--json").json();
    assert_eq!((&found["weights"], &found["bands"]["green_from"]), (&Value::from("declared"), &Value::from(80.0)));
    assert_eq!(
        found["indicators"][0],
        serde_json::json!({"feature": "logins_30d", "category": "usage", "weight": 40.0})
    );
    let run = lint("", "--json");
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON, although it is refused");
    assert_eq!((run.code, &found["findings"][0]["id"]), (Some(3), &Value::from("category-points")));
}

#[test]
fn the_linter_finds_what_no_data_is_needed_for() {
    for (scorecard, id, code) in [
        (
            "bands = [{ band = \"red\", from = 0, to = 49 }, { band = \"yellow\", from = 50, to = 79 }, \
          { band = \"green\", from = 80, to = 100 }]",
            "bands-gap",
            3,
        ),
        (
            "bands = [{ band = \"red\", from = 0, to = 55 }, { band = \"yellow\", from = 50, to = 80 }, \
          { band = \"green\", from = 80, to = 100 }]",
            "bands-overlap",
            3,
        ),
        ("indicators = [{ feature = \"mrr\", weight = 100 }]", "direction", 3),
        ("indicators = [{ feature = \"nps\", weight = 99 }]", "weights-total", 3),
        ("preset = \"w-f\"", "there is no preset `w-f`", 3),
        ("indicators = [{ feature = \"industry=IT\", weight = 100, good = \"up\" }]", "0 errors, 0 warnings", 0),
        (
            "vetoes = [{ name = \"x\", when = [{ feature = \"nps\", below = 5 }], at_most = 149 }]",
            "error rules: veto `x`: at_most is 149",
            3,
        ),
        (
            "variants = [{ name = \"x\", when = [{ feature = \"segmnt\", in = [\"smb\"] }] }]",
            "error rules: variant `x`: `segmnt=smb` is no feature of this book",
            3,
        ),
        ("thresholds = { by = [{ feature = \"industry\" }] }", "0 errors, 0 warnings", 0),
        (
            "thresholds = { by = [{ feature = \"nps\" }] }",
            "error rules: the thresholds: `nps` is no text of this book",
            3,
        ),
        (
            "[readiness]\nindicators = [{ feature = \"nps\", weight = 90 }, { feature = \"logins_30d\", weight = 100 }]",
            "error weights-total: [readiness] the weights of the scorecard's indicators total 190",
            3,
        ),
        (
            "[readiness]\nweights = \"doubled\"\nindicators = [{ feature = \"nps\", weight = 100 }]",
            "error history: [readiness] weights by history read churn",
            3,
        ),
    ] {
        let folder = Folder::with_book();
        folder.edit("book/book.toml", |text| with_scorecard(&text, scorecard));
        let run = folder.run("scorecard --book book/book.toml");
        assert_eq!(run.code, Some(code), "{scorecard}: {}", run.stderr);
        assert!(run.stdout.contains(id) || run.stderr.contains(id), "{scorecard}: {}{}", run.stdout, run.stderr);
    }
    let many = |n: usize, more: &str| {
        let folder = Folder::with_book();
        folder.edit("book/book.toml", |text| {
            let feature = |at: usize| {
                format!("[[features]]\nname = \"f{at}\"\nfrom = \"usage\"\ncolumn = \"logins\"\ngood = \"up\"\n\n")
            };
            let features: String = (0..n).map(feature).collect();
            let indicator = |at: usize| format!("{{ feature = \"f{at}\", weight = {} }}", 100.0 / n as f64);
            let indicators: Vec<String> = (0..n).map(indicator).collect();
            let text = text.replacen("[[segments]]", &format!("{features}[[segments]]"), 1);
            with_scorecard(&text, &format!("{more}indicators = [{}]", indicators.join(", ")))
        });
        folder.run("scorecard --book book/book.toml")
    };
    assert!(!many(7, "").done().stdout.contains("many-indicators"));
    assert!(many(8, "").done().stdout.contains("warning many-indicators: there are 8 indicators"));
    assert!(many(20, "").stdout.contains("error indicator-count: the scorecard has 20 indicators"));
    assert!(many(20, "ablation = \"docs/ablation.md\"\n").done().stdout.contains("0 errors, 1 warning"));
}
