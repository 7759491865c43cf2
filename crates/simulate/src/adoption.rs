//! Who uses which feature: a sample of the product's own events.

use crate::chain::value;
use crate::life::WEEK;
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;
use crate::usage::{Drive, N_FEATURES, aboard};

pub(crate) static SCHEMA: Schema = Schema {
    name: "feature_events",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("user_id", Kind::Text),
        ("department", Kind::Text),
        ("feature", Kind::Text),
        ("tier", Kind::Text),
        ("uses", Kind::Int),
    ],
};

/// The product's features in the order in which accounts take to them.
const FEATURES: [&str; N_FEATURES as usize - N_PREMIUM] = [
    "dashboard",
    "records",
    "search",
    "tasks",
    "comments",
    "notifications",
    "files",
    "calendar", // core
    "reports",
    "export",
    "import",
    "templates",
    "filters",
    "tags",
    "mobile",
    "email_sync", // standard
    "workflows",
    "api",
    "custom_roles",
    "scheduled_reports",
    "webhooks", // advanced
];
const N_PREMIUM: usize = 3;
const PREMIUM: [&str; N_PREMIUM] = ["forecasting", "sandbox", "audit_log"];

const DEPARTMENTS: [&str; 6] = ["operations", "sales", "support", "finance", "marketing", "engineering"];

const fn tier(feature: usize) -> &'static str {
    match feature {
        0..8 => "core",
        8..16 => "standard",
        _ => "advanced",
    }
}

/// Writes a row for each sampled user, feature and day: one or two a week, more where more people work.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows) {
    let mut random = customer.stream(Topic::Adoption);
    let tenure_at_first = customer.account.tenure_at_first(customer.calendar);
    for (day, &state) in customer.life.days.iter().enumerate().step_by(WEEK) {
        let drive = Drive::of(state, customer, 0.0);
        let users = (drive.share_active * aboard(tenure_at_first + day) * f64::from(state.seats)).max(1.0);
        let week = Week {
            users,
            known: (FEATURES.len() as f64) * (1.0 - (-drive.breadth * users.powf(0.4)).exp()),
            wants_premium: 0.06 * (0.7 * value(state.appetite.into())).exp(),
            // Where health is low, few people do most of the work.
            crowding: 1.4 - 0.35 * value(state.health.into()).clamp(-2.0, 2.0),
            uses: drive.actions,
        };
        for _ in 0..random.count(0.62 * users.powf(0.25)) {
            week.write(customer, day, rows, &mut random);
        }
    }
}

/// What a week's rows are drawn from.
struct Week {
    users: f64,
    /// How many features the account knows.
    known: f64,
    /// Probability that a row is of a premium feature.
    wants_premium: f64,
    /// From 1, where all users do as much, up.
    crowding: f64,
    uses: f64,
}

impl Week {
    fn write(&self, customer: &Customer<'_>, day: usize, rows: &mut Rows, random: &mut Random) {
        // Five days of work, and seldom one of the weekend.
        let of_week = day + if random.chance(0.96) { random.below(5) } else { 5 + random.below(2) } as usize;
        let user = (self.users * random.uniform().powf(self.crowding)) as u32;
        let (feature, tier) = if random.chance(self.wants_premium) {
            (random.one_of(&PREMIUM), "premium")
        } else {
            let place = ((self.known * random.uniform().powf(1.3)) as usize).min(FEATURES.len() - 1);
            (FEATURES[place], tier(place))
        };
        let uses = 1 + random.count(self.uses);
        if of_week < customer.life.days.len() {
            rows.push([
                customer.id(),
                Cell::Date(customer.date(of_week)),
                Cell::Text(&format!("{}-U{:03}", customer.account.id, user + 1)),
                Cell::Text(department(customer, user)),
                Cell::Text(feature),
                Cell::Text(tier),
                Cell::Int(uses.into()),
            ]);
        }
    }
}

/// The first users are of one department, further ones of further departments.
fn department(customer: &Customer<'_>, user: u32) -> &'static str {
    let of_first_seats = f64::from(user) / f64::from(customer.account.seats_at_signup);
    let start = customer.account.employees as usize;
    DEPARTMENTS[(start + (5.0 * of_first_seats) as usize) % DEPARTMENTS.len()]
}
