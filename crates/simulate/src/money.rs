//! Subscriptions, invoices and outcomes.

use bellwether_core::Date;

use crate::account::Term;
use crate::chain::value;
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

pub(crate) static SUBSCRIPTIONS: Schema = Schema {
    name: "subscriptions",
    columns: &[
        ("account_id", Kind::Text),
        ("start_date", Kind::Date),
        ("end_date", Kind::Date),
        ("plan", Kind::Text),
        ("term", Kind::Text),
        ("renews_on", Kind::Date),
        ("seats", Kind::Int),
        ("mrr", Kind::Float),
    ],
};

pub(crate) static OUTCOMES: Schema = Schema {
    name: "outcomes",
    columns: &[("account_id", Kind::Text), ("date", Kind::Date), ("outcome", Kind::Text), ("amount", Kind::Float)],
};

pub(crate) static INVOICE_EVENTS: Schema = Schema {
    name: "invoice_events",
    columns: &[
        ("account_id", Kind::Text),
        ("invoice_id", Kind::Text),
        ("date", Kind::Date),
        ("event", Kind::Text),
        ("amount", Kind::Float),
        ("due_on", Kind::Date),
        ("days_late", Kind::Int),
        ("known_at", Kind::Date),
    ],
};

/// Days that a customer has to pay.
const DAYS_TO_PAY: i32 = 30;

/// Writes a row for each stretch of time with one contract term, price and number of seats.
pub(crate) fn write_subscriptions(customer: &Customer<'_>, rows: &mut Rows) {
    let account = customer.account;
    let begun = begun(customer);
    let mut starts: Vec<(Date, u32)> = vec![(begun, account.seats_at_first)];
    starts
        .extend(account.renewals(begun).take_while(|&day| day < customer.end()).map(|day| (day, seats(customer, day))));
    starts.extend(customer.life.changes.iter().map(|change| (customer.date(change.day), change.after)));
    starts.sort_by_key(|&(date, _)| date);
    // More seats on the day of a renewal make one row.
    starts.dedup_by(|later, kept| {
        later.0 == kept.0 && {
            *kept = *later;
            true
        }
    });

    let left = customer.life.churned.then(|| customer.end());
    let ends = starts.iter().skip(1).map(|&(date, _)| Some(date)).chain([left]);
    for (&(start, seats), end) in starts.iter().zip(ends) {
        let renews_on = account.renewals(start).next();
        rows.push([
            customer.id(),
            Cell::Date(start),
            end.map_or(Cell::Null, Cell::Date),
            Cell::Text(account.plan),
            Cell::Text(account.term.name()),
            renews_on.map_or(Cell::Null, Cell::Date),
            Cell::Int(seats.into()),
            Cell::Float(account.mrr(seats)),
        ]);
    }
}

/// The start of the contract that runs when the book begins to know the account.
fn begun(customer: &Customer<'_>) -> Date {
    let account = customer.account;
    let first = customer.date(0);
    if account.term == Term::Monthly { account.signup } else { last_anniversary(account.signup, first) }
}

fn last_anniversary(signup: Date, by: Date) -> Date {
    let years = (1..1_000).take_while(|&year| signup.plus_months(12 * year) <= by).count();
    signup.plus_months(12 * years as i32)
}

/// Seats at the end of a day of the account's life.
fn seats(customer: &Customer<'_>, date: Date) -> u32 {
    customer.day(date).map_or(customer.account.seats_at_first, |day| customer.life.days[day].seats)
}

/// Writes renewals, expansions and contractions by date, and the churn.
pub(crate) fn write_outcomes(customer: &Customer<'_>, rows: &mut Rows) {
    let account = customer.account;
    let renewals = account.renewals(customer.date(0).plus_days(-1)).take_while(|&day| day < customer.end());
    let mut outcomes: Vec<(Date, &str, f64)> =
        renewals.map(|day| (day, "renewal", account.mrr(seats(customer, day)))).collect();
    outcomes.extend(customer.life.changes.iter().map(|change| {
        let (before, after) = (account.mrr(change.before), account.mrr(change.after));
        let outcome = if change.is_expansion() { "expansion" } else { "contraction" };
        (customer.date(change.day), outcome, (after - before).abs())
    }));
    outcomes.sort_by_key(|&(date, ..)| date);
    if let (true, Some(last)) = (customer.life.churned, customer.life.days.last()) {
        outcomes.push((customer.end(), "churn", account.mrr(last.seats)));
    }
    for (date, outcome, amount) in outcomes {
        let amount = Cell::Float((amount * 100.0).round() / 100.0);
        rows.push([customer.id(), Cell::Date(date), Cell::Text(outcome), amount]);
    }
}

/// Writes a row when an invoice is issued and another when it is paid, invoice by invoice.
pub(crate) fn write_invoices(customer: &Customer<'_>, rows: &mut Rows, random: &mut Random) {
    let mut late = customer.stream(Topic::Invoices);
    let account = customer.account;
    let months = account.term.months_billed();
    let due_days = (0..).map(|n| account.signup.plus_months(n * months));
    let mut n_invoices = 0;
    for issued in due_days.take_while(|&day| day < customer.end()) {
        let Some(state) = customer.day(issued).map(|day| customer.life.days[day]) else { continue };
        n_invoices += 1;
        let invoice_id = format!("{}-I{n_invoices:03}", account.id);
        let amount = Cell::Float((account.mrr(state.seats) * f64::from(months) * 100.0).round() / 100.0);
        let due = issued.plus_days(DAYS_TO_PAY);
        let by_health = account.segment.drivers().delay_by_health;
        let unwilling = (by_health * value(state.health.into()) + 0.7 * account.habits.paying).exp();
        let days_late = (-9.0 + 5.0 * unwilling * random.exponential() + 4.0 * random.normal()).round() as i32;
        let paid = due.plus_days(days_late).max(issued.plus_days(1));

        let (id, invoice, due_on) = (customer.id(), Cell::Text(&invoice_id), Cell::Date(due));
        let Some(known) = customer.known(issued, &mut late) else { continue };
        let (at, kind) = (Cell::Date(issued), Cell::Text("issued"));
        rows.push([id, invoice, at, kind, amount, due_on, Cell::Null, Cell::Date(known)]);
        if paid < customer.end()
            && let Some(known_paid) = customer.known(paid, &mut late)
        {
            let days_late = Cell::Int((paid.days() - due.days()).into());
            let (at, kind) = (Cell::Date(paid), Cell::Text("paid"));
            rows.push([id, invoice, at, kind, amount, due_on, days_late, Cell::Date(known_paid.max(known))]);
        }
    }
}
