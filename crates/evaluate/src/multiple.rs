//! Corrections for many comparisons.

/// Holm's adjusted p-values, in the order given: reject where at most the level, and the chance of any false alarm stays at
/// most the level, whatever depends on what. Source: Holm (1979), Scand. J. Stat. 6.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let n = p_values.len();
    let mut adjusted = vec![0.0; n];
    let mut least: f64 = 0.0;
    for (rank, place) in rising(p_values).into_iter().enumerate() {
        least = least.max(((n - rank) as f64 * p_values[place]).min(1.0));
        adjusted[place] = least;
    }
    adjusted
}

/// Benjamini and Hochberg's adjusted p-values, in the order given: reject where at most the level, and the expected share of
/// false alarms among the alarms stays at most the level. Source: Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let n = p_values.len();
    let mut adjusted = vec![0.0; n];
    let mut most: f64 = 1.0;
    for (rank, place) in rising(p_values).into_iter().enumerate().rev() {
        most = most.min(n as f64 / (rank + 1) as f64 * p_values[place]);
        adjusted[place] = most;
    }
    adjusted
}

/// Places from the smallest value to the largest.
fn rising(p_values: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..p_values.len()).collect();
    places.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    places
}
