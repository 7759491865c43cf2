//! The small book: 240 accounts over two years, whose use tells something of who leaves and who grows.

use std::fmt::Write as _;

const CONFIG: &str = include_str!("book.toml");
const N_ACCOUNTS: u64 = 240;
/// Days from 2023-01-01 to 2024-12-31.
const N_DAYS: u64 = 731;
/// Turkish has two letters i, and so another upper and lower case of these.
const INDUSTRIES: [&str; 5] = ["IT", "iron", "Ilıca", "\"media, print\"", ""];

/// Each file's name with its text; the same on every call.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    let mut accounts = "account,start,industry,paperless\n".to_owned();
    let mut plans = "account,start,end,mrr\n".to_owned();
    let mut usage = "account,date,logins,errors\n".to_owned();
    let mut surveys = "account,date,nps\n".to_owned();
    for account in 0..N_ACCOUNTS {
        let mut life = Life::of(account);
        let id = format!("c-{account:03}");
        let industry = INDUSTRIES[(account % 5) as usize];
        let paperless = if life.draw() < 0.5 { "True" } else { "FALSE" };
        let _ = writeln!(accounts, "{id},{},{industry},{paperless}", date(life.start));
        let (mut plan_start, mut mrr) = (life.start, 100.0 + (life.draw() * 80.0).round());
        let mut end = None;
        for day in (life.start..N_DAYS).step_by(10) {
            // Plain arithmetic alone: a machine's `exp` is its own.
            life.mood = 0.97 * life.mood + 0.3 * (life.draw() - 0.5);
            let ease = (1.0 + life.mood).clamp(0.2, 3.0);
            let logins = (20.0 * (ease + 0.3 * life.draw())) as u64;
            // Thirds have no end in binary: a sum in another order would be another sum.
            let errors = life.draw() / ease / 3.0;
            let _ = writeln!(usage, "{id},{},{logins},{errors}", date(day));
            if (day - life.start).is_multiple_of(60) {
                let nps =
                    if life.draw() < 0.2 { "n/a".to_owned() } else { (5.0 + 3.0 * life.mood).round().to_string() };
                let _ = writeln!(surveys, "{id},{},{nps}", date(day));
            }
            if day > life.start && life.draw() < 0.012 / (ease * ease) {
                end = Some(day + 1);
                break;
            }
            if day > life.start && life.draw() < 0.015 * ease {
                let _ = writeln!(plans, "{id},{},{},{mrr}", date(plan_start), date(day));
                (plan_start, mrr) = (day, (mrr * 1.25_f64).round());
            }
        }
        let _ = writeln!(plans, "{id},{},{},{mrr}", date(plan_start), end.map(date).unwrap_or_default());
    }
    let tables = [("accounts.csv", accounts), ("plans.csv", plans), ("usage.csv", usage), ("surveys.csv", surveys)];
    [("book.toml", CONFIG.to_owned())].into_iter().chain(tables).collect()
}

/// One account as it is simulated.
struct Life {
    state: u64,
    start: u64,
    /// How content it is; around 0.
    mood: f64,
}

impl Life {
    fn of(account: u64) -> Self {
        let mut life = Self { state: account.wrapping_mul(0x9e37_79b9_7f4a_7c15), start: 0, mood: 0.0 };
        life.start = (life.draw() * 180.0) as u64;
        // The last twelve have not started when the others are scored in mid 2024.
        if account >= N_ACCOUNTS - 12 {
            life.start += 540;
        }
        life.mood = 2.0 * (life.draw() - 0.5);
        life
    }

    /// A number in `[0, 1)`. Source: splitmix64, Steele et al. (2014).
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The day so many days after 2023-01-01, as a text.
fn date(days: u64) -> String {
    let mut rest = days;
    for year in [2023, 2024, 2025] {
        let february = if year == 2024 { 29 } else { 28 };
        for (month, length) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            if rest < length {
                return format!("{year}-{month:02}-{:02}", rest + 1);
            }
            rest -= length;
        }
    }
    unreachable!("the book ends before 2026")
}
