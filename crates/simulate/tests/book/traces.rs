//! What the tables beside the daily usage tell of the hidden life.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::Date;
use bellwether_simulate::{SimulateConfig, TABLE_NAMES};

use crate::support::{Book, seeded};

/// The ids of requirements.md 1.3 and 1.12 whose data the daily usage has not, each with a column and values that it
/// must have.
const NEEDED: [(&str, &str, &str, &[&str]); 21] = [
    ("U-04", "engagement_events", "kind", &["workflow_started", "workflow_completed"]),
    ("U-05 U-10 X-03", "feature_events", "tier", &["core", "standard", "advanced", "premium"]),
    ("U-07 E-07", "engagement_events", "kind", &["milestone_reached", "handoff_scored"]),
    ("E-01", "engagement_events", "kind", &["email_opened", "webinar_attended", "community_post"]),
    ("E-01", "engagement_events", "kind", &["training_completed"]),
    ("E-02", "engagement_events", "kind", &["feedback_given", "research_session"]),
    ("E-04 X-02", "engagement_events", "kind", &["invite_sent"]),
    ("E-05", "engagement_events", "kind", &["integration_connected"]),
    ("E-06", "engagement_events", "kind", &["onboarding_completed"]),
    ("T-03", "tickets", "severity", &["1", "2", "3", "4"]),
    ("T-03", "tickets", "escalated", &["0", "1"]),
    ("T-06", "tickets", "category", &["advanced", "how_to", "bug"]),
    ("N-01 T-07", "surveys", "kind", &["nps", "csat"]),
    ("R-01 R-04", "engagement_events", "kind", &["exec_meeting", "qbr_held", "conference_attended"]),
    ("R-01 R-03", "contact_events", "role", &["champion", "exec_sponsor"]),
    ("R-02", "engagement_events", "role", &["champion", "exec_sponsor", "admin", "user"]),
    ("X-02", "feature_events", "department", &["sales", "finance", "engineering"]),
    ("X-03", "engagement_events", "kind", &["upgrade_page_viewed"]),
    ("B-01", "goals", "kpi", &["hours_saved", "revenue_influenced"]),
    ("B-06", "external_indicators", "indicator", &["headcount"]),
    ("B-08", "external_indicators", "indicator", &["competitor_mentions", "market_growth"]),
];

#[test]
fn every_indicator_has_its_data() {
    let book = Book::of(&seeded(1), 0..200);
    for (ids, table, column, values) in NEEDED {
        let found: BTreeSet<String> = match column {
            "severity" | "escalated" => book.numbers(table, column).into_iter().map(|n| n.to_string()).collect(),
            _ => book.texts(table, column).into_iter().map(str::to_owned).collect(),
        };
        for value in values {
            assert!(found.contains(*value), "{ids}: {table}.{column} has no {value}, only {found:?}");
        }
    }
}

#[test]
fn the_tables_beside_usage_stay_small() {
    let book = Book::of(&seeded(1), 0..300);
    let usage = book.tables["usage"].n_rows();
    assert!(book.tables["feature_events"].n_rows() * 4 < usage);
    let all: usize = TABLE_NAMES.into_iter().map(|table| book.tables[table].n_rows()).sum();
    assert!(all < 2 * usage, "{all} rows, {usage} of them usage");
}

/// Rows of other systems: four in five are known on their day (fewer where one waits for another), none before, none more
/// than 20 days later, and none after
/// the book's last day.
#[test]
fn rows_arrive_late_as_stated() {
    let book = Book::of(&seeded(2), 0..300);
    for (table, date) in [
        ("ticket_events", "date"),
        ("tickets", "opened_on"),
        ("surveys", "date"),
        ("invoice_events", "date"),
        ("goals", "date"),
        ("external_indicators", "date"),
    ] {
        let dates = book.dates(table, date).into_iter().flatten();
        let known: Vec<Date> = book.dates(table, "known_at").into_iter().flatten().collect();
        let late: Vec<i32> = known.iter().zip(dates).map(|(known, date)| known.days() - date.days()).collect();
        assert_eq!(late.len(), book.tables[table].n_rows(), "{table}");
        assert!(late.iter().all(|days| (0..=20).contains(days)), "{table}");
        assert!(known.iter().all(|&day| day <= book.config.last_day()), "{table}");
        let share = |days: i32| late.iter().filter(|&&late| late >= days).count() as f64 / late.len() as f64;
        assert!((0.17..0.27).contains(&share(1)) && (0.01..0.035).contains(&share(10)), "{table}: {}", share(1));
    }
}

#[test]
fn a_correction_has_the_same_date_a_later_day_and_another_value() {
    let book = Book::of(&seeded(2), 0..300);
    let keys = book.texts("account_snapshots", "account_id").into_iter().zip(book.dates("account_snapshots", "date"));
    let told =
        book.dates("account_snapshots", "known_at").into_iter().zip(book.numbers("account_snapshots", "csm_sentiment"));
    let mut versions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, version) in keys.zip(told) {
        versions.entry(key).or_default().push(version);
    }
    let corrected: Vec<_> = versions.values().filter(|versions| versions.len() > 1).collect();
    for versions in &corrected {
        assert_eq!(versions.len(), 2);
        assert!(versions[0].0 < versions[1].0 && versions[0].1 != versions[1].1, "{versions:?}");
    }
    let share = corrected.len() as f64 / versions.len() as f64;
    assert!((0.05..0.15).contains(&share), "{share} of the notes are corrected to another value");
}

#[test]
fn a_ticket_is_open_from_its_opening_until_its_closing() {
    let book = Book::of(&seeded(3), 0..200);
    let mut events: BTreeMap<&str, [Option<Date>; 2]> = BTreeMap::new();
    let dates = book.dates("ticket_events", "date");
    let ids = book.texts("ticket_events", "ticket_id").into_iter().zip(book.texts("ticket_events", "event"));
    for ((id, event), date) in ids.zip(dates) {
        events.entry(id).or_default()[usize::from(event == "closed")] = date;
    }
    let (opened, closed) = (book.dates("tickets", "opened_on"), book.dates("tickets", "closed_on"));
    let stretches = book.texts("tickets", "ticket_id").into_iter().zip(opened.into_iter().zip(closed));
    let stretches: BTreeMap<&str, [Option<Date>; 2]> = stretches.map(|(id, (from, to))| (id, [from, to])).collect();
    assert_eq!(stretches, events);
    assert!(stretches.values().all(|[opened, closed]| closed.is_none() || closed > opened));
}

/// Glad words where the score is high, angry ones where it is low; a few words of the VADER lexicon tell.
#[test]
fn texts_sound_as_the_scores_say() {
    let book = Book::of(&seeded(4), 0..400);
    let gladness = |text: &str| -> f64 {
        let has = |words: &[&str]| words.iter().filter(|word| text.to_lowercase().contains(**word)).count() as f64;
        has(&["thank", "love", "happy", "like", "helpful", "nice", "fantastic", "perfect"])
            - has(&["terrible", "unacceptable", "hate", "angry", "problem", "sorry", "disappointing", "error"])
    };
    for (table, column, middle) in [("ticket_events", "sentiment", 0.0), ("surveys", "score", 4.5)] {
        let said = book.texts(table, "text").into_iter().zip(book.numbers(table, column));
        let (high, low): (Vec<_>, Vec<_>) =
            said.filter(|(text, score)| !text.is_empty() && !score.is_nan()).partition(|(_, score)| *score > middle);
        let mean = |said: &[(&str, f64)]| said.iter().map(|(text, _)| gladness(text)).sum::<f64>() / said.len() as f64;
        assert!(mean(&high) > mean(&low) + 0.4, "{table}: {} against {}", mean(&high), mean(&low));
    }
}

/// Rows in the last 180 days before a churn, or of the middle of the book, an account; by segment and by whether it left.
fn rows_before_end(book: &Book, table: &str) -> BTreeMap<(String, bool), f64> {
    let churns = book.days_of("churn");
    let segments: BTreeMap<&str, &str> =
        book.texts("accounts", "account_id").into_iter().zip(book.texts("accounts", "segment")).collect();
    let middle = book.config.first_day.plus_days(365);
    let lives = book.lives();
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for (account, date) in
        book.texts(table, "account_id").into_iter().zip(book.dates(table, "date").into_iter().flatten())
    {
        let end = churns.get(account).map_or(middle, |days| days[0]);
        if date < end && end.plus_days(-180) <= date {
            *counts.entry(account).or_default() += 1.0;
        }
    }
    let mut sums: BTreeMap<(String, bool), (f64, f64)> = BTreeMap::new();
    for (account, &(start, end)) in &lives {
        let leaves = churns.contains_key(account);
        let from = if leaves { end } else { middle }.plus_days(-180);
        if start < from && book.config.first_day <= from {
            let sum = sums.entry((segments[account].to_owned(), leaves)).or_default();
            *sum = (sum.0 + counts.get(account).copied().unwrap_or(0.0), sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(key, (sum, n))| (key, sum / n)).collect()
}

/// Small customers complain before they leave, large ones fall silent.
#[test]
fn segments_differ_in_what_tells_of_a_churn() {
    let book = Book::of(&seeded(6), 0..3_000);
    let tickets = rows_before_end(&book, "ticket_events");
    let ratio = |segment: &str| tickets[&(segment.to_owned(), true)] / tickets[&(segment.to_owned(), false)];
    let (small, large) = (ratio("smb"), ratio("enterprise"));
    assert!(small > 1.2 && large < 1.05 && small > large + 0.25, "smb {small}, enterprise {large}");
}

/// 56 days after it was done, against where it was only chosen: the hazard is 0.4 of what it would have been.
#[test]
fn an_intervention_has_the_stated_effect() {
    let config = SimulateConfig { interventions: true, ..seeded(8) };
    let book = Book::of(&config, 0..4_000);
    let churns = book.days_of("churn");
    let last = config.last_day().plus_days(-56);
    let dates = book.dates("interventions", "date").into_iter().flatten();
    let chosen = book.texts("interventions", "account_id").into_iter().zip(dates);
    let mut groups = [(0.0_f64, 0.0_f64); 2];
    for ((account, date), treated) in chosen.zip(book.numbers("interventions", "treated")) {
        if date <= last {
            let group = &mut groups[usize::from(treated == 1.0)];
            let left = churns.get(account).is_some_and(|days| days[0] <= date.plus_days(56));
            *group = (group.0 + f64::from(u8::from(left)), group.1 + 1.0);
        }
    }
    let [(left, untreated), (left_treated, treated)] = groups;
    assert!((treated / untreated - 1.0).abs() < 0.15, "a fair coin: {treated} and {untreated}");
    // The cumulated hazard of those who stay is below that of all; so the ratio of shares stands a little above 0.4.
    let ratio = (left_treated / treated) / (left / untreated);
    assert!((0.3..0.58).contains(&ratio), "{left_treated} of {treated} and {left} of {untreated}: {ratio}");
}

#[test]
fn without_interventions_there_is_no_row_of_them_and_nothing_else_changes_before_the_first() {
    let with = Book::of(&SimulateConfig { interventions: true, ..seeded(8) }, 0..200);
    let without = Book::of(&seeded(8), 0..200);
    assert_eq!(without.tables["interventions"].n_rows(), 0);
    assert!(with.tables["interventions"].n_rows() > 20);
    assert_eq!(with.tables["accounts"], without.tables["accounts"]);
    assert!(with.days_of("churn").len() <= without.days_of("churn").len(), "treatments only keep");
}

/// `truth.parquet` follows from these four and the calendar.
#[test]
fn a_revealed_state_has_a_row_a_row_of_truth_and_moves_as_its_documentation_says() {
    let book = Book::of(&SimulateConfig { reveal: true, ..seeded(8) }, 0..200);
    let keys =
        |table: &str| book.texts(table, "account_id").into_iter().zip(book.dates(table, "date")).collect::<Vec<_>>();
    assert_eq!(keys("hidden_states"), keys("truth"));
    for (column, expected) in [("health", 1.0), ("appetite", 1.0), ("fit", 1.0), ("champion", 0.3)] {
        let values = book.numbers("hidden_states", column);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        assert!((deviation - expected).abs() < 0.25, "{column}: {deviation}");
    }
}
