//! A backtest in tables: all of it for a page, as much as a terminal holds for a terminal.

use bellwether_evaluate::backtest::{
    AS_CHOSEN, LearnerTest, LearningCurve, OriginResult, PooledResult, Stability, Window,
};
use bellwether_evaluate::guide::AblationFinding;

use crate::number::{NO_EVIDENCE, NOTHING, Number, p_value};
use crate::table::{Align, Cell, Table};
use crate::tables::{AUC, LOSS, SLOPE, share};

/// Gains of AUC.
const GAIN: Number = Number::Signed(3);
/// Gains of a loss.
const LOSS_GAIN: Number = Number::Signed(4);

/// How an origin is called.
pub(crate) fn origin_name(window: &Window) -> String {
    match window {
        Window::Time { test, .. } => test.0.to_string(),
        Window::Fold { repeat, fold, .. } => format!("fold {repeat}.{fold}"),
    }
}

/// What was learnt from and tested on at each origin.
pub(crate) fn origins(origins: &[OriginResult]) -> Table {
    let mut table = Table::new(&[
        ("origin", Align::Left),
        ("last test day", Align::Left),
        ("training to", Align::Left),
        ("training rows", Align::Right),
        ("training accounts", Align::Right),
        ("test rows", Align::Right),
        ("test accounts", Align::Right),
        ("events", Align::Right),
        ("taken", Align::Left),
    ]);
    for origin in origins {
        let (last, training_to, n_training, n_accounts) = match &origin.window {
            Window::Time { test, training_to, n_training, n_training_accounts, .. } => {
                (test.1.to_string(), training_to.to_string(), *n_training, *n_training_accounts)
            }
            Window::Fold { n_training, n_training_accounts, .. } => {
                (NOTHING.to_owned(), NOTHING.to_owned(), *n_training, *n_training_accounts)
            }
        };
        table.row([
            Cell::Own(origin_name(&origin.window)),
            Cell::Own(last),
            Cell::Own(training_to),
            Cell::count(n_training),
            Cell::count(n_accounts),
            Cell::count(origin.n),
            Cell::count(origin.n_accounts),
            Cell::count(origin.n_events),
            Cell::words(origin.chosen.as_deref().unwrap_or(NO_LABELS)),
        ]);
    }
    table
}

/// What stands for an origin of which no label is known.
const NO_LABELS: &str = "no label known yet";

/// Each learner at each origin.
pub(crate) fn over_time(origins: &[OriginResult]) -> Table {
    let mut table = Table::new(&[
        ("origin", Align::Left),
        ("days", Align::Right),
        ("accounts", Align::Right),
        ("events", Align::Right),
        ("learner", Align::Left),
        ("AUC [95 %]", Align::Right),
        ("PR AUC", Align::Right),
        ("log loss", Align::Right),
        ("Brier", Align::Right),
        ("slope", Align::Right),
    ]);
    for origin in origins {
        let days = match &origin.window {
            Window::Time { n_test_days, .. } => Cell::count(*n_test_days),
            Window::Fold { .. } => NOTHING.into(),
        };
        let mut head = [
            Cell::Own(origin_name(&origin.window)),
            days,
            Cell::count(origin.n_accounts),
            Cell::count(origin.n_events),
        ];
        if origin.learners.is_empty() {
            let nothing = [const { Cell::Own(String::new()) }; 5];
            table.row(head.into_iter().chain([NO_LABELS.into()]).chain(nothing));
            continue;
        }
        for learner in &origin.learners {
            table.row(head.into_iter().chain(learner_cells(learner, origin.chosen.as_deref())));
            head = [const { Cell::Own(String::new()) }; 4];
        }
    }
    table
}

/// Which learner was taken is marked.
fn learner_cells(learner: &LearnerTest, chosen: Option<&str>) -> [Cell; 6] {
    let mark = if chosen == Some(&learner.learner) { " *" } else { "" };
    let test = &learner.test;
    let value =
        |number: Number, value: Option<f64>| Cell::Own(value.map_or(NOTHING.to_owned(), |value| number.of(value)));
    [
        Cell::words(&format!("{}{mark}", learner.learner)),
        AUC.evidence(test.enough_evidence, &test.roc_auc).into(),
        value(AUC, test.pr_auc.value),
        value(LOSS, test.log_loss.value),
        value(LOSS, test.brier.value),
        value(SLOPE, test.calibration_slope.value.filter(|_| test.enough_evidence)),
    ]
}

/// Each learner, and the procedure, over all origins.
pub(crate) fn pooled(result: &PooledResult) -> Table {
    let mut table = Table::new(&[
        ("all origins", Align::Left),
        ("AUC within origins [95 %]", Align::Right),
        ("minus as chosen [95 %]", Align::Right),
        ("p (Holm)", Align::Right),
        ("PR AUC", Align::Right),
        ("log loss", Align::Right),
        ("Brier", Align::Right),
        ("slope", Align::Right),
    ]);
    for learner in &result.learners {
        let test = &learner.test;
        let value = |number: Number, value: Option<f64>| Cell::number(number, value);
        let (difference, p) = learner.auc_minus_chosen.as_ref().map_or_else(
            || (NOTHING.to_owned(), NOTHING.to_owned()),
            |of| (GAIN.evidence(test.enough_evidence, &of.difference), p_value(learner.p_holm)),
        );
        table.row([
            Cell::words(&learner.learner),
            AUC.evidence(test.enough_evidence, &learner.auc_within).into(),
            difference.into(),
            p.into(),
            value(AUC, test.pr_auc.value),
            value(LOSS, test.log_loss.value),
            value(LOSS, test.brier.value),
            value(SLOPE, test.calibration_slope.value),
        ]);
    }
    table
}

/// The pooled metrics that have intervals, for a page.
pub(crate) fn pooled_intervals(result: &PooledResult) -> Table {
    let mut table = Table::new(&[
        ("all origins", Align::Left),
        ("PR AUC [95 %]", Align::Right),
        ("log loss [95 %]", Align::Right),
        ("log loss minus as chosen [95 %]", Align::Right),
        ("Brier [95 %]", Align::Right),
        ("calibration slope [95 %]", Align::Right),
    ]);
    for learner in &result.learners {
        let (test, enough) = (&learner.test, learner.test.enough_evidence);
        let difference = learner.log_loss_minus_chosen.as_ref();
        let difference = difference.map_or(NOTHING.to_owned(), |of| LOSS_GAIN.evidence(enough, &of.difference));
        table.row([
            Cell::words(&learner.learner),
            AUC.evidence(enough, &test.pr_auc).into(),
            LOSS.evidence(enough, &test.log_loss).into(),
            difference.into(),
            LOSS.evidence(enough, &test.brier).into(),
            SLOPE.evidence(enough, &test.calibration_slope).into(),
        ]);
    }
    table
}

/// Ranks by AUC; the procedure has none.
pub(crate) fn ranks(stability: &Stability) -> Table {
    let mut table = Table::new(&[
        ("learner", Align::Left),
        ("mean rank by AUC", Align::Right),
        ("first in", Align::Right),
        ("taken at", Align::Right),
    ]);
    for learner in stability.learners.iter().filter(|learner| learner.learner != AS_CHOSEN) {
        table.row([
            Cell::words(&learner.learner),
            Cell::number(Number::Fixed(2), learner.mean_rank),
            Cell::number(Number::Percent, learner.share_first),
            crate::words::many(learner.n_chosen, "origin").into(),
        ]);
    }
    table
}

/// What each group of features adds.
pub(crate) fn ablation(findings: &[AblationFinding]) -> Table {
    let mut table = Table::new(&[
        ("without", Align::Left),
        ("features", Align::Right),
        ("AUC gained [95 %]", Align::Right),
        ("log loss gained [95 %]", Align::Right),
        ("p (Holm)", Align::Right),
        ("the group", Align::Left),
    ]);
    for of in findings {
        let least = of.p_holm.into_iter().flatten().reduce(f64::min);
        let verdict = of.reason.as_deref().unwrap_or(of.verdict.text());
        let gain = |number: Number, of: &bellwether_evaluate::PairedDifference| {
            Cell::Own(of.difference.value.map_or(NOTHING.to_owned(), |_| number.estimate(&of.difference)))
        };
        table.row([
            Cell::name(&of.group),
            Cell::count(of.n_features),
            gain(GAIN, &of.auc_gain),
            gain(LOSS_GAIN, &of.log_loss_gain),
            least.map_or(NOTHING.to_owned(), |least| p_value(Some(least))).into(),
            Cell::words(verdict),
        ]);
    }
    table
}

/// What each share of the training accounts gives.
pub(crate) fn curve(curve: &LearningCurve) -> Table {
    let mut table = Table::new(&[
        ("of the accounts", Align::Right),
        ("accounts", Align::Right),
        ("events", Align::Right),
        ("AUC within origins [95 %]", Align::Right),
        ("log loss [95 %]", Align::Right),
        ("", Align::Left),
    ]);
    for point in &curve.points {
        let value = |number: Number, of: &bellwether_evaluate::Estimate| {
            Cell::Own(of.value.map_or(NO_EVIDENCE.to_owned(), |_| number.estimate(of)))
        };
        table.row([
            share(point.share).into(),
            Cell::count(point.n_accounts),
            Cell::count(point.n_events),
            value(AUC, &point.auc),
            value(LOSS, &point.log_loss),
            Cell::words(point.reason.as_deref().unwrap_or("")),
        ]);
    }
    table
}
