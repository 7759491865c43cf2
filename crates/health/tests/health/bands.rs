//! Every number of requirements.md 1.7, and its readings in 1.16.

use bellwether_core::{Band, Bands};
use bellwether_health::{BandsSpec, RENEWAL_EXPECTATIONS, ScoreAlert, band_action, score_alerts};
use serde::Deserialize;

#[derive(Deserialize)]
struct Holder {
    bands: BandsSpec,
}

fn declared(text: &str) -> Result<Bands, String> {
    let holder: Holder = toml::from_str(&format!("bands = {text}")).map_err(|error| error.message().to_owned())?;
    holder.bands.edges().map_err(|error| error.to_string())
}

#[track_caller]
fn check(bands: Bands, cases: &[(f64, Band)]) {
    for &(score, band) in cases {
        assert_eq!(bands.band(score), band, "{score}");
    }
}

/// T-A: green "above 75", yellow "50 to 75", red "below 50".
#[test]
fn t_a_has_75_in_yellow() {
    let bands = declared("'t-a'").expect("known");
    assert_eq!(bands, Bands::T_A);
    check(
        bands,
        &[
            (0.0, Band::Red),
            (49.999, Band::Red),
            (50.0_f64.next_down(), Band::Red),
            (50.0, Band::Yellow),
            (75.0, Band::Yellow),
            (75.0_f64.next_up(), Band::Green),
            (75.0001, Band::Green),
            (76.0, Band::Green),
            (100.0, Band::Green),
        ],
    );
}

/// T-B: 80-100, 50-79, 0-49; 1.16.4: half-open, on the unrounded score.
#[test]
fn t_b_has_no_gap() {
    let bands = declared("'t-b'").expect("known");
    assert_eq!((bands, bands), (Bands::T_B, Bands::default()));
    check(
        bands,
        &[
            (0.0, Band::Red),
            (49.0, Band::Red),
            (49.5, Band::Red),
            (50.0, Band::Yellow),
            (79.0, Band::Yellow),
            (79.5, Band::Yellow),
            (79.999_999_999, Band::Yellow),
            (80.0, Band::Green),
            (100.0, Band::Green),
        ],
    );
}

/// 1.16.3: 76 to 79 is green in G0 and yellow in G2; an account that fell from 90 to 75 is yellow in both.
#[test]
fn the_guides_differ_between_75_and_80() {
    for score in [76.0, 79.0] {
        assert_eq!((Bands::T_A.band(score), Bands::T_B.band(score)), (Band::Green, Band::Yellow));
    }
    assert_eq!((Bands::T_A.band(75.0), Bands::T_B.band(75.0)), (Band::Yellow, Band::Yellow));
}

#[test]
fn bands_are_declared_by_edges_or_by_intervals() {
    assert_eq!(declared("{ yellow_from = 50.0, green_from = 80.0 }"), Ok(Bands::T_B));
    let intervals = "[{ band = 'green', from = 80.0, to = 100.0 }, { band = 'red', from = 0.0, to = 50.0 }, \
                     { band = 'yellow', from = 50.0, to = 80.0 }]";
    assert_eq!(declared(intervals), Ok(Bands::T_B));
}

/// 1.16.4: G2's integers, taken as they stand, leave 49-50 and 79-80 to no band.
#[test]
fn gaps_and_overlaps_are_refused() {
    let three = |red: &str, yellow: &str, green: &str| {
        declared(&format!("[{{ band='red', {red} }}, {{ band='yellow', {yellow} }}, {{ band='green', {green} }}]"))
    };
    for (found, told) in [
        (
            three("from=0.0, to=49.0", "from=50.0, to=79.0", "from=80.0, to=100.0"),
            "there is a gap between the bands: red ends at 49, yellow begins at 50",
        ),
        (
            three("from=0.0, to=50.0", "from=50.0, to=79.0", "from=80.0, to=100.0"),
            "there is a gap between the bands: yellow ends at 79, green begins at 80",
        ),
        (
            three("from=0.0, to=55.0", "from=50.0, to=80.0", "from=80.0, to=100.0"),
            "the bands overlap: red ends at 55, yellow begins at 50",
        ),
        (
            three("from=0.0, to=50.0", "from=50.0, to=80.0", "from=80.0, to=99.0"),
            "bands are red from 0, yellow above it and green above that, to 100, each wider than 0",
        ),
        (declared("'t-c'"), "there are no bands `t-c`; there are t-a and t-b"),
        (
            declared("{ yellow_from = 80.0, green_from = 50.0 }"),
            "bands need 0 < yellow_from < green_from < 100; got 80 and 50",
        ),
        (
            declared("7"),
            "invalid type: integer `7`, expected `t-a`, `t-b`, yellow_from and green_from, or a list of band, from and to",
        ),
    ] {
        assert_eq!(found.expect_err(told).trim(), told);
    }
}

/// T-F: 85 % and more, 50-70 %, below 30 %; 1.16.4: 30-50 % and 70-85 % are no band's.
#[test]
fn each_band_has_the_renewal_rate_that_the_guide_expects() {
    for (rate, met_by) in [
        (0.0, Some(Band::Red)),
        (0.29, Some(Band::Red)),
        (0.30, None),
        (0.49, None),
        (0.50, Some(Band::Yellow)),
        (0.70, Some(Band::Yellow)),
        (0.71, None),
        (0.849, None),
        (0.85, Some(Band::Green)),
        (1.0, Some(Band::Green)),
    ] {
        let met: Vec<Band> = RENEWAL_EXPECTATIONS.iter().filter(|of| of.is_met_by(rate)).map(|of| of.band).collect();
        assert_eq!(met, met_by.into_iter().collect::<Vec<_>>(), "{rate}");
    }
}

/// T-E: below 70 an alert, below 50 a coordinated intervention.
#[test]
fn a_low_score_sets_off_alerts() {
    use ScoreAlert::{CoordinatedIntervention, ManagerAlert};
    for (score, alerts) in [
        (100.0, vec![]),
        (70.0, vec![]),
        (69.999, vec![ManagerAlert]),
        (50.0, vec![ManagerAlert]),
        (49.999, vec![ManagerAlert, CoordinatedIntervention]),
        (0.0, vec![ManagerAlert, CoordinatedIntervention]),
    ] {
        assert_eq!(score_alerts(score), alerts, "{score}");
    }
}

/// T-D.
#[test]
fn each_band_has_its_action() {
    assert_eq!(band_action(Band::Green), ("expanding or maintaining value", "proactive expansion plays"));
    assert_eq!(band_action(Band::Yellow), ("declining engagement or unclear value", "intervention and re-engagement"));
    assert_eq!(band_action(Band::Yellow).1, "intervention and re-engagement");
    assert_eq!(band_action(Band::Red), ("high churn risk", "immediate executive outreach"));
}
