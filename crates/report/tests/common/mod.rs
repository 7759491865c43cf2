//! A small report of made-up accounts, the same on every machine.

use bellwether_core::{Band, Bands, Date, Direction, Indicator, Outcome, Quiet, ScorecardModel, Target, sigmoid};
use bellwether_evaluate::guide::{
    BandedSnapshots, GuideOptions, Interventions, Renewals, ScoreHistory, band_outcomes, intervention_findings,
    intervention_return, lead_time_findings, renewal_findings, snapshot_findings,
};
use bellwether_evaluate::value::{ValueOptions, Valued, cost_curve, value_at_capacity};
use bellwether_evaluate::{BiasOptions, GuideFindings, Measured, Practice, TargetBias, ValueFindings, bias_gaps};
use bellwether_evaluate::{Cohort, EvaluateOptions, Evaluation, Scored, evaluate, paired_auc_difference};
use bellwether_health::Scorecard;
use bellwether_report::{FeatureRow, LearnerRow, ScorecardReport, SourceRow, TargetReport, TrainingReport};

pub(crate) const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };

/// Two rows an account, of three segments, the last with next to no churn.
pub(crate) struct Accounts {
    account: Vec<u32>,
    outcome: Vec<bool>,
    chosen: Vec<f64>,
    baseline: Vec<f64>,
    bands: Vec<Band>,
    cohorts: Vec<Cohort>,
}

impl Accounts {
    /// `n_rows` rows whose segments have these names.
    pub(crate) fn new(n_rows: usize, segments: [&str; 3]) -> Self {
        // Steps of irrational numbers fill the unit interval evenly and look like chance.
        let even = |step: f64| (0..n_rows).map(move |row| (row as f64 + 1.0) * step % 1.0);
        let risk: Vec<f64> = even(0.618_033_988_749_895).map(|u| 5.0 * u - 3.5).collect();
        let noise: Vec<f64> = even(0.414_213_562_373_095).map(|u| 4.0 * u - 2.0).collect();
        let chance = even(0.732_050_807_568_877);
        let outcome = risk.iter().zip(chance).map(|(&risk, u)| u < sigmoid(risk)).collect();
        let segment_of = |row: usize| if row % 50 == 49 { 2 } else { row / 2 % 2 };
        let cohort = |(level, name): (usize, &&str)| Cohort {
            dimension: "segment".to_owned(),
            level: (*name).to_owned(),
            rows: (0..n_rows).filter(|&row| segment_of(row) == level).collect(),
        };
        let band = |&noise: &f64| Bands::default().band(50.0 - 20.0 * noise);
        Self {
            account: (0..n_rows).map(|row| row as u32 / 2).collect(),
            outcome,
            chosen: risk.iter().map(|&risk| sigmoid(1.3 * risk)).collect(),
            baseline: risk.iter().zip(&noise).map(|(risk, noise)| sigmoid(0.3 * risk - noise)).collect(),
            bands: risk.iter().zip(&noise).map(|(risk, noise)| band(&(0.5 * (risk + noise)))).collect(),
            cohorts: segments.iter().enumerate().map(cohort).collect(),
        }
    }

    /// The same accounts, none of which churned.
    pub(crate) fn without_events(self) -> Self {
        Self { outcome: vec![false; self.outcome.len()], ..self }
    }

    pub(crate) fn evaluation(&self) -> Evaluation {
        self.evaluate(&self.chosen, &self.cohorts)
    }

    fn evaluate(&self, probability: &[f64], cohorts: &[Cohort]) -> Evaluation {
        let scored = Scored { probability, outcome: &self.outcome, account: &self.account };
        let options = EvaluateOptions {
            seed: 7,
            n_bootstrap: 200,
            k_shares: vec![0.05, 0.1, 0.2],
            n_bins: 8,
            ..Default::default()
        };
        evaluate(&scored, Some(&self.bands.iter().copied().map(Some).collect::<Vec<_>>()), cohorts, &options, &Quiet)
            .expect("the rows are sound")
    }

    /// The score in use, of which everything was measured but its use by the team.
    pub(crate) fn practice(&self) -> Practice {
        let options = GuideOptions::default();
        let (band, churned, account) = (&self.bands[..], &self.outcome[..], &self.account[..]);
        let stayed: Vec<bool> = churned.iter().map(|churned| !churned).collect();
        let treated: Vec<bool> = (0..band.len()).map(|row| row % 4 == 0).collect();
        let score: Vec<f64> = band.iter().map(|&band| 25.0 + 32.5 * f64::from(band as u8)).collect();
        let better: Vec<f64> = score.iter().zip(&treated).map(|(x, &done)| if done { x + 9.0 } else { *x }).collect();
        let outcomes: [(&str, &[bool]); 2] = [("churn", churned), ("retention", &stayed)];
        let bands = band_outcomes(band, &outcomes, account, &options).expect("sound");
        let rows = BandedSnapshots { band, churned, account, treated: Some(&treated) };
        let renewals = Renewals { score: &score, band, renewed: &stayed, account };
        let cases = Interventions {
            band_before: band,
            band_after: band,
            score_before: &score,
            score_after: &better,
            stayed: &stayed,
            treated: &treated,
            account,
        };
        let interventions = intervention_findings(&cases, &options).expect("sound");
        Practice {
            guide: GuideFindings {
                snapshots: Measured::Found(snapshot_findings(&rows, &options).expect("sound")),
                by_quarter: vec![("2024 Q3".into(), bands.clone()), ("2024 Q4".into(), bands.clone())],
                bands,
                lead_times: Measured::Found(lead_time_findings(&self.histories(), &options).expect("sound")),
                days_between_scores: Some(31),
                renewals: Measured::Found(renewal_findings(&renewals, &options).expect("sound")),
                interventions: Measured::Found(interventions.clone()),
                intervention_return: Measured::Found(
                    intervention_return(&interventions, 9_000.0, &ValueOptions::default(), &options).expect("sound"),
                ),
                compared_with: "red accounts that were left alone".into(),
                by_kind: vec![("training".into(), interventions)],
                score_use: Measured::Missing("a log of interactions".into()),
            },
            value: Measured::Found(self.value()),
            bias: vec![self.bias()],
        }
    }

    /// A history an account: scores on the last days of four months, churn some days after.
    fn histories(&self) -> Vec<ScoreHistory> {
        let day = |n: usize| Date::from_days(19_000 + 30 * n as i32);
        let of = |(place, pair): (usize, &[Band])| {
            let churned =
                (self.outcome[2 * place] || self.outcome[2 * place + 1]).then(|| day(4).plus_days(place as i32 % 9));
            let band = |n: usize| if n < 2 { pair[0] } else { pair[1] };
            ScoreHistory { bands: (0..4).map(|n| (day(n), band(n))).collect(), churned }
        };
        self.bands.chunks_exact(2).enumerate().map(of).collect()
    }

    fn value(&self) -> ValueFindings {
        let arr: Vec<f64> = (0..self.chosen.len()).map(|row| 1_000.0 * (1 + row % 20) as f64).collect();
        let accounts = Valued { probability: &self.chosen, churned: &self.outcome, arr: &arr };
        let assumed = ValueOptions { n_bootstrap: 200, ..ValueOptions::default() };
        ValueFindings {
            day: "2024-09-30".parse().ok(),
            n_without_arr: 3,
            assumed,
            report: value_at_capacity(&accounts, &[20, 40, 80], &assumed).expect("sound"),
            costs: cost_curve(&accounts, &assumed).expect("sound"),
        }
    }

    fn bias(&self) -> TargetBias {
        let scored = Scored { probability: &self.chosen, outcome: &self.outcome, account: &self.account };
        let flagged: Vec<bool> = self.bands.iter().map(|&band| band == Band::Red).collect();
        let gaps = bias_gaps(&scored, &flagged, &self.cohorts, &BiasOptions::default()).expect("sound");
        TargetBias { target: CHURN, flagged: "red rows".into(), gaps }
    }

    pub(crate) fn target(&self, target: Target, learner_names: [&str; 2]) -> TargetReport {
        let evaluation = self.evaluation();
        let difference = paired_auc_difference(&self.baseline, &self.chosen, &self.outcome, &self.account, 0.95);
        let row = |learner: &str, test, difference| LearnerRow {
            learner: learner.to_owned(),
            calibration: "platt".to_owned(),
            selection_auc: Some(0.81),
            selection_log_loss: Some(0.4567),
            test,
            difference,
        };
        let baseline = self.evaluate(&self.baseline, &[]).overall;
        TargetReport {
            target,
            chosen: learner_names[1].to_owned(),
            calibration: "platt".to_owned(),
            n_training: 1_200,
            n_calibration: 300,
            n_moved: 0,
            learners: vec![
                row(learner_names[0], baseline, difference.ok()),
                row(learner_names[1], evaluation.overall.clone(), None),
            ],
            evaluation,
            tree: None,
            coefficients: None,
        }
    }
}

/// Two lines without rules.
pub(crate) fn plain_scorecard() -> ScorecardReport {
    let line = |feature, weight, at_zero, at_full| Indicator { feature, weight, at_zero, at_full };
    let indicators = vec![line(0, 60.0, 0.0, 25.5), line(1, 40.0, 12.0, 0.0)];
    let names = vec!["logins_30d".to_owned(), "tickets_90d".to_owned()];
    ScorecardReport {
        scorecard: Scorecard {
            model: ScorecardModel { n_features: 2, indicators, slope: -0.1, intercept: 5.0 },
            bands: Bands::default(),
            categories: vec![Some("usage".to_owned()), None],
            names: names.clone(),
            rules: None,
        },
        features: names,
        thresholds: None,
        weights: None,
    }
}

/// Nothing of a score in use can be measured.
pub(crate) fn nothing(why: &str) -> Practice {
    fn missing<T>(why: &str) -> Measured<T> {
        Measured::Missing(why.to_owned())
    }
    Practice {
        guide: GuideFindings {
            snapshots: missing(why),
            bands: Vec::new(),
            by_quarter: Vec::new(),
            lead_times: missing(why),
            days_between_scores: None,
            renewals: missing(why),
            interventions: missing(why),
            intervention_return: missing(why),
            compared_with: String::new(),
            by_kind: Vec::new(),
            score_use: missing(why),
        },
        value: missing(why),
        bias: Vec::new(),
    }
}

pub(crate) fn report(targets: Vec<TargetReport>, practice: Practice) -> TrainingReport {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let day = |text: &str| text.parse::<Date>().expect("a date of the test");
    TrainingReport {
        title: "Acme: training report".to_owned(),
        facts: vec![pair("Accounts", "200"), pair("Data until", "2025-12-31")],
        split: vec![pair("Training", "1,200 rows, up to 2025-01-31"), pair("Test", "400 rows")],
        sources: vec![
            SourceRow {
                name: "usage".into(),
                n_rows: 12_345,
                n_orphans: 2,
                days: Some((day("2024-01-01"), day("2025-12-31"))),
            },
            SourceRow { name: "accounts".into(), n_rows: 200, n_orphans: 0, days: None },
        ],
        targets,
        practice,
        scorecard: plain_scorecard(),
        features: vec![
            FeatureRow {
                name: "logins_30d".into(),
                category: Some("usage".into()),
                good: Some(Direction::Up),
                missing_share: 0.0,
            },
            FeatureRow {
                name: "tickets_90d".into(),
                category: None,
                good: Some(Direction::Down),
                missing_share: 0.125,
            },
            FeatureRow { name: "plan=pro".into(), category: None, good: None, missing_share: 1.0 / 3.0 },
        ],
        notes: vec!["source `usage`: 2 rows are of accounts that the book does not have".to_owned()],
        provenance: vec![pair("bellwether", "0.1.0"), pair("seed", "7")],
    }
}
