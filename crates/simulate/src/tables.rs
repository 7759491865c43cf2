//! The tables of a book and how one account fills them.

use std::collections::BTreeSet;
use std::ops::Range;

use bellwether_book::Table;
use bellwether_core::Date;
use rayon::prelude::*;

use crate::account::Account;
use crate::calendar::{Calendar, HORIZON_DAYS};
use crate::hazard::Hazards;
use crate::lateness::days_late;
use crate::life::{Chains, Life};
use crate::plant::Planter;
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::support::TicketTables;
use crate::truth::{Outlook, outlook};
use crate::{Leak, SimulateConfig};
use crate::{adoption, business, contacts, crm, engagement, hidden, interventions, messages, money, support, usage};

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

const N_TABLES: usize = 18;

static SCHEMAS: [&Schema; N_TABLES] = [
    &ACCOUNTS,
    &usage::SCHEMA,
    &adoption::SCHEMA,
    &engagement::SCHEMA,
    &support::TICKET_EVENTS,
    &support::TICKETS,
    &support::SURVEYS,
    &messages::SCHEMA,
    &money::INVOICE_EVENTS,
    &contacts::SCHEMA,
    &crm::SCHEMA,
    &business::GOALS,
    &business::EXTERNAL,
    &interventions::SCHEMA,
    &hidden::SCHEMA,
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
    interventions: bool,
    leaks: BTreeSet<Leak>,
}

/// One account within its book: what the tables are filled from.
pub(crate) struct Customer<'a> {
    pub(crate) seed: u64,
    pub(crate) number: usize,
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
    /// The truth of the month ends whose horizon lies within the book.
    pub(crate) outlooks: Vec<Outlook>,
}

/// The tables of the accounts `numbers` (from 0) of a book, in the order of [`TABLE_NAMES`]; rows stand by account.
/// Neither `n_accounts` nor `chunk_accounts` matters.
///
/// # Panics
/// If `config` is out of its ranges.
pub fn tables(config: &SimulateConfig, numbers: Range<usize>) -> Vec<(&'static str, Table)> {
    let mut chunk = Chunk::new();
    World::new(config).chunks(numbers).into_iter().for_each(|part| chunk.append(part));
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

    /// Each month end on which it is a customer, with its day.
    pub(crate) fn month_ends(&self) -> impl Iterator<Item = (Date, usize)> {
        self.calendar.month_ends.iter().filter_map(|&date| self.day(date).map(|day| (date, day)))
    }

    /// When a row of this date is known in the book; `None` where the book ends before.
    pub(crate) fn known(&self, date: Date, random: &mut Random) -> Option<Date> {
        Some(date.plus_days(days_late(random))).filter(|&known| known <= self.calendar.last_day())
    }

    /// The stream of random numbers that only this topic of the account draws from.
    pub(crate) fn stream(&self, topic: Topic) -> Random {
        Random::of_topic(self.seed, self.number, topic)
    }

    pub(crate) fn id(&self) -> Cell<'_> {
        Cell::Text(&self.account.id)
    }
}

impl World {
    pub(crate) fn new(config: &SimulateConfig) -> Self {
        Self {
            seed: config.seed,
            calendar: Calendar::new(config.first_day, config.last_day()),
            chains: Chains::new(),
            interventions: config.interventions,
            leaks: config.leaks.clone(),
        }
    }

    /// The rows of the accounts `numbers`, in their order, in one part or several.
    pub(crate) fn chunks(&self, numbers: Range<usize>) -> Vec<Chunk> {
        let starts: Vec<usize> = numbers.clone().step_by(ACCOUNTS_A_STRETCH).collect();
        starts
            .into_par_iter()
            .map(|start| {
                let mut chunk = Chunk::new();
                for number in start..numbers.end.min(start + ACCOUNTS_A_STRETCH) {
                    if self.leaks.is_empty() {
                        self.write_account(number, &mut chunk);
                    } else {
                        chunk.append(self.leaking_account(number));
                    }
                }
                chunk
            })
            .collect()
    }

    /// Writes all rows of an account.
    fn write_account(&self, number: usize, chunk: &mut Chunk) {
        self.live(number, |customer, hazards, random| self.write(customer, hazards, random, chunk));
    }

    /// The rows of an account with the book's leaks.
    fn leaking_account(&self, number: usize) -> Chunk {
        let mut chunk = Chunk::new();
        self.live(number, |customer, hazards, random| {
            self.write(customer, hazards, random, &mut chunk);
            let mut planter = Planter { customer, tables: &mut chunk.tables };
            self.leaks.iter().for_each(|&leak| planter.plant(leak));
        });
        chunk
    }

    /// Lives an account's life and hands it on, with the stream that its main traces are drawn from.
    fn live(&self, number: usize, then: impl FnOnce(&Customer<'_>, &Hazards, &mut Random)) {
        let mut random = Random::of_account(self.seed, number);
        let account = Account::new(number, &self.calendar, &mut random);
        let hazards = Hazards::new(&account, &self.calendar);
        let treating = self.interventions.then(|| Random::of_topic(self.seed, number, Topic::Interventions));
        let life = Life::live(&account, &self.calendar, &self.chains, &hazards, &mut random, treating);
        let customer = Customer { seed: self.seed, number, account: &account, life: &life, calendar: &self.calendar };
        then(&customer, &hazards, &mut random);
    }

    fn write(&self, customer: &Customer<'_>, hazards: &Hazards, random: &mut Random, chunk: &mut Chunk) {
        let [
            accounts,
            usage,
            features,
            engagement,
            ticket_events,
            tickets,
            surveys,
            messages,
            invoices,
            contacts,
            snapshots,
            goals,
            external,
            interventions,
            hidden_states,
            subscriptions,
            outcomes,
            truth,
        ] = chunk.tables.as_mut_slice()
        else {
            unreachable!("there are {N_TABLES} tables")
        };
        accounts.push(account_row(customer.account));
        usage::write(customer, usage, random);
        support::write_tickets(customer, &mut TicketTables { events: ticket_events, stretches: tickets }, random);
        support::write_surveys(customer, surveys, random);
        money::write_invoices(customer, invoices, random);
        contacts::write(customer, contacts, random);
        adoption::write(customer, features);
        engagement::write(customer, engagement);
        messages::write(customer, messages);
        crm::write(customer, snapshots);
        business::write_goals(customer, goals);
        business::write_external(customer, external);
        interventions::write(customer, interventions);
        hidden::write(customer, hidden_states);
        money::write_subscriptions(customer, subscriptions);
        money::write_outcomes(customer, outcomes);
        self.write_truth(customer, hazards, truth, &mut chunk.outlooks);
        chunk.n_churned += usize::from(customer.life.churned);
        chunk.n_expanded += usize::from(customer.life.expanded());
    }

    fn write_truth(&self, customer: &Customer<'_>, hazards: &Hazards, rows: &mut Rows, outlooks: &mut Vec<Outlook>) {
        let last_labelled = self.calendar.last_day().plus_days(-(HORIZON_DAYS as i32));
        for (date, day) in customer.month_ends() {
            let state = customer.life.days[day];
            let outlook = outlook(state, day, customer.life.eased_until(day), hazards, &self.chains);
            let hazard = hazards.on(day, state.health.into(), state.champion, state.appetite.into()).churn;
            rows.push([
                customer.id(),
                Cell::Date(date),
                Cell::Float(hazard * customer.life.eased(day)),
                Cell::Float(outlook.churn),
                Cell::Float(outlook.expansion),
            ]);
            if date <= last_labelled {
                outlooks.push(outlook);
            }
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
        Self { tables: SCHEMAS.into_iter().map(Rows::new).collect(), n_churned: 0, n_expanded: 0, outlooks: Vec::new() }
    }

    fn append(&mut self, part: Self) {
        for (rows, part) in self.tables.iter_mut().zip(part.tables) {
            rows.append(part);
        }
        self.n_churned += part.n_churned;
        self.n_expanded += part.n_expanded;
        self.outlooks.extend(part.outlooks);
    }
}
