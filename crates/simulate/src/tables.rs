//! The tables of a book and how one account fills them.

use std::ops::Range;

use bellwether_book::Table;
use bellwether_core::Date;
use rayon::prelude::*;

use crate::SimulateConfig;
use crate::account::Account;
use crate::calendar::Calendar;
use crate::hazard::Hazards;
use crate::life::{Chains, Life};
use crate::random::Random;
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::truth::outlook;
use crate::{contacts, money, support, usage};

static ACCOUNTS: Schema = Schema {
    name: "accounts",
    columns: &[
        ("account_id", Kind::Text),
        ("signup_date", Kind::Date),
        ("segment", Kind::Text),
        ("industry", Kind::Text),
        ("region", Kind::Text),
        ("csm", Kind::Text),
        ("seats_at_signup", Kind::Int),
        ("employee_count", Kind::Int),
    ],
};

static TRUTH: Schema = Schema {
    name: "truth",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("churn_hazard", Kind::Float),
        ("churn_90d", Kind::Float),
        ("expansion_90d", Kind::Float),
    ],
};

/// Every table of a book, in the order of [`tables`]; each is the file `<name>.parquet`.
pub const TABLE_NAMES: [&str; N_TABLES] = {
    let mut names = [""; N_TABLES];
    let mut n = 0;
    while n < N_TABLES {
        names[n] = SCHEMAS[n].name;
        n += 1;
    }
    names
};

const N_TABLES: usize = 9;

static SCHEMAS: [&Schema; N_TABLES] = [
    &ACCOUNTS,
    &usage::SCHEMA,
    &support::TICKET_EVENTS,
    &support::SURVEYS,
    &money::INVOICE_EVENTS,
    &contacts::SCHEMA,
    &money::SUBSCRIPTIONS,
    &money::OUTCOMES,
    &TRUTH,
];

/// Accounts that one thread makes at a time.
const ACCOUNTS_A_STRETCH: usize = 50;

/// What all accounts of a book share.
pub(crate) struct World {
    seed: u64,
    calendar: Calendar,
    chains: Chains,
}

/// One account within its book: what the tables are filled from.
pub(crate) struct Customer<'a> {
    pub(crate) account: &'a Account,
    pub(crate) life: &'a Life,
    pub(crate) calendar: &'a Calendar,
}

/// The rows of some accounts, and what became of them.
pub(crate) struct Chunk {
    /// In the order of [`TABLE_NAMES`].
    pub(crate) tables: Vec<Rows>,
    pub(crate) n_churned: usize,
    pub(crate) n_expanded: usize,
}

/// The tables of the accounts `numbers` (from 0) of a book, in the order of [`TABLE_NAMES`]; rows stand by account.
/// Neither `n_accounts` nor `chunk_accounts` matters.
///
/// # Panics
/// If `config` is out of its ranges.
pub fn tables(config: &SimulateConfig, numbers: Range<usize>) -> Vec<(&'static str, Table)> {
    let chunk = World::new(config).chunk(numbers);
    TABLE_NAMES.into_iter().zip(chunk.tables.into_iter().map(Rows::into_table)).collect()
}

impl Customer<'_> {
    /// The date of a day, counted from the account's first within the book.
    pub(crate) fn date(&self, day: usize) -> Date {
        self.calendar.first_day.plus_days((self.account.first + day) as i32)
    }

    /// The first day on which it is no customer any more, or the day after the book.
    pub(crate) fn end(&self) -> Date {
        self.date(self.life.days.len())
    }

    /// The day of a date on which it is a customer within the book.
    pub(crate) fn day(&self, date: Date) -> Option<usize> {
        let day = date.days() - self.date(0).days();
        usize::try_from(day).ok().filter(|&day| day < self.life.days.len())
    }

    pub(crate) fn id(&self) -> Cell<'_> {
        Cell::Text(&self.account.id)
    }
}

impl World {
    pub(crate) fn new(config: &SimulateConfig) -> Self {
        Self { seed: config.seed, calendar: Calendar::new(config.first_day, config.last_day()), chains: Chains::new() }
    }

    /// The rows of the accounts `numbers`.
    pub(crate) fn chunk(&self, numbers: Range<usize>) -> Chunk {
        let starts: Vec<usize> = numbers.clone().step_by(ACCOUNTS_A_STRETCH).collect();
        let stretches: Vec<Chunk> = starts
            .into_par_iter()
            .map(|start| {
                let mut chunk = Chunk::new();
                for number in start..numbers.end.min(start + ACCOUNTS_A_STRETCH) {
                    self.write_account(number, &mut chunk);
                }
                chunk
            })
            .collect();
        Chunk::joined(stretches)
    }

    fn write_account(&self, number: usize, chunk: &mut Chunk) {
        let mut random = Random::of_account(self.seed, number);
        let account = Account::new(number, &self.calendar, &mut random);
        let hazards = Hazards::new(&account, &self.calendar);
        let life = Life::live(&account, &self.calendar, &self.chains, &hazards, &mut random);
        let customer = Customer { account: &account, life: &life, calendar: &self.calendar };

        let [accounts, usage, tickets, surveys, invoices, contacts, subscriptions, outcomes, truth] =
            chunk.tables.as_mut_slice()
        else {
            unreachable!("there are {N_TABLES} tables")
        };
        accounts.push(account_row(&account));
        usage::write(&customer, usage, &mut random);
        support::write_tickets(&customer, tickets, &mut random);
        support::write_surveys(&customer, surveys, &mut random);
        money::write_invoices(&customer, invoices, &mut random);
        contacts::write(&customer, contacts, &mut random);
        money::write_subscriptions(&customer, subscriptions);
        money::write_outcomes(&customer, outcomes);
        self.write_truth(&customer, &hazards, truth);
        chunk.n_churned += usize::from(life.churned);
        chunk.n_expanded += usize::from(life.expanded());
    }

    fn write_truth(&self, customer: &Customer<'_>, hazards: &Hazards, rows: &mut Rows) {
        let month_ends =
            (0..).map(|n| self.calendar.first_day.plus_months(n).month_end()).take_while(|&date| date < customer.end());
        for date in month_ends {
            let Some(day) = customer.day(date) else { continue };
            let state = customer.life.days[day];
            let outlook = outlook(state, day, hazards, &self.chains);
            let hazard = hazards.on(day, state.health.into(), state.champion, state.appetite.into()).churn;
            rows.push([
                customer.id(),
                Cell::Date(date),
                Cell::Float(hazard),
                Cell::Float(outlook.churn),
                Cell::Float(outlook.expansion),
            ]);
        }
    }
}

fn account_row(account: &Account) -> [Cell<'_>; 8] {
    [
        Cell::Text(&account.id),
        Cell::Date(account.signup),
        Cell::Text(account.segment.name()),
        Cell::Text(account.industry),
        Cell::Text(account.region),
        Cell::Text(&account.csm),
        Cell::Int(account.seats_at_signup.into()),
        Cell::Int(account.employees.into()),
    ]
}

impl Chunk {
    fn new() -> Self {
        Self { tables: SCHEMAS.into_iter().map(Rows::new).collect(), n_churned: 0, n_expanded: 0 }
    }

    fn joined(parts: Vec<Self>) -> Self {
        let mut whole = Self::new();
        for (table, rows) in whole.tables.iter_mut().enumerate() {
            rows.reserve(parts.iter().map(|part| part.tables[table].len()).sum());
        }
        for part in parts {
            for (rows, part) in whole.tables.iter_mut().zip(part.tables) {
                rows.append(part);
            }
            whole.n_churned += part.n_churned;
            whole.n_expanded += part.n_expanded;
        }
        whole
    }
}
