//! Health bands: who falls in which, and what became of them.

use bellwether_core::Band;

use crate::input::Scored;
use crate::measure::TopRows;
use crate::metrics::ratio;
use crate::proportion::{Part, share};
use crate::results::Estimate;
use crate::sample::{Counts, Sample};

/// The bands in the order of the results.
pub(crate) const BANDS: [Band; 3] = [Band::Red, Band::Yellow, Band::Green];

/// Rows and events by band and account; rows without a band are in none.
#[derive(Debug)]
pub(crate) struct BandTable {
    /// By band, then by account.
    parts: [Vec<Part>; 3],
}

impl BandTable {
    pub(crate) fn new(sample: &Sample, scored: &Scored<'_>, bands: &[Option<Band>]) -> Self {
        let mut parts = [(); 3].map(|()| vec![Part::default(); sample.n_accounts()]);
        for ((&band, &event), &id) in bands.iter().zip(scored.outcome).zip(scored.account) {
            let Some(band) = band else { continue };
            let part = &mut parts[band as usize][sample.account_place(id)];
            part.size += 1;
            part.hits += u32::from(event);
        }
        Self { parts }
    }

    /// Rows and events of the `band`th band.
    pub(crate) fn totals(&self, band: usize) -> (usize, usize) {
        let parts = || self.parts[band].iter();
        (parts().map(|part| part.size as usize).sum(), parts().map(|part| part.hits as usize).sum())
    }

    pub(crate) fn event_rate(&self, band: usize, confidence: f64) -> Estimate {
        share(&self.parts[band], confidence)
    }

    /// The share of all events that fell in the `band`th band.
    pub(crate) fn recall(&self, band: usize, confidence: f64) -> Estimate {
        let events = |account: usize| self.parts.iter().map(|parts| parts[account].hits).sum();
        let part = |(account, part): (usize, &Part)| Part { hits: part.hits, size: events(account) };
        share(&self.parts[band].iter().enumerate().map(part).collect::<Vec<_>>(), confidence)
    }

    /// Each band as if it were the rows that were picked, accounts counted as often as `times` says.
    pub(crate) fn measure(&self, times: &[u32], counts: &Counts) -> Vec<TopRows> {
        let measure = |parts: &Vec<Part>| {
            let (mut rows, mut events) = (0, 0);
            for (&times, part) in times.iter().zip(parts) {
                rows += u64::from(times) * u64::from(part.size);
                events += u64::from(times) * u64::from(part.hits);
            }
            TopRows::new(ratio(events as f64, rows), events as f64, counts)
        };
        self.parts.iter().map(measure).collect()
    }
}
