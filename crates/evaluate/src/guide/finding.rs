//! One number of the guides: value, interval, target, verdict, and what it is a share of.

use serde::{Deserialize, Serialize};

use crate::results::Estimate;

/// The metrics of requirements 1.11, by their ids there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "an id is its own name; each finding says what it measures")]
pub enum GuideId {
    #[serde(rename = "V-01")]
    V01,
    #[serde(rename = "V-02")]
    V02,
    #[serde(rename = "V-03")]
    V03,
    #[serde(rename = "V-04")]
    V04,
    #[serde(rename = "V-05")]
    V05,
    #[serde(rename = "V-06")]
    V06,
    #[serde(rename = "V-07")]
    V07,
    #[serde(rename = "V-08")]
    V08,
    #[serde(rename = "V-09")]
    V09,
    #[serde(rename = "V-10")]
    V10,
    #[serde(rename = "V-11")]
    V11,
    #[serde(rename = "V-12")]
    V12,
}

impl GuideId {
    /// As the requirements write it: `V-01`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V01 => "V-01",
            Self::V02 => "V-02",
            Self::V03 => "V-03",
            Self::V04 => "V-04",
            Self::V05 => "V-05",
            Self::V06 => "V-06",
            Self::V07 => "V-07",
            Self::V08 => "V-08",
            Self::V09 => "V-09",
            Self::V10 => "V-10",
            Self::V11 => "V-11",
            Self::V12 => "V-12",
        }
    }
}

/// What the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// In `0.0..=1.0`.
    Share,
    /// Difference of two shares, in `-1.0..=1.0`.
    ShareDifference,
    /// Days.
    Days,
    /// In `-1.0..=1.0`.
    Correlation,
    /// Points of the health score.
    Points,
    /// Difference of two AUCs.
    AucDifference,
    /// One amount of money over another.
    Times,
}

/// What a value is a share, or a mean, of. Contradiction 6 of requirements 1.16: a renewal event is not a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denominator {
    /// Account and date, each with the outcome of the days that follow.
    Snapshots,
    /// The same, of red accounts.
    RedSnapshots,
    /// The same, of red accounts without intervention.
    UntreatedRedSnapshots,
    /// The same, of one band.
    BandSnapshots,
    /// The same, where the outcome came.
    OutcomeSnapshots,
    /// Renewal events.
    Renewals,
    /// Renewal events of one band.
    BandRenewals,
    /// Accounts that churned, each once.
    ChurnedAccounts,
    /// Accounts that did not churn, each once.
    StayingAccounts,
    /// Interventions.
    Interventions,
    /// Interactions with a customer.
    Interactions,
}

/// Where a value should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// More than this.
    Above(f64),
    /// Less than this.
    Below(f64),
    /// Both included.
    Within(f64, f64),
}

/// Whether a value is where it should be, as far as its interval shows. The value alone decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval is on the goal's side.
    Met,
    /// The whole interval is on the other side.
    NotMet,
    /// The interval has both, there is no interval, or there are fewer cases than asked for.
    NotEnoughEvidence,
    /// The guides ask for the number and set no goal.
    NoGoal,
}

impl Goal {
    /// The verdict on an estimate of `n` cases, where fewer than `least` decide nothing.
    pub fn judge(self, estimate: &Estimate, n: usize, least: usize) -> Verdict {
        let Some((low, high)) = estimate.low.zip(estimate.high).filter(|_| n >= least) else {
            return Verdict::NotEnoughEvidence;
        };
        let (met, missed) = match self {
            Self::AtLeast(goal) => (low >= goal, high < goal),
            Self::AtMost(goal) => (high <= goal, low > goal),
            Self::Above(goal) => (low > goal, high <= goal),
            Self::Below(goal) => (high < goal, low >= goal),
            Self::Within(from, to) => (low >= from && high <= to, high < from || low > to),
        };
        match (met, missed) {
            (true, _) => Verdict::Met,
            (false, true) => Verdict::NotMet,
            (false, false) => Verdict::NotEnoughEvidence,
        }
    }
}

/// What the guides say a number means. Given only where the whole interval lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// V-02 below 50 %, V-08 not above 0: the weights are off.
    WeightsOff,
    /// V-01: no better than to say that nobody churns.
    NoBetterThanNobodyChurns,
    /// V-03: accounts are green two days before they churn.
    MetricsTooLagging,
    /// V-04 in 40 to 50 %.
    Good,
    /// V-04 below 20 %.
    PlaybookNeedsWork,
    /// V-04 above 60 %.
    RedTooAggressive,
}

impl Reading {
    /// As a sentence for a report.
    pub const fn text(self) -> &'static str {
        match self {
            Self::WeightsOff => "the weights are off",
            Self::NoBetterThanNobodyChurns => "not shown to be better than to say that nobody churns",
            Self::MetricsTooLagging => "accounts are green two days before they churn: the metrics are too lagging",
            Self::Good => "good",
            Self::PlaybookNeedsWork => "the playbook needs work",
            Self::RedTooAggressive => "the red threshold is too aggressive",
        }
    }
}

/// One number of the guides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The metric it belongs to.
    pub id: GuideId,
    /// What is measured, as a fragment for a report.
    pub what: String,
    /// The number.
    pub estimate: Estimate,
    /// Its unit.
    pub unit: Unit,
    /// Where it should be, where the guides say so.
    pub goal: Option<Goal>,
    /// Whether it is there.
    pub verdict: Verdict,
    /// What it means, where the guides say so and the interval is clear.
    pub reading: Option<Reading>,
    /// Cases in the denominator.
    pub n: usize,
    /// What a case is.
    pub denominator: Denominator,
}

/// What a finding is about: all but its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) id: GuideId,
    pub(crate) unit: Unit,
    pub(crate) denominator: Denominator,
    pub(crate) goal: Option<Goal>,
}

impl About {
    pub(crate) const fn share(id: GuideId, denominator: Denominator) -> Self {
        Self { id, unit: Unit::Share, denominator, goal: None }
    }

    pub(crate) const fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    pub(crate) const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// The finding, judged; fewer than `least` cases decide nothing.
    pub(crate) fn found(self, what: impl Into<String>, estimate: Estimate, n: usize, least: usize) -> Finding {
        let Self { id, unit, denominator, goal } = self;
        let estimate = if unit == Unit::ShareDifference { of_shares(estimate) } else { estimate };
        let verdict = goal.map_or(Verdict::NoGoal, |goal| goal.judge(&estimate, n, least));
        Finding { id, what: what.into(), estimate, unit, goal, verdict, reading: None, n, denominator }
    }
}

/// No difference of shares is larger than 1.
fn of_shares(of: Estimate) -> Estimate {
    Estimate { value: of.value, low: of.low.map(|low| low.max(-1.0)), high: of.high.map(|high| high.min(1.0)) }
}

impl Finding {
    /// With the first reading whose goal is met.
    pub(crate) fn read(mut self, readings: &[(Goal, Reading)], least: usize) -> Self {
        let holds = |goal: &Goal| goal.judge(&self.estimate, self.n, least) == Verdict::Met;
        self.reading = readings.iter().find(|(goal, _)| holds(goal)).map(|&(_, reading)| reading);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(goal: Goal, interval: Option<(f64, f64)>, n: usize, verdict: Verdict) {
        let estimate = Estimate::new(Some(0.5), interval);
        assert_eq!(goal.judge(&estimate, n, 10), verdict, "{goal:?} {interval:?} {n}");
    }

    #[test]
    fn the_interval_decides_and_not_the_value() {
        use Verdict::{Met, NotEnoughEvidence, NotMet};
        check(Goal::AtLeast(0.4), Some((0.4, 0.6)), 10, Met);
        check(Goal::AtLeast(0.4), Some((0.39, 0.6)), 10, NotEnoughEvidence);
        check(Goal::AtLeast(0.61), Some((0.4, 0.6)), 10, NotMet);
        check(Goal::AtMost(0.6), Some((0.4, 0.6)), 10, Met);
        check(Goal::AtMost(0.3), Some((0.4, 0.6)), 10, NotMet);
        check(Goal::Above(0.4), Some((0.4, 0.6)), 10, NotEnoughEvidence);
        check(Goal::Below(0.4), Some((0.4, 0.6)), 10, NotMet);
        check(Goal::Within(0.4, 0.6), Some((0.4, 0.6)), 10, Met);
        check(Goal::Within(0.4, 0.5), Some((0.4, 0.6)), 10, NotEnoughEvidence);
        check(Goal::Within(0.7, 0.8), Some((0.4, 0.6)), 10, NotMet);
        check(Goal::AtLeast(0.4), Some((0.4, 0.6)), 9, NotEnoughEvidence);
        check(Goal::AtLeast(0.4), None, 100, NotEnoughEvidence);
    }
}
