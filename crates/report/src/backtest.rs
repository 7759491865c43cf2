//! A backtest as text for a terminal, and as one page.

use std::fmt::Write as _;

use bellwether_evaluate::backtest::{Backtest, LearningCurve, Regret, Scheme, Stability, TargetBacktest, Window};

use crate::backtest_tables as tables;
use crate::figures::{BacktestFigure, draw_backtest};
use crate::markdown::{bullets, escape};
use crate::number::{Number, p_value};
use crate::words::{many, title};
use crate::{Rendered, ReportError, page};

/// Characters of a terminal's line.
const WIDEST: usize = 100;
/// How the pooled AUC is made.
const POOLED: &str = "AUC within origins: of all pairs of an event and a non-event of the same origin, the share ranked \
    right; its interval is by account, over all origins. The last line takes at each origin the learner that its \
    calibration part chose (*); p is corrected for all learners (Holm).";
/// How an ablation reads.
const ABLATION: &str = "Without a category: the learner chosen at each origin, fitted again without its features, on the \
    same rows; above 0 the category helps. p is the smaller of AUC's and log loss's, corrected for all categories and \
    both (Holm).";
/// What no interval of a backtest has.
const FITTED: &str = "Intervals are those of the fitted models on other accounts; models fitted on other training \
    accounts would differ too.";

/// The backtest as tables for a terminal of about 100 columns, without a line break at the end.
pub fn backtest_text(backtest: &Backtest) -> String {
    let mut parts = vec![wrapped(&scheme(backtest))];
    parts.extend(backtest.targets.iter().map(|of| of_target(of).join("\n\n")));
    let has = |is: fn(&TargetBacktest) -> bool| backtest.targets.iter().any(is);
    parts.extend(has(|of| of.pooled.is_some()).then(|| wrapped(POOLED)));
    parts.extend(has(|of| !of.ablation.is_empty()).then(|| wrapped(ABLATION)));
    parts.extend(has(|of| of.pooled.is_some()).then(|| wrapped(FITTED)));
    parts.join("\n\n")
}

/// The backtest as Markdown with figures, and as one page; equal ones give equal bytes.
///
/// # Errors
/// [`ReportError::Figure`] if a figure cannot be drawn.
pub fn render_backtest(backtest: &Backtest) -> Result<Rendered, ReportError> {
    let figures = draw_backtest(backtest)?;
    let heading = format!("{}: backtest", backtest.name);
    let facts =
        [("Splits", scheme(backtest)), ("Learners", backtest.learners.join(", ")), ("Seed", backtest.seed.to_string())];
    let facts = bullets(facts.iter().map(|(name, value)| format!("**{name}:** {}", escape(value))));
    let targets = backtest.targets.iter().map(chapter).collect::<Vec<_>>().concat();
    let markdown = format!("# {}\n\n{facts}{targets}", escape(&heading));
    let html = page::page(&heading, &markdown, &figures);
    Ok(Rendered { markdown, figures, html })
}

/// How rows were split, as a sentence.
fn scheme(backtest: &Backtest) -> String {
    let windows = backtest.targets.iter().flat_map(|of| &of.origins).map(|origin| &origin.window);
    let days: Vec<_> = windows
        .filter_map(|window| match window {
            Window::Time { test, .. } => Some(*test),
            Window::Fold { .. } => None,
        })
        .collect();
    match &backtest.scheme {
        Scheme::RollingOrigins { n_origins, purge_days, calibration_by } => {
            let first = days.iter().map(|test| test.0).min();
            let last = days.iter().map(|test| test.1).max();
            let span = first.zip(last).map_or_else(String::new, |(first, last)| format!(" from {first} to {last}"));
            format!(
                "{}: {} of rolling test windows{span}; training grows up to each, {purge_days} days of purge between \
                 parts, calibration rows held out by {calibration_by}",
                backtest.name,
                many(*n_origins, "origin"),
            )
        }
        Scheme::Folds { by, n_folds, n_repeats } => format!(
            "{}: {} by {by}, drawn {}: the split is not by time, so each {by} tests in one fold",
            backtest.name,
            many(*n_folds, "fold"),
            if *n_repeats == 1 { "once".to_owned() } else { many(*n_repeats, "time") },
        ),
    }
}

/// What a terminal says of a target.
fn of_target(of: &TargetBacktest) -> Vec<String> {
    let mut parts = vec![format!("{}\n{}", of.target, tables::over_time(&of.origins).text())];
    let Some(pooled) = &of.pooled else { return parts };
    parts.push(tables::pooled(pooled).text());
    parts.push(format!("{}\n{}", tables::ranks(&of.stability).text(), wrapped(&stability(&of.stability))));
    if !of.ablation.is_empty() {
        parts.push(tables::ablation(&of.ablation).text());
    }
    if let Some(curve) = &of.learning_curve {
        parts.push(format!("{}\n{}", tables::curve(curve).text(), wrapped(&more_data(curve))));
    }
    parts
}

/// `text` in lines of at most 100 characters, broken between words.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDEST {
            lines.push(word.to_owned());
            continue;
        }
        let blank = if line.is_empty() { "" } else { " " };
        line.extend([blank, word]);
    }
    lines.join("\n")
}

fn stability(of: &Stability) -> String {
    let mut sentences = Vec::new();
    if let Some((w, agreement)) = of.kendall_w.zip(of.agreement) {
        let w = Number::Fixed(2).of(w);
        sentences.push(format!("Kendall's W over {}: {w}, {}.", many(of.n_origins, "origin"), agreement.text()));
    } else {
        sentences.push("Kendall's W needs two origins and two learners that have an AUC.".to_owned());
    }
    let regret = |regret: &Regret, whose: &str| {
        let Regret { n, n_best, mean, worst } = regret;
        let (mean, worst) = (Number::Fixed(3).of(*mean), Number::Fixed(3).of(*worst));
        format!(
            "{whose} was the best on test rows at {n_best} of {n}; it cost {mean} of AUC in the mean, {worst} at worst."
        )
    };
    sentences.extend(of.regret.as_ref().map(|of| regret(of, "The learner chosen at an origin")));
    sentences.extend(of.regret_next.as_ref().map(|of| regret(of, "The learner chosen one origin earlier")));
    sentences.join(" ")
}

fn more_data(curve: &LearningCurve) -> String {
    let (auc, loss) = (&curve.last_auc_gain, &curve.last_log_loss_gain);
    format!(
        "From half to all: AUC {} (p {}), log loss gained {} (p {}). Is more data worth it? {}.",
        Number::Signed(3).estimate(&auc.difference),
        p_value(auc.p_value),
        Number::Signed(4).estimate(&loss.difference),
        p_value(loss.p_value),
        curve.verdict.text(),
    )
}

/// A target's chapter of the page.
fn chapter(of: &TargetBacktest) -> String {
    let image = |figure: BacktestFigure| {
        let description = figure.description(of.target);
        figure.is_defined(of).then(|| format!("![{}]({})\n", escape(&description), figure.file(of.target)))
    };
    let images = |figures: &[BacktestFigure]| figures.iter().copied().filter_map(image).collect::<Vec<_>>().concat();
    let mut text = format!(
        "\n## {}\n\n{}\n{}\n{}",
        title(of.target),
        tables::origins(&of.origins).markdown(),
        images(&[BacktestFigure::OverTime]),
        tables::over_time(&of.origins).markdown(),
    );
    let mut add = |heading: &str, parts: &[String]| {
        let _ = write!(text, "\n### {heading}\n\n{}", parts.join("\n"));
    };
    if let Some(pooled) = &of.pooled {
        let (pooled, intervals) = (tables::pooled(pooled).markdown(), tables::pooled_intervals(pooled).markdown());
        add("All origins", &[paragraph(&format!("{POOLED} {FITTED}")), pooled, intervals]);
        add(
            "Stability of the ranking",
            &[tables::ranks(&of.stability).markdown(), paragraph(&stability(&of.stability))],
        );
    }
    if !of.ablation.is_empty() {
        let table = tables::ablation(&of.ablation).markdown();
        add("What each category adds", &[paragraph(ABLATION), images(&[BacktestFigure::Ablation]), table]);
    }
    if let Some(curve) = &of.learning_curve {
        let figures = images(&[BacktestFigure::CurveAuc, BacktestFigure::CurveLogLoss]);
        add("Is more data worth it?", &[paragraph(&more_data(curve)), figures, tables::curve(curve).markdown()]);
    }
    text
}

fn paragraph(text: &str) -> String {
    format!("{}\n", escape(text))
}
