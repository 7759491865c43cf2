//! One table, as Markdown or for a terminal.

use crate::markdown::{clean, code_in_table, escape};
use crate::number::{Number, count};

/// Where a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// What a cell shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Words and numbers of this crate, which are no markup.
    Own(String),
    /// Words of others.
    Text(String),
    /// A name that others gave.
    Name(String),
}

/// Columns and rows of equal length.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

/// Characters of a name that a terminal shows.
const WIDEST_NAME: usize = 24;

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with one cell a column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        debug_assert_eq!(cells.len(), self.columns.len(), "one cell a column");
        self.rows.push(cells);
    }

    /// A table of GitHub's Markdown, with the line break at its end.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = line(self.columns.iter().map(|(name, _)| (*name).to_owned()).collect());
        let rule = self.columns.iter().map(|(_, align)| match align {
            Align::Left => "---".to_owned(),
            Align::Right => "---:".to_owned(),
        });
        let rule = line(rule.collect());
        let body = self.rows.iter().map(|row| line(row.iter().map(Cell::markdown).collect()));
        [head, rule].into_iter().chain(body).collect()
    }

    /// Padded columns, two blanks apart, without a line break at the end.
    pub(crate) fn text(&self) -> String {
        let head = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let body = self.rows.iter().map(|row| row.iter().map(Cell::text).collect());
        let lines: Vec<Vec<String>> = [head].into_iter().chain(body).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: &Vec<String>| {
            let padded = cells.iter().zip(&self.columns).zip(&widths).map(|((cell, (_, align)), &width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl Cell {
    pub(crate) fn name(name: &str) -> Self {
        Self::Name(name.to_owned())
    }

    pub(crate) fn words(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(crate) fn count(n: usize) -> Self {
        Self::Own(count(n))
    }

    pub(crate) fn number(number: Number, x: Option<f64>) -> Self {
        Self::Own(number.or_undefined(x))
    }

    fn markdown(&self) -> String {
        match self {
            Self::Own(text) => text.clone(),
            Self::Text(text) => escape(text),
            Self::Name(name) => code_in_table(name),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Own(text) => text.clone(),
            Self::Text(text) => clean(text),
            Self::Name(name) => shortened(&clean(name), WIDEST_NAME),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Own(text)
    }
}

impl From<&'static str> for Cell {
    fn from(text: &'static str) -> Self {
        Self::Own(text.to_owned())
    }
}

/// `text` in at most `most` characters; where some are missing, an ellipsis stands between its beginning and its end.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let n = text.chars().count();
    if n <= most {
        return text.to_owned();
    }
    let (n_first, n_last) = (most / 2, (most - 1) / 2);
    text.chars().take(n_first).chain(['…']).chain(text.chars().skip(n - n_last)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_long_name_keeps_both_ends() {
        for (text, short) in [("industry", "industry"), ("industry 12", "indu…y 12"), ("äöüäöüäöüä", "äöüä…äöüä")]
        {
            assert_eq!(shortened(text, 9), short);
        }
    }

    #[test]
    fn one_table_for_two_readers() {
        let mut table = Table::new(&[("name", Align::Left), ("n", Align::Right)]);
        table.row([Cell::name("plan=a|b"), Cell::count(1_234)]);
        table.row([Cell::name("x"), Cell::from("-")]);
        expect![[r"
            | name | n |
            | --- | ---: |
            | `plan=a\|b` | 1,234 |
            | `x` | - |
        "]]
        .assert_eq(&table.markdown());
        expect![[r"
            name          n
            plan=a|b  1,234
            x             -"]]
        .assert_eq(&table.text());
    }
}
