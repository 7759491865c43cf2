//! The reasons in a certificate: what training writes, and whether this machine gives the same.

use std::collections::BTreeSet;

use bellwether_bundle::{Bundle, ParityReasons, ParityVectors};
use bellwether_core::{Background, FeatureMatrix, FeatureSchema, Model, Target};

use crate::replay::difference;
use crate::{Against, Explainer, ScoreError, Scorer};

/// Rows with reasons: as many over all rows, and as many of the last, which are random. Any of them tells a change of any
/// cover, as what a row is held against is every leaf.
const N_SPREAD: usize = 16;

impl Explainer {
    /// Explains a target of a bundle against the training rows, after the rows with reasons of its certificate were
    /// explained again.
    ///
    /// # Errors
    /// [`ScoreError::NoBackground`] if the bundle does not hold what that needs, [`ScoreError::NotExplained`] for a graph of
    /// other software, [`ScoreError::Parity`] for the first reason
    /// that is not the certificate's, to the bit, [`ScoreError::Mismatch`] for a certificate that has reasons and should not,
    /// or the other way round, [`ScoreError::Target`] if the bundle has no such target.
    pub fn of_bundle(bundle: &Bundle, scorer: &Scorer, target: Target) -> Result<Self, ScoreError> {
        let explainer = scorer.uncertified(bundle, target)?;
        if let Some(stored) = scorer.stored_reasons(bundle, target, true)? {
            explainer.replay(stored, bundle.parity(), bundle.schema(), target)?;
        }
        Ok(explainer)
    }

    fn replay(
        &self,
        stored: &ParityReasons,
        certificate: &ParityVectors,
        schema: &FeatureSchema,
        target: Target,
    ) -> Result<(), ScoreError> {
        let first = stored.rows.first().map_or(0, |&row| row as usize);
        if self.expected().to_bits() != stored.expected_bits {
            let what = format!("the sum that `{target}` expects");
            return Err(difference(first, what, f64::from_bits(stored.expected_bits), self.expected()));
        }
        let rows: Vec<usize> = stored.rows.iter().map(|&row| row as usize).collect();
        let found = self.contributions(&certificate.matrix()?.select(&rows))?;
        let found = (0..rows.len()).flat_map(|row| found.row(row));
        let Some((place, (found, &expected))) =
            found.zip(&stored.contribution_bits).enumerate().find(|(_, (found, bits))| found.to_bits() != **bits)
        else {
            return Ok(());
        };
        let feature = &schema.features()[place % schema.len()].name;
        let what = format!("what `{feature}` adds to `{target}`");
        Err(difference(rows[place / schema.len()], what, f64::from_bits(expected), *found))
    }
}

impl Scorer {
    /// The reasons of `target` for some rows of `x`; `None` where it is no main horizon's, or can't be explained.
    pub(crate) fn parity_reasons(
        &self,
        target: Target,
        model: &Model,
        background: Option<&Background>,
        x: &FeatureMatrix,
    ) -> Result<Option<ParityReasons>, ScoreError> {
        let Some(kernel) = self.kernel(target).filter(|_| self.is_explained(target)) else { return Ok(None) };
        let explainer = match Explainer::new(kernel, model, target, Against::Training(background)) {
            Err(ScoreError::NoBackground { .. } | ScoreError::NotExplained { .. }) => return Ok(None),
            explainer => explainer?,
        };
        let rows = reason_rows(x);
        let found = explainer.contributions(&x.select(&rows))?;
        // A row that can't be explained has no numbers.
        let explained: Vec<usize> = (0..rows.len()).filter(|&row| !found.sum(row).is_nan()).collect();
        let contributions = explained.iter().flat_map(|&row| found.row(row));
        Ok((!explained.is_empty()).then(|| ParityReasons {
            rows: explained.iter().map(|&row| rows[row] as u32).collect(),
            expected_bits: explainer.expected().to_bits(),
            contribution_bits: contributions.map(|value| value.to_bits()).collect(),
        }))
    }

    /// Explains every row with reasons again, on each instruction set of this machine; how many there are.
    #[cfg(feature = "tract")]
    pub(crate) fn replay_reasons(&self, bundle: &Bundle) -> Result<usize, ScoreError> {
        let mut n_rows = 0;
        for target in self.targets() {
            let explainer = match self.uncertified(bundle, target) {
                Err(ScoreError::NoBackground { .. } | ScoreError::NotExplained { .. }) => None,
                explainer => Some(explainer?),
            };
            let stored = self.stored_reasons(bundle, target, explainer.is_some())?;
            let Some((explainer, stored)) = explainer.zip(stored) else { continue };
            for explainer in explainer.on_each_instruction_set() {
                explainer.replay(stored, bundle.parity(), bundle.schema(), target)?;
            }
            n_rows += stored.rows.len();
        }
        Ok(n_rows)
    }

    /// The reasons of the certificate, which has some of each target that can be explained and is a main horizon's, and of
    /// no other.
    fn stored_reasons<'a>(
        &self,
        bundle: &'a Bundle,
        target: Target,
        can_be_explained: bool,
    ) -> Result<Option<&'a ParityReasons>, ScoreError> {
        let stored = bundle.parity().targets.get(&target).and_then(|of| of.reasons.as_ref());
        let expected = can_be_explained && self.is_explained(target);
        if expected == stored.is_some() {
            return Ok(stored);
        }
        let word = |is_there: bool| if is_there { "some" } else { "none" }.to_owned();
        Err(ScoreError::Mismatch {
            place: format!("the certificate of `{target}`"),
            what: "what it holds of reasons",
            expected: word(expected),
            found: word(stored.is_some()),
        })
    }

    /// The explainer of a target's model before anything was replayed.
    fn uncertified(&self, bundle: &Bundle, target: Target) -> Result<Explainer, ScoreError> {
        let place = bundle.targets().iter().position(|of| of.target == target);
        let (Some(place), Some(kernel)) = (place, self.kernel(target)) else {
            return Err(ScoreError::Target { target, n: 0 });
        };
        Explainer::new(kernel, &bundle.models()[place], target, Against::Training(bundle.background()))
    }

    fn is_explained(&self, target: Target) -> bool {
        self.main_target(target.outcome) == Some(target)
    }
}

/// Places of the rows with reasons, rising; the first of which all is known is among them, as it can always be explained.
fn reason_rows(x: &FeatureMatrix) -> Vec<usize> {
    let front = x.n_rows().saturating_sub(N_SPREAD);
    let n_spread = N_SPREAD.min(front);
    let is_known = |row: &usize| (0..x.n_cols()).all(|column| !x.value(*row, column).is_nan());
    let spread = (0..n_spread).map(|place| place * front / n_spread);
    let rows: BTreeSet<usize> = spread.chain(front..x.n_rows()).chain((0..x.n_rows()).find(is_known)).collect();
    rows.into_iter().collect()
}
