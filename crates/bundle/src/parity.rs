//! Rows with the numbers that they must give, on every machine and in every release.

use std::collections::BTreeMap;

use bellwether_core::{Band, Target};
use serde::{Deserialize, Serialize};

/// At least one row, and what each must give, bit for bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParityVectors {
    /// `f32::to_bits` of each feature value, in schema order; `None` is missing.
    pub rows: Vec<Vec<Option<u32>>>,
    /// For each target of the bundle one expectation a row.
    pub expected: BTreeMap<Target, Vec<ParityExpectation>>,
    /// `f64::to_bits` of the health score, one a row; stored as 16 hexadecimal digits.
    #[serde(with = "hex_list")]
    pub health_bits: Vec<u64>,
    /// The band of the health score, one a row.
    pub band: Vec<Band>,
}

/// What one row must give for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParityExpectation {
    /// `f64::to_bits` of the logit; stored as 16 hexadecimal digits.
    #[serde(with = "hex")]
    pub logit_bits: u64,
    /// `f64::to_bits` of the calibrated probability; stored as 16 hexadecimal digits.
    #[serde(with = "hex")]
    pub probability_bits: u64,
}

impl ParityVectors {
    /// The feature values of row `row` in schema order, NaN where missing.
    ///
    /// # Panics
    /// If `row` is outside.
    pub fn row(&self, row: usize) -> Vec<f32> {
        self.rows[row].iter().map(|bits| bits.map_or(f32::NAN, f32::from_bits)).collect()
    }
}

/// A `u64` as text, because JSON numbers above 2^53 do not survive most readers.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn text(bits: u64) -> String {
        format!("{bits:016x}")
    }

    pub(super) fn bits(text: &str) -> Result<u64, String> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let parsed = (text.len() == 16 && text.bytes().all(is_digit)).then(|| u64::from_str_radix(text, 16));
        parsed.and_then(Result::ok).ok_or_else(|| format!("`{text}` is not 16 lower-case hexadecimal digits"))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(super) fn serialize<S: Serializer>(bits: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(*bits))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        bits(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

mod hex_list {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::hex;

    pub(super) fn serialize<S: Serializer>(bits: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(bits.iter().map(|&bits| hex::text(bits)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        Vec::<String>::deserialize(deserializer)?.iter().map(|text| hex::bits(text).map_err(D::Error::custom)).collect()
    }
}
