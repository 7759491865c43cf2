//! Reads a book of accounts and builds point-in-time features, labels and splits (polars).
