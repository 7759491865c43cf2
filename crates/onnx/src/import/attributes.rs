//! What a node of a graph says beside its inputs.

use std::borrow::Cow;

use crate::proto::{AttributeProto, DOUBLE, FLOAT, INT32, INT64, NodeProto, TensorProto};

/// The attributes of a node.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a NodeProto);

impl<'a> Attributes<'a> {
    fn get(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// Empty where it is not there.
    pub(super) fn ints(self, name: &str) -> &'a [i64] {
        self.get(name).map_or(&[], |attribute| &attribute.ints)
    }

    pub(super) fn int(self, name: &str, default: i64) -> i64 {
        self.get(name).map_or(default, |attribute| attribute.i)
    }

    pub(super) fn float(self, name: &str, default: f32) -> f64 {
        f64::from(self.get(name).map_or(default, |attribute| attribute.f))
    }

    pub(super) fn text(self, name: &str, default: &'static str) -> Cow<'a, str> {
        self.get(name).map_or(default.into(), |attribute| String::from_utf8_lossy(&attribute.s))
    }

    /// Empty where it is not there.
    pub(super) fn strings(self, name: &str) -> Vec<Cow<'a, str>> {
        let strings = self.get(name).map_or(&[][..], |attribute| &attribute.strings);
        strings.iter().map(|text| String::from_utf8_lossy(text)).collect()
    }

    /// A list of finite f32, or of f64 in the attribute that ends in `_as_tensor`; empty where neither is there.
    pub(super) fn numbers(self, name: &str) -> Result<Vec<f64>, String> {
        let values = self.thresholds(name)?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(format!("attribute `{name}` has the value {value}")),
            None => Ok(values),
        }
    }

    /// As [`Attributes::numbers`], where an f32 may be infinite or NaN.
    pub(super) fn thresholds(self, name: &str) -> Result<Vec<f64>, String> {
        match self.tensor(&format!("{name}_as_tensor")) {
            Some(tensor) => Ok(Constant::of(tensor)?.values),
            None => Ok(self.get(name).map_or(&[][..], |of| &of.floats).iter().copied().map(f64::from).collect()),
        }
    }

    pub(super) fn tensor(self, name: &str) -> Option<&'a TensorProto> {
        self.get(name).and_then(|attribute| attribute.t.as_ref())
    }
}

/// Numbers that stand in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Constant {
    pub(super) dims: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl Constant {
    pub(super) fn of(tensor: &TensorProto) -> Result<Self, String> {
        let named = |rule: &str| format!("constant `{}` {rule}", tensor.name);
        let values = values(tensor).ok_or_else(|| named("is of no kind of number that is read"))?;
        let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        let dims = dims.ok_or_else(|| named("has a negative size"))?;
        let n = dims.iter().try_fold(1_usize, |n, &dim| n.checked_mul(dim));
        if n != Some(values.len()) {
            return Err(named("has not as many values as its shape says"));
        }
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(named(&format!("has the value {value}"))),
            None => Ok(Self { dims, values }),
        }
    }

    /// As one row: `[n]` or `[1, n]`; `None` for another shape.
    pub(super) fn row(&self) -> Option<&[f64]> {
        let (_, above) = self.dims.split_last().unwrap_or((&1, &[]));
        above.iter().all(|&dim| dim == 1).then_some(&self.values)
    }
}

fn values(tensor: &TensorProto) -> Option<Vec<f64>> {
    fn raw<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
    }
    let bytes = &tensor.raw_data;
    let is_raw = !bytes.is_empty();
    Some(match tensor.data_type {
        FLOAT if is_raw => raw(bytes, |bytes| f32::from_le_bytes(bytes).into()),
        FLOAT => tensor.float_data.iter().copied().map(f64::from).collect(),
        DOUBLE if is_raw => raw(bytes, f64::from_le_bytes),
        DOUBLE => tensor.double_data.clone(),
        INT32 if is_raw => raw(bytes, |bytes| i32::from_le_bytes(bytes).into()),
        INT32 => tensor.int32_data.iter().copied().map(f64::from).collect(),
        INT64 if is_raw => raw(bytes, |bytes| i64::from_le_bytes(bytes) as f64),
        INT64 => tensor.int64_data.iter().map(|&value| value as f64).collect(),
        _ => return None,
    })
}
