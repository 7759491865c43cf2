//! What is written is read back, and nothing else is.

mod models;

use bellwether_core::{Indicator, Link, Model, Node, ScorecardModel, Tree, Trees};
use bellwether_onnx::{Decoded, OnnxError, decode, encode};
use models::{model, schema};
use proptest::prelude::*;

fn bytes_of(model: &Model) -> Vec<u8> {
    encode(model, &schema(model.n_features()), "churn_90d").expect("the model can be written")
}

proptest! {
    #[test]
    fn decode_gives_what_was_encoded(model in model()) {
        let schema = schema(model.n_features());
        let expected = Decoded {
            feature_names: schema.features().iter().map(|feature| feature.name.clone()).collect(),
            schema_digest: schema.digest().to_string(),
            target: "churn_90d".to_owned(),
            model: model.clone(),
        };
        prop_assert_eq!(decode(&bytes_of(&model)).expect("reads"), expected);
    }

    #[test]
    fn a_file_that_is_cut_off_is_refused(model in model(), at in any::<prop::sample::Index>()) {
        let bytes = bytes_of(&model);
        prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
    }

    /// Other bytes are refused, or are those of another valid model: nothing in a file is read past.
    #[test]
    fn altered_bytes_never_panic_and_never_read_as_the_same(
        model in model(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let original = bytes_of(&model);
        let mut altered = original.clone();
        for (at, byte) in edits {
            let at = at.index(altered.len());
            altered[at] = byte;
        }
        if altered != original && let Ok(read) = decode(&altered) {
            prop_assert!(read.model.validate().is_ok());
            prop_assert_ne!(Some(read), decode(&original).ok());
        }
    }

    #[test]
    fn inserted_and_removed_bytes_never_panic(
        model in model(),
        at in any::<prop::sample::Index>(),
        n_removed in 0..9_usize,
        inserted in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let original = bytes_of(&model);
        let mut altered = original.clone();
        let at = at.index(altered.len());
        let end = (at + n_removed).min(altered.len());
        altered.splice(at..end, inserted);
        if altered != original {
            prop_assert_ne!(decode(&altered).ok(), decode(&original).ok());
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(decode(&bytes).is_err());
    }
}

#[test]
fn what_stands_after_the_model_is_refused() {
    let mut bytes = bytes_of(&Model::Scorecard(card(0.0, 1.0, 1.0)));
    let n_bytes = bytes.len();
    // Field 25, `functions`, which a reader of the whole standard would run.
    bytes.extend([0xca, 0x01, 0x00]);
    assert!(matches!(decode(&bytes), Err(OnnxError::NotCanonical { offset }) if offset == n_bytes));
}

fn card(at_zero: f32, at_full: f32, weight: f32) -> ScorecardModel {
    let indicators = vec![Indicator { feature: 0, weight, at_zero, at_full }];
    ScorecardModel { n_features: 1, indicators, slope: -0.1, intercept: 5.0 }
}

fn leaf(value: f32, link: Link) -> Model {
    let trees = vec![Tree { nodes: vec![Node::Leaf { value }] }];
    Model::Trees(Trees::new(1, 0.0, link, trees).expect("a leaf is a tree"))
}

#[test]
fn models_that_f32_cannot_hold_are_not_written() {
    for model in [
        Model::Scorecard(card(f32::MIN, f32::MAX, 1.0)),
        Model::Scorecard(card(0.0, 1.0, 1e37)),
        leaf(1.01, Link::Probability),
        leaf(-0.01, Link::Probability),
    ] {
        let refused = encode(&model, &schema(1), "churn_90d");
        assert!(matches!(refused, Err(OnnxError::Range { .. })), "{model:?}: {refused:?}");
    }
    assert!(encode(&leaf(1.01, Link::Logit), &schema(1), "churn_90d").is_ok());
}

#[test]
fn a_schema_of_another_length_is_refused() {
    let refused = encode(&leaf(0.0, Link::Logit), &schema(2), "churn_90d");
    assert!(matches!(refused, Err(OnnxError::Features { found: 2, expected: 1 })));
}
