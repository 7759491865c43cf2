//! Weights from history: what each way gives, and whether it helps on later rows (requirements.md 1.10).

use bellwether_evaluate::Estimate;
use bellwether_health::{Finding, IndicatorEvidence, LOOK_BACK_DAYS, WeightsFrom};

use crate::markdown::{bullets, escape};
use crate::number::{NOTHING, Number};
use crate::table::{Align, Cell, Table};
use crate::tables::AUC;

/// Ways to the weights of the scorecard's base card, each learnt on training rows and tried on test rows.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightsReport {
    /// Whose weights the scorecard has.
    pub used: WeightsFrom,
    /// The days within which churn counts.
    pub horizon_days: u32,
    /// Who was looked at, with their scores under the weights that are used.
    pub look_back: Vec<LookBackRow>,
    /// The declared weights first.
    pub ways: Vec<WeightsWay>,
}

/// The scores of some accounts, a row each.
#[derive(Debug, Clone, PartialEq)]
pub struct LookBackRow {
    /// Who they are.
    pub who: &'static str,
    /// How many.
    pub n_accounts: usize,
    /// Their mean score; `None` where there are none.
    pub mean_score: Option<f64>,
    /// How many are red, yellow and green.
    pub by_band: [usize; 3],
}

/// One way to weights.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightsWay {
    /// Which.
    pub way: WeightsFrom,
    /// What it found and how that does on test rows; or why it found nothing.
    pub found: Result<WeightsTest, String>,
}

/// Weights, and how they do on test rows.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightsTest {
    /// By indicator.
    pub evidence: Vec<IndicatorEvidence>,
    /// AUC of a low score for churn.
    pub auc: Estimate,
    /// That, minus the declared weights'.
    pub minus_declared: Estimate,
    /// Red rows.
    pub n_red: usize,
    /// The share of red rows that churned.
    pub red_precision: Estimate,
    /// The share of what churned that was red.
    pub red_recall: Estimate,
    /// Whether enough rows churned, and enough did not, for a verdict.
    pub enough_evidence: bool,
}

/// The share of red accounts that is to churn (requirements.md K-06).
const PRECISION_TARGET: f64 = 0.7;

/// All of it.
pub(crate) fn section(report: &WeightsReport) -> String {
    let days = report.horizon_days;
    let mut parts = vec![format!(
        "### Weights from history\n\n\
         The scorecard's weights are `{}`. Each way's weights are those of the base card, learnt on training rows and tried \
         on test rows, where nothing was learnt: the scorecard as it is, but for them and without bands by cohort.\n",
        report.used.name(),
    )];
    parts.push(format!(
        "Accounts that churned in the last {LOOK_BACK_DAYS} days of training, at the snapshot nearest to {days} days \
         before, and the others at their last one:\n\n{}",
        look_back(&report.look_back)
    ));
    parts.push(shares(&report.ways));
    parts.extend(findings(&report.ways));
    parts.push(tests(report));
    parts.push(bullets(report.ways.iter().map(|way| sentence(way, report.used))));
    parts.push(
        "Intervals are not corrected for how many ways there are. Who takes the best way of this table has chosen on test \
         rows: only rows of later months can then say how good it is.\n"
            .to_owned(),
    );
    parts.join("\n")
}

fn look_back(rows: &[LookBackRow]) -> String {
    let mut table = Table::new(&[
        ("accounts", Align::Left),
        ("number", Align::Right),
        ("mean score", Align::Right),
        ("red", Align::Right),
        ("yellow", Align::Right),
        ("green", Align::Right),
    ]);
    for row in rows {
        let share = |band: usize| {
            let share = (row.n_accounts > 0).then(|| row.by_band[band] as f64 / row.n_accounts as f64);
            Cell::number(Number::Percent, share)
        };
        let mean = Cell::number(Number::Fixed(1), row.mean_score);
        table.row([row.who.into(), Cell::count(row.n_accounts), mean, share(0), share(1), share(2)]);
    }
    table.markdown()
}

/// The weights by indicator and way.
fn shares(ways: &[WeightsWay]) -> String {
    let found: Vec<(WeightsFrom, &WeightsTest)> =
        ways.iter().filter_map(|of| Some((of.way, of.found.as_ref().ok()?))).collect();
    let columns = found.iter().map(|(way, _)| (way.name(), Align::Right));
    let mut table = Table::new(&[("weight of", Align::Left)].into_iter().chain(columns).collect::<Vec<_>>());
    for (place, of) in found.first().map_or(&[][..], |(_, test)| &test.evidence).iter().enumerate() {
        let share = |(_, test): &(WeightsFrom, &WeightsTest)| {
            Cell::number(Number::Fixed(1), test.evidence.get(place).map(|of| of.after))
        };
        table.row([Cell::name(&of.name)].into_iter().chain(found.iter().map(share)));
    }
    table.markdown()
}

/// What the weights follow from; `None` where history says nothing.
fn findings(ways: &[WeightsWay]) -> Option<String> {
    let of_way = |way: WeightsFrom| {
        let found = ways.iter().find(|of| of.way == way).and_then(|of| of.found.as_ref().ok());
        found.map_or(&[][..], |test| &test.evidence)
    };
    let (weak, correlation, logistic) =
        (of_way(WeightsFrom::Doubled), of_way(WeightsFrom::Correlation), of_way(WeightsFrom::Logistic));
    let longest = [weak, correlation, logistic].into_iter().max_by_key(|of| of.len()).filter(|of| !of.is_empty())?;
    let mut table = Table::new(&[
        ("indicator", Align::Left),
        ("weak among churned", Align::Right),
        ("among others", Align::Right),
        ("difference, 95 %", Align::Right),
        ("weak", Align::Left),
        ("correlation with staying", Align::Right),
        ("coefficient of 100 points", Align::Right),
    ]);
    for (place, of) in longest.iter().enumerate() {
        let dash = || NOTHING.to_owned();
        let [churned, others, difference, is_weak] = weak.get(place).map_or_else(|| [(); 4].map(|()| dash()), weakness);
        let correlation = match correlation.get(place).map(|of| of.finding) {
            Some(Finding::Correlation(found)) => Number::Signed(3).or_undefined(found),
            _ => dash(),
        };
        let coefficient = match logistic.get(place).map(|of| of.finding) {
            Some(Finding::Regression(found)) => Number::Fixed(3).of(100.0 * found),
            _ => dash(),
        };
        let cells = [churned, others, difference, is_weak, correlation, coefficient].map(Cell::from);
        table.row([Cell::name(&of.name)].into_iter().chain(cells));
    }
    Some(format!(
        "An indicator is weak below 50 points; the weight of one that was weak for half of the churned or more, and clearly \
         more often than for the others, is doubled. Correlations are with having stayed; coefficients are those of a \
         logistic regression that has none below 0.\n\n{}",
        table.markdown()
    ))
}

/// Share of the churned, share of the others, interval of their difference, verdict.
fn weakness(of: &IndicatorEvidence) -> [String; 4] {
    let Finding::Weakness { n_churned, weak_churned, n_others, weak_others, difference, is_weak } = of.finding else {
        return [(); 4].map(|()| NOTHING.to_owned());
    };
    let share = |weak: u64, of: u64| Number::Percent.or_undefined((of > 0).then(|| weak as f64 / of as f64));
    let points = |x: f64| Number::Signed(1).of(100.0 * x);
    let between = difference.map(|(low, high)| format!("{} to {} points", points(low), points(high)));
    let is_weak = if is_weak { "yes" } else { "no" };
    [
        share(weak_churned, n_churned),
        share(weak_others, n_others),
        between.unwrap_or_else(|| NOTHING.to_owned()),
        is_weak.to_owned(),
    ]
}

fn tests(report: &WeightsReport) -> String {
    let mut table = Table::new(&[
        ("weights", Align::Left),
        ("AUC for churn, test [95 %]", Align::Right),
        ("minus declared, test [95 %]", Align::Right),
        ("red rows", Align::Right),
        ("of red, churned [95 %]", Align::Right),
        ("of churned, red [95 %]", Align::Right),
    ]);
    for way in &report.ways {
        let Ok(test) = &way.found else { continue };
        let minus = match way.way {
            WeightsFrom::Declared => NOTHING.to_owned(),
            _ => Number::Signed(4).estimate(&test.minus_declared),
        };
        table.row([
            way.way.name().into(),
            AUC.estimate(&test.auc).into(),
            minus.into(),
            Cell::count(test.n_red),
            Number::Percent.estimate(&test.red_precision).into(),
            Number::Percent.estimate(&test.red_recall).into(),
        ]);
    }
    table.markdown()
}

fn sentence(way: &WeightsWay, used: WeightsFrom) -> String {
    let name = way.way.name();
    let is_used = if way.way == used { " (used)" } else { "" };
    let test = match &way.found {
        Ok(test) => test,
        Err(why) => return format!("**{name}**{is_used}: {}.", escape(why)),
    };
    let red = format!(
        "of its red test rows {} churned, {} the {} % that is aimed at",
        Number::Percent.estimate(&test.red_precision),
        against_target(&test.red_precision),
        100.0 * PRECISION_TARGET
    );
    if way.way == WeightsFrom::Declared {
        return format!("**{name}**{is_used}: {red}.");
    }
    let change =
        format!("AUC {} against the declared weights on test rows", Number::Signed(4).estimate(&test.minus_declared));
    format!("**{name}**{is_used}: {}: {change}; {red}.", verdict(test))
}

fn verdict(test: &WeightsTest) -> &'static str {
    let WeightsTest { minus_declared, enough_evidence, .. } = test;
    match minus_declared.low.zip(minus_declared.high).filter(|_| *enough_evidence) {
        None => "not enough evidence",
        Some((0.0, 0.0)) => "it changes nothing",
        Some((low, _)) if low > 0.0 => "it helps",
        Some((_, high)) if high < 0.0 => "it harms",
        Some(_) => "no clear difference",
    }
}

fn against_target(precision: &Estimate) -> &'static str {
    match precision.low.zip(precision.high) {
        None => "not known to reach",
        Some((low, _)) if low >= PRECISION_TARGET => "at or above",
        Some((_, high)) if high < PRECISION_TARGET => "below",
        Some(_) => "not shown to reach",
    }
}
