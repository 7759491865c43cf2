//! `parity.bin`: the parity certificate as bytes. `docs/MODEL_FORMAT.md` has the layout.

use std::collections::BTreeMap;

use bellwether_core::{Band, Digest, RowStatus, Target, TextColumn};

use crate::rules::PARITY;
use crate::{
    BundleError, InputRole, InputValues, ParityInput, ParityInputs, ParityReasons, ParityTarget, ParityVectors,
};

/// The largest certificate that is read, in bytes. Reading one takes at most five times its size in memory.
pub const MAX_PARITY_BYTES: u64 = 64 << 20;

/// What every certificate begins with.
const MAGIC: &[u8; 8] = b"BWPARITY";
/// The layout that this release writes, and the only one that it reads.
const VERSION: u32 = 2;

const ROLES: [InputRole; 3] = [InputRole::Input, InputRole::Helper, InputRole::Cohort];
const NUMBER: u8 = 0;
const TEXT: u8 = 1;
const BANDS: [Band; 3] = [Band::Red, Band::Yellow, Band::Green];
/// What becomes of a row that a scorer is given; whether its account is a customer is no matter of a certificate.
const STATUSES: [RowStatus; 3] = [RowStatus::Scored, RowStatus::HealthRefused, RowStatus::InsufficientData];

/// The bytes of `parity.bin`; equal vectors give equal bytes.
pub(crate) fn encode(vectors: &ParityVectors) -> Result<Vec<u8>, BundleError> {
    let mut out = Writer(Vec::new());
    out.0.extend_from_slice(MAGIC);
    out.count(VERSION as usize)?;
    out.count(vectors.n_rows())?;
    out.count(vectors.columns.len())?;
    out.count(vectors.inputs.n_rows)?;
    out.count(vectors.inputs.columns.len())?;
    out.count(vectors.targets.len())?;
    for ParityInput { role, name, values } in &vectors.inputs.columns {
        out.0.push(place(&ROLES, role)?);
        out.0.push(if matches!(values, InputValues::Number(_)) { NUMBER } else { TEXT });
        out.text(name)?;
        match values {
            InputValues::Number(bits) => out.numbers(bits)?,
            InputValues::Text(texts) => out.texts(texts)?,
        }
    }
    for bits in &vectors.columns {
        out.numbers(bits)?;
    }
    for (target, of_target) in &vectors.targets {
        out.text(&target.to_string())?;
        out.digest(&of_target.graph)?;
        out.count(of_target.leaf_digests.len())?;
        out.wide(&of_target.logit_bits);
        out.wide(&of_target.probability_bits);
        of_target.leaf_digests.iter().try_for_each(|digest| out.digest(digest))?;
        out.reasons(of_target.reasons.as_ref())?;
    }
    out.wide(&vectors.health_bits);
    for band in &vectors.band {
        out.0.push(place(&BANDS, band)?);
    }
    for status in &vectors.status {
        out.0.push(place(&STATUSES, status)?);
    }
    out.digest(&vectors.background)?;
    Ok(out.0)
}

/// Reads what [`encode`] wrote, and refuses every other spelling of it.
pub(crate) fn decode(bytes: &[u8]) -> Result<ParityVectors, BundleError> {
    let mut input = Reader { bytes, at: 0, is_spelled: true };
    if input.take(MAGIC.len())? != MAGIC {
        return broken("it must begin with BWPARITY".to_owned());
    }
    let version = input.u32()?;
    if version != VERSION {
        return broken(format!("it has layout {version}; this release reads layout {VERSION} only"));
    }
    let (n_rows, n_columns) = (input.count(1)?, input.count(5)?);
    let (n_input_rows, n_inputs, n_targets) = (input.count(0)?, input.count(9)?, input.count(38)?);
    let inputs = (0..n_inputs).map(|_| input.input(n_input_rows)).collect::<Result<_, _>>()?;
    let columns = (0..n_columns).map(|_| input.numbers(n_rows)).collect::<Result<_, _>>()?;
    let mut targets = BTreeMap::new();
    for _ in 0..n_targets {
        let (target, of_target) = input.target(n_rows, n_columns)?;
        input.is_spelled &= targets.last_key_value().is_none_or(|(last, _)| *last < target);
        targets.insert(target, of_target);
    }
    let vectors = ParityVectors {
        inputs: ParityInputs { n_rows: n_input_rows, columns: inputs },
        columns,
        targets,
        health_bits: input.wide(n_rows)?,
        band: input.take(n_rows)?.iter().map(|&at| of_place(&BANDS, at, "band")).collect::<Result<_, _>>()?,
        status: input.take(n_rows)?.iter().map(|&at| of_place(&STATUSES, at, "status")).collect::<Result<_, _>>()?,
        background: input.digest()?,
    };
    // One spelling: nothing follows, tables rise and hold what is used, widths are the least.
    if input.is_spelled && input.at == bytes.len() {
        return Ok(vectors);
    }
    let spelled = encode(&vectors)?;
    if spelled == bytes {
        return Ok(vectors);
    }
    let at = spelled.iter().zip(bytes).take_while(|(ours, theirs)| ours == theirs).count();
    broken(format!("byte {at} is not what these vectors are written as"))
}

fn broken<T>(rule: String) -> Result<T, BundleError> {
    Err(BundleError::Rule { file: PARITY.to_owned(), rule })
}

fn place<T: PartialEq + std::fmt::Debug>(all: &[T], one: &T) -> Result<u8, BundleError> {
    match all.iter().position(|other| other == one) {
        Some(at) => Ok(at as u8),
        None => broken(format!("{one:?} can't stand in it")),
    }
}

fn of_place<T: Copy>(all: &[T], at: u8, what: &str) -> Result<T, BundleError> {
    all.get(usize::from(at)).copied().map_or_else(|| broken(format!("there is no {what} {at}")), Ok)
}

/// Bytes of one code into a table of `n` values.
const fn code_bytes(n: usize) -> usize {
    match n {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn count(&mut self, n: usize) -> Result<(), BundleError> {
        let Ok(n) = u32::try_from(n) else { return broken(format!("{n} is more than fits 32 bits")) };
        self.0.extend_from_slice(&n.to_le_bytes());
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), BundleError> {
        let Ok(n) = u16::try_from(text.len()) else {
            return broken(format!("a text of {} bytes is longer than fits 16 bits", text.len()));
        };
        self.0.extend_from_slice(&n.to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn digest(&mut self, digest: &Digest) -> Result<(), BundleError> {
        let Some(bytes) = digest.to_bytes() else { return broken(format!("`{digest}` is no digest")) };
        self.0.extend_from_slice(&bytes);
        Ok(())
    }

    fn wide(&mut self, values: &[u64]) {
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// How many rows have reasons, then what is expected, the rows, and what each feature adds to each of them.
    fn reasons(&mut self, reasons: Option<&ParityReasons>) -> Result<(), BundleError> {
        let Some(ParityReasons { rows, expected_bits, contribution_bits }) = reasons else { return self.count(0) };
        self.count(rows.len())?;
        self.wide(&[*expected_bits]);
        self.0.extend(rows.iter().flat_map(|row| row.to_le_bytes()));
        self.wide(contribution_bits);
        Ok(())
    }

    /// The distinct values, rising as integers, and each row's place among them.
    fn numbers(&mut self, bits: &[u32]) -> Result<(), BundleError> {
        let mut table = bits.to_vec();
        table.sort_unstable();
        table.dedup();
        self.count(table.len())?;
        self.0.extend(table.iter().flat_map(|bits| bits.to_le_bytes()));
        let code = |bits: &u32| table.binary_search(bits).expect("the table has every value") as u32;
        self.codes(table.len(), bits.iter().map(code));
        Ok(())
    }

    /// The levels, sorted, and each row's place among them; a missing text is the place after the last.
    fn texts(&mut self, texts: &TextColumn) -> Result<(), BundleError> {
        let n_levels = texts.levels.len();
        self.count(n_levels)?;
        texts.levels.iter().try_for_each(|level| self.text(level))?;
        let code = |&code: &u32| if code == TextColumn::MISSING { n_levels as u32 } else { code };
        self.codes(n_levels + 1, texts.codes.iter().map(code));
        Ok(())
    }

    fn codes(&mut self, n_values: usize, codes: impl Iterator<Item = u32>) {
        match code_bytes(n_values) {
            1 => self.0.extend(codes.map(|code| code as u8)),
            2 => self.0.extend(codes.flat_map(|code| (code as u16).to_le_bytes())),
            _ => self.0.extend(codes.flat_map(u32::to_le_bytes)),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether what was read so far is spelled as [`encode`] does.
    is_spelled: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BundleError> {
        match self.bytes[self.at..].get(..n) {
            Some(taken) => {
                self.at += n;
                Ok(taken)
            }
            None => broken(format!("it ends at byte {}; {n} bytes from byte {} are needed", self.bytes.len(), self.at)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BundleError> {
        Ok(self.take(N)?.try_into().expect("`take` gives as many as were asked for"))
    }

    fn u32(&mut self) -> Result<u32, BundleError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A number of things that take at least `least_bytes` each, of which what follows has to have room for all.
    fn count(&mut self, least_bytes: usize) -> Result<usize, BundleError> {
        let n = self.u32()? as usize;
        let room = self.bytes.len() - self.at;
        if n.saturating_mul(least_bytes) > room {
            return broken(format!("{n} of something, before byte {}, do not fit the {room} bytes after it", self.at));
        }
        Ok(n)
    }

    fn text(&mut self) -> Result<String, BundleError> {
        let n = usize::from(u16::from_le_bytes(self.array()?));
        let bytes = self.take(n)?.to_vec();
        String::from_utf8(bytes).or_else(|error| broken(format!("the text before byte {}: {error}", self.at)))
    }

    fn digest(&mut self) -> Result<Digest, BundleError> {
        Ok(Digest::from_bytes(self.array()?))
    }

    fn wide(&mut self, n: usize) -> Result<Vec<u64>, BundleError> {
        let bytes = self.take(n.saturating_mul(8))?;
        Ok(bytes.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect())
    }

    fn numbers(&mut self, n_rows: usize) -> Result<Vec<u32>, BundleError> {
        let n_values = self.count(4)?;
        let table = self.take(n_values * 4)?.as_chunks().0;
        let table: Vec<u32> = table.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();
        let codes = self.codes(n_values, n_rows)?;
        let mut is_used = vec![false; n_values];
        for &code in &codes {
            is_used[code as usize] = true;
        }
        self.is_spelled &= table.is_sorted_by(|a, b| a < b) && !is_used.contains(&false);
        Ok(codes.into_iter().map(|code| table[code as usize]).collect())
    }

    fn texts(&mut self, n_rows: usize) -> Result<TextColumn, BundleError> {
        let n_levels = self.count(2)?;
        let levels = (0..n_levels).map(|_| self.text()).collect::<Result<Vec<_>, _>>()?;
        let codes = self.codes(n_levels + 1, n_rows)?;
        let text = |&code: &u32| levels.get(code as usize).map(String::as_str);
        let texts = TextColumn::from_texts(codes.iter().map(text));
        // They are not where levels are out of order, stand twice or are unused.
        self.is_spelled &= texts.levels == levels;
        Ok(texts)
    }

    fn codes(&mut self, n_values: usize, n_rows: usize) -> Result<Vec<u32>, BundleError> {
        let width = code_bytes(n_values);
        let bytes = self.take(n_rows.saturating_mul(width))?;
        let codes: Vec<u32> = match width {
            1 => bytes.iter().map(|&byte| u32::from(byte)).collect(),
            2 => bytes.as_chunks().0.iter().map(|&bytes| u32::from(u16::from_le_bytes(bytes))).collect(),
            _ => bytes.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect(),
        };
        match codes.iter().find(|&&code| code as usize >= n_values) {
            Some(code) => broken(format!("before byte {}: value {code} of {n_values} in a table", self.at)),
            None => Ok(codes),
        }
    }

    fn input(&mut self, n_rows: usize) -> Result<ParityInput, BundleError> {
        let [role, kind] = self.array()?;
        let role = of_place(&ROLES, role, "role")?;
        let name = self.text()?;
        let values = match kind {
            NUMBER => InputValues::Number(self.numbers(n_rows)?),
            TEXT => InputValues::Text(self.texts(n_rows)?),
            _ => return broken(format!("there is no kind {kind} of values")),
        };
        Ok(ParityInput { role, name, values })
    }

    fn target(&mut self, n_rows: usize, n_columns: usize) -> Result<(Target, ParityTarget), BundleError> {
        let name = self.text()?;
        let target = Target::try_from(name.clone()).or_else(|error| broken(error.to_string()))?;
        self.is_spelled &= target.to_string() == name;
        let graph = self.digest()?;
        let n_trees = self.count(32)?;
        let (logit_bits, probability_bits) = (self.wide(n_rows)?, self.wide(n_rows)?);
        let leaf_digests = (0..n_trees).map(|_| self.digest()).collect::<Result<_, _>>()?;
        let reasons = self.reasons(n_columns)?;
        Ok((target, ParityTarget { graph, logit_bits, probability_bits, leaf_digests, reasons }))
    }

    fn reasons(&mut self, n_columns: usize) -> Result<Option<ParityReasons>, BundleError> {
        let n_rows = self.count(4 + 8 * n_columns)?;
        if n_rows == 0 {
            return Ok(None);
        }
        let expected_bits = u64::from_le_bytes(self.array()?);
        let rows = (0..n_rows).map(|_| self.u32()).collect::<Result<_, _>>()?;
        Ok(Some(ParityReasons { rows, expected_bits, contribution_bits: self.wide(n_rows * n_columns)? }))
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::Outcome;

    use super::*;

    fn vectors() -> ParityVectors {
        let target = ParityTarget {
            graph: Digest::of(b"graph"),
            logit_bits: vec![1, u64::MAX, 3],
            probability_bits: vec![4, 5, 6],
            leaf_digests: vec![Digest::of(b"leaves")],
            reasons: Some(ParityReasons { rows: vec![0, 2], expected_bits: 7, contribution_bits: vec![8, 9, 10, 11] }),
        };
        let input = |role, name: &str, values| ParityInput { role, name: name.to_owned(), values };
        let texts = TextColumn::from_texts([Some("pro"), None]);
        ParityVectors {
            inputs: ParityInputs {
                n_rows: 2,
                columns: vec![
                    input(InputRole::Input, "plan", InputValues::Text(texts.clone())),
                    input(InputRole::Helper, "seats", InputValues::Number(vec![7, 7])),
                    input(InputRole::Cohort, "größe", InputValues::Text(texts)),
                ],
            },
            columns: vec![vec![ParityVectors::MISSING, 0, 1 << 31], vec![9, 9, 9]],
            targets: BTreeMap::from([(Target { outcome: Outcome::Churn, horizon_days: 90 }, target)]),
            health_bits: vec![0, 1, 2],
            band: vec![Band::Green, Band::Red, Band::Yellow],
            status: vec![RowStatus::Scored, RowStatus::InsufficientData, RowStatus::HealthRefused],
            background: Digest::of(b"background"),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut vectors = vectors();
        let bytes = encode(&vectors).expect("writes");
        assert_eq!(decode(&bytes).expect("reads"), vectors);
        vectors.targets.values_mut().for_each(|of| of.reasons = None);
        let without = encode(&vectors).expect("writes");
        assert_eq!(decode(&without).expect("reads"), vectors);
        assert_eq!(bytes.len() - without.len(), 8 + 2 * (4 + 2 * 8));
    }

    #[test]
    fn codes_are_as_wide_as_their_table_needs() {
        for (n_values, width) in [(256, 1), (257, 2), (65_536, 2), (65_537, 4)] {
            let bits: Vec<u32> = (0..n_values).collect();
            let mut out = Writer(Vec::new());
            out.numbers(&bits).expect("writes");
            assert_eq!(out.0.len(), 4 + bits.len() * (4 + width));
            let mut input = Reader { bytes: &out.0, at: 0, is_spelled: true };
            assert_eq!(input.numbers(bits.len()).expect("reads"), bits);
        }
    }

    #[test]
    fn every_cut_and_every_added_byte_is_refused() {
        let mut bytes = encode(&vectors()).expect("writes");
        for n in 0..bytes.len() {
            assert!(decode(&bytes[..n]).is_err(), "cut to {n}");
        }
        bytes.push(0);
        assert!(decode(&bytes).is_err());
    }

    /// Whatever one byte becomes: names of targets that change their order, codes that leave a value of a table unused, tables
    /// that fall.
    #[test]
    fn what_is_read_is_written_the_same() {
        let mut vectors = vectors();
        let target = |horizon_days| Target { outcome: Outcome::Churn, horizon_days };
        let second = vectors.targets[&target(90)].clone();
        vectors.targets.insert(target(30), ParityTarget { reasons: None, ..second });
        let written = encode(&vectors).expect("writes");
        let mut n_read = 0;
        for at in 0..written.len() {
            let mut bytes = written.clone();
            for byte in 0..=u8::MAX {
                bytes[at] = byte;
                if let Ok(read) = decode(&bytes) {
                    assert_eq!(encode(&read).expect("writes"), bytes, "byte {at} is {byte}");
                    n_read += 1;
                }
            }
        }
        assert!(n_read > written.len(), "some bytes are free, such as those of logits");
    }

    /// Checks that the bytes are refused with `message` once those from `at` are `put`.
    fn check(at: usize, put: &[u8], message: &str) {
        let mut bytes = encode(&vectors()).expect("writes");
        bytes[at..at + put.len()].copy_from_slice(put);
        let refused = decode(&bytes).expect_err(message).to_string();
        assert!(refused.contains(message), "`{refused}` lacks `{message}`");
    }

    #[test]
    fn each_lie_is_named() {
        let all = u32::MAX.to_le_bytes();
        check(0, b"GIF89a", "it must begin with BWPARITY");
        check(8, &1_u32.to_le_bytes(), "it has layout 1; this release reads layout 2 only");
        check(12, &all, "4294967295 of something, before byte 16, do not fit");
        check(16, &all, "4294967295 of something, before byte 20, do not fit");
        check(20, &all, "4294967295 bytes from byte");
        check(24, &all, "4294967295 of something, before byte 28, do not fit");
        check(28, &all, "4294967295 of something, before byte 32, do not fit");
        check(32, &[3], "there is no role 3");
        check(33, &[2], "there is no kind 2 of values");
        check(36, &[0xff], "invalid utf-8");
        check(40, &all, "4294967295 of something, before byte 44, do not fit");
        check(49, &[2], "value 2 of 2 in a table");
        // The table's only level is not used any more, and the second row of it is.
        check(49, &[1], "is not what these vectors are written as");
        let n = encode(&vectors()).expect("writes").len();
        // The digest of the background stands last.
        let statuses = n - 32 - 3;
        check(statuses + 2, &[3], "there is no status 3");
        check(statuses - 1, &[3], "there is no band 3");
    }
}
