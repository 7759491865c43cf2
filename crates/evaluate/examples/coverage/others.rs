//! Coverage of the intervals outside an evaluation.

use bellwether_evaluate::guide::{GuideOptions, ScoreHistory, lead_time_findings};
use bellwether_evaluate::value::{Ranking, ValueOptions, ValueReport, Valued, value_at_capacity};
use bellwether_evaluate::{
    CompareOptions, Estimate, Scored, compare_models, point_biserial, spearman, wilson_interval,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::books::{Rows, Source};
use crate::metrics::Tally;

/// A value of a report, and what the large draw's is multiplied by.
type Pick = (&'static str, fn(&ValueReport) -> Estimate, f64);

pub(crate) type Tallies = Vec<(&'static str, Tally)>;

/// Correlations against those of a large draw; differences of two equal models against 0.
pub(crate) fn correlations_and_differences(source: &Source, seed: u64, n: u64, n_truth: u32) -> Tallies {
    let measured = |rows: &Rows| -> Vec<Estimate> {
        let scored = Scored { probability: &rows.p, outcome: &rows.y, account: &rows.account };
        let compared = compare_models(&scored, &rows.q, &[], &CompareOptions::default()).expect("sound");
        let differences = compared.overall.iter().map(|by| by.difference);
        let correlation = |of: fn(&[f64], &[bool], &[u32], f64) -> _| {
            let estimate: Result<Estimate, _> = of(&rows.p, &rows.y, &rows.account, 0.95);
            estimate.expect("sound")
        };
        [correlation(point_biserial), correlation(spearman)].into_iter().chain(differences).collect()
    };
    let mut truth: Vec<f64> =
        measured(&source.draw(seed, 0, n_truth)).iter().map(|estimate| estimate.value.unwrap_or(0.0)).collect();
    // Equal by construction.
    truth[2..].fill(0.0);
    let all: Vec<Vec<Estimate>> =
        (1..=n).into_par_iter().map(|stream| measured(&source.draw(seed, stream, source.n_accounts))).collect();
    let names = [
        "point-biserial",
        "Spearman",
        "paired AUC difference",
        "paired log loss difference",
        "paired Brier difference",
    ];
    let tally = |(at, name)| (name, Tally::of(all.iter().map(|estimates| &estimates[at]), truth[at]));
    names.into_iter().enumerate().map(tally).collect()
}

/// Value at a tenth of the book, revenue log-normal.
pub(crate) fn values(source: &Source, seed: u64, n: u64, n_bootstrap: usize, n_truth: u32) -> Tallies {
    let report = |stream: u64, n_accounts: u32, n_bootstrap: usize| {
        let rows = source.draw(seed, stream, n_accounts);
        let mut random = ChaCha8Rng::seed_from_u64(seed + 1);
        random.set_stream(stream);
        let arr: Vec<f64> = rows.p.iter().map(|_| 10_000.0 * (-random.random::<f64>().ln()).powf(1.2)).collect();
        let accounts = Valued { probability: &rows.p, churned: &rows.y, arr: &arr };
        let options =
            ValueOptions { n_bootstrap, seed: stream, ranking: Ranking::ArrAtRisk, ..ValueOptions::default() };
        value_at_capacity(&accounts, &[rows.p.len() / 10], &options).expect("sound")
    };
    let truth = report(0, n_truth, 0);
    let all: Vec<ValueReport> =
        (1..=n).into_par_iter().map(|stream| report(stream, source.n_accounts, n_bootstrap)).collect();
    let scale = f64::from(source.n_accounts * source.rows_each) / truth.n as f64;
    let picks: [Pick; 5] = [
        ("precision at capacity", |of| of.at_capacity[0].precision, 1.0),
        ("churned revenue reached", |of| of.at_capacity[0].arr_recall, 1.0),
        ("saved revenue", |of| of.at_capacity[0].saved, scale),
        ("net value", |of| of.at_capacity[0].net, scale),
        ("lift in revenue", |of| of.at_capacity[0].lift, 1.0),
    ];
    let tally = |&(name, pick, scale): &Pick| {
        let (mut tally, truth) = (Tally::default(), pick(&truth).value.expect("a large book has every value") * scale);
        for of in &all {
            tally.add(&pick(of), truth);
        }
        (name, tally)
    };
    picks.iter().map(tally).collect()
}

/// Wilson's interval of shares from 0.02 to 0.5 in 20 to 500 rows, and the median of lead times.
pub(crate) fn rates_and_medians(seed: u64, n: u64) -> Tallies {
    let (mut wilson, mut median) = (Tally::default(), Tally::default());
    for stream in 1..=n {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        let (rate, n_rows) = (0.02 + 0.48 * random.random::<f64>(), 20 + (480.0 * random.random::<f64>()) as usize);
        let hits = (0..n_rows).filter(|_| random.random::<f64>() < rate).count();
        let ends = wilson_interval(hits, n_rows, 0.95).expect("there are rows");
        wilson.add(&Estimate { value: None, low: Some(ends.0), high: Some(ends.1) }, rate);

        let n_churned = 30 + (270.0 * random.random::<f64>()) as usize;
        let histories: Vec<ScoreHistory> = (0..n_churned)
            .map(|_| {
                let days = (-40.0 * random.random::<f64>().ln()) as i32;
                let date = bellwether_core::Date::from_days;
                let bands = vec![
                    (date(-5_000), bellwether_core::Band::Green),
                    (date(-days - 1), bellwether_core::Band::Yellow),
                ];
                ScoreHistory { bands, churned: Some(date(0)) }
            })
            .collect();
        let found = lead_time_findings(&histories, &GuideOptions::default()).expect("sound");
        // Whole days above an exponential of mean 40, and one more.
        median.add(&found.by_warning[0].median.estimate, (40.0 * 2.0_f64.ln()).floor() + 1.0);
    }
    vec![("Wilson, independent rows", wilson), ("median lead time", median)]
}
