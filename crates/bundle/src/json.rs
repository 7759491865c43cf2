//! JSON with one spelling for each value, so that equal contents give equal bytes.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

use crate::BundleError;

/// `value` with sorted keys, two spaces a level, the shortest digits that give a number back, and a final newline.
pub(crate) fn canonical<T: Serialize>(file: &str, value: &T) -> Result<Vec<u8>, BundleError> {
    canonical_value(file, &serde_json::to_value(value).map_err(json_error(file))?)
}

/// [`canonical`] of a value that needs no copy to be one of JSON.
fn canonical_value(file: &str, value: &Value) -> Result<Vec<u8>, BundleError> {
    let mut bytes = serde_json::to_vec_pretty(&Sorted(value)).map_err(json_error(file))?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(crate) fn parse<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, BundleError> {
    serde_json::from_slice(bytes).map_err(json_error(file))
}

/// Reads what [`canonical`] wrote, and refuses every other spelling: unknown or repeated keys, other number forms.
pub(crate) fn parse_canonical<T: Serialize + DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, BundleError> {
    let value: T = parse(file, bytes)?;
    expect_spelled(file, &canonical(file, &value)?, bytes)?;
    Ok(value)
}

/// [`parse_canonical`] of what has no type of its own.
pub(crate) fn parse_canonical_value(file: &str, bytes: &[u8]) -> Result<Value, BundleError> {
    let value: Value = parse(file, bytes)?;
    expect_spelled(file, &canonical_value(file, &value)?, bytes)?;
    Ok(value)
}

fn expect_spelled(file: &str, spelled: &[u8], bytes: &[u8]) -> Result<(), BundleError> {
    if spelled == bytes {
        return Ok(());
    }
    let at = spelled.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    let line = spelled[..at].split(|&byte| byte == b'\n').count();
    Err(BundleError::Spelling { file: file.to_owned(), line })
}

fn json_error(file: &str) -> impl FnOnce(serde_json::Error) -> BundleError {
    move |source| BundleError::Json { file: file.to_owned(), source }
}

/// Whether `serde_json`'s own map is sorted depends on features that any crate of the build can turn on.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(entries) if entries.keys().is_sorted() => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, Self(value))))
            }
            Value::Object(entries) => {
                let sorted: BTreeMap<&str, Sorted<'_>> =
                    entries.iter().map(|(key, value)| (key.as_str(), Sorted(value))).collect();
                serializer.collect_map(sorted)
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            other => other.serialize(serializer),
        }
    }
}
