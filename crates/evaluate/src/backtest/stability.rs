//! Whether the same learner is best again and again.

use serde::{Deserialize, Serialize};

use super::results::{OriginResult, Window};

/// How stable the ranking of learners by ROC AUC is over origins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Origins at which every learner has an AUC; the others have no ranking.
    pub n_origins: usize,
    /// One for each learner, in their order.
    pub learners: Vec<LearnerRank>,
    /// Kendall's coefficient of concordance, see [`kendall_w`].
    pub kendall_w: Option<f64>,
    /// What it means.
    pub agreement: Option<Agreement>,
    /// What choosing by the calibration part of the same origin costs on its test rows.
    pub regret: Option<Regret>,
    /// What keeping the choice of one origin costs on the test rows of the next; `None` for folds, which have no next.
    pub regret_next: Option<Regret>,
}

/// One learner's ranks; 1 is best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnerRank {
    /// Its name.
    pub learner: String,
    /// Mean rank; learners of equal AUC share the mean of their ranks. `None` without a ranked origin.
    pub mean_rank: Option<f64>,
    /// Share of origins at which no other learner's AUC is higher. `None` without a ranked origin.
    pub share_first: Option<f64>,
    /// Origins at which it would have been taken.
    pub n_chosen: usize,
}

/// What a choice costs: the best learner's AUC less the chosen one's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Regret {
    /// Origins at which it is known.
    pub n: usize,
    /// Of them, those at which the chosen learner is the best.
    pub n_best: usize,
    /// Mean, from 0.
    pub mean: f64,
    /// The largest.
    pub worst: f64,
}

/// Kendall's W in words. Source: Schmidt (1997), Decision Sciences 28.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// Below 0.3.
    VeryWeak,
    /// From 0.3.
    Weak,
    /// From 0.5.
    Moderate,
    /// From 0.7.
    Strong,
    /// From 0.9.
    VeryStrong,
}

impl Agreement {
    /// Of Kendall's W, in `0.0..=1.0`.
    pub const fn of(w: f64) -> Self {
        match w {
            ..0.3 => Self::VeryWeak,
            ..0.5 => Self::Weak,
            ..0.7 => Self::Moderate,
            ..0.9 => Self::Strong,
            _ => Self::VeryStrong,
        }
    }

    /// As a fragment for a report.
    pub const fn text(self) -> &'static str {
        match self {
            Self::VeryWeak => "very weak agreement: which learner is best is mostly chance",
            Self::Weak => "weak agreement: the ranking changes from origin to origin",
            Self::Moderate => "moderate agreement",
            Self::Strong => "strong agreement: about the same ranking each time",
            Self::VeryStrong => "very strong agreement: the same ranking each time",
        }
    }
}

/// The stability of the learners' ranking over `origins`, which have the same learners in the same order.
pub fn stability(origins: &[OriginResult]) -> Stability {
    let names = origins.iter().map(|origin| &origin.learners).find(|learners| !learners.is_empty());
    let names: Vec<&String> = names.into_iter().flatten().map(|learner| &learner.learner).collect();
    let ranked: Vec<(&OriginResult, Vec<f64>)> =
        origins.iter().filter_map(|origin| Some((origin, aucs(origin)?))).collect();
    let ranks: Vec<Vec<f64>> = ranked.iter().map(|(_, aucs)| falling_ranks(aucs)).collect();
    let mean =
        |values: &mut dyn Iterator<Item = f64>| (!ranked.is_empty()).then(|| values.sum::<f64>() / ranked.len() as f64);
    let rank = |(place, name): (usize, &&String)| LearnerRank {
        learner: (*name).clone(),
        mean_rank: mean(&mut ranks.iter().map(|ranks| ranks[place])),
        share_first: mean(&mut ranked.iter().map(|(_, aucs)| f64::from(u8::from(aucs[place] == best(aucs))))),
        n_chosen: origins.iter().filter(|origin| origin.chosen.as_ref() == Some(*name)).count(),
    };
    let learners = names.iter().enumerate().map(rank).collect();
    let cost = |chosen: &Option<String>, aucs: &[f64]| {
        let place = names.iter().position(|name| Some(*name) == chosen.as_ref())?;
        Some(best(aucs) - aucs[place])
    };
    let is_time = origins.iter().all(|origin| matches!(origin.window, Window::Time { .. }));
    let next = origins.windows(2).filter_map(|pair| cost(&pair[0].chosen, &aucs(&pair[1])?)).collect::<Vec<_>>();
    let w = kendall_w(&ranks);
    Stability {
        n_origins: ranked.len(),
        learners,
        kendall_w: w,
        agreement: w.map(Agreement::of),
        regret: Regret::of(&ranked.iter().filter_map(|(origin, aucs)| cost(&origin.chosen, aucs)).collect::<Vec<_>>()),
        regret_next: if is_time { Regret::of(&next) } else { None },
    }
}

/// Kendall's coefficient of concordance of the ranks that each judge gives, ties sharing their mean rank: 1 where all judges
/// rank alike, 0 where they do not agree at all. `None` with fewer than two judges or things, or where all is tied.
/// Source: Kendall and Babington Smith (1939), Ann. Math. Stat. 10; with ties: Siegel and Castellan (1988), 9.6.
///
/// # Panics
/// If judges rank different numbers of things.
pub fn kendall_w(ranks: &[Vec<f64>]) -> Option<f64> {
    let m = ranks.len() as f64;
    let n = ranks.first()?.len();
    let sums: Vec<f64> = (0..n).map(|thing| ranks.iter().map(|judge| judge[thing]).sum()).collect();
    let mean = m * (n as f64 + 1.0) / 2.0;
    let spread: f64 = sums.iter().map(|sum| (sum - mean).powi(2)).sum();
    let ties: f64 = ranks.iter().map(|judge| ties(judge)).sum();
    let n = n as f64;
    let most = m * m * (n.powi(3) - n) - m * ties;
    (m > 1.0 && n > 1.0 && most > 0.0).then(|| (12.0 * spread / most).clamp(0.0, 1.0))
}

/// `sum (t^3 - t)` over groups of `t` equal ranks.
fn ties(ranks: &[f64]) -> f64 {
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64).sum()
}

/// Each learner's AUC; `None` unless all have one.
fn aucs(origin: &OriginResult) -> Option<Vec<f64>> {
    let aucs: Option<Vec<f64>> = origin.learners.iter().map(|learner| learner.test.roc_auc.value).collect();
    aucs.filter(|aucs| !aucs.is_empty())
}

fn best(aucs: &[f64]) -> f64 {
    aucs.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// 1 for the highest; equal values share the mean of their ranks.
fn falling_ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let above = values.iter().filter(|other| *other > value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        above as f64 + f64::midpoint(equal as f64, 1.0)
    };
    values.iter().map(rank).collect()
}

impl Regret {
    fn of(costs: &[f64]) -> Option<Self> {
        let n_best = costs.iter().filter(|&&cost| cost == 0.0).count();
        (!costs.is_empty()).then(|| Self {
            n: costs.len(),
            n_best,
            mean: costs.iter().sum::<f64>() / costs.len() as f64,
            worst: costs.iter().copied().fold(0.0, f64::max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.16: with `chi2 = friedmanchisquare(*columns).statistic`, `W = chi2 / (m (n - 1))`.
    #[test]
    fn concordance_is_friedmans_statistic_rescaled() {
        for (ranks, w) in [
            (vec![vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0]], Some(1.0)),
            (vec![vec![1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0]], Some(0.0)),
            (vec![vec![1.0, 2.0, 3.0, 4.0], vec![2.0, 1.0, 3.0, 4.0], vec![1.0, 3.0, 2.0, 4.0]], Some(7.0 / 9.0)),
            (vec![vec![1.5, 1.5, 3.0], vec![1.0, 2.0, 3.0]], Some(0.928_571_428_571_428_5)),
            (vec![vec![1.0, 2.0, 3.0]], None),
            (vec![vec![1.5, 1.5], vec![1.5, 1.5]], None),
            (vec![], None),
        ] {
            let found = kendall_w(&ranks);
            let is_near = match (found, w) {
                (Some(found), Some(w)) => (found - w).abs() < 1e-12,
                (found, w) => found == w,
            };
            assert!(is_near, "{ranks:?}: {found:?}");
        }
    }

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(falling_ranks(&[0.7, 0.8, 0.7, 0.9]), [3.5, 2.0, 3.5, 1.0]);
    }

    #[test]
    fn words_change_at_schmidts_edges() {
        for (w, agreement) in [
            (0.0, Agreement::VeryWeak),
            (0.3, Agreement::Weak),
            (0.5, Agreement::Moderate),
            (0.7, Agreement::Strong),
            (0.9, Agreement::VeryStrong),
            (1.0, Agreement::VeryStrong),
        ] {
            assert_eq!(Agreement::of(w), agreement, "{w}");
        }
    }
}
