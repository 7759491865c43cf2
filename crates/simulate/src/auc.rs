//! How well the best possible model ranks.

/// The area under the ROC curve that true probabilities reach by expectation: no model that sees less than they do can
/// expect more. Every ordered pair of rows counts by the probability that the first has the outcome and the second has
/// not, and is won where the first's probability is higher, half where they are equal:
///
/// `sum over i != j of p_i (1 - p_j) ([p_i > p_j] + [p_i = p_j] / 2) / sum over i != j of p_i (1 - p_j)`
///
/// It is a ratio of expectations, as if the outcomes of rows were independent; `O(n log n)`. `None` where no pair of an
/// outcome and none is possible. Source: the Mann-Whitney form of the area in Hanley (1982, Radiology 143), with the outcomes
/// replaced by their probabilities.
pub fn expected_auc(probabilities: &[f64]) -> Option<f64> {
    let mut sorted = probabilities.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (mut none_below, mut won, mut pairs) = (0.0, 0.0, 0.0);
    let none_in_all: f64 = sorted.iter().map(|p| 1.0 - p).sum();
    for tied in sorted.chunk_by(|a, b| a == b) {
        let (n, p) = (tied.len() as f64, tied[0]);
        won += n * p * (none_below + (n - 1.0) / 2.0 * (1.0 - p));
        pairs += n * p * (none_in_all - (1.0 - p));
        none_below += n * (1.0 - p);
    }
    (pairs > 0.0).then(|| won / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_pairs(probabilities: &[f64]) -> Option<f64> {
        let (mut won, mut pairs) = (0.0, 0.0);
        for (i, p) in probabilities.iter().enumerate() {
            for (_, q) in probabilities.iter().enumerate().filter(|&(j, _)| j != i) {
                let weight = p * (1.0 - q);
                pairs += weight;
                won += weight * if p > q { 1.0 } else { f64::from(u8::from(p == q)) / 2.0 };
            }
        }
        (pairs > 0.0).then(|| won / pairs)
    }

    #[test]
    fn it_is_what_all_pairs_say() {
        let mixed: Vec<f64> = (0..97).map(|n| f64::from(n * n % 31) / 31.0).collect();
        for probabilities in [&[0.2, 0.9][..], &[0.5, 0.5, 0.5], &[0.0, 1.0], &[1.0, 0.0, 0.3, 0.3], &mixed] {
            let (ours, brute) = (expected_auc(probabilities), by_pairs(probabilities));
            let close = ours.zip(brute).is_some_and(|(ours, brute)| (ours - brute).abs() < 1e-12);
            assert!(close, "{probabilities:?}: {ours:?}, {brute:?}");
        }
    }

    #[test]
    fn without_both_outcomes_there_is_none() {
        for probabilities in [&[][..], &[0.3], &[0.0, 0.0], &[1.0, 1.0]] {
            assert_eq!(expected_auc(probabilities), None, "{probabilities:?}");
        }
    }
}
