//! A simulated book in memory.

use std::collections::BTreeMap;
use std::ops::Range;

use bellwether_book::{Column, Table};
use bellwether_core::Date;
use bellwether_simulate::{SimulateConfig, tables};

/// The tables of some accounts by name.
pub(crate) struct Book {
    pub(crate) config: SimulateConfig,
    pub(crate) tables: BTreeMap<&'static str, Table>,
}

impl Book {
    pub(crate) fn of(config: &SimulateConfig, numbers: Range<usize>) -> Self {
        Self { config: config.clone(), tables: tables(config, numbers).into_iter().collect() }
    }

    pub(crate) fn column(&self, table: &str, column: &str) -> &Column {
        let columns = &self.tables[table].columns;
        &columns.iter().find(|(name, _)| name == column).expect("the test names a column").1
    }

    pub(crate) fn texts(&self, table: &str, column: &str) -> Vec<&str> {
        let Column::Coded(texts) = self.column(table, column) else { panic!("{table}.{column} is no text") };
        texts.values().map(Option::unwrap_or_default).collect()
    }

    pub(crate) fn dates(&self, table: &str, column: &str) -> Vec<Option<Date>> {
        let Column::Date(values) = self.column(table, column) else { panic!("{table}.{column} is no date") };
        values.clone()
    }

    pub(crate) fn numbers(&self, table: &str, column: &str) -> Vec<f64> {
        match self.column(table, column) {
            Column::Float(values) => values.iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
            Column::Int(values) => values.iter().map(|value| value.map_or(f64::NAN, |n| n as f64)).collect(),
            _ => panic!("{table}.{column} is no number"),
        }
    }

    /// Account, day and outcome.
    pub(crate) fn outcomes(&self) -> Vec<(&str, Date, &str)> {
        let dates = self.dates("outcomes", "date");
        let dated = self.texts("outcomes", "account_id").into_iter().zip(dates).zip(self.texts("outcomes", "outcome"));
        dated.map(|((account, date), outcome)| (account, date.expect("an outcome has a day"), outcome)).collect()
    }

    pub(crate) fn days_of(&self, wanted: &str) -> BTreeMap<&str, Vec<Date>> {
        let mut days: BTreeMap<&str, Vec<Date>> = BTreeMap::new();
        for (account, date, outcome) in self.outcomes() {
            if outcome == wanted {
                days.entry(account).or_default().push(date);
            }
        }
        days
    }

    /// First day, and first day after the last, of each account within the book.
    pub(crate) fn lives(&self) -> BTreeMap<&str, (Date, Date)> {
        let churns = self.days_of("churn");
        let signups = self.dates("accounts", "signup_date").into_iter().map(|date| date.expect("a signup has a day"));
        let after_book = self.config.last_day().plus_days(1);
        let end = |account| churns.get(account).map_or(after_book, |days| days[0]);
        let accounts = self.texts("accounts", "account_id").into_iter().zip(signups);
        accounts.map(|(account, signup)| (account, (signup, end(account)))).collect()
    }

    pub(crate) fn account_years(&self) -> f64 {
        self.tables["truth"].n_rows() as f64 / 12.0
    }
}

pub(crate) fn seeded(seed: u64) -> SimulateConfig {
    SimulateConfig { seed, ..SimulateConfig::default() }
}
