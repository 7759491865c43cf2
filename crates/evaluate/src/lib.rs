//! Metrics with intervals, overall and by cohort.
