//! What became of revenue: one fate an account, and sums that add up.

use serde::{Deserialize, Serialize};

/// What became of an account by the end of a horizon; the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It left: all its revenue is lost, whatever comes later.
    Churned,
    /// It had an expansion.
    Expanded,
    /// It had a contraction.
    Contracted,
    /// None of these.
    Steady,
}

impl Fate {
    /// The fate of an account with these outcomes.
    pub const fn of(churned: bool, expanded: bool, contracted: bool) -> Self {
        match (churned, expanded, contracted) {
            (true, ..) => Self::Churned,
            (_, true, _) => Self::Expanded,
            (.., true) => Self::Contracted,
            _ => Self::Steady,
        }
    }
}

/// From revenue at the start to revenue at the end: `end = start - churned + expanded - contracted`. Gains and losses
/// are those of an account between start and end, not of each of its events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// Revenue at the start.
    pub start: f64,
    /// Revenue at the start of accounts that churned.
    pub churned: f64,
    /// What accounts that stayed gained.
    pub expanded: f64,
    /// What accounts that stayed lost; 0 or more.
    pub contracted: f64,
}

impl Movement {
    /// The sums over accounts, one value each in each column. A revenue afterwards that is missing is that before.
    ///
    /// # Panics
    /// If lengths differ.
    pub fn of(before: &[f64], after: &[f64], fate: &[Fate]) -> Self {
        assert!(before.len() == after.len() && after.len() == fate.len(), "one value an account");
        let mut sums = Self::default();
        for ((&before, &after), fate) in before.iter().zip(after).zip(fate) {
            let change = if after.is_nan() { 0.0 } else { after - before };
            sums.add(*fate, before, change);
        }
        sums
    }

    /// Adds an account with so much revenue `before`, which changed by `change` where the account stayed.
    pub(crate) fn add(&mut self, fate: Fate, before: f64, change: f64) {
        self.start += before;
        match fate {
            Fate::Churned => self.churned += before,
            _ => self.add_change(change),
        }
    }

    pub(crate) fn add_change(&mut self, change: f64) {
        self.expanded += change.max(0.0);
        self.contracted += (-change).max(0.0);
    }

    /// Revenue at the end.
    pub const fn end(&self) -> f64 {
        self.start - self.churned + self.expanded - self.contracted
    }

    /// Net revenue retention, end over start; `None` where the start is 0.
    pub fn nrr(&self) -> Option<f64> {
        (self.start > 0.0).then(|| self.end() / self.start)
    }

    /// Gross revenue retention, what is left of the start without gains; `None` where the start is 0.
    pub fn grr(&self) -> Option<f64> {
        (self.start > 0.0).then(|| (self.start - self.churned - self.contracted) / self.start)
    }

    /// The same rates on another start.
    #[must_use]
    pub fn carried_to(&self, start: f64) -> Self {
        let times = if self.start > 0.0 { start / self.start } else { 0.0 };
        Self {
            start,
            churned: self.churned * times,
            expanded: self.expanded * times,
            contracted: self.contracted * times,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_by_hand() {
        let before = [100.0, 200.0, 50.0, 80.0, 10.0];
        let after = [0.0, 260.0, 30.0, f64::NAN, 9.0];
        let fate = [Fate::Churned, Fate::Expanded, Fate::Contracted, Fate::Steady, Fate::Expanded];
        let sums = Movement::of(&before, &after, &fate);
        assert_eq!(sums, Movement { start: 440.0, churned: 100.0, expanded: 60.0, contracted: 21.0 });
        assert_eq!((sums.end(), sums.nrr(), sums.grr()), (379.0, Some(379.0 / 440.0), Some(319.0 / 440.0)));
        assert_eq!(sums.carried_to(880.0).end(), 758.0);
        assert_eq!(Movement::default().nrr(), None);
    }

    #[test]
    fn who_left_has_left() {
        for (outcomes, fate) in [
            ((true, true, true), Fate::Churned),
            ((false, true, true), Fate::Expanded),
            ((false, false, true), Fate::Contracted),
            ((false, false, false), Fate::Steady),
        ] {
            assert_eq!(Fate::of(outcomes.0, outcomes.1, outcomes.2), fate);
        }
    }
}
