//! How late a row of another system arrives.

use crate::random::Random;

/// No row is known later than so many days after its date.
pub(crate) const MOST_DAYS_LATE: i32 = 20;

/// Days from a row's date to the day on which it is known: none for four in five, and for one in fifty 10 to 20.
pub(crate) fn days_late(random: &mut Random) -> i32 {
    let drawn = random.uniform();
    match drawn {
        ..0.80 => 0,
        ..0.93 => 1 + random.below(3) as i32,
        ..0.98 => 4 + random.below(6) as i32,
        _ => (10.0 / (1.0 - random.uniform()).sqrt()).min(f64::from(MOST_DAYS_LATE)) as i32,
    }
}
