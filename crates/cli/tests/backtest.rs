//! `backtest`: what it prints, that it depends on nothing but book and seed, and that noise is not said to add.

use serde_json::Value;

use expect_test::expect;

use crate::support::{Folder, csv};

const BACKTEST: &str = "backtest --book book/book.toml --learners logistic";
const TABLES: [&str; 4] = ["accounts.csv", "plans.csv", "usage.csv", "surveys.csv"];

/// A simulated book of 600 accounts, of which fewer leave than training asks for.
fn simulated() -> Folder {
    let folder = Folder::new();
    folder.run("simulate --accounts 600 --months 24 --seed 1 --out book").done();
    folder
        .edit("book/book.toml", |text| format!("{text}\n[train]\nmin_event_accounts = 20\nmin_other_accounts = 20\n"));
    folder
}

#[test]
fn a_simulated_book_over_time() {
    let run = simulated().run(&format!("{BACKTEST} --origins 3 --ablation --learning-curve --html page.html")).done();
    expect![[r#"
        simulated: 3 origins of rolling test windows from 2023-12-31 to 2024-09-30; training grows up to
        each, 90 days of purge between parts, calibration rows held out by time

        churn_90d
        origin      days  accounts  events  learner               AUC [95 %]  PR AUC  log loss   Brier  slope
        2023-12-31     3       421      43  scorecard   0.804 [0.727, 0.863]   0.100    0.1432  0.0337   2.58
                                            logistic *  0.789 [0.701, 0.857]   0.095    0.1380  0.0344   0.76
        2024-03-31     3       441      37  scorecard   0.741 [0.599, 0.846]   0.061    0.1232  0.0279   0.93
                                            logistic *  0.771 [0.637, 0.865]   0.083    0.1201  0.0280   0.73
        2024-06-30     4       486      40  scorecard   0.757 [0.664, 0.830]   0.081    0.1006  0.0216   0.96
                                            logistic *  0.729 [0.601, 0.828]   0.135    0.0997  0.0210   0.90

        all origins  AUC within origins [95 %]   minus as chosen [95 %]  p (Holm)  PR AUC  log loss   Brier  slope
        scorecard         0.766 [0.707, 0.817]  +0.008 [-0.038, +0.054]     1.000   0.070    0.1192  0.0268   1.00
        logistic          0.758 [0.689, 0.816]     0.000 [0.000, 0.000]     1.000   0.085    0.1164  0.0268   0.80
        as chosen         0.758 [0.689, 0.816]                        -         -   0.085    0.1164  0.0268   0.80

        learner    mean rank by AUC  first in   taken at
        scorecard              1.33    66.7 %  0 origins
        logistic               1.67    33.3 %  3 origins
        Kendall's W over 3 origins: 0.11, very weak agreement: which learner is best is mostly chance. The
        learner chosen at an origin was the best on test rows at 1 of 3; it cost 0.014 of AUC in the mean,
        0.027 at worst. The learner chosen one origin earlier was the best on test rows at 1 of 2; it cost
        0.014 of AUC in the mean, 0.027 at worst.

        without       features        AUC gained [95 %]      log loss gained [95 %]  p (Holm)  the group
        adoption             3  +0.001 [-0.001, +0.003]  +0.0001 [-0.0002, +0.0004]     1.000  no measurable gain
        business            14  -0.029 [-0.070, +0.012]  -0.0023 [-0.0075, +0.0029]     1.000  not enough evidence
        relationship         2   0.000 [-0.003, +0.003]  +0.0001 [-0.0002, +0.0005]     1.000  no measurable gain
        sentiment            4  +0.003 [-0.016, +0.022]  +0.0008 [-0.0014, +0.0030]     1.000  not enough evidence
        support              5  +0.017 [+0.006, +0.027]  +0.0024 [+0.0003, +0.0045]     0.034  adds
        usage               14  +0.060 [+0.026, +0.094]  +0.0061 [+0.0011, +0.0111]     0.013  adds

        of the accounts  accounts  events  AUC within origins [95 %]          log loss [95 %]
                 12.5 %       141      16       0.674 [0.599, 0.740]  0.1317 [0.1014, 0.1761]
                   25 %       279      63       0.654 [0.577, 0.723]  0.1321 [0.1027, 0.1745]
                   50 %       556     114       0.700 [0.628, 0.763]  0.1225 [0.0986, 0.1549]
                  100 %     1,110     207       0.758 [0.689, 0.816]  0.1164 [0.0934, 0.1481]
        From half to all: AUC +0.059 [+0.026, +0.092] (p < 0.001), log loss gained +0.0061 [+0.0015,
        +0.0107] (p 0.011). Is more data worth it? more accounts are worth it: the last doubling still
        helped.

        expansion_90d
        origin      days  accounts  events  learner               AUC [95 %]  PR AUC  log loss   Brier  slope
        2023-12-31     3       421      91  scorecard   0.566 [0.488, 0.641]   0.087    0.2679  0.0700   1.07
                                            logistic *  0.604 [0.532, 0.672]   0.094    0.2670  0.0702   0.62
        2024-03-31     3       441      92  scorecard   0.535 [0.452, 0.616]   0.076    0.2625  0.0677   0.26
                                            logistic *  0.623 [0.532, 0.705]   0.149    0.2523  0.0659   1.61
        2024-06-30     4       486     113  scorecard   0.624 [0.549, 0.694]   0.115    0.2292  0.0577   2.26
                                            logistic *  0.624 [0.555, 0.689]   0.095    0.2276  0.0575   1.13

        all origins  AUC within origins [95 %]   minus as chosen [95 %]  p (Holm)  PR AUC  log loss   Brier  slope
        scorecard         0.586 [0.536, 0.633]  -0.033 [-0.088, +0.022]     0.474   0.080    0.2499  0.0641   0.65
        logistic          0.619 [0.571, 0.664]     0.000 [0.000, 0.000]     1.000   0.097    0.2459  0.0635   0.95
        as chosen         0.619 [0.571, 0.664]                        -         -   0.097    0.2459  0.0635   0.95

        learner    mean rank by AUC  first in   taken at
        scorecard              1.67    33.3 %  0 origins
        logistic               1.33    66.7 %  3 origins
        Kendall's W over 3 origins: 0.11, very weak agreement: which learner is best is mostly chance. The
        learner chosen at an origin was the best on test rows at 2 of 3; it cost 0.000 of AUC in the mean,
        0.000 at worst. The learner chosen one origin earlier was the best on test rows at 1 of 2; it cost
        0.000 of AUC in the mean, 0.000 at worst.

        without       features        AUC gained [95 %]      log loss gained [95 %]  p (Holm)  the group
        adoption             3  +0.027 [+0.014, +0.040]  +0.0017 [+0.0003, +0.0032]     0.001  adds
        business            14  -0.027 [-0.063, +0.008]  -0.0047 [-0.0091, -0.0003]     0.309  no measurable gain
        relationship         2  -0.007 [-0.022, +0.009]  -0.0006 [-0.0022, +0.0009]     1.000  no measurable gain
        sentiment            4  -0.005 [-0.017, +0.007]  -0.0001 [-0.0016, +0.0014]     1.000  no measurable gain
        support              5  +0.003 [-0.005, +0.011]  +0.0004 [-0.0003, +0.0012]     1.000  not enough evidence
        usage               14  +0.073 [+0.046, +0.101]  +0.0039 [+0.0012, +0.0067]   < 0.001  adds

        of the accounts  accounts  events  AUC within origins [95 %]          log loss [95 %]
                 12.5 %       141      60       0.611 [0.562, 0.658]  0.2491 [0.2215, 0.2818]
                   25 %       279     107       0.625 [0.579, 0.670]  0.2634 [0.2309, 0.3030]
                   50 %       556     191       0.625 [0.575, 0.672]  0.2558 [0.2247, 0.2935]
                  100 %     1,110     393       0.619 [0.571, 0.664]  0.2459 [0.2183, 0.2786]
        From half to all: AUC -0.006 [-0.048, +0.036] (p 0.776), log loss gained +0.0100 [+0.0022, +0.0177]
        (p 0.013). Is more data worth it? more accounts are worth it: the last doubling still helped.

        AUC within origins: of all pairs of an event and a non-event of the same origin, the share ranked
        right; its interval is by account, over all origins. The last line takes at each origin the learner
        that its calibration part chose (*); p is corrected for all learners (Holm).

        Without a category: the learner chosen at each origin, fitted again without its features, on the
        same rows; above 0 the category helps. p is the smaller of AUC's and log loss's, corrected for all
        categories and both (Holm).

        Intervals are those of the fitted models on other accounts; models fitted on other training accounts
        would differ too.
    "#]]
    .assert_eq(&run.stdout);
    let told: Vec<&str> = run.stderr.lines().filter(|line| line.contains(" of 3: ")).collect();
    assert_eq!(told.len(), 3, "{}", run.stderr);
}

#[test]
fn json_has_every_origin_learner_and_group_and_the_page_has_figures() {
    let folder = Folder::with_book();
    let run = folder.run(&format!("{BACKTEST} --origins 2 --ablation --learning-curve --html page.html --json"));
    let found = run.json();
    assert_eq!(found["name"], "small");
    assert_eq!(found["scheme"]["kind"], "rolling_origins");
    assert_eq!(found["learners"], serde_json::json!(["scorecard", "logistic"]));
    let targets = found["targets"].as_array().expect("targets");
    assert_eq!(
        targets.iter().map(|of| of["target"].as_str()).collect::<Vec<_>>(),
        [Some("churn_90d"), Some("expansion_90d")]
    );
    for of in targets {
        assert_eq!(of["origins"].as_array().map(Vec::len), Some(2));
        let origin = &of["origins"][1];
        for field in ["window", "n", "n_accounts", "n_events", "chosen", "learners"] {
            assert!(!origin[field].is_null(), "{field}");
        }
        for field in ["kind", "test", "n_test_days", "calibration", "training_to", "n_training", "n_training_accounts"]
        {
            assert!(!origin["window"][field].is_null(), "{field}");
        }
        let names = |of: &Value| -> Vec<String> {
            of.as_array()
                .expect("learners")
                .iter()
                .map(|of| of["learner"].as_str().expect("a name").to_owned())
                .collect()
        };
        assert_eq!(names(&origin["learners"]), ["scorecard", "logistic"]);
        assert_eq!(names(&of["pooled"]["learners"]), ["scorecard", "logistic", "as chosen"]);
        assert_eq!(names(&of["stability"]["learners"]), ["scorecard", "logistic"]);
        let groups = of["ablation"].as_array().expect("groups").iter().map(|of| of["group"].as_str().expect("a name"));
        assert_eq!(groups.collect::<Vec<_>>(), ["business", "sentiment", "support", "usage"]);
        let points = of["learning_curve"]["points"].as_array().expect("points");
        assert_eq!(
            points.iter().map(|point| point["share"].as_f64()).collect::<Vec<_>>(),
            [0.125, 0.25, 0.5, 1.0].map(Some)
        );
        let n_accounts: Vec<u64> = points.iter().filter_map(|point| point["n_accounts"].as_u64()).collect();
        assert!(n_accounts.is_sorted(), "{n_accounts:?}");
    }
    let page = folder.read("page.html");
    assert!(
        page.matches("<svg").count() >= 6 && !page.contains("<script") && !page.contains("http"),
        "a page by itself"
    );
}

#[test]
fn threads_and_the_order_of_rows_change_nothing() {
    let all = format!("{BACKTEST} --origins 2 --ablation --learning-curve --seed 3 --json");
    let folder = Folder::with_book();
    let one = folder.run(&format!("{all} --threads 1")).done().stdout;
    let two = folder.run(&format!("{all} --threads 2")).done().stdout;
    assert!(one == two, "other output on two threads");
    for table in TABLES {
        folder.edit(&format!("book/{table}"), |text| csv::shuffle(&text));
    }
    assert!(folder.run(&all).done().stdout == one, "other output for rows in another order");
}

/// Six features that are drawn for each account and day, and tell nothing.
#[test]
fn features_of_noise_are_not_said_to_add() {
    let folder = Folder::with_book();
    let mut state = 5_u64;
    let mut rows = "account,date,a,b,c\n".to_owned();
    for line in folder.read("book/usage.csv").lines().skip(1).step_by(3) {
        let key: Vec<&str> = line.split(',').take(2).collect();
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1 << 24)
        };
        let values = [draw(), draw(), draw()].map(|x| x.to_string());
        rows.extend([&key.join(","), ",", &values.join(","), "\n"]);
    }
    folder.write("book/noise.csv", rows);
    folder.edit("book/book.toml", |text| {
        let source = "[sources.noise]\nkind = \"event\"\npath = \"noise.csv\"\naccount = \"account\"\ndate = \"date\"\n\n[accounts]\n";
        let features = ["a", "b", "c"].map(|column| {
            let of = format!("from = \"noise\"\ncolumn = \"{column}\"\ncategory = \"noise\"\n");
            format!(
                "[[features]]\nname = \"{column}_last\"\naggregate = \"last\"\n{of}\n\
                 [[features]]\nname = \"{column}_mean\"\naggregate = \"mean\"\nwindow = \"60d\"\n{of}\n"
            )
        });
        text.replacen("[accounts]\n", source, 1).replacen("[[segments]]", &format!("{}[[segments]]", features.concat()), 1)
    });
    let found = folder.run(&format!("{BACKTEST} --origins 3 --ablation --json")).json();
    for of in found["targets"].as_array().expect("targets") {
        let groups = of["ablation"].as_array().expect("groups");
        let noise = groups.iter().find(|of| of["group"] == "noise").expect("it is a group");
        assert_eq!(noise["n_features"], 6);
        assert_ne!(noise["verdict"], "adds", "{noise}");
    }
}

#[test]
fn a_book_split_by_account_is_dealt_into_folds() {
    let folder = Folder::with_book();
    folder.edit("book/book.toml", |text| format!("{text}\n[split]\nkind = \"random\"\n"));
    let run = folder.run(&format!("{BACKTEST} --origins 3 --repeats 2")).done();
    let first = run.stdout.lines().take(2).collect::<Vec<_>>().join(" ");
    assert_eq!(
        first,
        "small: 3 folds by account, drawn 2 times: the split is not by time, so each account tests in one fold"
    );
    for fold in ["fold 1.1", "fold 1.3", "fold 2.3"] {
        assert!(run.stdout.contains(fold), "{}", run.stdout);
    }
}

#[test]
fn a_longer_horizon_whose_labels_are_not_known_yet_says_so() {
    let folder = Folder::with_book();
    folder.replace(
        "book/book.toml",
        "[targets.churn]",
        "[targets]\nhorizon_days = 30\nhorizons = [30, 180]\n\n[targets.churn]",
    );
    let run = folder.run(&format!("{BACKTEST} --origins 4")).done();
    let (_, of_longer) = run.stdout.split_once("churn_180d").expect("every horizon is there");
    assert!(of_longer.contains("no label known yet"), "{of_longer}");
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_fitted() {
    let folder = Folder::with_book();
    let refused = folder.run(&format!("{BACKTEST} --origins 40"));
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("the history is too short for 40 origins: "), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: ") && refused.stderr.contains(" fit: --origins "), "{}", refused.stderr);
    assert!(!refused.stderr.contains("1 of "), "{}", refused.stderr);
    let unknown = folder.run("backtest --book book/book.toml --learners gbm");
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("`gbm` is not a learner"), "{}", unknown.stderr);
}
