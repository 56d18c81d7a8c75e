//! Names of signals for the log.

use std::fmt;

use nix::libc;
use nix::sys::signal::Signal;

/// A signal by its number, shown with its name where it has one: `signal 9 (SIGKILL)`, `signal 41 (SIGRTMIN+7)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalName(pub i32);

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = *self;
        write!(f, "signal {number}")?;
        if let Ok(signal) = Signal::try_from(number) {
            return write!(f, " ({})", signal.as_str());
        }
        // The names are those of signal(7). Signals below the first are the C library's own and have no name.
        let first = libc::SIGRTMIN();
        match number - first {
            0 => f.write_str(" (SIGRTMIN)"),
            above if above > 0 && number <= libc::SIGRTMAX() => write!(f, " (SIGRTMIN+{above})"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_number_is_shown_with_its_name_if_it_has_one() {
        for (number, shown) in [
            (1, "signal 1 (SIGHUP)"),
            (9, "signal 9 (SIGKILL)"),
            (31, "signal 31 (SIGSYS)"),
            (32, "signal 32"),
            (34, "signal 34 (SIGRTMIN)"),
            (35, "signal 35 (SIGRTMIN+1)"),
            (64, "signal 64 (SIGRTMIN+30)"),
            (65, "signal 65"),
            (0, "signal 0"),
        ] {
            assert_eq!(SignalName(number).to_string(), shown);
        }
    }
}
