//! Scorecard, presets, bands: the weighted 0-100 health score.
