//! Whether bytes are what a message is written as, without writing it.
//!
//! They are compared from the back: what a message holds stands behind its length, which is known by then.

use bellwether_core::Trees;

use crate::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::trees;

/// Whether `bytes` are `file`, as prost writes it, its first operator followed by the attributes of `trees`: they are the most
/// of a file, so only one of them is made at a time.
pub(crate) fn is_spelled(file: &ModelProto, trees: Option<&Trees>, bytes: &[u8]) -> bool {
    let mut rest = Rest(bytes);
    rest.model(file, trees).is_some() && rest.0.is_empty()
}

/// What stands before everything that was compared so far.
struct Rest<'a>(&'a [u8]);

/// `None` once a byte differs.
type Spelled = Option<()>;

impl Rest<'_> {
    fn model(&mut self, model: &ModelProto, trees: Option<&Trees>) -> Spelled {
        let ModelProto { ir_version, producer_name, producer_version, graph, opset_import, metadata_props } = model;
        self.messages(14, metadata_props, Self::entry)?;
        self.messages(8, opset_import, Self::operator_set)?;
        self.messages(7, graph.as_slice(), |rest, graph| rest.graph(graph, trees))?;
        self.text(3, producer_version)?;
        self.text(2, producer_name)?;
        self.int(1, *ir_version)
    }

    fn entry(&mut self, StringStringEntryProto { key, value }: &StringStringEntryProto) -> Spelled {
        self.text(2, value)?;
        self.text(1, key)
    }

    fn operator_set(&mut self, OperatorSetIdProto { domain, version }: &OperatorSetIdProto) -> Spelled {
        self.int(2, *version)?;
        self.text(1, domain)
    }

    fn graph(&mut self, graph: &GraphProto, trees: Option<&Trees>) -> Spelled {
        let GraphProto { node, name, initializer, input, output } = graph;
        self.messages(12, output, Self::value_info)?;
        self.messages(11, input, Self::value_info)?;
        self.messages(5, initializer, Self::tensor)?;
        self.text(2, name)?;
        let (first, others) = node.split_at(node.len().min(1));
        self.messages(1, others, |rest, node| rest.node(node, None))?;
        self.messages(1, first, |rest, node| rest.node(node, trees))
    }

    fn node(&mut self, node: &NodeProto, trees: Option<&Trees>) -> Spelled {
        let NodeProto { input, output, name, op_type, attribute, domain } = node;
        self.text(7, domain)?;
        if let Some(trees) = trees {
            trees::attributes(trees).rev().try_for_each(|of| self.field(5, |rest| rest.attribute(&of)))?;
        }
        self.messages(5, attribute, Self::attribute)?;
        self.text(4, op_type)?;
        self.text(3, name)?;
        self.messages(2, output, |rest, name| rest.bytes(name.as_bytes()))?;
        self.messages(1, input, |rest, name| rest.bytes(name.as_bytes()))
    }

    fn attribute(&mut self, attribute: &AttributeProto) -> Spelled {
        let AttributeProto { name, f, i, s, t, floats, ints, strings, r#type } = attribute;
        self.int(20, i64::from(*r#type))?;
        self.messages(9, strings, |rest, text| rest.bytes(text))?;
        self.numbers(8, ints, |rest, &value| rest.number(value as u64))?;
        self.numbers(7, floats, |rest, value| rest.array(value.to_le_bytes()))?;
        self.messages(5, t.as_slice(), Self::tensor)?;
        self.text(4, s)?;
        self.int(3, *i)?;
        if *f != 0.0 {
            self.array(f.to_le_bytes())?;
            self.key(2, 5)?;
        }
        self.text(1, name)
    }

    fn tensor(&mut self, tensor: &TensorProto) -> Spelled {
        let TensorProto { dims, data_type, float_data, int32_data, int64_data, name, raw_data, double_data } = tensor;
        self.numbers(10, double_data, |rest, value| rest.array(value.to_le_bytes()))?;
        self.text(9, raw_data)?;
        self.text(8, name)?;
        self.numbers(7, int64_data, |rest, &value| rest.number(value as u64))?;
        self.numbers(5, int32_data, |rest, &value| rest.number(i64::from(value) as u64))?;
        self.numbers(4, float_data, |rest, value| rest.array(value.to_le_bytes()))?;
        self.int(2, i64::from(*data_type))?;
        self.numbers(1, dims, |rest, &value| rest.number(value as u64))
    }

    fn value_info(&mut self, ValueInfoProto { name, r#type }: &ValueInfoProto) -> Spelled {
        self.messages(2, r#type.as_slice(), |rest, TypeProto { tensor_type }| {
            rest.messages(1, tensor_type.as_slice(), |rest, TensorTypeProto { elem_type, shape }| {
                rest.messages(2, shape.as_slice(), |rest, TensorShapeProto { dim }| {
                    rest.messages(1, dim, Self::dimension)
                })?;
                rest.int(1, i64::from(*elem_type))
            })
        })?;
        self.text(1, name)
    }

    fn dimension(&mut self, DimensionProto { dim_value, dim_param }: &DimensionProto) -> Spelled {
        self.messages(2, dim_param.as_slice(), |rest, name| rest.bytes(name.as_bytes()))?;
        match dim_value {
            Some(value) => {
                self.number(*value as u64)?;
                self.key(1, 0)
            }
            None => Some(()),
        }
    }

    /// Fields with a length, one an element: messages, and texts that may be empty.
    fn messages<T>(&mut self, tag: u64, all: &[T], one: impl Fn(&mut Self, &T) -> Spelled) -> Spelled {
        all.iter().rev().try_for_each(|of| self.field(tag, |rest| one(rest, of)))
    }

    /// One field of all numbers; none where there are none.
    fn numbers<T>(&mut self, tag: u64, all: &[T], one: impl Fn(&mut Self, &T) -> Spelled) -> Spelled {
        if all.is_empty() {
            return Some(());
        }
        self.field(tag, |rest| all.iter().rev().try_for_each(|of| one(rest, of)))
    }

    /// No field where there is no text.
    fn text(&mut self, tag: u64, text: impl AsRef<[u8]>) -> Spelled {
        let text = text.as_ref();
        if text.is_empty() { Some(()) } else { self.field(tag, |rest| rest.bytes(text)) }
    }

    /// No field where it is 0.
    fn int(&mut self, tag: u64, value: i64) -> Spelled {
        if value == 0 {
            return Some(());
        }
        self.number(value as u64)?;
        self.key(tag, 0)
    }

    fn field(&mut self, tag: u64, payload: impl FnOnce(&mut Self) -> Spelled) -> Spelled {
        let end = self.0.len();
        payload(self)?;
        self.number((end - self.0.len()) as u64)?;
        self.key(tag, 2)
    }

    fn key(&mut self, tag: u64, wire_type: u64) -> Spelled {
        self.number(tag << 3 | wire_type)
    }

    /// A base-128 number, the lowest digits first.
    fn number(&mut self, value: u64) -> Spelled {
        if value < 0x80 {
            return self.array([value as u8]);
        }
        let n_digits = value.ilog2() / 7 + 1;
        (0..n_digits).rev().try_for_each(|digit| {
            let more = if digit + 1 < n_digits { 0x80 } else { 0 };
            self.array([(value >> (7 * digit)) as u8 & 0x7f | more])
        })
    }

    fn array<const N: usize>(&mut self, written: [u8; N]) -> Spelled {
        let (before, found) = self.0.split_last_chunk()?;
        self.0 = before;
        (*found == written).then_some(())
    }

    fn bytes(&mut self, written: &[u8]) -> Spelled {
        self.0 = self.0.strip_suffix(written)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost::bytes::Bytes;

    use super::*;

    fn tensor(seed: i64) -> TensorProto {
        TensorProto {
            dims: vec![seed, 1 << 20],
            data_type: 1,
            float_data: vec![-0.0, f32::NAN, seed as f32],
            int32_data: vec![-1, 0, seed as i32],
            int64_data: vec![i64::MIN, 127, 128, 16_383, 16_384, i64::MAX],
            name: "tensor".to_owned(),
            raw_data: vec![0, 255],
            double_data: vec![0.1, -0.0],
        }
    }

    fn attribute() -> AttributeProto {
        AttributeProto {
            name: "a".to_owned(),
            f: 1.5,
            i: -3,
            s: b"text".to_vec(),
            t: Some(tensor(1)),
            floats: vec![0.5; 40],
            ints: (-2..200).collect(),
            strings: vec![Bytes::from_static(b"LEAF"), Bytes::new()],
            r#type: 7,
        }
    }

    fn value_info() -> ValueInfoProto {
        let dim = |dim_value: Option<i64>, dim_param: Option<&str>| DimensionProto {
            dim_value,
            dim_param: dim_param.map(str::to_owned),
        };
        let dim = vec![dim(Some(0), None), dim(None, Some("")), dim(Some(300), Some("N")), dim(None, None)];
        let tensor_type = TensorTypeProto { elem_type: 1, shape: Some(TensorShapeProto { dim }) };
        ValueInfoProto { name: "features".to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
    }

    /// Every field of every message, set and left out.
    fn file() -> ModelProto {
        let node = NodeProto {
            input: vec!["x".to_owned(), String::new()],
            output: vec!["y".to_owned()],
            name: "node".to_owned(),
            op_type: "Add".to_owned(),
            attribute: vec![attribute(), AttributeProto::default()],
            domain: "ai.onnx.ml".to_owned(),
        };
        let graph = GraphProto {
            node: vec![NodeProto::default(), node],
            name: "graph".to_owned(),
            initializer: vec![tensor(7), TensorProto::default()],
            input: vec![value_info(), ValueInfoProto::default()],
            output: vec![ValueInfoProto { r#type: Some(TypeProto::default()), ..Default::default() }],
        };
        let entry = StringStringEntryProto { key: "k".repeat(200), value: "v".to_owned() };
        ModelProto {
            ir_version: 8,
            producer_name: "a".to_owned(),
            producer_version: "b".to_owned(),
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
            metadata_props: vec![entry, StringStringEntryProto::default()],
        }
    }

    #[test]
    fn a_message_is_spelled_as_prost_writes_it() {
        for file in [file(), ModelProto::default(), ModelProto { graph: Some(GraphProto::default()), ..file() }] {
            assert!(is_spelled(&file, None, &file.encode_to_vec()));
        }
    }

    #[test]
    fn every_other_byte_every_cut_and_every_added_byte_is_another_spelling() {
        let (file, bytes) = (file(), file().encode_to_vec());
        for at in 0..bytes.len() {
            for flipped in [1, 0x80] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flipped;
                assert!(!is_spelled(&file, None, &bytes), "byte {at}");
            }
            assert!(
                !is_spelled(&file, None, &bytes[at + 1..]) && !is_spelled(&file, None, &bytes[..at]),
                "cut at {at}"
            );
            let (front, back) = bytes.split_at(at);
            assert!(!is_spelled(&file, None, &[front, &[0], back].concat()), "0 before {at}");
        }
        assert!(!is_spelled(&file, None, &[bytes.as_slice(), &[0]].concat()));
    }
}
