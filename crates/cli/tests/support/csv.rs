//! Changes of CSV texts; no field that tests change has a comma.

/// The header and those rows for which `keep` says so of their fields.
pub(crate) fn keep_rows(text: &str, keep: impl Fn(&[&str]) -> bool) -> String {
    let kept = |&(row, line): &(usize, &str)| row == 0 || keep(&line.split(',').collect::<Vec<_>>());
    let lines: Vec<&str> = text.lines().enumerate().filter(kept).map(|(_, line)| line).collect();
    lines.join("\n") + "\n"
}

/// The text with `value` of a row's fields in the column at `column`, from 0; row 1 is the first after the header.
pub(crate) fn set_fields(text: &str, column: usize, value: impl Fn(usize, &[&str]) -> String) -> String {
    let change = |(row, line): (usize, &str)| {
        let mut fields: Vec<&str> = line.split(',').collect();
        let changed = value(row, &fields);
        if row > 0 {
            fields[column] = &changed;
        }
        fields.join(",")
    };
    let lines: Vec<String> = text.lines().enumerate().map(change).collect();
    lines.join("\n") + "\n"
}

/// The header, then the rows in another order.
pub(crate) fn shuffle(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut state = 1_u64;
    for place in (2..lines.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        lines.swap(place, 1 + (state >> 33) as usize % place);
    }
    lines.join("\n") + "\n"
}
