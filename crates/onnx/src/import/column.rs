//! What a column of a tensor is, as a function of the file's inputs.

use super::chain::{Chain, Step};
use super::sum::Sum;

/// A column of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    Constant(f64),
    /// An input, shifted and scaled.
    Input(Chain),
    Sum(Sum),
    /// `exp(sum)`.
    Exponential(Sum),
    /// `1 + exp(sum)`.
    OnePlusExponential(Sum),
    /// `1 / (1 + exp(-sum))`.
    Logistic(Sum),
}

/// What is done to two columns, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Column {
    pub(super) fn as_sum(&self) -> Option<Sum> {
        match self {
            Self::Constant(value) => Some(Sum::constant(*value)),
            Self::Input(chain) => Some(Sum::of_chain(chain)),
            Self::Sum(sum) => Some(sum.clone()),
            Self::Exponential(_) | Self::OnePlusExponential(_) | Self::Logistic(_) => None,
        }
    }

    /// `None` where the result is nothing that is understood.
    pub(super) fn with(&self, arithmetic: Arithmetic, other: &Self) -> Option<Self> {
        match (arithmetic, self, other) {
            (Arithmetic::Subtract, Self::Constant(1.0), Self::Logistic(sum)) => Some(Self::Logistic(sum.times(-1.0))),
            (Arithmetic::Subtract, _, Self::Constant(value)) => self.with(Arithmetic::Add, &Self::Constant(-value)),
            (Arithmetic::Subtract, ..) => {
                let negative = Self::Sum(other.as_sum()?.times(-1.0));
                self.with(Arithmetic::Add, &negative)
            }
            (Arithmetic::Add, Self::Constant(1.0), Self::Exponential(sum)) => {
                Some(Self::OnePlusExponential(sum.clone()))
            }
            (Arithmetic::Add | Arithmetic::Multiply, Self::Constant(_), other) if !other.is_constant() => {
                other.with(arithmetic, self)
            }
            (Arithmetic::Add, Self::Input(chain), &Self::Constant(value)) => chain_with(chain, Step::Add(value)),
            (Arithmetic::Add, ..) => Some(Self::Sum(self.as_sum()?.plus(&other.as_sum()?)?)),
            (Arithmetic::Multiply | Arithmetic::Divide, _, Self::Constant(1.0)) => Some(self.clone()),
            (Arithmetic::Multiply, Self::Input(chain), &Self::Constant(factor)) => {
                chain_with(chain, Step::Multiply(factor))
            }
            (Arithmetic::Divide, Self::Input(chain), &Self::Constant(divisor)) => {
                chain_with(chain, Step::Divide(divisor))
            }
            (Arithmetic::Multiply, _, &Self::Constant(factor)) => Some(Self::Sum(self.as_sum()?.times(factor))),
            (Arithmetic::Divide, _, &Self::Constant(divisor)) if divisor != 0.0 => {
                Some(Self::Sum(self.as_sum()?.times(1.0 / divisor)))
            }
            (Arithmetic::Divide, Self::Constant(1.0), Self::OnePlusExponential(sum)) => {
                Some(Self::Logistic(sum.times(-1.0)))
            }
            (Arithmetic::Multiply | Arithmetic::Divide, ..) => None,
        }
    }

    const fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }
}

fn chain_with(chain: &Chain, step: Step) -> Option<Column> {
    chain.clone().then(step).map(Column::Input)
}
