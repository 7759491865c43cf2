//! Origins put together: by hand, against what one sample gives, and on noise.

use bellwether_core::{Outcome, Quiet, Target};
use bellwether_evaluate::backtest::{
    BacktestOptions, CurveStep, LearnerRows, MoreData, OriginRows, Window, learning_curve, summarise,
};
use bellwether_evaluate::guide::{AblationVerdict, GuideOptions, LeftOut, ablation_findings};
use bellwether_evaluate::{
    EvaluateOptions, Paired, Scored, paired_auc_difference, pooled_auc, pooled_auc_difference,
    pooled_log_loss_difference, roc_auc,
};

const TARGET: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };

/// Rows of one origin: `signal` and noise as scores.
struct Drawn {
    signal: Vec<f64>,
    noise: Vec<f64>,
    outcome: Vec<bool>,
    account: Vec<u32>,
}

/// A number in `[0, 1)`. Source: splitmix64, Steele et al. (2014).
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Two rows of each of `n` accounts, whose true chance is in `signal`.
fn drawn(seed: u64, n: u32) -> Drawn {
    let mut state = seed;
    let mut all = Drawn { signal: Vec::new(), noise: Vec::new(), outcome: Vec::new(), account: Vec::new() };
    for row in 0..2 * n {
        let p = 0.05 + 0.5 * draw(&mut state);
        all.signal.push(p);
        // Near the truth, with an error of its own.
        all.noise.push((p + 0.1 * (draw(&mut state) - 0.5)).clamp(0.01, 0.99));
        all.outcome.push(draw(&mut state) < p);
        all.account.push(row / 2);
    }
    all
}

impl Drawn {
    fn scored<'a>(&'a self, probability: &'a [f64]) -> Scored<'a> {
        Scored { probability, outcome: &self.outcome, account: &self.account }
    }

    fn paired<'a>(&'a self, first: &'a [f64], second: &'a [f64]) -> Paired<'a> {
        Paired { scored: self.scored(first), other: second }
    }
}

#[test]
fn the_pooled_auc_counts_pairs_of_one_stratum() {
    let strata = [drawn(1, 30), drawn(2, 50)];
    let (mut right, mut pairs) = (0.0, 0.0);
    for of in &strata {
        for (&a, _) in of.signal.iter().zip(&of.outcome).filter(|&(_, &came)| came) {
            for (&b, _) in of.signal.iter().zip(&of.outcome).filter(|&(_, &came)| !came) {
                pairs += 1.0;
                right += if a > b { 1.0 } else { f64::from(u8::from(a == b)) / 2.0 };
            }
        }
    }
    let scored: Vec<Scored<'_>> = strata.iter().map(|of| of.scored(&of.signal)).collect();
    let found = pooled_auc(&scored, 0.95).expect("these are probabilities");
    let value = found.value.expect("both classes are there");
    assert!((value - right / pairs).abs() < 1e-12, "{value} {}", right / pairs);
    assert!(found.low < found.value && found.value < found.high);
}

#[test]
fn one_stratum_gives_what_one_sample_gives() {
    let of = drawn(3, 400);
    let pooled = pooled_auc_difference(&[of.paired(&of.signal, &of.noise)], 0.95).expect("valid");
    let whole = paired_auc_difference(&of.signal, &of.noise, &of.outcome, &of.account, 0.95).expect("valid");
    let (pooled, whole) = (pooled.difference, whole.difference);
    let near = |a: Option<f64>, b: Option<f64>, by: f64| (a.expect("defined") - b.expect("defined")).abs() < by;
    assert!(near(pooled.value, whole.value, 1e-12));
    // One has Student's quantile and one factor for small samples, the other the normal one and three.
    assert!(near(pooled.low, whole.low, 2e-4) && near(pooled.high, whole.high, 2e-4), "{pooled:?} {whole:?}");
}

/// The same rows twice say nothing more: accounts are told by their numbers over all strata.
#[test]
fn a_stratum_given_twice_does_not_narrow_the_interval() {
    let of = drawn(4, 200);
    let pair = of.paired(&of.signal, &of.noise);
    for difference in [pooled_auc_difference, pooled_log_loss_difference] {
        let (once, twice) =
            (difference(&[pair], 0.95).expect("valid"), difference(&[pair, pair], 0.95).expect("valid"));
        let width = |of: &bellwether_evaluate::PairedDifference| {
            of.difference.high.expect("defined") - of.difference.low.expect("defined")
        };
        assert!((width(&once) - width(&twice)).abs() < 1e-12);
    }
}

#[test]
fn a_stratum_of_one_class_has_no_say() {
    let (of, mut single) = (drawn(5, 100), drawn(6, 20));
    single.outcome.fill(false);
    let found = |strata: &[Scored<'_>]| pooled_auc(strata, 0.95).expect("valid");
    assert_eq!(found(&[of.scored(&of.signal), single.scored(&single.signal)]), found(&[of.scored(&of.signal)]));
    assert_eq!(found(&[single.scored(&single.signal)]).value, None);
}

fn window(fold: usize) -> Window {
    Window::Fold { repeat: 1, fold, n_training: 10, n_training_accounts: 5 }
}

fn origin(fold: usize, of: &Drawn, chosen: usize) -> OriginRows {
    let learner = |name: &str, probability: &[f64]| LearnerRows {
        learner: name.to_owned(),
        selection_auc: None,
        probability: probability.to_vec(),
    };
    OriginRows {
        window: window(fold),
        outcome: of.outcome.clone(),
        account: of.account.clone(),
        learners: if of.outcome.is_empty() {
            Vec::new()
        } else {
            vec![learner("signal", &of.signal), learner("noise", &of.noise)]
        },
        chosen,
    }
}

fn options() -> BacktestOptions {
    let evaluate = EvaluateOptions { n_bootstrap: 50, k_shares: Vec::new(), ..EvaluateOptions::default() };
    BacktestOptions { evaluate, ..BacktestOptions::default() }
}

#[test]
fn a_summary_holds_every_origin_and_the_procedure() {
    let strata = [drawn(7, 150), drawn(8, 150), drawn(9, 0)];
    let origins: Vec<OriginRows> = strata.iter().enumerate().map(|(k, of)| origin(k + 1, of, k % 2)).collect();
    let found = summarise(TARGET, &origins, &options(), &Quiet).expect("valid");
    assert_eq!(found.origins.iter().map(|origin| origin.n).collect::<Vec<_>>(), [300, 300, 0]);
    assert!(found.origins[2].learners.is_empty());
    let pooled = found.pooled.expect("labels are known");
    assert_eq!(pooled.n_origins, 2);
    let [signal, noise, procedure] = &pooled.learners[..] else { panic!("three") };
    assert_eq!([&*signal.learner, &*noise.learner, &*procedure.learner], ["signal", "noise", "as chosen"]);
    let auc = |of: &Drawn, scores: &[f64]| roc_auc(scores, &of.outcome).expect("both classes");
    let chosen = [auc(&strata[0], &strata[0].signal), auc(&strata[1], &strata[1].noise)];
    let (low, high) = (chosen[0].min(chosen[1]), chosen[0].max(chosen[1]));
    assert!((low..=high).contains(&procedure.auc_within.value.expect("defined")));
    assert!(procedure.auc_minus_chosen.is_none());
    assert_eq!((found.stability.n_origins, found.stability.regret.expect("ranked").n), (2, 2));
    assert_eq!(found.stability.regret_next, None, "folds have no next");
    assert_eq!(found.stability.learners.iter().map(|of| of.n_chosen).sum::<usize>(), 2);
}

/// Of 200 groups that are noise, about 5 % and no more are said to add or to harm.
#[test]
fn noise_is_seldom_said_to_add() {
    let n_alarms = (0..200_u64)
        .filter(|&round| {
            let strata = [drawn(1_000 + 2 * round, 60), drawn(1_001 + 2 * round, 60)];
            // Two models whose errors are drawn alike.
            let mut state = 77 + round;
            let mut other = |of: &Drawn| -> Vec<f64> {
                of.signal.iter().map(|p| (p + 0.1 * (draw(&mut state) - 0.5)).clamp(0.01, 0.99)).collect()
            };
            let without = [other(&strata[0]), other(&strata[1])];
            let origins = strata.iter().zip(&without).map(|(of, without)| of.paired(&of.noise, without)).collect();
            let group = LeftOut { group: "noise".into(), n_features: 1, origins: Ok(origins) };
            let found = ablation_findings(&[group], 0.01, &GuideOptions::default()).expect("valid");
            matches!(found[0].verdict, AblationVerdict::Adds | AblationVerdict::Harms)
        })
        .count();
    // Binomial, 200 at 5 %: 20 or more have a chance below 0.3 %.
    assert!(n_alarms < 20, "{n_alarms} of 200");
}

#[test]
fn what_matters_is_said_to_add_and_to_harm() {
    use AblationVerdict::{Adds, Harms, NoMeasurableGain, NotEnoughEvidence};

    let of = drawn(11, 1_000);
    let flat = vec![0.3; of.signal.len()];
    let group = |name: &str, with, without| LeftOut {
        group: name.to_owned(),
        n_features: 1,
        origins: Ok(vec![of.paired(with, without)]),
    };
    let lost = LeftOut { origins: Err("nothing is left".into()), ..group("all", &of.signal, &of.signal) };
    let groups = [
        group("signal", &of.signal, &flat),
        group("poison", &flat, &of.signal),
        group("ignored", &of.signal, &of.signal),
        lost,
    ];
    let found = ablation_findings(&groups, 0.01, &GuideOptions::default()).expect("valid");
    let verdicts: Vec<AblationVerdict> = found.iter().map(|of| of.verdict).collect();
    assert_eq!(verdicts, [Adds, Harms, NoMeasurableGain, NotEnoughEvidence]);
    assert_eq!(found[3].reason.as_deref(), Some("nothing is left"));
}

#[test]
fn the_last_doubling_tells_whether_more_data_is_worth_it() {
    let of = drawn(12, 1_000);
    let flat = vec![0.3; of.signal.len()];
    let origin = origin(1, &of, 0);
    let step = |share, probability: &[f64]| CurveStep {
        share,
        n_accounts: 1,
        n_events: 1,
        probability: Ok(vec![probability.to_vec()]),
    };
    let curve = |before: &[f64], all: &[f64]| {
        let steps = [step(0.25, &flat), step(0.5, before), step(1.0, all)];
        learning_curve(&[&origin], &steps, &options()).expect("valid")
    };
    assert_eq!(curve(&flat, &of.signal).verdict, MoreData::WorthIt);
    assert_eq!(curve(&of.signal, &flat).verdict, MoreData::Worse);
    assert_eq!(curve(&of.signal, &of.signal).verdict, MoreData::NoMeasurableGain);
    let mut failed = [step(0.5, &flat), step(1.0, &of.signal)];
    failed[0].probability = Err("one class".into());
    let found = learning_curve(&[&origin], &failed, &options()).expect("valid");
    assert_eq!((found.verdict, found.points[0].reason.as_deref()), (MoreData::NotEnoughEvidence, Some("one class")));
    assert!(found.points[1].log_loss.low.is_some());
}
