//! How large a file may be, checked on the raw bytes before anything is allocated for them.
//!
//! Two bytes of protobuf can ask for an element of a hundred; so the elements are counted first.

use crate::OnnxError;

/// The largest file that is read: 128 MiB. Reading one takes at most about ten times its size in memory.
pub const MAX_BYTES: usize = 128 << 20;
/// The most features of a model.
pub const MAX_FEATURES: usize = 1 << 16;
/// The most nodes of all trees of a model together, leaves included.
pub const MAX_TREE_NODES: usize = 2_000_000;

/// The most numbers of one matrix of another software's file, and of all constants of a graph of it.
pub(crate) const MAX_COEFFICIENTS: usize = 1 << 22;

/// The most numbers that all operators of a graph of other software give for one row.
pub(crate) const MAX_ROW_NUMBERS: usize = 1 << 18;

/// The most operators and constants of a graph, together with what names its input and output.
pub(crate) const MAX_OPERATORS: usize = 1024;

/// The most splits on the way to a leaf.
pub const MAX_TREE_DEPTH: usize = 4096;

/// How many fields the messages of a file may have.
struct Limits {
    model_fields: usize,
    graph_fields: usize,
    node_fields: usize,
    tensor_fields: usize,
    /// Of all attributes together.
    attribute_fields: usize,
    value_info_bytes: usize,
    /// Of a name of an operator, its inputs and outputs; errors repeat them.
    name_bytes: usize,
}

/// What [`crate::encode`] writes.
const OURS: Limits = Limits {
    // A model's own, and one metadata entry a feature.
    model_fields: MAX_FEATURES + 64,
    graph_fields: MAX_OPERATORS,
    node_fields: 64,
    tensor_fields: 16,
    // One a tree node's mode, a few for each attribute.
    attribute_fields: MAX_TREE_NODES + 1024,
    value_info_bytes: 1024,
    name_bytes: 256,
};

/// What other software writes: an input may be one a feature, and lists need not be packed.
const FOREIGN: Limits = Limits {
    graph_fields: 2 * MAX_FEATURES,
    node_fields: MAX_FEATURES + 64,
    tensor_fields: MAX_FEATURES,
    // A tree node has nine values, a leaf four more.
    attribute_fields: 13 * MAX_TREE_NODES,
    value_info_bytes: 1 << 16,
    ..OURS
};

/// Checks the sizes of a file that [`crate::encode`] wrote.
pub(crate) fn check(bytes: &[u8]) -> Result<(), OnnxError> {
    OURS.check(bytes)
}

/// Checks the sizes of a file of other software.
pub(crate) fn check_foreign(bytes: &[u8]) -> Result<(), OnnxError> {
    FOREIGN.check(bytes)
}

/// `Ok` where `found` is at most `limit`.
pub(crate) fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), OnnxError> {
    if found <= limit { Ok(()) } else { Err(OnnxError::TooLarge { what, found, limit }) }
}

impl Limits {
    fn check(&self, bytes: &[u8]) -> Result<(), OnnxError> {
        at_most("bytes", bytes.len(), MAX_BYTES)?;
        let mut graphs = Vec::new();
        let n_fields = each_field(bytes, |tag, payload| {
            if tag == 7 {
                graphs.push(payload);
            }
            Ok(())
        })?;
        at_most("fields of the model", n_fields, self.model_fields)?;
        at_most("graphs", graphs.len(), 1)?;
        graphs.into_iter().try_for_each(|graph| self.check_graph(graph))
    }

    fn check_graph(&self, graph: &[u8]) -> Result<(), OnnxError> {
        let mut n_attribute_fields = 0;
        let n_fields = each_field(graph, |tag, payload| match tag {
            1 => self.check_node(payload, &mut n_attribute_fields),
            5 => self.check_tensor(payload),
            11 | 12 => at_most("bytes of an input or output", payload.len(), self.value_info_bytes),
            _ => Ok(()),
        })?;
        at_most("nodes and initializers", n_fields, self.graph_fields)
    }

    fn check_tensor(&self, tensor: &[u8]) -> Result<(), OnnxError> {
        at_most("fields of an initializer", each_field(tensor, |_, _| Ok(()))?, self.tensor_fields)
    }

    fn check_node(&self, node: &[u8], n_attribute_fields: &mut usize) -> Result<(), OnnxError> {
        let n_fields = each_field(node, |tag, payload| {
            if tag != 5 {
                return at_most("bytes of a name", payload.len(), self.name_bytes);
            }
            *n_attribute_fields += each_field(payload, |tag, payload| match tag {
                5 => self.check_tensor(payload),
                _ => Ok(()),
            })?;
            at_most("fields of attributes", *n_attribute_fields, self.attribute_fields)
        })?;
        at_most("fields of a node", n_fields, self.node_fields)
    }
}

/// Tells `visit` the tag and, where it has a length, the payload of each field of a message; returns how many.
fn each_field<'a>(
    mut message: &'a [u8],
    mut visit: impl FnMut(u64, &'a [u8]) -> Result<(), OnnxError>,
) -> Result<usize, OnnxError> {
    let mut n_fields = 0;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let n_bytes = match key & 7 {
            0 => {
                varint(&mut message)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).unwrap_or(usize::MAX),
            5 => 4,
            _ => return Err(malformed("a field has a wire type that does not exist")),
        };
        let (payload, rest) = message.split_at_checked(n_bytes).ok_or_else(|| malformed("a field is cut off"))?;
        visit(key >> 3, payload)?;
        message = rest;
        n_fields += 1;
    }
    Ok(n_fields)
}

/// Takes a base-128 number off the front of `bytes`.
fn varint(bytes: &mut &[u8]) -> Result<u64, OnnxError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(|| malformed("a number is cut off"))?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(malformed("a number has more than ten bytes"))
}

fn malformed(reason: &'static str) -> OnnxError {
    OnnxError::Malformed(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field `tag` with a length, as bytes.
    fn field(tag: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag << 3 | 2];
        let mut length = payload.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(payload);
        bytes
    }

    fn check_too_large(bytes: &[u8], what: &str) {
        match check(bytes) {
            Err(OnnxError::TooLarge { what: found, .. }) => assert_eq!(found, what),
            other => panic!("{what}: {other:?}"),
        }
    }

    #[test]
    fn small_bytes_cannot_ask_for_much_memory() {
        check_too_large(&field(14, &[]).repeat(OURS.model_fields + 1), "fields of the model");
        check_too_large(&field(7, &[]).repeat(2), "graphs");
        check_too_large(&field(7, &field(1, &[]).repeat(MAX_OPERATORS + 1)), "nodes and initializers");
        check_too_large(&field(7, &field(1, &field(1, &[]).repeat(65))), "fields of a node");
        check_too_large(&field(7, &field(1, &field(4, &[b'x'; 257]))), "bytes of a name");
        check_too_large(&field(7, &field(5, &field(4, &[]).repeat(17))), "fields of an initializer");
        let in_attribute = field(1, &field(5, &field(5, &field(4, &[]).repeat(17))));
        check_too_large(&field(7, &in_attribute), "fields of an initializer");
        check_too_large(&field(7, &field(11, &[0; 1025])), "bytes of an input or output");
        let modes = field(9, &[]).repeat(OURS.attribute_fields + 1);
        check_too_large(&field(7, &field(1, &field(5, &modes))), "fields of attributes");
        check_too_large(&vec![0; MAX_BYTES + 1], "bytes");
    }

    #[test]
    fn bytes_that_are_cut_off_are_malformed() {
        for bytes in [&[0x80][..], &[0x0a], &[0x0a, 5, 1], &[0x0d, 1], &[0x0b], &[0xff; 11]] {
            assert!(matches!(check(bytes), Err(OnnxError::Malformed(_))), "{bytes:?}");
        }
    }
}
