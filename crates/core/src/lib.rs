//! Vocabulary of Bellwether: dates, targets, schemas, matrices, models, calibration. No I/O.
//!
//! Every other crate speaks in these types; none of them names a type of another library.

mod account;
mod background;
mod band;
mod calibration;
mod date;
mod digest;
mod encoding;
mod health;
mod matrix;
mod model;
mod numbers;
mod percentile;
mod progress;
mod quantiles;
mod raw;
mod reach;
mod revenue;
mod schema;
mod statistics;
mod status;
mod target;

pub use account::{AccountId, RowKey};
pub use background::{Background, BackgroundError, UsualRange};
pub use band::{Band, Bands, BandsError};
pub use calibration::{Calibration, CalibrationError, Probability, sigmoid};
pub use date::{Date, DateError};
pub use digest::Digest;
pub use encoding::{EncodedInput, Encoding, EncodingError, InputKind, LevelPolicy, OTHER_LEVEL, PERCENTILE_SUFFIX};
pub use health::{
    Assessment, CohortBands, CohortEdges, Dimension, FeatureCondition, FeatureRange, HealthCard, HealthCategory,
    HealthIndicator, HealthModel, HealthRules, MissingPolicy, Scale, Veto,
};
pub use matrix::{FeatureMatrix, MatrixError};
pub use model::{
    Graph, GraphInput, Indicator, Linear, LinearTerm, Link, Model, ModelError, Node, ScorecardModel, Tree, Trees,
};
pub use percentile::{CohortPolicy, CohortTable, Percentile, PercentileError};
pub use progress::{Progress, Quiet};
pub use quantiles::QuantileTable;
pub use raw::{RawColumn, RawTable, RawValues, TextColumn};
pub use reach::{CohortReach, MIN_REACH_ACCOUNTS, Reach};
pub use revenue::{Doubt, HorizonChanges, RelativeChanges, RevenueChanges, RevenueChangesError};
pub use schema::{Direction, Feature, FeatureSchema, SchemaError};
pub use statistics::{pearson, quantile};
pub use status::RowStatus;
pub use target::{Outcome, Target, TargetError};
