//! Progress bars on stderr where a person looks, silence where a script does.

use std::io::IsTerminal as _;
use std::sync::Mutex;

use bellwether_core::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// Draws one bar a step.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    current: Mutex<Vec<ProgressBar>>,
}

impl Bars {
    /// As [`say`], above the bars.
    pub(crate) fn say(&self, text: &str) {
        self.with_current(|bars| match bars.last() {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        });
    }

    fn with_current(&self, act: impl FnOnce(&mut Vec<ProgressBar>)) {
        if let Ok(mut bars) = self.current.lock() {
            act(&mut bars);
        }
    }
}

impl Progress for Bars {
    fn begin(&self, what: &str, total: u64) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let bar = if total > 0 { ProgressBar::new(total) } else { ProgressBar::new_spinner() };
        let form = "{msg:24} {bar:30} {human_pos}/{human_len} {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        self.with_current(|bars| bars.push(bar));
    }

    fn advance(&self, units: u64) {
        self.with_current(|bars| {
            if let Some(bar) = bars.last() {
                bar.inc(units);
            }
        });
    }

    fn end(&self) {
        self.with_current(|bars| {
            if let Some(bar) = bars.pop() {
                bar.finish_and_clear();
            }
        });
    }
}

/// Says what is being done, on stderr.
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
