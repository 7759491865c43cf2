//! Times `fit_logistic` against scikit-learn's lbfgs on the same rows, in turns: one process each, so that neither waits
//! for the other's threads.
//!
//! ```text
//! cargo run --release -p bellwether-learn --example logistic_speed -- PYTHON [ROWS] [COLUMNS] [RUNS]
//! ```
//!
//! `PYTHON` has scikit-learn (`benches/peers/requirements.txt`); `benches/peers/logistic_speed.py` makes the rows. Prints a
//! table, then one line of JSON. Exit code 1 if a penalised loss is more than 1e-6 above the other's, relatively.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Instant;

use bellwether_core::{Feature, FeatureMatrix, FeatureSchema, Quiet};
use bellwether_learn::{
    LearnerName, LogisticRows, Penalty, Settings, TrainingRows, fit_logistic, learner, standard_errors,
};

const THREADS: usize = 2;
const C: f64 = 1.0;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let python = arguments.next().expect("the first argument is a Python with scikit-learn");
    let mut number = |usual: usize| arguments.next().map_or(usual, |text| text.parse().expect("a number"));
    let (n_rows, n_columns, n_runs) = (number(500_000), number(60), number(7));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads");
    let rows = pool.install(|| Rows::new(n_rows, n_columns));
    let mut peers = [Peer::start(&python, &rows, "f64"), Peer::start(&python, &rows, "f32")];

    println!("{n_rows} rows, {n_columns} columns, C = {C}, {THREADS} threads; seconds of each turn");
    println!("{:>4} {:>10} {:>14} {:>14} {:>14}", "turn", "bellwether", "sklearn f64", "sklearn f32", "same bits");
    let mut ours = Vec::new();
    let mut theirs = [Vec::new(), Vec::new()];
    for turn in 1..=n_runs {
        let fitted = pool.install(|| timed(|| rows.fit()));
        let [wide, narrow] = peers.each_mut().map(Peer::turn);
        let same = ours.first().is_none_or(|(_, first): &(f64, _)| *first == fitted.1);
        println!("{turn:>4} {:>10.3} {:>14.3} {:>14.3} {:>14}", fitted.0, wide.seconds, narrow.seconds, same);
        ours.push(fitted);
        theirs.iter_mut().zip([wide, narrow]).for_each(|(all, one)| all.push(one));
    }
    summary(&rows, &pool, &ours, &theirs)
}

type Fit = bellwether_learn::LogisticFit;

fn summary(rows: &Rows, pool: &rayon::ThreadPool, ours: &[(f64, Fit)], theirs: &[Vec<PeerFit>; 2]) -> ExitCode {
    let seconds = median(ours.iter().map(|one| one.0));
    let peer_seconds = theirs.each_ref().map(|all| median(all.iter().map(|one| one.seconds)));
    let peer_losses = theirs.each_ref().map(|all| all[0].loss);
    let (errors_seconds, _) =
        pool.install(|| timed(|| standard_errors(&rows.rows(), None, &ours[0].1).expect("checked")));
    let (learner_seconds, ()) = pool.install(|| timed(|| rows.learn()));
    let loss = ours[0].1.objective;
    let steps = ours[0].1.n_iterations;
    println!("\nmedian: bellwether {seconds:.3} s ({steps} steps on all rows), scikit-learn {peer_seconds:.3?} s");
    println!("ratio: {:.2} of f64, {:.2} of f32", seconds / peer_seconds[0], seconds / peer_seconds[1]);
    println!("penalised loss: {loss:.6}, scikit-learn {peer_losses:.6?}");
    println!(
        "beside: standard errors {errors_seconds:.3} s; learner `logistic`, penalty chosen, {learner_seconds:.3} s"
    );
    let json = serde_json::json!({
        "rows": rows.y.len(), "columns": rows.columns.len(), "threads": THREADS, "c": C, "seconds": seconds,
        "sklearn_f64_seconds": peer_seconds[0], "sklearn_f32_seconds": peer_seconds[1],
        "ratio_f64": seconds / peer_seconds[0], "ratio_f32": seconds / peer_seconds[1],
        "loss": loss, "sklearn_f64_loss": peer_losses[0], "sklearn_f32_loss": peer_losses[1],
        "standard_errors_seconds": errors_seconds, "learner_seconds": learner_seconds,
    });
    println!("{json}");
    let worse = peer_losses.iter().any(|peer| loss > peer * (1.0 + 1e-6));
    ExitCode::from(u8::from(worse))
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed().as_secs_f64(), done)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

/// The rows of `logistic_speed.py`.
struct Rows {
    columns: Vec<Vec<f32>>,
    y: Vec<bool>,
}

impl Rows {
    fn new(n_rows: usize, n_columns: usize) -> Self {
        let mut columns: Vec<Vec<f64>> = Vec::new();
        for column in 0..n_columns as u64 {
            let plain = (0..n_rows as u64).map(|row| (normal(column + 1, row) * 4096.0).round_ties_even() / 4096.0);
            let values = match columns.last().filter(|_| column % 3 == 2) {
                Some(last) => plain.zip(last).map(|(a, b)| ((a + b) * 2048.0).round_ties_even() / 4096.0).collect(),
                None => plain.collect(),
            };
            columns.push(values);
        }
        let label = |row: usize| {
            let weight = |column: usize| if column.is_multiple_of(2) { 0.4 } else { -0.3 };
            let logit = (0..n_columns).step_by(3).fold(-1.5, |sum, column| sum + weight(column) * columns[column][row]);
            unit(n_columns as u64 + 1, row as u64, 0) < 1.0 / (1.0 + f64::exp(-logit))
        };
        let y = (0..n_rows).map(label).collect();
        let narrow = |column: &Vec<f64>| column.iter().map(|&x| x as f32).collect();
        Self { columns: columns.iter().map(narrow).collect(), y }
    }

    fn rows(&self) -> LogisticRows<'_> {
        LogisticRows { columns: &self.columns, y: &self.y, weights: None }
    }

    fn fit(&self) -> Fit {
        fit_logistic(&self.rows(), Penalty::l2(C)).expect("two classes")
    }

    /// The learner, which orders rows, standardises columns and chooses its penalty.
    fn learn(&self) {
        let feature = |place| Feature { name: format!("f{place}"), category: None, good: None };
        let schema = FeatureSchema::new((0..self.columns.len()).map(feature).collect()).expect("names differ");
        let x = FeatureMatrix::from_columns(&self.columns).expect("finite columns");
        let day: Vec<i32> = (0..self.y.len()).map(|row| (row % 24) as i32 * 30).collect();
        let group: Vec<u64> = (0..self.y.len() as u64).map(|row| row / 24).collect();
        let rows = TrainingRows { schema: &schema, x: &x, y: &self.y, weights: None, day: &day, group: &group };
        let logistic = learner(LearnerName::Logistic, &Settings::default()).expect("it needs no setting");
        logistic.fit(&rows, &Quiet).expect("two classes");
    }
}

/// The sum of 4 uniforms, standardised.
fn normal(stream: u64, row: u64) -> f64 {
    ((0..4).map(|draw| unit(stream, row, draw)).sum::<f64>() - 2.0) * 3.0_f64.sqrt()
}

/// In `[0, 1)`: the upper 53 bits of `SplitMix64` (Steele et al. 2014) of stream, draw and row.
fn unit(stream: u64, row: u64, draw: u64) -> f64 {
    let z = ((stream << 40) | (draw << 36)).wrapping_add(row).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// scikit-learn in its own process, which fits once a line.
struct Peer {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(serde::Deserialize)]
struct PeerFit {
    seconds: f64,
    loss: f64,
}

impl Peer {
    fn start(python: &str, rows: &Rows, dtype: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/peers/logistic_speed.py");
        let (n_rows, n_columns) = (rows.y.len().to_string(), rows.columns.len().to_string());
        let threads = THREADS.to_string();
        let arguments = [script, "--wait", "--rows", &n_rows, "--columns", &n_columns, "--threads", &threads];
        let mut process = Command::new(python)
            .args(arguments)
            .args(["--dtype", dtype])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let ask = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut peer = Self { process, ask, answers };
        peer.line();
        peer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the peer answers");
        line
    }

    fn turn(&mut self) -> PeerFit {
        writeln!(self.ask, "fit").expect("the peer listens");
        serde_json::from_str(&self.line()).expect("the peer answers in JSON")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // An empty line ends it.
        let _ = writeln!(self.ask).and_then(|()| self.ask.flush());
        let _ = self.process.wait();
    }
}
