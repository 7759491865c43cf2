//! What contacting accounts is worth, on the accounts of the last test day.

use bellwether_book::{CostsConfig, RankBy};
use bellwether_core::Outcome;
use bellwether_evaluate::value::{Ranking, ValueOptions, Valued, cost_curve, value_at_capacity};
use bellwether_evaluate::{Measured, ValueFindings};

use super::{Unseen, missing};
use crate::failure::{Failure, Unexpected as _};

/// Parts of the book that can be contacted, where `evaluation.costs.capacity` does not say.
const PARTS: [usize; 3] = [20, 10, 5];

pub(super) fn findings(unseen: &Unseen<'_>) -> Result<Measured<ValueFindings>, Failure> {
    let Some(target) = unseen.main_target(Outcome::Churn) else {
        return Ok(missing("the book declares no churn, [targets.churn]"));
    };
    let Some(arr) = &unseen.table.arr else {
        return Ok(missing("what an account is worth, [value] in book.toml"));
    };
    let labelled = unseen.labelled(target);
    let keys = &unseen.table.keys;
    let Some(day) = labelled.rows.iter().map(|&row| keys[row].as_of).max() else {
        return Ok(missing("no test row has a known churn label"));
    };
    let of_day = labelled.rows.iter().zip(&labelled.y).filter(|&(&row, _)| keys[row].as_of == day);
    let (known, unknown): (Vec<_>, Vec<_>) = of_day.partition(|&(&row, _)| arr[row].is_finite() && arr[row] >= 0.0);
    if known.is_empty() {
        return Ok(missing("no account has a known revenue"));
    }
    let rows: Vec<usize> = known.iter().map(|&(&row, _)| row).collect();
    let churned: Vec<bool> = known.iter().map(|&(_, &churned)| churned).collect();
    let arr: Vec<f64> = rows.iter().map(|&row| arr[row]).collect();
    let probability = unseen.probabilities(target, &rows)?;
    let accounts = Valued { probability: &probability, churned: &churned, arr: &arr };
    let costs = unseen.book.file().config.evaluation.costs();
    let assumed = options(&costs, unseen.seed);
    Ok(Measured::Found(ValueFindings {
        day: unseen.book.has_time().then_some(day),
        n_without_arr: unknown.len(),
        assumed,
        report: value_at_capacity(&accounts, &capacities(costs, rows.len()), &assumed)
            .unexpected("valuing accounts")?,
        costs: cost_curve(&accounts, &assumed).unexpected("costing thresholds")?,
    }))
}

pub(super) fn options(costs: &CostsConfig, seed: u64) -> ValueOptions {
    ValueOptions {
        contact_cost: costs.contact,
        success_rate: costs.success_rate,
        years_lost: costs.years_lost,
        ranking: match costs.rank_by {
            RankBy::ArrAtRisk => Ranking::ArrAtRisk,
            RankBy::Probability => Ranking::Probability,
        },
        seed,
        ..ValueOptions::default()
    }
}

fn capacities(costs: CostsConfig, n_accounts: usize) -> Vec<usize> {
    if !costs.capacity.is_empty() {
        return costs.capacity;
    }
    let mut capacities: Vec<usize> = PARTS.iter().map(|part| n_accounts.div_ceil(*part)).collect();
    capacities.dedup();
    capacities
}
