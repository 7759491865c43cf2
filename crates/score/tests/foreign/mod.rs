//! ONNX files as other software writes them, byte by byte, so that no file of it is kept; tags are those of onnx.proto3.

/// An operator with its inputs, its output and its attributes.
#[derive(Clone, Copy)]
pub(crate) struct Operator<'a>(
    pub(crate) &'a str,
    pub(crate) &'a [&'a str],
    pub(crate) &'a str,
    pub(crate) &'a [Attribute<'a>],
);

/// An attribute of an operator.
pub(crate) enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, &'a [i64]),
    Float(&'a str, f32),
}

/// A matrix that stands in the file: name, rows, columns, numbers.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a>(pub(crate) &'a str, pub(crate) usize, pub(crate) usize, pub(crate) &'a [f32]);

/// A file that reads `x` of `n_columns` and gives `p` of `n_classes`.
pub(crate) fn file(operators: &[Operator<'_>], matrices: &[Matrix<'_>], n_columns: i64, n_classes: i64) -> Vec<u8> {
    let mut graph: Vec<u8> = operators.iter().flat_map(|of| field(1, &node(of))).collect();
    graph.extend(field(2, b"main_graph"));
    graph.extend(matrices.iter().flat_map(|of| field(5, &matrix(of))));
    graph.extend(field(11, &value("x", n_columns)));
    graph.extend(field(12, &value("p", n_classes)));
    let operator_set = [field(1, b""), number(2, 17)].concat();
    [number(1, 8), field(2, b"test"), field(7, &graph), field(8, &operator_set)].concat()
}

fn node(Operator(operator, inputs, output, attributes): &Operator<'_>) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    node.extend([field(2, output.as_bytes()), field(3, output.as_bytes()), field(4, operator.as_bytes())].concat());
    let attribute = |of: &Attribute<'_>| match of {
        Attribute::Int(name, value) => [field(1, name.as_bytes()), number(3, *value), number(20, 2)].concat(),
        Attribute::Ints(name, values) => {
            let values: Vec<u8> = values.iter().flat_map(|&value| number(8, value)).collect();
            [field(1, name.as_bytes()), values, number(20, 7)].concat()
        }
        Attribute::Float(name, value) => {
            [field(1, name.as_bytes()), vec![2 << 3 | 5], value.to_le_bytes().to_vec(), number(20, 1)].concat()
        }
    };
    node.extend(attributes.iter().flat_map(|of| field(5, &attribute(of))));
    node
}

fn matrix(Matrix(name, n_rows, n_columns, values): &Matrix<'_>) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let sizes = [number(1, *n_rows as i64), number(1, *n_columns as i64), number(2, 1)].concat();
    [sizes, field(8, name.as_bytes()), field(9, &bytes)].concat()
}

fn value(name: &str, n_columns: i64) -> Vec<u8> {
    let shape = [field(1, &field(2, b"N")), field(1, &number(1, n_columns))].concat();
    let tensor = [number(1, 1), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn field(tag: u64, payload: &[u8]) -> Vec<u8> {
    [varint(tag << 3 | 2), varint(payload.len() as u64), payload.to_vec()].concat()
}

fn number(tag: u64, value: i64) -> Vec<u8> {
    [varint(tag << 3), varint(value as u64)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
