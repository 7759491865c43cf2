//! Gauss-Legendre quadrature on `0..1`.

use std::sync::OnceLock;

/// Nodes within `0..1` and their weights, which total 1; exact for polynomials of degree `2 n - 1`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quadrature {
    pub(super) nodes: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

/// Games of this many players and fewer find their nodes computed.
const USUAL_PLAYERS: usize = 64;

impl Quadrature {
    /// Exact for the Shapley values of a product of `n_players` factors.
    pub(super) fn for_players(n_players: usize) -> std::borrow::Cow<'static, Self> {
        static USUAL: OnceLock<Vec<Quadrature>> = OnceLock::new();
        let usual = USUAL.get_or_init(|| (0..=USUAL_PLAYERS).map(|n| Self::new(n.div_ceil(2).max(1))).collect());
        match usual.get(n_players) {
            Some(found) => std::borrow::Cow::Borrowed(found),
            None => std::borrow::Cow::Owned(Self::new(n_players.div_ceil(2))),
        }
    }

    /// Newton's method on the Legendre polynomial. Source: Press et al., Numerical Recipes, `gauleg`.
    fn new(n: usize) -> Self {
        let (mut nodes, mut weights) = (vec![0.0; n], vec![0.0; n]);
        for at in 0..n {
            let mut x = cosine(std::f64::consts::PI * (at as f64 + 0.75) / (n as f64 + 0.5));
            let mut slope = 0.0;
            for _ in 0..100 {
                let (mut value, mut before) = (1.0, 0.0);
                for degree in 1..=n {
                    let degree = degree as f64;
                    let next = ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * before) / degree;
                    before = std::mem::replace(&mut value, next);
                }
                slope = n as f64 * (x * value - before) / (x * x - 1.0);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            nodes[at] = 0.5 * (1.0 - x);
            weights[at] = 1.0 / ((1.0 - x * x) * slope * slope);
        }
        Self { nodes, weights }
    }
}

/// The cosine of `x` in `0.0..=PI` by its series. The last bits of the library's are the machine's; those of the nodes would
/// be too, and a certificate holds what they give to the bit.
fn cosine(x: f64) -> f64 {
    let (mut sum, mut term) = (0.0, 1.0);
    for degree in (0..40).step_by(2) {
        sum += term;
        term *= -x * x / f64::from((degree + 1) * (degree + 2));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_cosine() {
        for step in 0..=100 {
            let x = std::f64::consts::PI * f64::from(step) / 100.0;
            assert!((cosine(x) - x.cos()).abs() < 1e-13, "{x}");
        }
    }

    #[test]
    fn powers_are_integrated_exactly() {
        for n_players in [1, 2, 3, 8, 16, 31, 64, 200] {
            let Quadrature { nodes, weights } = &*Quadrature::for_players(n_players);
            for power in 0..n_players as i32 {
                let found: f64 = nodes.iter().zip(weights).map(|(node, weight)| weight * node.powi(power)).sum();
                let exact = 1.0 / f64::from(power + 1);
                assert!((found - exact).abs() < 1e-14, "{n_players} players, power {power}: {found}, not {exact}");
            }
        }
    }
}
