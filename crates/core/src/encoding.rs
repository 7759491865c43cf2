//! From raw features to the matrix: the levels and the cohorts that were learnt on training rows.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::percentile::RowCohorts;
use crate::{
    CohortPolicy, Direction, Feature, FeatureMatrix, FeatureSchema, MatrixError, Percentile, RawTable, RawValues,
    SchemaError, TextColumn,
};

/// How each raw feature becomes columns of the matrix. Learnt on training rows, stored in the bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// The raw features in order, and the percentiles that are read off them or off helpers.
    pub inputs: Vec<EncodedInput>,
}

/// One raw feature, or one percentile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncodedInput {
    /// Its name.
    pub name: String,
    /// The kind of indicator, such as `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Which way is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Direction>,
    /// How it is encoded.
    pub kind: InputKind,
}

/// How a raw feature becomes columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// One column, as it is.
    Number,
    /// One 0/1 column a level (1 where the row has it) and, where training rows had rarer levels, one called
    /// `(other)`, which is 1 for every text that is not a level, unseen ones included. A missing text is NaN
    /// in all of them.
    Levels {
        /// The levels that have a column, sorted.
        levels: Vec<String>,
        /// Whether there is an `(other)` column.
        other: bool,
    },
    /// One column: where another feature's value stands in its row's cohort, `0.0..=1.0`.
    Percentile(Percentile),
}

/// What the name of a percentile adds to that of its feature.
pub const PERCENTILE_SUFFIX: &str = "_percentile";

/// Which levels get a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelPolicy {
    /// At most this many levels, the most frequent first (ties by name).
    pub max_levels: usize,
    /// A level needs this many training rows.
    pub min_rows: usize,
}

impl Default for LevelPolicy {
    fn default() -> Self {
        Self { max_levels: 32, min_rows: 20 }
    }
}

/// Why rows could not be encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// The table has other columns than the encoding.
    #[error("feature {place} is `{found}` where the model expects `{expected}`")]
    Column {
        /// Place, from 0.
        place: usize,
        /// Name found, `(none)` past the end.
        found: String,
        /// Name expected, `(none)` past the end.
        expected: String,
    },
    /// A number where the model learnt texts, or the other way round.
    #[error("feature `{0}` changed between number and text since the model was trained")]
    Kind(String),
    /// A raw feature is never known in the training rows.
    #[error("feature `{name}` is missing in all {n_rows} training rows")]
    AllMissing {
        /// The feature.
        name: String,
        /// Training rows.
        n_rows: usize,
    },
    /// An infinite value.
    #[error("feature `{name}` in row {row} is {value}; values must be finite or missing")]
    Infinite {
        /// The feature.
        name: String,
        /// Row, from 0.
        row: usize,
        /// The value.
        value: f32,
    },
    /// The table has other dimensions of cohorts than the encoding.
    #[error("`{name}` is within cohorts by {expected}; the table has cohorts by {found}")]
    Cohort {
        /// The percentile.
        name: String,
        /// Dimensions found, `(none)` where there is none.
        found: String,
        /// Dimensions expected.
        expected: String,
    },
    /// The feature of a percentile is not in the table.
    #[error("`{name}` is the percentile of `{of}`, which the table does not have")]
    NoSource {
        /// The percentile.
        name: String,
        /// The feature.
        of: String,
    },
    /// Two inputs make one feature name.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// The column of a text that is 1 for what is no level.
pub const OTHER_LEVEL: &str = "(other)";
const NONE: &str = "(none)";

/// What an input says beside its values.
type Traits = (Option<String>, Option<Direction>);

impl Encoding {
    /// Learns the encoding of `raw` from its rows `training_rows` alone; `traits_of` tells category and good direction.
    ///
    /// # Errors
    /// [`EncodingError::AllMissing`] for a feature without any value in the training rows.
    pub fn learn(
        raw: &RawTable,
        training_rows: &[usize],
        policy: LevelPolicy,
        traits_of: impl Fn(&str) -> Traits,
    ) -> Result<Self, EncodingError> {
        let inputs = raw.columns.iter().map(|column| {
            let kind = match &column.values {
                RawValues::Number(values) => {
                    training_rows.iter().any(|&row| !values[row].is_nan()).then_some(InputKind::Number)
                }
                RawValues::Text(texts) => learn_levels(texts, training_rows, policy),
            };
            let (category, good) = traits_of(&column.name);
            let kind = kind
                .ok_or_else(|| EncodingError::AllMissing { name: column.name.clone(), n_rows: training_rows.len() })?;
            Ok(EncodedInput { name: column.name.clone(), category, good, kind })
        });
        Ok(Self { inputs: inputs.collect::<Result<_, EncodingError>>()? })
    }

    /// Adds one input `<feature>_percentile` for each feature of `policy`, after the others, learnt from the rows
    /// `training_rows` of `raw` alone; category and good direction are the feature's own, by `traits_of`.
    ///
    /// # Errors
    /// [`EncodingError`] for a feature that is not in `raw`, is no number, is infinite somewhere, or has no value in
    /// the training rows.
    pub fn with_percentiles(
        mut self,
        raw: &RawTable,
        training_rows: &[usize],
        policy: &CohortPolicy<'_>,
        traits_of: impl Fn(&str) -> Traits,
    ) -> Result<Self, EncodingError> {
        let cohorts = RowCohorts::new(raw.n_rows, &raw.cohort);
        for of in policy.features {
            let name = format!("{of}{PERCENTILE_SUFFIX}");
            let values = source_of(raw, of, &name)?;
            let learnt = Percentile::learn(of, values, training_rows, &cohorts, policy)
                .ok_or_else(|| EncodingError::AllMissing { name: of.clone(), n_rows: training_rows.len() })?;
            let (category, good) = traits_of(of);
            self.inputs.push(EncodedInput { name, category, good, kind: InputKind::Percentile(learnt) });
        }
        Ok(self)
    }

    /// The schema of the matrix that this encoding makes.
    ///
    /// # Errors
    /// [`SchemaError`] if two inputs make one name.
    pub fn schema(&self) -> Result<FeatureSchema, SchemaError> {
        let features = self.inputs.iter().flat_map(|input| {
            let feature = |name: String, good| Feature { name, category: input.category.clone(), good };
            match &input.kind {
                InputKind::Number | InputKind::Percentile(_) => vec![feature(input.name.clone(), input.good)],
                InputKind::Levels { levels, other } => levels
                    .iter()
                    .map(String::as_str)
                    .chain(other.then_some(OTHER_LEVEL))
                    .map(|level| feature(format!("{}={level}", input.name), None))
                    .collect(),
            }
        });
        FeatureSchema::new(features.collect())
    }

    /// Encodes every row of `raw`.
    ///
    /// # Errors
    /// [`EncodingError`] if names, order, kinds or cohorts differ, or a value is infinite.
    pub fn encode(&self, raw: &RawTable) -> Result<FeatureMatrix, EncodingError> {
        let cohorts = RowCohorts::new(raw.n_rows, &raw.cohort);
        let n_columns = self.inputs.iter().map(EncodedInput::n_columns).sum();
        let mut values = Vec::with_capacity(raw.n_rows * n_columns);
        let mut owners: Vec<&str> = Vec::with_capacity(n_columns);
        let mut place = 0;
        for input in &self.inputs {
            if let InputKind::Percentile(percentile) = &input.kind {
                values.extend(encode_percentile(input, percentile, raw, &cohorts)?);
            } else {
                let column = raw.columns.get(place).filter(|column| column.name == input.name);
                let column = column.ok_or_else(|| mismatch(raw, place, Some(input)))?;
                place += 1;
                match (&input.kind, &column.values) {
                    (InputKind::Number, RawValues::Number(numbers)) => values.extend_from_slice(numbers),
                    (InputKind::Levels { levels, other }, RawValues::Text(texts)) => {
                        encode_levels(texts, levels, *other, &mut values);
                    }
                    _ => return Err(EncodingError::Kind(input.name.clone())),
                }
            }
            owners.resize(owners.len() + input.n_columns(), &input.name);
        }
        if place < raw.columns.len() {
            return Err(mismatch(raw, place, None));
        }
        FeatureMatrix::from_values(raw.n_rows, n_columns, values).map_err(|error| match error {
            MatrixError::Infinite { column, row, value } => {
                EncodingError::Infinite { name: owners[column].to_owned(), row, value }
            }
            MatrixError::Shape { .. } => unreachable!("every raw column has one value a row"),
        })
    }
}

impl Encoding {
    /// The columns of the percentiles that are read off feature `of`, with what each becomes in the rows of `raw` whose
    /// feature is `values` instead; NaN where that is.
    ///
    /// # Errors
    /// [`EncodingError::Cohort`] if `raw` has other dimensions of cohorts.
    ///
    /// # Panics
    /// If `values` has not one value a row of `raw`.
    pub fn percentiles_of(
        &self,
        of: &str,
        values: &[f32],
        raw: &RawTable,
    ) -> Result<Vec<(usize, Vec<f32>)>, EncodingError> {
        assert_eq!(values.len(), raw.n_rows, "one value a row");
        let (mut found, mut column) = (Vec::new(), 0);
        for input in &self.inputs {
            if let InputKind::Percentile(percentile) = &input.kind
                && percentile.of() == of
            {
                let cohorts = RowCohorts::new(raw.n_rows, &raw.cohort);
                check_cohorts(input, percentile, &cohorts)?;
                found.push((column, percentile.encode(values, &cohorts)));
            }
            column += input.n_columns();
        }
        Ok(found)
    }
}

impl EncodedInput {
    /// How many columns of the matrix it becomes; they stand side by side.
    pub fn n_columns(&self) -> usize {
        match &self.kind {
            InputKind::Number | InputKind::Percentile(_) => 1,
            InputKind::Levels { levels, other } => levels.len() + usize::from(*other),
        }
    }
}

fn mismatch(raw: &RawTable, place: usize, expected: Option<&EncodedInput>) -> EncodingError {
    let name_or_none = |name: Option<&String>| name.map_or_else(|| NONE.to_owned(), String::clone);
    EncodingError::Column {
        place,
        found: name_or_none(raw.columns.get(place).map(|column| &column.name)),
        expected: name_or_none(expected.map(|input| &input.name)),
    }
}

/// The values that the percentile `name` is read off; finite or missing.
fn source_of<'a>(raw: &'a RawTable, of: &str, name: &str) -> Result<&'a [f32], EncodingError> {
    match raw.column(of).map(|column| &column.values) {
        None => Err(EncodingError::NoSource { name: name.to_owned(), of: of.to_owned() }),
        Some(RawValues::Text(_)) => Err(EncodingError::Kind(of.to_owned())),
        Some(RawValues::Number(values)) => match values.iter().position(|value| value.is_infinite()) {
            Some(row) => Err(EncodingError::Infinite { name: of.to_owned(), row, value: values[row] }),
            None => Ok(values),
        },
    }
}

fn encode_percentile(
    input: &EncodedInput,
    percentile: &Percentile,
    raw: &RawTable,
    cohorts: &RowCohorts<'_>,
) -> Result<Vec<f32>, EncodingError> {
    check_cohorts(input, percentile, cohorts)?;
    Ok(percentile.encode(source_of(raw, percentile.of(), &input.name)?, cohorts))
}

/// The rows have the dimensions that the percentile was learnt within.
fn check_cohorts(input: &EncodedInput, percentile: &Percentile, cohorts: &RowCohorts<'_>) -> Result<(), EncodingError> {
    if percentile.by().iter().eq(cohorts.by()) {
        return Ok(());
    }
    let found = if cohorts.by().is_empty() { NONE.to_owned() } else { cohorts.by().join(", ") };
    Err(EncodingError::Cohort { name: input.name.clone(), found, expected: percentile.by().join(", ") })
}

fn learn_levels(texts: &TextColumn, training_rows: &[usize], policy: LevelPolicy) -> Option<InputKind> {
    let mut count_of = vec![0_usize; texts.levels.len()];
    for &row in training_rows {
        if let Some(count) = count_of.get_mut(texts.codes[row] as usize) {
            *count += 1;
        }
    }
    let mut by_count: Vec<(usize, &String)> =
        count_of.iter().copied().zip(&texts.levels).filter(|&(count, _)| count > 0).collect();
    let n_seen = by_count.len();
    by_count.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    by_count.retain(|&(count, _)| count >= policy.min_rows);
    by_count.truncate(policy.max_levels);
    let mut levels: Vec<String> = by_count.into_iter().map(|(_, level)| level.clone()).collect();
    levels.sort();
    let other = levels.len() < n_seen;
    (n_seen > 0).then_some(InputKind::Levels { levels, other })
}

fn encode_levels(texts: &TextColumn, levels: &[String], other: bool, into: &mut Vec<f32>) {
    let n_columns = levels.len() + usize::from(other);
    let column_of: Vec<Option<usize>> = texts
        .levels
        .iter()
        .map(|text| levels.binary_search(text).ok().or_else(|| other.then_some(levels.len())))
        .collect();
    for column in 0..n_columns {
        let is_it = |&of_text: &Option<usize>| f32::from(u8::from(of_text == Some(column)));
        let value_of: Vec<f32> = column_of.iter().map(is_it).collect();
        into.extend(texts.codes.iter().map(|&code| value_of.get(code as usize).copied().unwrap_or(f32::NAN)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawColumn;

    fn table(texts: &[Option<&str>]) -> RawTable {
        let column = TextColumn::from_texts(texts.iter().copied());
        RawTable {
            n_rows: texts.len(),
            columns: vec![RawColumn { name: "plan".into(), values: RawValues::Text(column) }],
            ..RawTable::default()
        }
    }

    #[test]
    fn levels_come_from_training_rows_and_the_rest_is_other() {
        let seen = table(&[Some("pro"), Some("pro"), Some("free"), Some("free"), Some("rare"), Some("late"), None]);
        let policy = LevelPolicy { max_levels: 2, min_rows: 2 };
        let encoding = Encoding::learn(&seen, &[0, 1, 2, 3, 4], policy, |_| (None, None)).expect("learns");
        let schema = encoding.schema().expect("names differ");
        let names: Vec<&str> = schema.features().iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(names, ["plan=free", "plan=pro", "plan=(other)"]);
        let matrix = encoding.encode(&seen).expect("encodes");
        let column = |j: usize| matrix.column(j)[..6].to_vec();
        assert_eq!(column(0), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(column(1), [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(column(2), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
        assert!((0..3).all(|j| matrix.value(6, j).is_nan()));
    }

    #[test]
    fn a_feature_without_training_values_is_refused() {
        let refused = Encoding::learn(&table(&[None, Some("a")]), &[0], LevelPolicy::default(), |_| (None, None));
        assert!(matches!(refused, Err(EncodingError::AllMissing { n_rows: 1, .. })));
    }

    /// Two accounts with a helper feature, in cohorts by plan.
    fn with_helper() -> RawTable {
        RawTable {
            n_rows: 4,
            columns: vec![RawColumn { name: "seats".into(), values: RawValues::Number(vec![1.0, 2.0, 3.0, 4.0]) }],
            helpers: vec![RawColumn {
                name: "logins".into(),
                values: RawValues::Number(vec![5.0, 7.0, f32::NAN, 9.0]),
            }],
            cohort: vec![("plan".into(), TextColumn::from_texts([Some("a"), Some("a"), None, Some("b")]))],
        }
    }

    fn with_percentile(raw: &RawTable, training_rows: &[usize]) -> Result<Encoding, EncodingError> {
        let features = ["logins".to_owned(), "seats".to_owned()];
        let policy = CohortPolicy { features: &features, shrinkage: 0.0, min_accounts: 1, account: &[0, 1, 2, 3] };
        let traits_of = |name: &str| (Some(name.to_owned()), Some(Direction::Up));
        let encoding = Encoding::learn(raw, training_rows, LevelPolicy::default(), traits_of)?;
        encoding.with_percentiles(raw, training_rows, &policy, traits_of)
    }

    #[test]
    fn percentiles_stand_after_the_other_inputs_and_come_from_training_rows() {
        let raw = with_helper();
        let encoding = with_percentile(&raw, &[0, 1, 2]).expect("learns");
        let schema = encoding.schema().expect("names differ");
        let names: Vec<&str> = schema.features().iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(names, ["seats", "logins_percentile", "seats_percentile"]);
        assert_eq!(schema.features()[1].category.as_deref(), Some("logins"));
        assert_eq!(schema.features()[1].good, Some(Direction::Up));
        let matrix = encoding.encode(&raw).expect("encodes");
        assert_eq!(matrix.column(1)[..2], [0.25, 0.75]);
        assert!(matrix.value(2, 1).is_nan());
        // Plan `b` was in no training row: row 3 is held against everybody.
        assert_eq!(matrix.value(3, 1), 1.0);
        assert_eq!(matrix.column(2)[..3], [0.25, 0.75, 2.5 / 3.0]);
    }

    #[test]
    fn a_table_without_what_percentiles_need_is_refused() {
        let encoding = with_percentile(&with_helper(), &[0, 1, 2]).expect("learns");
        let refused = |spoil: &dyn Fn(&mut RawTable)| {
            let mut raw = with_helper();
            spoil(&mut raw);
            encoding.encode(&raw).expect_err("it lacks something").to_string()
        };
        for (spoil, told) in [
            (
                &|raw: &mut RawTable| raw.cohort.clear(),
                "`logins_percentile` is within cohorts by plan; the table has cohorts by (none)",
            ),
            (
                &|raw| raw.cohort[0].0 = "tier".into(),
                "`logins_percentile` is within cohorts by plan; the table has cohorts by tier",
            ),
            (
                &|raw| raw.helpers.clear(),
                "`logins_percentile` is the percentile of `logins`, which the table does not have",
            ),
            (
                &|raw| raw.helpers[0].values = RawValues::Number(vec![0.0, f32::INFINITY, 0.0, 0.0]),
                "feature `logins` in row 1 is inf; values must be finite or missing",
            ),
            (
                &|raw| raw.helpers[0].values = RawValues::Text(raw.cohort[0].1.clone()),
                "feature `logins` changed between number and text since the model was trained",
            ),
            (&|raw| raw.columns.clear(), "feature 0 is `(none)` where the model expects `seats`"),
            (&|raw| raw.columns.push(raw.helpers[0].clone()), "feature 1 is `logins` where the model expects `(none)`"),
        ] as [(&dyn Fn(&mut RawTable), &str); 7]
        {
            assert_eq!(refused(spoil), told);
        }
        let unknown = with_percentile(&with_helper(), &[2]);
        assert!(matches!(unknown, Err(EncodingError::AllMissing { name, n_rows: 1 }) if name == "logins"));
    }
}
