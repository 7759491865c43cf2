//! People at the customer who come and go.

use bellwether_core::Date;

use crate::random::Random;
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

pub(crate) static SCHEMA: Schema = Schema {
    name: "contact_events",
    columns: &[
        ("account_id", Kind::Text),
        ("contact_id", Kind::Text),
        ("date", Kind::Date),
        ("event", Kind::Text),
        ("role", Kind::Text),
        ("present", Kind::Int),
    ],
};

/// Days by which the departure of a champion is noticed late, at most.
const NOTICED_WITHIN: u32 = 21;

/// Mean days that a contact without influence stays, and within how many days one is replaced.
const MEAN_STAY: f64 = 1_100.0;
const REPLACED_WITHIN: u32 = 90;

struct Register<'a, 'r> {
    customer: &'a Customer<'a>,
    rows: &'r mut Rows,
    n_contacts: u32,
}

/// Writes a row when a contact comes and another when it is noticed to have left, contact by contact.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows, random: &mut Random) {
    let mut register = Register { customer, rows, n_contacts: 0 };
    register.champions(random);
    register.contacts("admin", random);
    if random.chance(0.6) {
        register.contacts("exec_sponsor", random);
    }
    for _ in 0..random.count(1.5) {
        register.contacts("user", random);
    }
}

impl Register<'_, '_> {
    /// One champion after another, as the hidden life has it.
    fn champions(&mut self, random: &mut Random) {
        let customer = self.customer;
        let mut champion = self.joins("champion", customer.account.signup);
        let mut left = None;
        for (day, pair) in (1..).zip(customer.life.days.windows(2)) {
            match (pair[0].champion, pair[1].champion) {
                (true, false) => left = Some(customer.date(day).plus_days(random.below(NOTICED_WITHIN) as i32)),
                (false, true) => {
                    let joined = customer.date(day);
                    self.leaves(&champion, "champion", left.take().map_or(joined, |noticed| noticed.min(joined)));
                    champion = self.joins("champion", joined);
                }
                _ => {}
            }
        }
        if let Some(noticed) = left {
            self.leaves(&champion, "champion", noticed);
        }
    }

    /// One contact after another who come and go for reasons of their own.
    fn contacts(&mut self, role: &'static str, random: &mut Random) {
        let mut joined = self.customer.account.signup;
        while joined < self.customer.end() {
            let contact = self.joins(role, joined);
            let stay = 1 + (MEAN_STAY * random.exponential()) as i32;
            // Nobody is known to have left before the book begins.
            let left = joined.plus_days(stay).max(self.customer.date(0).plus_days(1));
            self.leaves(&contact, role, left);
            joined = left.plus_days(1 + random.below(REPLACED_WITHIN) as i32);
        }
    }

    fn joins(&mut self, role: &str, date: Date) -> String {
        self.n_contacts += 1;
        let contact = format!("{}-C{:02}", self.customer.account.id, self.n_contacts);
        self.event(&contact, role, date, "joined", 1);
        contact
    }

    fn leaves(&mut self, contact: &str, role: &str, date: Date) {
        if date < self.customer.end() {
            self.event(contact, role, date, "left", 0);
        }
    }

    fn event(&mut self, contact: &str, role: &str, date: Date, event: &str, present: i64) {
        self.rows.push([
            self.customer.id(),
            Cell::Text(contact),
            Cell::Date(date),
            Cell::Text(event),
            Cell::Text(role),
            Cell::Int(present),
        ]);
    }
}
