//! Gradient boosting on the log loss: the best few ways to boost are chosen on held-out rows, then all rows are fitted
//! and the models averaged.

use std::collections::BTreeMap;

use bellwether_core::{Direction, FeatureSchema, Link, Model, Node, Progress, Tree, Trees};
use rayon::prelude::*;

use crate::candidate::{Candidate, StartFrom};
use crate::histogram::{Bins, Boosting, Growth, Monotone, Rows, Start, Stop, boost};
use crate::holdout::{Fold, folds};
use crate::learner::checked;
use crate::logistic::{choose, weighted_sum};
use crate::rows::Table;
use crate::{Directions, LearnError, Learner, LearnerName, Penalty, Recipe, Settings, TrainingRows};

/// Boosts trees.
#[derive(Debug)]
pub(crate) struct Boosted {
    pub(crate) settings: Settings,
}

/// Trees where there are no rows to choose the number on.
const USUAL_TREES: usize = 60;

/// A fit stops when the held-out loss has not fallen for this many trees.
const PATIENCE: usize = 40;

/// How far the held-out loss of an averaged model may lie above the least, as a share of what the best one gains over the
/// base rate; or as far as chance may put it.
const REACH: f64 = 0.15;

/// What a tree costs for each cell of the matrix, in seconds of two threads of the machine that this was measured on;
/// other machines try the same recipes in another time.
const SECONDS_A_CELL_AND_TREE: f64 = 1.5e-9;

/// What a tree costs beside, in seconds of that machine.
const SECONDS_A_TREE: f64 = 3e-4;

/// From this many matrix cells on, fits use the threads one after the other; below, they run side by side.
const CELLS_FOR_THREADS: usize = 4_000_000;

impl Learner for Boosted {
    fn name(&self) -> LearnerName {
        LearnerName::Boosted
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        let search = Search::new(&self.settings, rows.schema, &table);
        let chosen = search.run(progress);
        let bins = Bins::of(&table.columns);
        let fitted = Rows::new(&table, &bins);
        let from_rate = fitted.log_odds();
        let from_logistic =
            chosen.penalty.map(|penalty| fitted.weighted_sum(&weighted_sum(&table, penalty), &table.columns, &bins));
        progress.begin("boosted: fit", chosen.members.iter().map(|member| member.n_trees as u64).sum());
        let grow = |member: &Member| {
            let start = match (member.candidate.start, &from_logistic) {
                (StartFrom::Logistic, Some(start)) => start,
                _ => &from_rate,
            };
            let stop = Stop { most_trees: member.n_trees, check: None };
            boost(&fitted, &bins, start, search.growth(&member.candidate), stop, || progress.advance(1))
        };
        let grown: Vec<Boosting> = chosen.members.iter().map(grow).collect();
        progress.end();
        let (base, trees) = mean(grown);
        let trees = Trees::new(table.n_cols(), base, Link::Logit, trees);
        let trees = trees.map_err(|source| LearnError::Model { learner: LearnerName::Boosted, source })?;
        checked(LearnerName::Boosted, Model::Trees(trees))
    }
}

/// Base and trees whose logit is the mean of those of `members`.
fn mean(mut members: Vec<Boosting>) -> (f32, Vec<Tree>) {
    let share = 1.0 / members.len() as f32;
    let base = members.iter().map(|member| member.base).sum::<f32>() * share;
    let mut trees: Vec<Tree> = members.iter_mut().flat_map(|member| std::mem::take(&mut member.trees)).collect();
    for node in trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let Node::Leaf { value } = node {
            *value *= share;
        }
    }
    (base, trees)
}

/// The search for the best way to boost a table.
struct Search<'a> {
    settings: &'a Settings,
    table: &'a Table,
    /// The declared directions as the outcome sees them, one a feature.
    declared: Vec<Monotone>,
    free: Vec<Monotone>,
}

/// What a search found.
struct Chosen {
    /// The model is their mean: what held-out rows hardly tell apart errs in different places. At least one.
    members: Vec<Member>,
    /// Of the logistic model, where a member starts from one.
    penalty: Option<Penalty>,
}

/// One boosted model.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Member {
    candidate: Candidate,
    n_trees: usize,
}

impl<'a> Search<'a> {
    fn new(settings: &'a Settings, schema: &FeatureSchema, table: &'a Table) -> Self {
        let direction = |good: Option<Direction>| match good {
            None => Monotone::Free,
            Some(good) if (good == Direction::Up) == settings.outcome.is_good() => Monotone::Rising,
            Some(_) => Monotone::Falling,
        };
        let declared = schema.features().iter().map(|feature| direction(feature.good)).collect();
        Self { settings, table, declared, free: vec![Monotone::Free; table.n_cols()] }
    }

    fn growth<'b>(&'b self, candidate: &'b Candidate) -> Growth<'b> {
        let monotone = if candidate.follows_directions { &self.declared } else { &self.free };
        Growth { recipe: &candidate.recipe, monotone, seed: self.settings.seed }
    }

    /// The candidates and numbers of trees with the least held-out losses; the given recipe, where there is one.
    fn run(&self, progress: &dyn Progress) -> Chosen {
        let most_trees = (self.settings.boosted_trees as usize).max(1);
        let plain = |recipe: Recipe, n_trees: usize| {
            let follows_directions = self.settings.directions != Directions::Ignored;
            let candidate = Candidate { follows_directions, ..Candidate::declared(recipe) };
            Chosen { members: vec![Member { candidate, n_trees }], penalty: None }
        };
        if let Some(recipe) = self.settings.recipe {
            return plain(recipe, most_trees);
        }
        let folds = folds(self.table, self.settings.purge_days);
        if folds.is_empty() {
            return plain(Recipe::USUAL, USUAL_TREES.min(most_trees));
        }
        let candidates = self.affordable(&folds);
        let penalty = candidates
            .iter()
            .any(|candidate| candidate.start == StartFrom::Logistic)
            .then(|| choose(self.table, self.settings.purge_days, 0.0, progress).penalty);
        let curves = self.curves(&folds, &candidates, penalty, progress);
        let n_fit = folds.iter().map(|fold| fold.fit.len()).sum::<usize>() as f64 / folds.len() as f64;
        // More rows bear more trees, but not in proportion.
        let scale = (self.table.n_rows() as f64 / n_fit).sqrt().min(1.5);
        let scaled = |n_trees: usize| ((n_trees as f64 * scale).round() as usize).clamp(1, most_trees);
        let member = |best: Best| Member { candidate: candidates[best.candidate], n_trees: scaled(best.n_trees) };
        let is_in_doubt = |one: Best, first: Best| {
            let losses = [one, first].map(|of| self.row_losses(&folds, &candidates[of.candidate], of.n_trees, penalty));
            is_within_an_error(&losses)
        };
        let members: Vec<Member> = best(&curves, &candidates, is_in_doubt).into_iter().map(member).collect();
        let starts_from_logistic = members.iter().any(|member| member.candidate.start == StartFrom::Logistic);
        Chosen { members, penalty: penalty.filter(|_| starts_from_logistic) }
    }

    /// The candidates that differ for this table and that the budget of seconds pays for, at least one. Prices follow from
    /// the shape of the table and no clock is read: what is learnt must not depend on how fast or busy a machine is.
    fn affordable(&self, folds: &[Fold]) -> Vec<Candidate> {
        let n_cells = folds.iter().map(|fold| fold.fit.len()).sum::<usize>() * self.table.n_cols();
        let price = |recipe: &Recipe| {
            let n_trees = f64::from(self.settings.boosted_trees).min(10.0 / recipe.learning_rate);
            n_trees * (n_cells as f64 * SECONDS_A_CELL_AND_TREE + folds.len() as f64 * SECONDS_A_TREE)
        };
        let mut left = self.settings.search_seconds;
        let affords = |candidate: &Candidate| {
            left -= price(&candidate.recipe);
            left >= 0.0
        };
        let none_is_declared = self.declared == self.free;
        let directions = if none_is_declared { Directions::Ignored } else { self.settings.directions };
        let mut candidates = Candidate::under(directions);
        let n_affordable = candidates.iter().copied().take_while(affords).count().max(1);
        candidates.truncate(n_affordable);
        candidates
    }

    /// The held-out losses after each tree, for each fold one curve a candidate.
    fn curves(
        &self,
        folds: &[Fold],
        candidates: &[Candidate],
        penalty: Option<Penalty>,
        progress: &dyn Progress,
    ) -> Vec<Curves> {
        progress.begin("boosted: choose", (candidates.len() * folds.len()) as u64);
        let of_fold = |fold: &Fold| {
            let held_out = HeldOut::new(self.table, fold, penalty);
            let curve = |candidate: &Candidate| {
                let losses = held_out.losses(candidate.start, self.growth(candidate), self.settings.boosted_trees);
                progress.advance(1);
                losses
            };
            let losses = if self.is_large() {
                candidates.iter().map(curve).collect()
            } else {
                candidates.par_iter().map(curve).collect()
            };
            Curves { n_checked: fold.check.len(), of_rate: held_out.check.loss(&held_out.from_rate), losses }
        };
        let curves =
            if self.is_large() { folds.iter().map(of_fold).collect() } else { folds.par_iter().map(of_fold).collect() };
        progress.end();
        curves
    }

    /// The loss of each held-out row, with its group, fold by fold.
    fn row_losses(
        &self,
        folds: &[Fold],
        candidate: &Candidate,
        n_trees: usize,
        penalty: Option<Penalty>,
    ) -> Vec<(u64, f64)> {
        let of_fold = |fold: &Fold| {
            let held_out = HeldOut::new(self.table, fold, penalty);
            let logits = held_out.boosting(candidate.start, self.growth(candidate), n_trees, n_trees).checked;
            let loss = |(&row, logit): (&usize, f32)| {
                let z = f64::from(if self.table.y[row] { -logit } else { logit });
                (self.table.group[row], self.table.weight(row) * (z.max(0.0) + (-z.abs()).exp().ln_1p()))
            };
            fold.check.iter().zip(logits).map(loss).collect::<Vec<_>>()
        };
        folds.iter().flat_map(of_fold).collect()
    }

    fn is_large(&self) -> bool {
        self.table.n_rows() * self.table.n_cols() >= CELLS_FOR_THREADS
    }
}

/// A fold as bins that know nothing of the rows held out.
struct HeldOut {
    bins: Bins,
    fit: Rows,
    check: Rows,
    from_rate: Start,
    from_logistic: Option<Start>,
}

impl HeldOut {
    fn new(table: &Table, fold: &Fold, penalty: Option<Penalty>) -> Self {
        let (fit, check) = (table.select(&fold.fit), table.select(&fold.check));
        let bins = Bins::of(&fit.columns);
        let rows = Rows::new(&fit, &bins);
        let from_logistic = penalty.map(|penalty| rows.weighted_sum(&weighted_sum(&fit, penalty), &fit.columns, &bins));
        Self { check: Rows::new(&check, &bins), from_rate: rows.log_odds(), from_logistic, fit: rows, bins }
    }

    /// The log loss on the held-out rows after each tree, until it has stopped falling.
    fn losses(&self, start: StartFrom, growth: Growth<'_>, most_trees: u32) -> Vec<f64> {
        self.boosting(start, growth, (most_trees as usize).max(1), PATIENCE).losses
    }

    fn boosting(&self, start: StartFrom, growth: Growth<'_>, most_trees: usize, patience: usize) -> Boosting {
        let start = match (start, &self.from_logistic) {
            (StartFrom::Logistic, Some(start)) => start,
            _ => &self.from_rate,
        };
        let stop = Stop { most_trees, check: Some((&self.check, patience)) };
        boost(&self.fit, &self.bins, start, growth, stop, || ())
    }
}

/// The held-out losses of a fold.
struct Curves {
    n_checked: usize,
    /// Of the base rate.
    of_rate: f64,
    /// After each tree, one curve a candidate.
    losses: Vec<Vec<f64>>,
}

/// A candidate's least mean loss over the held-out rows of all folds, and after how many trees it has it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Best {
    candidate: usize,
    n_trees: usize,
    loss: f64,
}

/// Of each kind of candidate the best one, as far as it is within [`REACH`] of the best of all, which comes first, or is
/// better than the base rate and `is_in_doubt` says that the rows can't tell the two apart.
fn best(curves: &[Curves], candidates: &[Candidate], is_in_doubt: impl Fn(Best, Best) -> bool) -> Vec<Best> {
    let n_checked: usize = curves.iter().map(|fold| fold.n_checked).sum();
    let mean = |loss_of: &dyn Fn(&Curves) -> f64| {
        curves.iter().map(|fold| fold.n_checked as f64 * loss_of(fold)).sum::<f64>() / n_checked as f64
    };
    let best_of = |candidate: usize| {
        let n_trees = curves.iter().map(|fold| fold.losses[candidate].len()).min().unwrap_or(0);
        let at = |tree: usize| Best { candidate, n_trees: tree + 1, loss: mean(&|fold| fold.losses[candidate][tree]) };
        (0..n_trees).map(at).filter(|best| best.loss.is_finite()).min_by(|a, b| a.loss.total_cmp(&b.loss))
    };
    let mut in_order: Vec<Best> = (0..candidates.len()).filter_map(best_of).collect();
    in_order.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    let Some(&first) = in_order.first() else {
        return vec![Best { candidate: 0, n_trees: 1, loss: f64::INFINITY }];
    };
    let of_rate = mean(&|fold| fold.of_rate);
    let most = first.loss + REACH * (of_rate - first.loss).max(0.0);
    let mut kinds: Vec<Best> = Vec::new();
    for one in in_order {
        if kinds.iter().all(|taken| !candidates[taken.candidate].is_like(&candidates[one.candidate])) {
            kinds.push(one);
        }
    }
    kinds.retain(|&one| one.loss <= most || (one.loss < of_rate && is_in_doubt(one, first)));
    kinds
}

/// Whether the mean difference of two candidates' losses on the same rows is within its standard error, groups kept
/// together: the one-standard-error rule of Breiman et al. (1984), on paired differences.
fn is_within_an_error([one, first]: &[Vec<(u64, f64)>; 2]) -> bool {
    let differences = || one.iter().zip(first).map(|((group, a), (_, b))| (*group, a - b));
    let mean = differences().map(|(_, difference)| difference).sum::<f64>() / one.len() as f64;
    let mut of_group: BTreeMap<u64, f64> = BTreeMap::new();
    for (group, difference) in differences() {
        *of_group.entry(group).or_default() += difference - mean;
    }
    let error = of_group.values().map(|sum| sum * sum).sum::<f64>().sqrt() / one.len() as f64;
    mean <= error
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is best of candidates 0 and 1, which are alike, and 2, which is not; folds give the number of rows and the
    /// curves, the base rate has a loss of 1.
    fn check_best(folds: &[(usize, [&[f64]; 3])], expected: &[(usize, usize)]) {
        let fold = |&(n_checked, losses): &(usize, [&[f64]; 3])| Curves {
            n_checked,
            of_rate: 1.0,
            losses: losses.iter().map(|curve| curve.to_vec()).collect(),
        };
        let curves: Vec<Curves> = folds.iter().map(fold).collect();
        let free = Candidate { follows_directions: false, ..Candidate::declared(Recipe::USUAL) };
        let candidates = [free, free, Candidate::declared(Recipe::USUAL)];
        let found: Vec<(usize, usize)> =
            best(&curves, &candidates, |_, _| false).into_iter().map(|best| (best.candidate, best.n_trees)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_best_have_the_least_mean_loss_over_held_out_rows() {
        check_best(
            &[(1, [&[0.9, 0.7, 0.8], &[0.8, 0.6, 0.1], &[0.9]]), (1, [&[0.9, 0.8], &[0.7, 0.75], &[0.9]])],
            &[(1, 2)],
        );
        check_best(&[(1, [&[0.9, 0.1], &[0.9], &[0.9]]), (3, [&[0.2, 0.5], &[0.9], &[0.9]])], &[(0, 1)]);
        check_best(&[(1, [&[f64::NAN, 0.5, 0.4], &[0.1, 0.3, 0.5], &[f64::NAN]])], &[(1, 1)]);
        check_best(&[(1, [&[], &[], &[]])], &[(0, 1)]);
    }

    #[test]
    fn another_kind_within_reach_of_the_best_is_taken_too() {
        check_best(&[(1, [&[0.5], &[0.51], &[0.54]])], &[(0, 1), (2, 1)]);
        check_best(&[(1, [&[0.56], &[0.54], &[0.5]])], &[(2, 1), (1, 1)]);
        check_best(&[(1, [&[0.5], &[0.51], &[0.58]])], &[(0, 1)]);
        // Nothing foretells anything.
        check_best(&[(1, [&[1.2], &[1.3], &[1.3]])], &[(0, 1)]);
    }

    #[test]
    fn what_rows_cannot_tell_apart_is_within_an_error() {
        let check = |differences: &[(u64, f64)], expected: bool| {
            let first: Vec<(u64, f64)> = differences.iter().map(|&(group, _)| (group, 0.5)).collect();
            let one = differences.iter().map(|&(group, difference)| (group, 0.5 + difference)).collect();
            assert_eq!(is_within_an_error(&[one, first]), expected, "{differences:?}");
        };
        // By hand: the mean is 0.1, its error sqrt(2 * 0.2^2) / 2 of groups that differ by 0.4, and 0 of two that are equal.
        check(&[(1, 0.3), (2, -0.1)], true);
        check(&[(1, 0.1), (2, 0.1)], false);
        // Rows of one group are one observation: their differences cancel.
        check(&[(1, 0.3), (1, -0.1), (2, 0.3), (2, -0.1)], false);
        check(&[(1, -0.1), (2, -0.1)], true);
    }

    #[test]
    fn the_logit_of_a_mean_is_the_mean_of_the_logits() {
        let leaf = |value: f32| Tree { nodes: vec![Node::Leaf { value }] };
        let member = |base: f32, values: &[f32]| Boosting {
            base,
            trees: values.iter().map(|&value| leaf(value)).collect(),
            losses: Vec::new(),
            checked: Vec::new(),
        };
        let (base, trees) = mean(vec![member(-1.0, &[0.5, 0.25]), member(-2.0, &[1.0])]);
        assert_eq!((base, trees), (-1.5, vec![leaf(0.25), leaf(0.125), leaf(0.5)]));
    }

    #[test]
    fn the_budget_pays_for_candidates_by_the_shape_of_the_table() {
        let n_affordable = |n_cols: usize, n_fit: usize, search_seconds: f64| {
            let settings = Settings { search_seconds, ..Settings::default() };
            let table = Table {
                columns: vec![Vec::new(); n_cols],
                y: Vec::new(),
                weights: None,
                day: Vec::new(),
                group: Vec::new(),
            };
            let (declared, free) = (vec![Monotone::Rising; n_cols], vec![Monotone::Free; n_cols]);
            let search = Search { settings: &settings, table: &table, declared, free };
            search.affordable(&[Fold { fit: (0..n_fit).collect(), check: vec![0] }]).len()
        };
        assert_eq!(n_affordable(10, 1_000, 60.0), Candidate::under(Directions::Tried).len());
        assert_eq!(n_affordable(60, 5_000_000, 60.0), 1);
        assert_eq!(n_affordable(60, 500_000, 0.0), 1);
        let rising: Vec<usize> = [10.0, 25.0, 50.0].map(|seconds| n_affordable(60, 500_000, seconds)).into();
        assert!(rising.is_sorted_by(|a, b| a < b), "{rising:?}");
    }
}
