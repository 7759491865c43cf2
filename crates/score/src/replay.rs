//! Whether this machine gives the numbers of a certificate.

use std::collections::BTreeMap;

use bellwether_bundle::ParityVectors;
use bellwether_core::{Assessment, Digest, FeatureMatrix, Target};
use rayon::prelude::*;

use crate::certify::Numbers;
use crate::{Kernel, ScoreError, Scorer};

/// Walks of one row along one tree that opening a bundle takes time for: some milliseconds.
const SAMPLE_WALKS: usize = 1 << 19;
/// Rows that opening a bundle replays of models without trees.
const SAMPLE_ROWS: usize = 1 << 14;
/// Rows that are replayed at a time.
const TASK_ROWS: usize = 256;
/// How far the logit of a graph of other software may be from its certificate, relative to `max(1, |logit|)`: tract computes
/// in f32, with instructions that it chooses by the processor.
pub(crate) const GRAPH_TOLERANCE: f64 = 1e-3;

impl Scorer {
    /// How many rows of a certificate opening a bundle replays: all, unless the ensembles are so large that it would
    /// be felt. Its front rows change their numbers with the most nodes.
    pub fn sample_of(&self, stored: &ParityVectors) -> usize {
        let n_trees: usize = self.targets().filter_map(|target| self.kernel(target)).map(Kernel::n_trees).sum();
        let sample = SAMPLE_ROWS.min(SAMPLE_WALKS / n_trees.max(1)).max(stored.inputs.n_rows + 256);
        sample.min(stored.n_rows())
    }

    /// Checks that the certificate is of these graphs, and that its first `n_rows` rows give its numbers, bit for bit;
    /// leaves are not looked at. Of graphs of other software the logits may differ by 1e-3 of `max(1, |logit|)`, and
    /// probabilities as far as that makes them.
    ///
    /// # Errors
    /// [`ScoreError::Mismatch`] for another graph, [`ScoreError::Parity`] for the first row, in order, that gives
    /// another number, [`ScoreError::Encoding`] for rows before encoding that are of another encoding.
    pub fn replay(&self, stored: &ParityVectors, n_rows: usize) -> Result<(), ScoreError> {
        self.check_graphs(stored)?;
        let x = stored.matrix()?;
        self.check_inputs(stored)?;
        let rows: Vec<usize> = (0..n_rows.min(x.n_rows())).collect();
        let checked: Vec<_> = rows.par_chunks(TASK_ROWS).map(|rows| self.replay_rows(stored, &x, rows)).collect();
        // The first error of all, in the order of the rows.
        checked.into_iter().collect()
    }

    fn replay_rows(&self, stored: &ParityVectors, x: &FeatureMatrix, rows: &[usize]) -> Result<(), ScoreError> {
        let computed = self.numbers(&x.select(rows))?;
        let limits = Limits {
            logits: self.targets().map(|target| (target, self.logit_tolerance(target))).collect(),
            least: self.moved(&computed, -1.0),
            most: self.moved(&computed, 1.0),
        };
        rows.iter().enumerate().try_for_each(|(place, &row)| check_row(row, place, stored, &computed, &limits))
    }

    /// Relative to `max(1, |logit|)`.
    fn logit_tolerance(&self, target: Target) -> f64 {
        if self.kernel(target).is_some_and(Kernel::is_graph) { GRAPH_TOLERANCE } else { 0.0 }
    }

    /// The probabilities of logits that are at the end of their tolerance.
    fn moved(&self, computed: &Numbers, sign: f64) -> BTreeMap<Target, Vec<f64>> {
        if self.targets().all(|target| self.logit_tolerance(target) == 0.0) {
            return computed.probabilities.clone();
        }
        let moved = |(&target, logits): (&Target, &Vec<f64>)| {
            let tolerance = sign * self.logit_tolerance(target);
            (target, logits.iter().map(|logit| logit + tolerance * logit.abs().max(1.0)).collect())
        };
        self.probabilities_of(&computed.logits.iter().map(moved).collect())
    }

    /// The certificate is of these graphs.
    fn check_graphs(&self, stored: &ParityVectors) -> Result<(), ScoreError> {
        let name = |digest: Option<&Digest>| digest.map_or_else(|| "(none)".to_owned(), Digest::to_string);
        for target in self.graphs().keys().chain(stored.targets.keys()) {
            let found = self.graphs().get(target);
            let expected = stored.targets.get(target).map(|of| &of.graph);
            if found != expected {
                return Err(ScoreError::Mismatch {
                    place: format!("the graph of `{target}`"),
                    what: "the SHA-256",
                    expected: name(expected),
                    found: name(found),
                });
            }
        }
        Ok(())
    }

    /// Rows before encoding become the first rows.
    fn check_inputs(&self, stored: &ParityVectors) -> Result<(), ScoreError> {
        if stored.inputs.columns.is_empty() {
            return Ok(());
        }
        let encoded: FeatureMatrix = self.encoding().encode(&stored.inputs.table())?;
        for (column, (found, expected)) in ParityVectors::bits_of(&encoded).iter().zip(&stored.columns).enumerate() {
            let Some(row) = found.iter().zip(expected).position(|(found, expected)| found != expected) else {
                continue;
            };
            let what = format!("feature `{}`", self.schema().features()[column].name);
            let [expected, found] = [expected[row], found[row]].map(|bits| f64::from(f32::from_bits(bits)));
            return Err(difference(row, what, expected, found));
        }
        Ok(())
    }
}

/// How far numbers may be from a certificate.
struct Limits {
    /// Of each target's logits, relative to `max(1, |logit|)`.
    logits: BTreeMap<Target, f64>,
    /// The least and the greatest probability of each row.
    least: BTreeMap<Target, Vec<f64>>,
    most: BTreeMap<Target, Vec<f64>>,
}

/// Checks a row of the certificate, which was computed at `place`.
fn check_row(
    row: usize,
    place: usize,
    stored: &ParityVectors,
    computed: &Numbers,
    limits: &Limits,
) -> Result<(), ScoreError> {
    // Where there is no tolerance, the ends of the range are the number itself, and its bits decide.
    let within = |what: &dyn Fn() -> String, expected: u64, found: f64, least: f64, most: f64| {
        let value = f64::from_bits(expected);
        let is_same = expected == found.to_bits() || (least < most && (least..=most).contains(&value));
        if is_same { Ok(()) } else { Err(difference(row, what(), value, found)) }
    };
    for (target, expected) in &stored.targets {
        let found = computed.logits[target][place];
        let off = limits.logits[target] * found.abs().max(1.0);
        let logit = || format!("the logit of `{target}`");
        within(&logit, expected.logit_bits[row], found, found - off, found + off)?;
        let found = computed.probabilities[target][place];
        let (least, most) = (limits.least[target][place], limits.most[target][place]);
        let probability = || format!("the probability of `{target}`");
        within(&probability, expected.probability_bits[row], found, least, most)?;
    }
    let health: &Assessment = &computed.health[place];
    within(&|| "the health score".to_owned(), stored.health_bits[row], health.score, health.score, health.score)?;
    let names = [
        ("the band", stored.band[row].name(), health.band().name()),
        ("the status", stored.status[row].name(), computed.status[place].name()),
    ];
    match names.into_iter().find(|(_, expected, found)| expected != found) {
        Some((what, expected, found)) => {
            let [what, expected, found] = [what, expected, found].map(str::to_owned);
            Err(ScoreError::Parity { row, what, expected, found })
        }
        None => Ok(()),
    }
}

pub(crate) fn difference(row: usize, what: String, expected: f64, found: f64) -> ScoreError {
    ScoreError::Parity { row, what, expected: format!("{expected:e}"), found: format!("{found:e}") }
}
