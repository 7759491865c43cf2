//! The hidden state as a table, for a book that hides nothing.

use crate::chain::value;
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

pub(crate) static SCHEMA: Schema = Schema {
    name: "hidden_states",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("health", Kind::Float),
        ("appetite", Kind::Float),
        ("champion", Kind::Int),
        ("fit", Kind::Float),
    ],
};

/// Writes the state at the end of each month end.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows) {
    for (date, day) in customer.month_ends() {
        let state = customer.life.days[day];
        rows.push([
            customer.id(),
            Cell::Date(date),
            Cell::Float(value(state.health.into())),
            Cell::Float(value(state.appetite.into())),
            Cell::Int(state.champion.into()),
            Cell::Float(customer.account.fit),
        ]);
    }
}
