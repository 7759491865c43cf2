//! What an account is: what never changes about it.

use bellwether_core::Date;

use crate::calendar::Calendar;
use crate::random::Random;

/// Size class of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    Smb,
    MidMarket,
    Enterprise,
}

/// How long a contract binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    Monthly,
    Annual,
}

/// What never changes about an account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// `A000001` ...
    pub(crate) id: String,
    pub(crate) segment: Segment,
    pub(crate) industry: &'static str,
    pub(crate) region: &'static str,
    pub(crate) csm: String,
    pub(crate) signup: Date,
    /// Its first day within the book, counted from the book's first day.
    pub(crate) first: usize,
    pub(crate) seats_at_signup: u32,
    /// Seats on its first day within the book.
    pub(crate) seats_at_first: u32,
    pub(crate) employees: u32,
    pub(crate) term: Term,
    pub(crate) plan: &'static str,
    /// Monthly price of a seat.
    pub(crate) price: f64,
    /// Hidden: how well the product fits the need; standard deviation 1.
    pub(crate) fit: f64,
    /// Hidden: habits that say nothing about health, so that levels mislead.
    pub(crate) habits: Habits,
}

/// Ways in which accounts differ without being healthier for it; each with standard deviation 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) usage: f64,
    pub(crate) depth: f64,
    pub(crate) tickets: f64,
    pub(crate) paying: f64,
    pub(crate) praise: f64,
}

const SEGMENTS: [(Segment, f64); 3] = [(Segment::Smb, 0.55), (Segment::MidMarket, 0.32), (Segment::Enterprise, 0.13)];
const INDUSTRIES: [(&str, f64); 7] = [
    ("software", 0.24),
    ("financial_services", 0.17),
    ("retail", 0.15),
    ("healthcare", 0.13),
    ("manufacturing", 0.13),
    ("education", 0.10),
    ("public_sector", 0.08),
];
const REGIONS: [(&str, f64); 4] = [("north_america", 0.45), ("emea", 0.33), ("apac", 0.15), ("latam", 0.07)];

/// Share of accounts that are customers already when the book begins, and over how many days they came.
const SHARE_BEFORE: f64 = 0.52;
const DAYS_BEFORE: f64 = 1_460.0;

impl Segment {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Smb => "smb",
            Self::MidMarket => "mid_market",
            Self::Enterprise => "enterprise",
        }
    }

    /// Median of the seats at signup, and the standard deviation of their logarithm.
    const fn seats(self) -> (f64, f64) {
        match self {
            Self::Smb => (11.0, 0.6),
            Self::MidMarket => (60.0, 0.6),
            Self::Enterprise => (320.0, 0.7),
        }
    }

    const fn share_annual(self) -> f64 {
        match self {
            Self::Smb => 0.30,
            Self::MidMarket => 0.65,
            Self::Enterprise => 0.92,
        }
    }

    const fn plans(self) -> [(Plan, f64); 2] {
        const STARTER: Plan = Plan { name: "starter", price: 24.0 };
        const TEAM: Plan = Plan { name: "team", price: 39.0 };
        const BUSINESS: Plan = Plan { name: "business", price: 58.0 };
        const ENTERPRISE: Plan = Plan { name: "enterprise", price: 82.0 };
        match self {
            Self::Smb => [(STARTER, 0.6), (TEAM, 0.4)],
            Self::MidMarket => [(TEAM, 0.55), (BUSINESS, 0.45)],
            Self::Enterprise => [(BUSINESS, 0.35), (ENTERPRISE, 0.65)],
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    name: &'static str,
    /// List price of a seat and month.
    price: f64,
}

impl Term {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Monthly => "monthly",
            Self::Annual => "annual",
        }
    }

    /// Months that one invoice covers; annual contracts are billed by the quarter.
    pub(crate) const fn months_billed(self) -> i32 {
        match self {
            Self::Monthly => 1,
            Self::Annual => 3,
        }
    }
}

impl Account {
    /// Account `number` (from 0).
    pub(crate) fn new(number: usize, calendar: &Calendar, random: &mut Random) -> Self {
        let segment = random.pick(&SEGMENTS);
        let region = random.pick(&REGIONS);
        let (median, spread) = segment.seats();
        let seats_at_signup = (median * (spread * random.normal()).exp()).round().max(3.0);
        let plan = random.pick(&segment.plans());
        let term = if random.chance(segment.share_annual()) { Term::Annual } else { Term::Monthly };
        let discount = if term == Term::Annual { 0.05 + 0.15 * random.uniform() } else { 0.1 * random.uniform() };
        let signup = signup(calendar, random);
        let first = signup.max(calendar.first_day).days() - calendar.first_day.days();
        let years_before = f64::from((calendar.first_day.days() - signup.days()).max(0)) / 365.25;
        Self {
            id: format!("A{:06}", number + 1),
            segment,
            industry: random.pick(&INDUSTRIES),
            region,
            csm: format!("{region}-{:02}", 1 + random.below(6)),
            signup,
            first: first as usize,
            seats_at_signup: seats_at_signup as u32,
            seats_at_first: (seats_at_signup * (1.0 + 0.08 * years_before)).round() as u32,
            employees: (seats_at_signup * (1.2 + 8.0 * random.uniform().powi(2))).ceil() as u32,
            term,
            plan: plan.name,
            price: (plan.price * (1.0 - discount) * 100.0).round() / 100.0,
            fit: random.normal(),
            habits: Habits {
                usage: random.normal(),
                depth: random.normal(),
                tickets: random.normal(),
                paying: random.normal(),
                praise: random.normal(),
            },
        }
    }

    /// Monthly recurring revenue with so many seats.
    pub(crate) fn mrr(&self, seats: u32) -> f64 {
        (self.price * f64::from(seats) * 100.0).round() / 100.0
    }

    /// Days from signup to its first day within the book.
    pub(crate) fn tenure_at_first(&self, calendar: &Calendar) -> usize {
        (calendar.first_day.days() - self.signup.days()).max(0) as usize
    }

    /// The days on which an annual contract is renewed, from the first after `after`; none for a monthly one.
    pub(crate) fn renewals(&self, after: Date) -> impl Iterator<Item = Date> {
        let years = if self.term == Term::Annual { 1..1_000 } else { 0..0 };
        let signup = self.signup;
        years.map(move |year| signup.plus_months(12 * year)).skip_while(move |&day| day <= after)
    }
}

fn signup(calendar: &Calendar, random: &mut Random) -> Date {
    if random.chance(SHARE_BEFORE) {
        // Older accounts are fewer: some of them have left before the book begins.
        calendar.first_day.plus_days(-1 - (DAYS_BEFORE * random.uniform().powf(1.3)) as i32)
    } else {
        calendar.first_day.plus_days((calendar.n_book_days() as f64 * random.uniform()) as i32)
    }
}
