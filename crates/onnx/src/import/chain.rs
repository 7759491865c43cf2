//! One input on its way to a model: filled, shifted, scaled.

/// An input of a file with what the graph does to it before a model reads it. As a function of a finite value it never
/// falls or never rises.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    /// The place of the input.
    pub(super) input: usize,
    steps: Vec<Step>,
    /// What the graph computes in here.
    width: Width,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    F32,
    F64,
}

/// What is done to a value; constants are finite, factors and divisors not 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// In the place of a missing value.
    Fill(f64),
    Add(f64),
    Multiply(f64),
    Divide(f64),
    /// To the nearest f32.
    Narrow,
}

impl Chain {
    pub(super) const fn new(input: usize, width: Width) -> Self {
        Self { input, steps: Vec::new(), width }
    }

    /// The chain with one more step; `None` where the step's constant would break it.
    pub(super) fn then(mut self, step: Step) -> Option<Self> {
        let (Step::Fill(value) | Step::Add(value) | Step::Multiply(value) | Step::Divide(value)) = step else {
            return None;
        };
        let is_factor = matches!(step, Step::Multiply(_) | Step::Divide(_));
        if !value.is_finite() || (is_factor && value == 0.0) {
            return None;
        }
        self.steps.push(step);
        if self.width == Width::F32 {
            self.steps.push(Step::Narrow);
        }
        Some(self)
    }

    /// The chain from here on in another width.
    pub(super) fn cast(mut self, width: Width) -> Self {
        if width == Width::F32 && self.width == Width::F64 {
            self.steps.push(Step::Narrow);
        }
        self.width = width;
        self
    }

    /// What becomes of `x`, NaN = missing.
    pub(super) fn value(&self, x: f32) -> f64 {
        self.steps.iter().fold(f64::from(x), |value, step| match *step {
            Step::Fill(missing) if value.is_nan() => missing,
            Step::Fill(_) => value,
            Step::Add(summand) => value + summand,
            Step::Multiply(factor) => value * factor,
            Step::Divide(divisor) => value / divisor,
            Step::Narrow => f64::from(value as f32),
        })
    }

    /// Whether a missing value becomes a number.
    pub(super) fn is_filled(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Fill(_)))
    }

    /// `slope * (x - center) + shift` of a value that is there, without the rounding between the steps.
    pub(super) fn line(&self) -> Line {
        let mut line = Line { slope: 1.0, center: 0.0, shift: 0.0 };
        for step in &self.steps {
            match *step {
                Step::Add(summand) if line == (Line { center: line.center, ..Line::IDENTITY }) => {
                    line.center -= summand;
                }
                Step::Add(summand) => line.shift += summand,
                Step::Multiply(factor) => (line.slope, line.shift) = (line.slope * factor, line.shift * factor),
                Step::Divide(divisor) => (line.slope, line.shift) = (line.slope / divisor, line.shift / divisor),
                Step::Fill(_) | Step::Narrow => {}
            }
        }
        line
    }
}

/// `slope * (x - center) + shift`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) center: f64,
    pub(super) shift: f64,
}

impl Line {
    const IDENTITY: Self = Self { slope: 1.0, center: 0.0, shift: 0.0 };
}

/// What `holds` is from the least finite value on, and the greatest value up to which it is that. It may change once.
pub(super) fn first_stretch(holds: impl Fn(f32) -> bool) -> (bool, f32) {
    let first = holds(f32::MIN);
    let (mut last, mut end) = (place(f32::MIN), place(f32::MAX) + 1);
    while end - last > 1 {
        let middle = last + (end - last) / 2;
        if holds(at(middle)) == first {
            last = middle;
        } else {
            end = middle;
        }
    }
    (first, at(last))
}

/// The place of a finite value among all; -0.0 stands before 0.0.
fn place(x: f32) -> i64 {
    let bits = i64::from(x.to_bits() & 0x7fff_ffff);
    if x.is_sign_negative() { -bits - 1 } else { bits }
}

fn at(place: i64) -> f32 {
    if place < 0 { -f32::from_bits((-place - 1) as u32) } else { f32::from_bits(place as u32) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_ends_at_the_last_value_that_meets_the_condition() {
        let third = 1.0_f64 / 3.0;
        for (last, stretch) in [
            (0.5, first_stretch(|x| x <= 0.5)),
            (0.5_f32.next_down(), first_stretch(|x| x < 0.5)),
            (0.0, first_stretch(|x| x <= 0.0)),
            (0.0, first_stretch(|x| x <= -0.0)),
            (-f32::from_bits(1), first_stretch(|x| x < 0.0)),
            (f32::MAX, first_stretch(|x| x <= f32::INFINITY)),
            (-2.5, first_stretch(|x| x <= -2.5)),
            // The nearest f32 of a third is above it.
            ((third as f32).next_down(), first_stretch(|x| f64::from(x) <= third)),
        ] {
            assert_eq!((true, last.to_bits()), (stretch.0, stretch.1.to_bits()), "{last:e}");
        }
        assert_eq!(first_stretch(|x| x > 1.0), (false, 1.0));
        assert_eq!(first_stretch(|x| x > f32::INFINITY), (false, f32::MAX));
    }

    #[test]
    fn a_chain_computes_as_its_graph_does() {
        let of = |steps: &[Step]| {
            let then = |chain: Chain, step: &Step| chain.then(*step).expect("a step");
            steps.iter().fold(Chain::new(0, Width::F32), then)
        };
        let scaled = of(&[Step::Fill(2.0), Step::Add(-0.1), Step::Multiply(3.0)]);
        assert_eq!(scaled.value(f32::NAN), f64::from((2.0_f32 - 0.1_f64 as f32) * 3.0));
        let line = scaled.line();
        assert_eq!((line.slope, line.center, line.shift), (3.0, 0.1, 0.0));
        assert!(scaled.is_filled());
        for broken in [Step::Multiply(0.0), Step::Divide(0.0), Step::Add(f64::NAN), Step::Fill(f64::INFINITY)] {
            assert_eq!(Chain::new(0, Width::F32).then(broken), None);
        }
    }
}
