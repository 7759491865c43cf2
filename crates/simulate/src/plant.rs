//! Plants leaks in the rows of one account.

use bellwether_core::Date;

use crate::Leak;
use crate::calendar::HORIZON_DAYS;
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows};
use crate::tables::{Customer, TABLE_NAMES};

/// Days of usage after a churn, without usage in the middle, and without usage at the end of the book.
const DAYS_AFTER: i32 = 60;
const GAP_DAYS: i32 = 30;
const SILENT_DAYS: i32 = 75;

/// Days from a notice to the churn, and from the end of a backfilled stretch to the migration.
const NOTICE_DAYS: i32 = 45;
const MIGRATION_DAYS: i32 = 90;

const SHARE_BEFORE: f64 = 0.5;
const SHARE_FUTURE: f64 = 0.2;
const SHARE_DUPLICATE: f64 = 0.03;
const SHARE_SHARED: f64 = 0.1;
const SHARE_ORPHANED: f64 = 0.05;

/// One account's rows, in the order of [`TABLE_NAMES`].
pub(crate) struct Planter<'a> {
    pub(crate) customer: &'a Customer<'a>,
    pub(crate) tables: &'a mut [Rows],
}

impl Planter<'_> {
    /// Plants one leak, drawing from a stream of its own.
    pub(crate) fn plant(&mut self, leak: Leak) {
        let mut random = self.customer.stream(Topic::Leak(leak));
        match leak {
            Leak::UpdatedInPlace
            | Leak::FinalValue
            | Leak::MissingAfterChurn
            | Leak::ConstantColumn
            | Leak::DuplicateColumn => self.attribute(leak, &mut random),
            Leak::LooksAhead => self.looks_ahead(&mut random),
            Leak::FromOutcomes => {} // only declared
            Leak::LeadLabels => self.lead_labels(),
            Leak::Backfilled => self.backfilled(),
            Leak::UnitChange => self.unit_change(),
            Leak::RowsAfterChurn => self.rows_after_churn(),
            Leak::RowsBeforeStart => self.rows_before_start(&mut random),
            Leak::Gap | Leak::FeedStops => self.without_usage(leak),
            Leak::FutureRows => self.future_rows(&mut random),
            Leak::DuplicateRows => self.duplicate_rows(&mut random),
            Leak::SharedCustomer => self.shared_customer(&mut random),
            Leak::OrphanRows => self.orphan_rows(&mut random),
        }
    }

    fn table(&mut self, name: &str) -> &mut Rows {
        let place = TABLE_NAMES.iter().position(|of| *of == name).expect("leaks name tables of the book");
        &mut self.tables[place]
    }

    /// The day so many parts of `of` after the book's first.
    fn book_day(&self, part: usize, of: usize) -> Date {
        let calendar = self.customer.calendar;
        calendar.first_day.plus_days((calendar.n_book_days() * part / of) as i32)
    }

    /// A column of `accounts` that was made at the end.
    fn attribute(&mut self, leak: Leak, random: &mut Random) {
        let life = self.customer.life;
        let accounts = self.table("accounts");
        let (name, kind, cell) = match leak {
            Leak::UpdatedInPlace => ("status", Kind::Text, Cell::Text(if life.churned { "churned" } else { "active" })),
            Leak::FinalValue => {
                let seats = life.days.last().filter(|_| !life.churned).map_or(0, |state| state.seats);
                ("seats_now", Kind::Int, Cell::Int(seats.into()))
            }
            Leak::MissingAfterChurn => {
                let score = Cell::Int(1 + i64::from(random.below(10)));
                ("onboarding_score", Kind::Int, if life.churned { Cell::Null } else { score })
            }
            Leak::ConstantColumn => ("currency_rate", Kind::Float, Cell::Float(1.0)),
            _ => {
                let Cell::Int(employees) = accounts.get(0, accounts.place("employee_count")) else { return };
                ("staff", Kind::Int, Cell::Int(employees))
            }
        };
        accounts.add(name, kind, std::iter::once(cell));
    }

    fn looks_ahead(&mut self, random: &mut Random) {
        let (churned, end) = (self.customer.life.churned, self.customer.end());
        let snapshots = self.table("account_snapshots");
        let leaves = |date: Date| churned && end <= date.plus_days(HORIZON_DAYS as i32);
        let risks: Vec<f64> = snapshots
            .days("date")
            .into_iter()
            .map(|date| (if leaves(date) { 0.7 } else { 0.2 } + 0.15 * random.normal()).clamp(0.0, 1.0))
            .collect();
        snapshots.add("renewal_risk", Kind::Float, risks.into_iter().map(Cell::Float));
    }

    fn lead_labels(&mut self) {
        if self.customer.life.churned {
            let notice = self.customer.end().plus_days(-NOTICE_DAYS).max(self.customer.date(1));
            let outcomes = self.table("outcomes");
            let date = outcomes.place("date");
            outcomes.push_like(outcomes.len() - 1, &[(date, Cell::Date(notice))]);
        }
    }

    fn backfilled(&mut self) {
        let stretch = self.book_day(1, 3)..self.book_day(1, 2);
        let migrated = stretch.end.plus_days(MIGRATION_DAYS).min(self.customer.calendar.last_day());
        let usage = self.table("usage");
        let known = usage.days("date").into_iter().map(|date| if stretch.contains(&date) { migrated } else { date });
        let known: Vec<Date> = known.collect();
        usage.add("known_at", Kind::Date, known.into_iter().map(Cell::Date));
    }

    fn unit_change(&mut self) {
        let from = self.book_day(1, 2);
        let usage = self.table("usage");
        let changed: Vec<bool> = usage.days("date").into_iter().map(|date| date >= from).collect();
        usage.multiply("sessions_minutes", 60.0, &changed);
    }

    fn rows_after_churn(&mut self) {
        let (churned, end, last_day) =
            (self.customer.life.churned, self.customer.end(), self.customer.calendar.last_day());
        let usage = self.table("usage");
        let Some(last) = usage.len().checked_sub(1).filter(|_| churned) else { return };
        let days = (0..DAYS_AFTER).map(|days| end.plus_days(days)).filter(|day| day.weekday() < 5);
        days.take_while(|&day| day <= last_day).for_each(|day| push_on(usage, last, day));
    }

    fn rows_before_start(&mut self, random: &mut Random) {
        let (signup, first_day) = (self.customer.account.signup, self.customer.calendar.first_day);
        if signup <= first_day || !random.chance(SHARE_BEFORE) {
            return;
        }
        let usage = self.table("usage");
        if usage.len() > 0 {
            let days = (3..=30).map(|days| signup.plus_days(-days));
            days.filter(|&day| day >= first_day && day.weekday() < 5).for_each(|day| push_on(usage, 0, day));
        }
        let before = signup.plus_days(-(5 + random.below(20) as i32)).max(first_day);
        let ticket = format!("{}-T0000", self.customer.account.id);
        let tickets = self.table("ticket_events");
        if tickets.len() > 0 {
            let changes = [
                (tickets.place("ticket_id"), Cell::Text(&ticket)),
                (tickets.place("date"), Cell::Date(before)),
                (tickets.place("known_at"), Cell::Date(before)),
            ];
            tickets.push_like(0, &changes);
        }
    }

    /// A month in the middle, or all from a day on.
    fn without_usage(&mut self, leak: Leak) {
        let last_day = self.customer.calendar.last_day();
        let (from, to) = match leak {
            Leak::Gap => (self.book_day(1, 2), self.book_day(1, 2).plus_days(GAP_DAYS)),
            _ => (last_day.plus_days(1 - SILENT_DAYS), last_day.plus_days(1)),
        };
        let usage = self.table("usage");
        let kept: Vec<bool> = usage.days("date").into_iter().map(|date| date < from || date >= to).collect();
        usage.keep(&kept);
    }

    fn future_rows(&mut self, random: &mut Random) {
        let (churned, last_day) = (self.customer.life.churned, self.customer.calendar.last_day());
        let usage = self.table("usage");
        let Some(last) = usage.len().checked_sub(1).filter(|_| !churned && random.chance(SHARE_FUTURE)) else { return };
        for _ in 0..3 {
            push_on(usage, last, last_day.plus_days(1 + random.below(365) as i32));
        }
    }

    fn duplicate_rows(&mut self, random: &mut Random) {
        let usage = self.table("usage");
        for row in 0..usage.len() {
            if random.chance(SHARE_DUPLICATE) {
                usage.push_like(row, &[]);
            }
        }
    }

    fn shared_customer(&mut self, random: &mut Random) {
        let id = self.customer.account.id.as_str();
        self.table("accounts").add("parent_id", Kind::Text, std::iter::once(Cell::Text(id)));
        if random.chance(SHARE_SHARED) {
            let twin = format!("{id}S");
            for rows in self.tables.iter_mut() {
                let account = rows.place("account_id");
                (0..rows.len()).for_each(|row| rows.push_like(row, &[(account, Cell::Text(&twin))]));
            }
        }
    }

    fn orphan_rows(&mut self, random: &mut Random) {
        if random.chance(SHARE_ORPHANED) {
            let nobody = self.customer.account.id.replacen('A', "X", 1);
            let usage = self.table("usage");
            let account = usage.place("account_id");
            let last = usage.len().saturating_sub(20)..usage.len();
            last.for_each(|row| usage.push_like(row, &[(account, Cell::Text(&nobody))]));
        }
    }
}

/// Adds a row like another, of another day.
fn push_on(usage: &mut Rows, row: usize, day: Date) {
    let mut changes = vec![(usage.place("date"), Cell::Date(day))];
    // A backfilled book says when a row was known.
    changes.extend(usage.find("known_at").map(|place| (place, Cell::Date(day))));
    usage.push_like(row, &changes);
}
