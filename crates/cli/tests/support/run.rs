//! One run of the binary.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// What a run of the binary gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary with `arguments`, which are parted by blanks, to be run in `folder`.
pub(crate) fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.current_dir(folder).args(arguments.split_whitespace());
    // What a person's shell has set is not part of a test.
    for variable in ["COLUMNS", "LINES", "RUST_BACKTRACE", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"] {
        command.env_remove(variable);
    }
    command
}

impl Run {
    pub(crate) fn of(mut command: Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// The same run, which must have done what was asked.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// What a run with `--json` printed.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let run = self.done();
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error} in {}", run.stdout))
    }
}
