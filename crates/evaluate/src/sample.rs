//! Rows sorted once, so that the full sample and each bootstrap replicate are no more than counts over them.

use std::ops::Range;

/// Rows ranked by score. Rows of equal score form a group; every metric reads groups only, so ties have no order.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Distinct scores, falling.
    scores: Vec<f64>,
    /// Where each group begins in the ranked rows, and their end.
    begins: Vec<usize>,
    /// The account of each ranked row, as a place in `account_ids`.
    accounts: Vec<u32>,
    outcomes: Vec<bool>,
    /// Distinct, rising.
    account_ids: Vec<u32>,
}

/// How often each group's rows, and its events, count.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// By group.
    pub(crate) rows: Vec<u32>,
    /// By group.
    pub(crate) events: Vec<u32>,
    pub(crate) n: u64,
    pub(crate) n_events: u64,
}

impl Sample {
    /// A sample of `rows`: score (not NaN), outcome, account.
    pub(crate) fn new(rows: impl Iterator<Item = (f64, bool, u32)>) -> Self {
        // Adding 0 turns -0 into 0, which `total_cmp` would tell apart.
        let mut ranked: Vec<(f64, bool, u32)> = rows.map(|(score, event, id)| (score + 0.0, event, id)).collect();
        // Within a tie by account and outcome, so that sums over rows have one order.
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.2, a.1).cmp(&(b.2, b.1))));
        let mut account_ids: Vec<u32> = ranked.iter().map(|row| row.2).collect();
        account_ids.sort_unstable();
        account_ids.dedup();
        let mut begins: Vec<usize> =
            (0..ranked.len()).filter(|&at| at == 0 || ranked[at - 1].0 != ranked[at].0).collect();
        let scores = begins.iter().map(|&at| ranked[at].0).collect();
        begins.push(ranked.len());
        let outcomes = ranked.iter().map(|row| row.1).collect();
        let accounts = ranked.iter().map(|row| place(&account_ids, row.2)).collect();
        Self { scores, begins, accounts, outcomes, account_ids }
    }

    /// Distinct scores, falling.
    pub(crate) fn scores(&self) -> &[f64] {
        &self.scores
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.outcomes.len()
    }

    pub(crate) fn n_accounts(&self) -> usize {
        self.account_ids.len()
    }

    /// The place of account `id`, which the sample has.
    pub(crate) fn account_place(&self, id: u32) -> usize {
        place(&self.account_ids, id) as usize
    }

    /// The group of the ranked row `row`.
    pub(crate) fn group_of(&self, row: usize) -> usize {
        self.begins.partition_point(|&begin| begin <= row) - 1
    }

    /// The ranked rows of `groups`.
    pub(crate) fn row_range(&self, groups: Range<usize>) -> Range<usize> {
        self.begins[groups.start]..self.begins[groups.end]
    }

    /// The rows of `groups` as account place and outcome, in rank order.
    pub(crate) fn rows(&self, groups: Range<usize>) -> impl Iterator<Item = (usize, bool)> {
        self.row_range(groups).map(|row| (self.accounts[row] as usize, self.outcomes[row]))
    }

    /// Every row counted once.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.count(&vec![1; self.n_accounts()], &mut counts);
        counts
    }

    /// Counts each row as often as `times` says for its account.
    pub(crate) fn count(&self, times: &[u32], counts: &mut Counts) {
        counts.rows.clear();
        counts.events.clear();
        (counts.n, counts.n_events) = (0, 0);
        for group in self.begins.windows(2) {
            let (mut rows, mut events) = (0, 0);
            for row in group[0]..group[1] {
                let weight = times[self.accounts[row] as usize];
                rows += weight;
                events += weight * u32::from(self.outcomes[row]);
            }
            counts.rows.push(rows);
            counts.events.push(events);
            counts.n += u64::from(rows);
            counts.n_events += u64::from(events);
        }
    }
}

impl Counts {
    pub(crate) fn n_non_events(&self) -> u64 {
        self.n - self.n_events
    }

    /// Rows and events of each group.
    pub(crate) fn groups(&self) -> impl DoubleEndedIterator<Item = (u32, u32)> {
        self.rows.iter().copied().zip(self.events.iter().copied())
    }
}

fn place(sorted: &[u32], id: u32) -> u32 {
    sorted.binary_search(&id).expect("the list was made of the rows' accounts") as u32
}
