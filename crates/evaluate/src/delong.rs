//! The variance of ROC AUC, and the difference of two, by account.
//!
//! Each event's component is the share of non-events below it, each non-event's the share of events above it, ties half. Their
//! variances, and between an account's events and non-events their covariance, give that of the AUC.
//! Sources: `DeLong`, `DeLong` and Clarke-Pearson (1988), Biometrics 44; by cluster: Obuchowski (1997), Biometrics 53. Where
//! each account has one row, the second is the first.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::input::{EvaluateError, check_confidence, check_scores};
use crate::linear::{Linear, student_quantile};
use crate::proportion::normal_quantile;
use crate::results::{Estimate, PairedDifference};
use crate::sample::Sample;
use crate::scale::Scale;

/// The difference of two ROC AUCs on the same rows, `a - b`, with its interval and two-sided p-value.
///
/// The scores may have any scale. `DeLong`'s variance for correlated ROC curves, in Obuchowski's clustered form, where an
/// account has several rows. For a single class all is `None`; where fewer than two accounts have events, or non-events, or
/// where the variance of a difference is 0, interval and p-value are `None`. Scores that rank all rows alike differ by 0 with
/// the interval 0 to 0 and p = 1.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no row, a score is NaN, or `confidence` is not inside `0.0..1.0`.
pub fn paired_auc_difference(
    a: &[f64],
    b: &[f64],
    outcome: &[bool],
    account: &[u32],
    confidence: f64,
) -> Result<PairedDifference, EvaluateError> {
    check_scores(a, b, outcome, account)?;
    check_confidence(confidence)?;
    let components = |scores: &[f64]| {
        let rows = scores.iter().zip(outcome).zip(account);
        Components::of(&Sample::new(rows.map(|((&score, &event), &id)| (score, event, id))))
    };
    Ok(match components(a).zip(components(b)) {
        Some((a, b)) => difference(&a.minus(&b), confidence),
        None => PairedDifference { difference: Estimate::default(), p_value: None },
    })
}

/// The variance of the ROC AUC by account, `DeLong`'s where each account has one row. `None` for a single class and where fewer
/// than two accounts have events, or non-events.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no row, or a score is NaN.
pub fn auc_variance(scores: &[f64], outcome: &[bool], account: &[u32]) -> Result<Option<f64>, EvaluateError> {
    check_scores(scores, scores, outcome, account)?;
    let rows = scores.iter().zip(outcome).zip(account);
    let sample = Sample::new(rows.map(|((&score, &event), &id)| (score, event, id)));
    Ok(Components::of(&sample).and_then(|components| components.variance()))
}

/// ROC AUC with its interval: Student's on the logit, which keeps inside `0.0..=1.0` and, with few events or an AUC near 1,
/// holds the truth as often as it says. Source: Pepe (2003), 5.2.
pub(crate) fn auc_estimate(sample: &Sample, confidence: f64) -> Estimate {
    let Some(components) = Components::of(sample) else {
        return Estimate::default();
    };
    let deviation = components.variance().filter(|&variance| variance > 0.0).map(f64::sqrt);
    let quantile = student_quantile(components.fewer_accounts() as f64 - 1.0, confidence);
    let interval = deviation.and_then(|deviation| Scale::Logit.interval(components.auc, deviation, quantile));
    Estimate::new(Some(components.auc), interval)
}

/// ROC AUC and each account's part in it; `None` for a single class.
pub(crate) fn auc_linear(sample: &Sample) -> Option<Linear> {
    Components::of(sample).map(|components| components.linear())
}

/// The difference of two ROC AUCs on the same rows and each account's part in it; `None` for a single class.
pub(crate) fn paired_linear(a: &[f64], b: &[f64], outcome: &[bool], account: &[u32]) -> Option<Linear> {
    let components = |scores: &[f64]| {
        let rows = scores.iter().zip(outcome).zip(account);
        Components::of(&Sample::new(rows.map(|((&score, &event), &id)| (score, event, id))))
    };
    components(a).zip(components(b)).map(|(a, b)| a.minus(&b).linear())
}

/// Components of one AUC, or their differences for two.
#[derive(Debug)]
struct Components {
    auc: f64,
    n_events: f64,
    n_non_events: f64,
    /// By account.
    accounts: Vec<Account>,
}

/// One account's rows and the sums of their components.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    n_events: f64,
    n_non_events: f64,
    events: f64,
    non_events: f64,
}

impl Components {
    /// `None` for a single class.
    fn of(sample: &Sample) -> Option<Self> {
        let counts = sample.counts();
        let (n_events, n_non_events) = (counts.n_events as f64, counts.n_non_events() as f64);
        let mut accounts = vec![Account::default(); sample.n_accounts()];
        let (mut events_above, mut non_events_above) = (0.0, 0.0);
        for (group, (rows, events)) in counts.groups().enumerate() {
            let (events, non_events) = (f64::from(events), f64::from(rows - events));
            let below = (n_non_events - non_events_above - 0.5 * non_events) / n_non_events;
            let above = (events_above + 0.5 * events) / n_events;
            for (account, event) in sample.rows(group..group + 1) {
                accounts[account].add(event, if event { below } else { above });
            }
            events_above += events;
            non_events_above += non_events;
        }
        let auc = crate::metrics::roc_auc_of(&counts)?;
        Some(Self { auc, n_events, n_non_events, accounts })
    }

    /// The same rows under another score.
    fn minus(&self, other: &Self) -> Self {
        let minus = |(a, b): (&Account, &Account)| Account {
            events: a.events - b.events,
            non_events: a.non_events - b.non_events,
            ..*a
        };
        let accounts = self.accounts.iter().zip(&other.accounts).map(minus).collect();
        Self { auc: self.auc - other.auc, accounts, ..*self }
    }

    /// Accounts with events, or with non-events, whichever are fewer.
    fn fewer_accounts(&self) -> usize {
        let count = |of: fn(&Account) -> f64| self.accounts.iter().filter(|account| of(account) > 0.0).count();
        count(|account| account.n_events).min(count(|account| account.n_non_events))
    }

    fn linear(&self) -> Linear {
        let part = |account: &Account| {
            (account.events - account.n_events * self.auc) / self.n_events
                + (account.non_events - account.n_non_events * self.auc) / self.n_non_events
        };
        let parts = self.accounts.iter().map(part).collect();
        Linear { value: self.auc, parts, n_accounts: self.fewer_accounts() }
    }

    /// `None` where fewer than two accounts have events, or non-events.
    fn variance(&self) -> Option<f64> {
        let n_with_events = self.accounts.iter().filter(|account| account.n_events > 0.0).count();
        let n_with_non_events = self.accounts.iter().filter(|account| account.n_non_events > 0.0).count();
        let (mut events, mut non_events, mut both) = (0.0, 0.0, 0.0);
        for account in &self.accounts {
            let of_events = account.events - account.n_events * self.auc;
            let of_non_events = account.non_events - account.n_non_events * self.auc;
            events += of_events * of_events;
            non_events += of_non_events * of_non_events;
            both += of_events * of_non_events;
        }
        let (m, n) = (self.n_events, self.n_non_events);
        let variance = unbiased(n_with_events)? * events / (m * m)
            + unbiased(n_with_non_events)? * non_events / (n * n)
            + unbiased(self.accounts.len())? * 2.0 * both / (m * n);
        Some(variance)
    }
}

impl Account {
    fn add(&mut self, event: bool, component: f64) {
        if event {
            self.n_events += 1.0;
            self.events += component;
        } else {
            self.n_non_events += 1.0;
            self.non_events += component;
        }
    }
}

/// `n / (n - 1)`.
fn unbiased(n: usize) -> Option<f64> {
    (n > 1).then(|| n as f64 / (n - 1) as f64)
}

fn difference(components: &Components, confidence: f64) -> PairedDifference {
    let value = components.auc;
    let alike = components.accounts.iter().all(|account| account.events == 0.0 && account.non_events == 0.0);
    if alike {
        return PairedDifference { difference: Estimate::new(Some(value), Some((value, value))), p_value: Some(1.0) };
    }
    let deviation = components.variance().filter(|&variance| variance > 0.0).map(f64::sqrt);
    let half = deviation.map(|sd| normal_quantile(confidence) * sd);
    PairedDifference {
        difference: Estimate::new(Some(value), half.map(|half| (value - half, value + half))),
        p_value: deviation.map(|sd| 2.0 * Normal::standard().cdf(-(value / sd).abs())),
    }
}
