//! What an evaluation says, in tables.

use bellwether_evaluate::{AtK, BandMetrics, CalibrationBin, CohortMetrics, Metrics, PairedDifference};

use crate::markdown::clean;
use crate::number::{NOTHING, Number, count, p_value};
use crate::table::{Align, Cell, Table, shortened};
use crate::training::LearnerRow;

/// AUCs, slopes' ends and the like.
pub(crate) const AUC: Number = Number::Fixed(3);
/// Losses.
pub(crate) const LOSS: Number = Number::Fixed(4);
/// Calibration slopes.
pub(crate) const SLOPE: Number = Number::Fixed(2);

/// How learners were chosen between, and how their rankings differ.
pub(crate) fn learners(rows: &[LearnerRow], chosen: &str) -> Table {
    let mut table = Table::new(&[
        ("learner", Align::Left),
        ("calibration", Align::Left),
        ("AUC, calibration part", Align::Right),
        ("log loss, calibration part", Align::Right),
        ("AUC, test [95 %]", Align::Right),
        ("AUC minus chosen, test [95 %]", Align::Right),
        ("p", Align::Right),
    ]);
    for row in rows {
        let p = row.difference.map_or_else(|| NOTHING.to_owned(), |of| p_value(of.p_value));
        table.row([
            Cell::name(&row.learner),
            Cell::words(&row.calibration),
            Cell::number(AUC, row.selection_auc),
            Cell::number(LOSS, row.selection_log_loss),
            AUC.evidence(row.test.enough_evidence, &row.test.roc_auc).into(),
            minus_chosen(row, chosen),
            p.into(),
        ]);
    }
    table
}

/// The learners' other metrics on the test part.
pub(crate) fn learners_on_test(rows: &[LearnerRow]) -> Table {
    let mut table = Table::new(&[
        ("learner, on test", Align::Left),
        ("rows", Align::Right),
        ("events", Align::Right),
        ("PR AUC [95 %]", Align::Right),
        ("log loss [95 %]", Align::Right),
        ("Brier [95 %]", Align::Right),
        ("calibration slope [95 %]", Align::Right),
    ]);
    for LearnerRow { learner, test, .. } in rows {
        let enough = test.enough_evidence;
        table.row([
            Cell::name(learner),
            Cell::count(test.n),
            Cell::count(test.n_events),
            AUC.evidence(enough, &test.pr_auc).into(),
            LOSS.evidence(enough, &test.log_loss).into(),
            LOSS.evidence(enough, &test.brier).into(),
            SLOPE.evidence(enough, &test.calibration_slope).into(),
        ]);
    }
    table
}

/// The same, as much of it as a terminal holds.
pub(crate) fn learners_in_short(rows: &[LearnerRow], chosen: &str) -> Table {
    let mut table = Table::new(&[
        ("learner", Align::Left),
        ("calibration", Align::Left),
        ("select loss", Align::Right),
        ("test AUC [95 %]", Align::Right),
        ("minus chosen [95 %]", Align::Right),
        ("test loss", Align::Right),
    ]);
    for row in rows {
        let loss = Some(row.test.log_loss.value).filter(|_| row.test.enough_evidence);
        table.row([
            Cell::name(&row.learner),
            Cell::words(&row.calibration),
            Cell::number(LOSS, row.selection_log_loss),
            AUC.evidence(row.test.enough_evidence, &row.test.roc_auc).into(),
            minus_chosen(row, chosen),
            loss.map_or_else(|| NOTHING.to_owned(), |loss| LOSS.or_undefined(loss)).into(),
        ]);
    }
    table
}

fn minus_chosen(row: &LearnerRow, chosen: &str) -> Cell {
    let difference = |of: PairedDifference| Number::Signed(3).evidence(row.test.enough_evidence, &of.difference);
    let of_other = || row.difference.map_or_else(|| NOTHING.to_owned(), difference);
    if row.learner == chosen { "(chosen)".into() } else { of_other().into() }
}

/// Every metric of `metrics` with what is ideal; with too little evidence, the values still stand, without intervals.
pub(crate) fn metrics(metrics: &Metrics) -> Table {
    let mut table =
        Table::new(&[("metric", Align::Left), ("value [95 % interval]", Align::Right), ("reading", Align::Left)]);
    for (name, value, reading) in [
        ("base rate", Number::Percent.estimate(&metrics.base_rate), "share of rows whose outcome came"),
        ("ROC AUC", AUC.estimate(&metrics.roc_auc), "0.5 is chance, 1 is perfect"),
        ("PR AUC", AUC.estimate(&metrics.pr_auc), "the base rate is chance, 1 is perfect"),
        ("log loss", LOSS.estimate(&metrics.log_loss), "nats a row, lower is better"),
        ("Brier score", LOSS.estimate(&metrics.brier), "lower is better"),
        ("Brier reliability", LOSS.or_undefined(metrics.brier_reliability), "part of Brier, 0 is calibrated"),
        ("Brier resolution", LOSS.or_undefined(metrics.brier_resolution), "part of Brier, higher is better"),
        ("Brier uncertainty", LOSS.or_undefined(metrics.brier_uncertainty), "part of Brier, set by the base rate"),
        ("calibration slope", SLOPE.estimate(&metrics.calibration_slope), "1 is ideal, below 1 is too extreme"),
        ("calibration intercept", SLOPE.estimate(&metrics.calibration_intercept), "0 is ideal, below 0 is too high"),
        ("calibration error (ECE)", LOSS.estimate(&metrics.ece), "mean gap over bins, 0 is ideal"),
    ] {
        table.row([Cell::from(name), value.into(), Cell::from(reading)]);
    }
    table
}

/// Precision, recall and lift of the top rows.
pub(crate) fn top(at_k: &[AtK]) -> Table {
    let mut table = Table::new(&[
        ("top", Align::Right),
        ("rows", Align::Right),
        ("precision [95 %]", Align::Right),
        ("recall [95 %]", Align::Right),
        ("lift [95 %]", Align::Right),
    ]);
    for at in at_k {
        table.row([
            share(at.share).into(),
            Cell::count(at.k),
            Number::Percent.estimate(&at.precision).into(),
            Number::Percent.estimate(&at.recall).into(),
            Number::Times.estimate(&at.lift).into(),
        ]);
    }
    table
}

/// A share that somebody chose, such as `10 %`.
pub(crate) fn share(share: f64) -> String {
    format!("{} %", crate::number::short(100.0 * share))
}

/// What became of each band's rows.
pub(crate) fn bands(by_band: &[BandMetrics]) -> Table {
    let mut table = Table::new(&[
        ("band", Align::Left),
        ("rows", Align::Right),
        ("of all", Align::Right),
        ("events", Align::Right),
        ("event rate [95 %]", Align::Right),
        ("of all events [95 %]", Align::Right),
        ("lift [95 %]", Align::Right),
    ]);
    for band in by_band {
        table.row([
            Cell::from(band.band.name()),
            Cell::count(band.n),
            Cell::number(Number::Percent, Some(band.share_of_rows)),
            Cell::count(band.n_events),
            Number::Percent.estimate(&band.event_rate).into(),
            Number::Percent.estimate(&band.recall).into(),
            Number::Times.estimate(&band.lift).into(),
        ]);
    }
    table
}

/// One line a cohort.
pub(crate) fn cohorts(cohorts: &[CohortMetrics]) -> Table {
    let mut table = Table::new(&[
        ("segment", Align::Left),
        ("level", Align::Left),
        ("rows", Align::Right),
        ("accounts", Align::Right),
        ("events", Align::Right),
        ("base rate [95 %]", Align::Right),
        ("AUC [95 %]", Align::Right),
        ("calibration slope [95 %]", Align::Right),
    ]);
    for CohortMetrics { dimension, level, metrics } in cohorts {
        table.row([
            Cell::name(dimension),
            Cell::name(level),
            Cell::count(metrics.n),
            Cell::count(metrics.n_accounts),
            Cell::count(metrics.n_events),
            Number::Percent.estimate(&metrics.base_rate).into(),
            AUC.evidence(metrics.enough_evidence, &metrics.roc_auc).into(),
            SLOPE.evidence(metrics.enough_evidence, &metrics.calibration_slope).into(),
        ]);
    }
    table
}

/// The same, as much of it as a terminal holds.
pub(crate) fn cohorts_in_short(cohorts: &[CohortMetrics]) -> Table {
    let mut table = Table::new(&[
        ("segment", Align::Left),
        ("level", Align::Left),
        ("rows", Align::Right),
        ("events", Align::Right),
        ("base rate [95 %]", Align::Right),
        ("AUC [95 %]", Align::Right),
        ("slope", Align::Right),
    ]);
    for CohortMetrics { dimension, level, metrics } in cohorts {
        let slope = metrics.calibration_slope.value.filter(|_| metrics.enough_evidence);
        table.row([
            Cell::Own(shortened(&clean(dimension), 12)),
            Cell::Own(shortened(&clean(level), 20)),
            Cell::count(metrics.n),
            Cell::count(metrics.n_events),
            Number::Percent.estimate(&metrics.base_rate).into(),
            AUC.evidence(metrics.enough_evidence, &metrics.roc_auc).into(),
            slope.map_or_else(|| NOTHING.to_owned(), |slope| SLOPE.of(slope)).into(),
        ]);
    }
    table
}

/// The calibration figure's bins.
pub(crate) fn bins(bins: &[CalibrationBin]) -> Table {
    let mut table = Table::new(&[
        ("bin", Align::Right),
        ("rows", Align::Right),
        ("events", Align::Right),
        ("predicted, mean", Align::Right),
        ("observed [95 %]", Align::Right),
    ]);
    for (place, bin) in (1_usize..).zip(bins) {
        table.row([
            Cell::from(count(place)),
            Cell::count(bin.n),
            bin.event_rate
                .value
                .map_or_else(|| NOTHING.into(), |rate| Cell::count((rate * bin.n as f64).round() as usize)),
            Cell::number(Number::Percent, Some(bin.mean_probability)),
            Number::Percent.estimate(&bin.event_rate).into(),
        ]);
    }
    table
}
