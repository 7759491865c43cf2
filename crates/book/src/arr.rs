//! Recurring revenue on other days than a table's own.

use bellwether_core::{Progress, RawValues};

use crate::config::DeclaredFeature;
use crate::features::{self, Place};
use crate::labels::Life;
use crate::{Book, BookError, FeatureTable};

impl Book {
    /// The annual recurring revenue of the account of each row of a table of this book, so many days after the row's
    /// day and as known on that day, in row order. NaN where unknown, or where that day lies after the data's end;
    /// `None` where the book declares no value.
    ///
    /// # Errors
    /// [`BookError`] where a part of a large book can't be read.
    pub fn arr_after(
        &self,
        table: &FeatureTable,
        days: u32,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<f64>>, BookError> {
        let Some(value) = &self.file().config.value else { return Ok(None) };
        let needed = needed(self.file().declared(), value.feature.get_ref());
        let mut arr = vec![f64::NAN; table.n_rows()];
        progress.begin("revenue", table.n_rows() as u64);
        self.each_part(|part| {
            // Rows stand by account.
            let place = |account: usize| table.account.partition_point(|&of_row| (of_row as usize) < account);
            let rows = place(part.accounts.start)..place(part.accounts.end);
            let life = Life::new(self.file(), &part.sources);
            let of_row = |row: usize| -> Place {
                let account = table.account[row] - part.accounts.start as u32;
                (account, table.keys[row].as_of.plus_days(days as i32))
            };
            let places: Vec<Place> = rows.clone().map(of_row).collect();
            let start: Vec<i32> = places.iter().map(|&(account, day)| life.start(account, day)).collect();
            let built = features::build(&needed, &part.sources, &start, &places, progress);
            let column = built.columns.last().map(|column| &column.values);
            if let Some(RawValues::Number(amounts)) = column {
                for ((row, amount), (_, day)) in rows.zip(amounts).zip(places) {
                    arr[row] = if day <= self.data_end() { f64::from(*amount) * value.times } else { f64::NAN };
                }
            }
            Ok::<_, BookError>(())
        })?;
        progress.end();
        Ok(Some(arr))
    }
}

/// The feature `name` as the last one, after those by which it is divided.
fn needed(declared: Vec<DeclaredFeature>, name: &str) -> Vec<DeclaredFeature> {
    let mut names = vec![name.to_owned()];
    while let Some(per) = declared.iter().find(|of| Some(&of.name) == names.last()).and_then(|of| of.per.clone()) {
        names.push(per);
    }
    let mut needed: Vec<DeclaredFeature> = declared.into_iter().filter(|of| names.contains(&of.name)).collect();
    needed.sort_by_key(|of| std::cmp::Reverse(names.iter().position(|name| *name == of.name)));
    needed
}
