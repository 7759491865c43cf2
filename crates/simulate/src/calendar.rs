//! What the day itself does: weekends, holidays, the budget season.

use bellwether_core::Date;

/// Days after the last day of the book that the truth looks ahead.
pub(crate) const HORIZON_DAYS: usize = 90;

/// The days of a book, and of the horizon after it.
pub(crate) struct Calendar {
    /// The first day of the book.
    pub(crate) first_day: Date,
    /// The month ends within the book.
    pub(crate) month_ends: Vec<Date>,
    days: Vec<Day>,
}

/// What a day does to everybody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    /// The share of a usual Tuesday's users who come.
    pub(crate) usage: f64,
    /// What it multiplies hazards of churn by: budgets are cut around the turn of the year.
    pub(crate) churn: f64,
}

impl Calendar {
    pub(crate) fn new(first_day: Date, last_day: Date) -> Self {
        let n_days = (last_day.days() - first_day.days()) as usize + 1 + HORIZON_DAYS;
        let days = (0..n_days as i32).map(|n| Day::of(first_day.plus_days(n))).collect();
        let n_months = n_days as i32 / 28 + 1;
        let month_ends = (0..n_months).map(|n| first_day.plus_months(n).month_end());
        let month_ends = month_ends.take_while(|&date| date <= last_day).collect();
        Self { first_day, month_ends, days }
    }

    /// How many days the book covers.
    pub(crate) fn n_book_days(&self) -> usize {
        self.days.len() - HORIZON_DAYS
    }

    /// The last day of the book.
    pub(crate) fn last_day(&self) -> Date {
        self.first_day.plus_days(self.n_book_days() as i32 - 1)
    }

    /// The day so many days after the first one; at most [`HORIZON_DAYS`] after the book.
    pub(crate) fn day(&self, after_first: usize) -> Day {
        self.days[after_first]
    }
}

impl Day {
    fn of(date: Date) -> Self {
        let (_, month, day) = date.ymd();
        let by_weekday = if date.weekday() >= 5 { 0.1 } else { 1.0 };
        let by_season = match (month, day) {
            (12, 22..) | (1, 1..=2) => 0.35,
            (12, _) => 0.88,
            (7 | 8, _) => 0.92,
            _ => 1.0,
        };
        let churn = if matches!(month, 12 | 1) { 1.25 } else { 0.96 };
        Self { usage: by_weekday * by_season, churn }
    }
}
