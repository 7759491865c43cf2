//! How often a difference is claimed where there is none.

use bellwether_evaluate::{
    BiasMeasure, BiasOptions, BiasVerdict, Cohort, CompareOptions, ComparisonVerdict, Scored, bias_gaps, compare_models,
};
use rayon::prelude::*;

use crate::books::{Rows, Source};

/// Shares of the simulations.
pub(crate) struct Alarms {
    /// By AUC, log loss and Brier score: of two equal models, the first was called superior.
    pub(crate) superior: [f64; 3],
    /// Some cohort was called superior or worse.
    pub(crate) any_cohort: f64,
    /// Some segment raised an alarm, none of which differs.
    pub(crate) any_bias: f64,
    /// Gaps tested, a simulation.
    pub(crate) n_tested: f64,
    /// By measure: p-values up to 0.05 before correction, of those tested.
    pub(crate) uncorrected: [f64; 4],
}

const MEASURES: [BiasMeasure; 4] =
    [BiasMeasure::RocAuc, BiasMeasure::Calibration, BiasMeasure::FalsePositiveRate, BiasMeasure::FalseNegativeRate];

struct One {
    superior: [bool; 3],
    any_cohort: bool,
    any_bias: bool,
    tested: Vec<(BiasMeasure, f64)>,
}

/// Segments of 2, 4 and 8 levels that mean nothing.
fn segments(rows: &Rows) -> Vec<Cohort> {
    let level = |n: u32, level: u32| Cohort {
        dimension: format!("{n} levels"),
        level: level.to_string(),
        rows: (0..rows.y.len())
            .filter(|&row| rows.account[row].wrapping_mul(2_654_435_761) >> 16 & (n - 1) == level)
            .collect(),
    };
    [2, 4, 8].into_iter().flat_map(|n| (0..n).map(move |at| level(n, at))).collect()
}

fn one(rows: &Rows) -> One {
    let scored = Scored { probability: &rows.p, outcome: &rows.y, account: &rows.account };
    let cohorts = segments(rows);
    let compared = compare_models(&scored, &rows.q, &cohorts, &CompareOptions::default()).expect("sound");
    let claims = |verdict| matches!(verdict, ComparisonVerdict::Superior | ComparisonVerdict::Worse);
    let flagged: Vec<bool> = rows.p.iter().map(|&p| p > 0.2).collect();
    let gaps = bias_gaps(&scored, &flagged, &cohorts, &BiasOptions::default()).expect("sound");
    One {
        superior: [0, 1, 2].map(|at| compared.overall[at].verdict == ComparisonVerdict::Superior),
        any_cohort: compared.cohorts.iter().flat_map(|of| &of.comparisons).any(|of| claims(of.verdict)),
        any_bias: gaps.iter().any(|gap| gap.verdict == BiasVerdict::Alarm),
        tested: gaps.iter().filter_map(|gap| Some((gap.measure, gap.p_value?))).collect(),
    }
}

pub(crate) fn alarms(source: &Source, seed: u64, n: u64) -> Alarms {
    let all: Vec<One> =
        (1..=n).into_par_iter().map(|stream| one(&source.draw(seed, stream, source.n_accounts))).collect();
    let share = |of: &dyn Fn(&One) -> bool| all.iter().filter(|one| of(one)).count() as f64 / n as f64;
    let of_measure = |measure| {
        let p_values: Vec<f64> =
            all.iter().flat_map(|one| &one.tested).filter(|t| t.0 == measure).map(|t| t.1).collect();
        p_values.iter().filter(|&&p| p <= 0.05).count() as f64 / p_values.len() as f64
    };
    Alarms {
        superior: [0, 1, 2].map(|at| share(&|one| one.superior[at])),
        any_cohort: share(&|one| one.any_cohort),
        any_bias: share(&|one| one.any_bias),
        n_tested: all.iter().map(|one| one.tested.len()).sum::<usize>() as f64 / n as f64,
        uncorrected: MEASURES.map(of_measure),
    }
}
