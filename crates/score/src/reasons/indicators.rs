//! From columns of the matrix back to what people declared.

use bellwether_core::{Encoding, HealthModel, InputKind};

/// Which indicator each column of a matrix belongs to: the columns of a text are one indicator, and a feature's percentile
/// belongs to the feature where that is an input too.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicators {
    indicators: Vec<Indicator>,
    of_column: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq)]
struct Indicator {
    name: String,
    first_column: usize,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Number,
    Percentile,
    /// The levels that have a column; one more stands for others where there are others.
    Levels(Vec<String>),
}

/// What an indicator is in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IndicatorValue<'a> {
    /// Not known.
    Missing,
    /// A number.
    Number(f32),
    /// Where the feature stands in its cohort, `0.0..=1.0`; the feature itself is no input.
    Percentile(f32),
    /// A text that training knew well.
    Level {
        /// Its place among the levels of the indicator.
        place: usize,
        /// What it is.
        name: &'a str,
    },
    /// Another text.
    OtherLevel,
}

impl IndicatorValue<'_> {
    /// The number, or the share of the cohort below; `None` of what is not known and of texts.
    pub fn number(&self) -> Option<f32> {
        match *self {
            Self::Number(value) | Self::Percentile(value) => Some(value),
            Self::Missing | Self::Level { .. } | Self::OtherLevel => None,
        }
    }
}

impl Indicators {
    /// One for each input of the encoding, in its order, but for percentiles of other inputs.
    pub fn of(encoding: &Encoding) -> Self {
        let (mut indicators, mut of_column): (Vec<Indicator>, Vec<usize>) = (Vec::new(), Vec::new());
        for input in &encoding.inputs {
            let source = match &input.kind {
                InputKind::Percentile(percentile) => indicators.iter().position(|of| of.name == percentile.of()),
                InputKind::Number | InputKind::Levels { .. } => None,
            };
            let place = source.unwrap_or(indicators.len());
            if source.is_none() {
                let kind = match &input.kind {
                    InputKind::Number => Kind::Number,
                    InputKind::Percentile(_) => Kind::Percentile,
                    InputKind::Levels { levels, .. } => Kind::Levels(levels.clone()),
                };
                indicators.push(Indicator { name: input.name.clone(), first_column: of_column.len(), kind });
            }
            of_column.resize(of_column.len() + input.n_columns(), place);
        }
        Self { indicators, of_column }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.indicators.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.indicators.is_empty()
    }

    /// The declared name of an indicator.
    ///
    /// # Panics
    /// If `indicator` is outside.
    pub fn name(&self, indicator: usize) -> &str {
        &self.indicators[indicator].name
    }

    /// The indicator of each column.
    pub fn of_columns(&self) -> &[usize] {
        &self.of_column
    }

    /// The levels that training knew well; none where an indicator is no text.
    ///
    /// # Panics
    /// If `indicator` is outside.
    pub fn levels(&self, indicator: usize) -> &[String] {
        match &self.indicators[indicator].kind {
            Kind::Levels(levels) => levels,
            Kind::Number | Kind::Percentile => &[],
        }
    }

    /// The column that tells an indicator's value; of a text the first of its columns.
    ///
    /// # Panics
    /// If `indicator` is outside.
    pub fn column(&self, indicator: usize) -> usize {
        self.indicators[indicator].first_column
    }

    /// The indicators that the health score reads and that are numbers, rising, each once.
    ///
    /// # Panics
    /// If `health` reads a column that the encoding does not make.
    pub fn numbers_of(&self, health: &HealthModel) -> Vec<usize> {
        let mut read: Vec<usize> = health.features().into_iter().map(|column| self.of_column[column]).collect();
        read.sort_unstable();
        read.dedup();
        read.retain(|&indicator| !matches!(self.indicators[indicator].kind, Kind::Levels(_)));
        read
    }

    /// What an indicator is in the row whose column `i` is `value(i)`.
    ///
    /// # Panics
    /// If `indicator` is outside.
    pub fn value(&self, indicator: usize, value: impl Fn(usize) -> f32) -> IndicatorValue<'_> {
        let Indicator { first_column, kind, .. } = &self.indicators[indicator];
        let first = value(*first_column);
        match kind {
            _ if first.is_nan() => IndicatorValue::Missing,
            Kind::Number => IndicatorValue::Number(first),
            Kind::Percentile => IndicatorValue::Percentile(first),
            Kind::Levels(levels) => {
                let is_it = |&at: &usize| value(first_column + at) == 1.0;
                let found = (0..levels.len()).find(is_it);
                let level = |place: usize| IndicatorValue::Level { place, name: &levels[place] };
                found.map_or(IndicatorValue::OtherLevel, level)
            }
        }
    }
}
