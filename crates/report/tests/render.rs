//! What a rendered report holds.

use crate::common::{Accounts, CHURN, nothing, report};
use bellwether_core::{Outcome, Target};
use bellwether_evaluate::{Estimate, Measured, PairedDifference};
use bellwether_report::{
    DrawnKind, DrawnNode, DrawnTree, Question, Rendered, ReportError, TrainingReport, evaluation_text,
    learner_table_text, practice_text, render,
};
use expect_test::{expect, expect_file};

const SEGMENTS: [&str; 3] = ["smb", "mid-market", "enterprise"];
const EXPANSION: Target = Target { outcome: Outcome::Expansion, horizon_days: 90 };
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "a|b `c` <img onerror=x>",
    "](javascript:x)",
    "--> \u{202e}\u{0}",
    "\"&amp;'\n# h",
    "|",
];

fn small() -> TrainingReport {
    let accounts = Accounts::new(400, SEGMENTS);
    report(vec![accounts.target(CHURN, ["scorecard", "boosted"])], accounts.practice())
}

/// Three leaves of 30, 70 and 300 rows.
fn two_splits(features: [&str; 2]) -> DrawnTree {
    let split = |feature: &str, question, missing_left, left, right| DrawnKind::Split {
        feature: feature.to_owned(),
        question,
        missing_left,
        left,
        right,
    };
    let node = |n_rows, n_events, kind| DrawnNode { n_rows, n_events, kind };
    DrawnTree {
        nodes: vec![
            node(400, 80, split(features[0], Question::AtMost(19.5), Some(true), 1, 4)),
            node(100, 50, split(features[1], Question::IsNot, None, 2, 3)),
            node(30, 20, DrawnKind::Leaf(0.6)),
            node(70, 30, DrawnKind::Leaf(0.45)),
            node(300, 30, DrawnKind::Leaf(0.11)),
        ],
    }
}

fn rendered(report: &TrainingReport) -> Rendered {
    render(report).expect("the report can be drawn")
}

/// Every string that comes from a user replaced by a hostile one.
fn hostile() -> TrainingReport {
    let accounts = Accounts::new(400, [HOSTILE[0], HOSTILE[1], HOSTILE[4]]);
    let mut target = accounts.target(CHURN, [HOSTILE[0], HOSTILE[1]]);
    target.calibration = HOSTILE[0].into();
    target.tree = Some(two_splits([HOSTILE[1], HOSTILE[4]]));
    for (cohort, text) in target.evaluation.cohorts.iter_mut().zip(HOSTILE) {
        cohort.dimension = text.into();
    }
    let mut practice = accounts.practice();
    practice.guide.score_use = Measured::Missing(HOSTILE[0].into());
    practice.guide.compared_with = HOSTILE[3].into();
    practice.guide.by_kind.iter_mut().for_each(|kind| kind.0 = HOSTILE[1].into());
    practice.guide.by_quarter.iter_mut().for_each(|quarter| quarter.0 = HOSTILE[2].into());
    practice.guide.bands.iter_mut().for_each(|of| of.outcome = HOSTILE[4].into());
    practice.bias[0].flagged = HOSTILE[4].into();
    for (gap, text) in practice.bias[0].gaps.iter_mut().zip(HOSTILE.iter().cycle()) {
        (gap.dimension, gap.level) = ((*text).to_owned(), (*text).to_owned());
    }
    let mut report = report(vec![target], practice);
    let hostile = || HOSTILE.iter().cycle().map(|&text| text.to_owned());
    report.title = HOSTILE[0].into();
    report.notes = HOSTILE.map(str::to_owned).to_vec();
    report.facts = HOSTILE.iter().map(|&text| (text.to_owned(), text.to_owned())).collect();
    report.split = report.facts.clone();
    report.provenance = report.facts.clone();
    report.sources.iter_mut().zip(hostile()).for_each(|(row, text)| row.name = text);
    let scorecard = &mut report.scorecard.scorecard;
    scorecard.categories.iter_mut().zip(hostile()).for_each(|(category, text)| *category = Some(text));
    scorecard.names.iter_mut().zip(hostile()).for_each(|(name, text)| *name = text);
    for (row, text) in report.features.iter_mut().zip(hostile()) {
        row.category = Some(text.clone());
        row.name = text;
    }
    report
}

#[test]
fn the_whole_report() {
    expect_file!["small.md"].assert_eq(&rendered(&small()).markdown);
}

#[test]
fn a_tree_has_a_section_of_its_own() {
    let mut report = small();
    report.targets[0].tree = Some(two_splits(["logins_30d", "plan=pro"]));
    let rendered = rendered(&report);
    assert!(rendered.figures.contains_key("figures/churn_90d_tree.svg"));
    let (_, section) = rendered.markdown.split_once("### The tree\n").expect("the section is there");
    let (section, _) = section.split_once("\n### ").expect("another section follows");
    expect![[r#"

        The learner `tree` has 3 leaves. Rates are of the 400 rows that it was fitted on; probabilities are calibrated on others.

        ![The tree with the rate of the training rows in each node, churn_90d](figures/churn_90d_tree.svg)

        | leaf | training rows | rate | probability |
        | --- | ---: | ---: | ---: |
        | `logins_30d` ≤ 19.5 or missing, `plan=pro`: no | 30 | 66.7 % | 60.0 % |
        | `logins_30d` ≤ 19.5 or missing, `plan=pro`: yes | 70 | 42.9 % | 45.0 % |
        | `logins_30d` &gt; 19.5 | 300 | 10.0 % | 11.0 % |
    "#]].assert_eq(section);
}

#[test]
fn the_terminals_tables_fit_it() {
    let accounts = Accounts::new(400, ["a segment with quite a long name", "smb", "enterprise"]);
    let target = accounts.target(CHURN, ["scorecard", "boosted"]);
    let learners = learner_table_text(&target.learners, &target.chosen);
    let evaluation = evaluation_text(CHURN, &target.evaluation);
    let practice = practice_text(&accounts.practice());
    let widest = [&learners, &evaluation, &practice]
        .into_iter()
        .flat_map(|text| text.lines())
        .map(|line| line.chars().count())
        .max();
    assert!(widest <= Some(100), "{widest:?}");
    expect![[r#"
        learner    calibration  select loss       test AUC [95 %]      minus chosen [95 %]  test loss
        scorecard  platt             0.4567  0.600 [0.539, 0.659]  -0.231 [-0.293, -0.169]     0.7201
        boosted    platt             0.4567  0.831 [0.785, 0.870]                 (chosen)     0.4769"#]]
    .assert_eq(&learners);
    expect![[r#"
        churn_90d: 400 rows of 200 accounts, 133 events, base rate 33.2 % [28.8, 38.0]

        metric                     value [95 % interval]  reading
        base rate                    33.2 % [28.8, 38.0]  share of rows whose outcome came
        ROC AUC                     0.831 [0.785, 0.870]  0.5 is chance, 1 is perfect
        PR AUC                      0.668 [0.567, 0.756]  the base rate is chance, 1 is perfect
        log loss                 0.4769 [0.4135, 0.5462]  nats a row, lower is better
        Brier score              0.1559 [0.1332, 0.1801]  lower is better
        Brier reliability                         0.0017  part of Brier, 0 is calibrated
        Brier resolution                          0.0677  part of Brier, higher is better
        Brier uncertainty                         0.2219  part of Brier, set by the base rate
        calibration slope              0.80 [0.61, 0.99]  1 is ideal, below 1 is too extreme
        calibration intercept         0.10 [-0.20, 0.43]  0 is ideal, below 0 is too high
        calibration error (ECE)  0.0371 [0.0000, 0.0660]  mean gap over bins, 0 is ideal

         top  rows     precision [95 %]        recall [95 %]         lift [95 %]
         5 %    20  80.0 % [48.4, 95.0]   12.0 % [9.6, 16.2]  2.41x [1.92, 3.27]
        10 %    40  75.0 % [55.1, 87.1]  22.6 % [17.9, 28.0]  2.26x [1.81, 2.83]
        20 %    80  72.5 % [61.2, 81.7]  43.6 % [37.5, 50.1]  2.18x [1.90, 2.53]

        band    rows  of all  events    event rate [95 %]  of all events [95 %]         lift [95 %]
        red      122  30.5 %      69  56.6 % [47.3, 65.4]   51.9 % [43.5, 60.2]  1.70x [1.50, 1.94]
        yellow   215  53.8 %      60  27.9 % [22.3, 34.3]   45.1 % [36.6, 54.0]  0.84x [0.73, 0.98]
        green     63  15.8 %       4    6.3 % [2.4, 15.6]      3.0 % [1.2, 7.5]  0.19x [0.05, 1.01]

        segment  level                 rows  events     base rate [95 %]            AUC [95 %]  slope
        segment  a segment …long name   196      65  33.2 % [27.0, 40.0]  0.831 [0.762, 0.883]   0.79
        segment  smb                    196      65  33.2 % [27.0, 40.0]  0.831 [0.758, 0.886]   0.80
        segment  enterprise               8       3  37.5 % [13.7, 69.4]   not enough evidence      -"#]]
    .assert_eq(&evaluation);
    expect![[r#"
        what the guides ask, on test rows
        id    what the guides ask                       seen [95 %]   of     goal  verdict
        V-01  accuracy: red left, rest stayed   70.8 % [66.1, 75.0]  400  >= 70 %  not enough evidence
        V-01  gain over 'nobody churns'           4.0 % [-1.5, 9.5]  400    > 0 %  not enough evidence
        V-01  precision of red for churn        56.6 % [47.3, 65.4]  122        -  -
        V-01  recall of red for churn           51.9 % [43.5, 60.2]  133        -  -
        V-02  untreated red that churned        58.9 % [48.0, 69.0]   90  >= 70 %  not met
        V-03  median days, not green to churn        121 [121, 123]  119    >= 14  met
        V-03  churned, warned 14 days before    90.8 % [84.2, 94.8]  119        -  -
        V-03  churned, warned 30 days before    90.8 % [84.2, 94.8]  119        -  -
        V-03  churned, green 48 hours before      9.2 % [5.2, 15.8]  119        -  -
        V-04  treated red that stayed           50.0 % [33.6, 66.4]   32  40-50 %  not enough evidence
        V-05  red that renewed                  43.4 % [34.6, 52.7]  122   < 30 %  not met
        V-05  yellow that renewed               72.1 % [65.7, 77.7]  215  50-70 %  not enough evidence
        V-05  green that renewed                93.7 % [84.4, 97.6]   63  >= 85 %  not enough evidence
        V-07  red that churned, treated or not  56.6 % [47.3, 65.4]  122        -  -
        V-07  churned, green 90 days before     19.3 % [13.2, 27.3]  119        -  -
        V-07  churned, green 30 days before       9.2 % [5.2, 15.8]  119        -  -
        V-08  rank correlation with renewal       0.36 [0.27, 0.45]  400      > 0  met
        V-08  correlation with renewal            0.36 [0.28, 0.44]  400      > 0  met
        V-09  treated red that turned green       0.0 % [0.0, 10.7]   32        -  -
        V-09  score change of treated red                  +9.0 [-]   32        -  -
        V-09  score change over untreated red              +9.0 [-]   32      > 0  not enough evidence
        V-09  staying over untreated red        8.9 % [-10.8, 28.1]   32    > 0 %  not enough evidence
        V-09  revenue kept for each unit spent  1.60x [-1.94, 5.06]   32     > 1x  not enough evidence
        V-11  churned though green (missed)        3.0 % [1.2, 7.5]  133        -  -
        V-11  red and stayed (false alarm)      41.1 % [31.0, 52.0]   90        -  -
        V-10: not measurable: a log of interactions

        V-06, each band as a prediction
        outcome    band    rows  events     precision [95 %]        recall [95 %]
        churn      red      122      69  56.6 % [47.3, 65.4]  51.9 % [43.5, 60.2]
        churn      yellow   215      60  27.9 % [22.3, 34.3]  45.1 % [36.6, 54.0]
        churn      green     63       4    6.3 % [2.4, 15.6]     3.0 % [1.2, 7.5]
        retention  red      122      53  43.4 % [34.6, 52.7]  19.9 % [15.4, 25.2]
        retention  yellow   215     155  72.1 % [65.7, 77.7]  58.1 % [51.3, 64.5]
        retention  green     63      59  93.7 % [84.4, 97.6]  22.1 % [17.5, 27.5]

        contacting 400 accounts of 2024-09-30 ranked by revenue at risk, 3 of unknown revenue left out
        a contact costs 500 and keeps 40.0 % of churners; with an account a year of its revenue is lost
        contacted  churned  of lost revenue [95 %]                  net [95 %]  at random
               20       16     20.6 % [16.3, 26.1]   103,600 [81,462, 135,236]     17,560
               40       29     35.8 % [29.5, 43.5]  177,600 [142,525, 228,753]     35,120
               80       52     56.5 % [47.8, 64.0]  271,200 [218,644, 335,171]     70,240

        bias by segment, churn_90d: 0 alarms of 8 gaps tested; not enough evidence for 4 more."#]]
    .assert_eq(&practice);
    let nothing = practice_text(&nothing("a reason"));
    expect![[r#"
        what the guides ask, on test rows
        id  what the guides ask  seen [95 %]  of  goal  verdict
        V-01, V-02, V-03, V-04, V-05, V-07, V-08, V-09, V-10, V-11: not measurable: a reason

        contacting accounts: not measurable: a reason"#]]
    .assert_eq(&nothing);
}

#[test]
fn equal_reports_are_equal_bytes() {
    assert_eq!(rendered(&small()), rendered(&small()));
}

#[test]
fn the_markdown_names_each_figure_once_and_no_other() {
    let report = Accounts::new(400, SEGMENTS);
    let targets =
        vec![report.target(CHURN, ["scorecard", "boosted"]), report.target(EXPANSION, ["boosted", "scorecard"])];
    let report = self::report(targets, report.practice());
    let Rendered { markdown, figures, html } = rendered(&report);
    let named: Vec<&str> = markdown.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert_eq!(named.len(), 17);
    assert!(named.iter().all(|file| figures.contains_key(*file)), "{named:?}");
    assert_eq!(figures.len(), named.len());
    assert_eq!(html.matches("<svg ").count(), named.len());
}

/// A page that is mailed or put on a stick must show all of itself, and load nothing.
#[test]
fn the_page_needs_nothing_beside_it() {
    for report in [small(), hostile()] {
        let html = rendered(&report).html;
        for reference in ["http", "src=", "<script", "<link", "url(", "@import", "<img", "<iframe", "xlink"] {
            assert!(!html.contains(reference), "{reference}");
        }
        let is_inside = |href: &str| href.starts_with("#part-");
        assert!(html.split("href=\"").skip(1).all(is_inside));
    }
}

#[test]
fn figures_are_well_formed() {
    for report in [small(), hostile()] {
        for (file, svg) in rendered(&report).figures {
            assert_eq!(flaw(&svg), None, "{file}");
            assert!(svg.starts_with("<svg role=\"img\" width=") && svg.contains("\n<title>"), "{file}");
        }
    }
}

/// The first thing in `xml` that is no element, attribute, reference or text.
fn flaw(xml: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        let end = tag.find('>')?;
        let (tag, after) = (&tag[1..end], &tag[end + 1..]);
        let entities = ["&lt;", "&gt;", "&amp;", "&quot;", "&apos;"];
        let is_reference = |at: usize, text: &str| entities.iter().any(|entity| text[at..].starts_with(entity));
        for part in [text, tag] {
            let wrong =
                part.char_indices().find(|&(at, c)| c == '&' && !is_reference(at, part) || c.is_control() && c != '\n');
            if wrong.is_some() {
                return Some(part.to_owned());
            }
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if !name.chars().all(|c| c.is_ascii_lowercase()) || tag.matches('"').count() % 2 == 1 {
            return Some(tag.to_owned());
        }
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Some(tag.to_owned());
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = after;
    }
    (!open.is_empty() || rest.contains('>')).then(|| format!("{open:?} {rest}"))
}

#[test]
fn hostile_names_are_shown_and_not_obeyed() {
    let Rendered { markdown, html, figures } = rendered(&hostile());
    assert_eq!(html.matches("<script").count() + html.matches("<img").count(), 0);
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.matches("<table>").count() > 8 && !html.contains('\u{202e}'));
    assert_eq!(html.matches("<h1").count(), 1);
    // Every name of a feature is one cell: each row of a table has as many as its head.
    for table in html.split("<table>").skip(1).filter_map(|rest| rest.split("</table>").next()) {
        let n_columns = table.matches("<th").count() - table.matches("<thead").count();
        for row in table.split("<tr>").skip(1).filter(|row| !row.contains("<th")) {
            assert_eq!(row.matches("<td").count(), n_columns, "{row}");
        }
    }
    for text in figures.values().chain([&markdown]) {
        assert!(!text.contains('\u{202e}') && !text.contains('\u{0}'));
    }
    // Outside code spans, Markdown has each bracket of a tag behind a backslash.
    let naked = markdown.split('`').step_by(2).filter(|text| text.replace("\\<", "").contains("<script")).count();
    assert_eq!(naked, 0);
}

#[test]
fn a_single_class_has_no_curves_and_no_zeros() {
    let accounts = Accounts::new(400, SEGMENTS).without_events();
    let target = accounts.target(CHURN, ["scorecard", "boosted"]);
    let text = evaluation_text(CHURN, &target.evaluation);
    let Rendered { markdown, figures, .. } = rendered(&report(vec![target], nothing("a reason")));
    assert!(markdown.contains("| V-10 | days of response to red | - | - | - | not measurable: a reason |"));
    assert!(markdown.contains("There is not enough evidence to judge the model: the test part has 400 rows"));
    assert!(markdown.contains("The curves are undefined: the test part has rows of one class only."));
    assert!(text.contains("ROC AUC") && text.contains("undefined"));
    let drawn: Vec<&str> = figures.keys().map(String::as_str).collect();
    assert_eq!(drawn, ["calibration", "cohorts", "learners"].map(|name| format!("figures/churn_90d_{name}.svg")));
    assert!(figures["figures/churn_90d_cohorts.svg"].matches("not enough evidence").count() == 4);
}

fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value: Some(value), low: Some(low), high: Some(high) }
}

/// `difference` is the baseline's AUC minus the chosen learner's.
#[test]
fn the_summary_says_no_more_than_the_paired_interval() {
    let report = small();
    for (difference, words) in [
        (estimate(-0.1, -0.15, -0.05), "`boosted` is better than `scorecard`: AUC +0.100 [+0.050, +0.150]"),
        (estimate(-0.1, -0.25, 0.05), "`boosted` is no better than `scorecard`: AUC +0.100 [-0.050, +0.250]"),
        (estimate(0.1, 0.05, 0.15), "`boosted` is worse than `scorecard`: AUC -0.100 [-0.150, -0.050]"),
        (Estimate { value: Some(0.1), ..Estimate::default() }, "better than `scorecard` cannot be said"),
        (Estimate::default(), "better than `scorecard` cannot be said"),
    ] {
        let mut report = report.clone();
        report.targets[0].learners[0].difference = Some(PairedDifference { difference, p_value: Some(0.5) });
        let markdown = rendered(&report).markdown;
        assert!(markdown.contains(words), "{words}");
    }
}

#[test]
fn the_summary_says_how_probabilities_are_wrong() {
    let report = small();
    for (slope, intercept, words) in [
        (estimate(1.1, 0.9, 1.3), estimate(0.0, -0.1, 0.1), "They agree with what happened, as far as"),
        (estimate(0.7, 0.5, 0.9), estimate(0.0, -0.1, 0.1), "They are too extreme: calibration slope 0.70"),
        (estimate(1.5, 1.2, 1.8), estimate(-0.3, -0.4, -0.2), "They are too timid and too high on average:"),
        (estimate(1.1, 0.9, 1.3), estimate(0.3, 0.2, 0.4), "They are too low on average:"),
        (Estimate::default(), estimate(0.0, -0.1, 0.1), "cannot be said in full: calibration slope undefined"),
    ] {
        let mut report = report.clone();
        let overall = &mut report.targets[0].evaluation.overall;
        (overall.calibration_slope, overall.calibration_intercept) = (slope, intercept);
        let markdown = rendered(&report).markdown;
        assert!(markdown.contains(words), "{words}");
    }
}

#[test]
fn the_summary_names_segments_that_are_ranked_worse() {
    let mut report = small();
    report.targets[0].evaluation.cohorts[0].metrics.roc_auc = estimate(0.6, 0.5, 0.7);
    let markdown = rendered(&report).markdown;
    let words =
        "Ranked less well than all rows together (interval below 0.831): `segment` = `smb` (AUC 0.600 [0.500, 0.700]).";
    assert!(markdown.contains(words));
}

#[test]
fn a_target_stands_once() {
    let target = Accounts::new(100, SEGMENTS).target(CHURN, ["scorecard", "boosted"]);
    let refused = render(&report(vec![target.clone(), target], nothing("a reason")));
    assert!(matches!(refused, Err(ReportError::Duplicate(name)) if name == "churn_90d"));
}

mod audit {
    use bellwether_core::Date;
    use bellwether_report::{AuditReport, DayCell, DaysRow, FindingRow, MonthsRow, Rendered, render_audit};
    use expect_test::expect;

    fn month(n: i32) -> Date {
        Date::from_ymd(2024, 1, 31).expect("a day").plus_months(n).month_end()
    }

    fn audit(name: &str) -> Rendered {
        let finding = FindingRow {
            id: format!("gap/{name}"),
            severity: "warning",
            summary: format!("`{name}` has few rows"),
            evidence: vec![("rows".into(), "3".into())],
            advice: "deliver them".into(),
            waived: Some(name.to_owned()),
        };
        let cell = |n: i32| DayCell {
            day: month(n),
            missing_share: 0.25 * f64::from(n),
            psi: (n != 1).then_some(f64::from(n)),
        };
        let report = AuditReport {
            title: format!("{name}: audit"),
            facts: vec![("Accounts".into(), "3".into())],
            findings: vec![finding],
            sources: vec![MonthsRow {
                name: name.to_owned(),
                months: vec![(month(0), 5), (month(1), 0), (month(2), 9)],
            }],
            features: vec![DaysRow { name: name.to_owned(), days: (0..3).map(cell).collect() }],
        };
        render_audit(&report).expect("it can be drawn")
    }

    #[test]
    fn an_audit_says_what_was_found_and_what_to_do() {
        let rendered = audit("usage");
        expect![[r#"
            # usage: audit

            - **Accounts:** 3

            ## Errors (0)

            There are none.

            ## Warnings (1)

            ### `gap/usage`

            - \`usage\` has few rows
            - Counted: rows: 3.
            - To do: deliver them.
            - **Waived:** usage


            ## Notes (0)

            There are none.

            ## Rows by month

            Rows of everybody by the month of their date. A hole is a gap; a fall at the end is a feed that stops.

            ![Rows by month](figures/rows_000.svg)

            ## Missing values by day

            Share of the rows of a snapshot day without a value. The darker, the more.

            ![Missing values by day](figures/missing.svg)

            ## Drift by day

            Population stability index of a day's values against those of training rows. Full at 2; a dash where nothing is known.

            ![Drift by day](figures/psi.svg)
        "#]].assert_eq(&rendered.markdown);
        assert_eq!(rendered.html.matches("<svg").count(), 3);
        assert_eq!(audit("usage"), rendered);
    }

    #[test]
    fn hostile_names_stay_text_in_an_audit() {
        for name in super::HOSTILE {
            let rendered = audit(name);
            assert!(!rendered.html.contains("<script") && !rendered.html.contains("<img"), "{}", rendered.html);
        }
    }
}
