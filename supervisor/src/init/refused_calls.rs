//! System calls that the kernel refuses process 1 in its loop, logged within bounds.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// A persistent error recurs with every iteration of the loop. Once a minute is enough for the operator, with the count.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// The system calls that have failed, each with the time of its last line in the log and the failures since.
#[derive(Debug, Default)]
pub(super) struct RefusedCalls(BTreeMap<&'static str, Refused>);

#[derive(Debug)]
struct Refused {
    logged: Instant,
    since: u64,
}

impl RefusedCalls {
    /// Returns the value of a call, or logs the error and returns the type's default. Process 1 continues after any
    /// error: its next iteration retries.
    pub(super) fn or_log<T: Default>(
        &mut self,
        call: &'static str,
        answer: io::Result<T>,
        now: Instant,
    ) -> T {
        answer.unwrap_or_else(|error| {
            self.log(call, &error, now);
            T::default()
        })
    }

    /// Logs an error, unless there was a line about this call a moment ago. Returns true if it was logged.
    pub(super) fn log(&mut self, call: &'static str, error: &io::Error, now: Instant) -> bool {
        let suppressed = match self.0.get_mut(call) {
            Some(refused) if now.saturating_duration_since(refused.logged) < BETWEEN_LINES => {
                refused.since += 1;
                return false;
            }
            Some(refused) => refused.since,
            None => 0,
        };
        self.0.insert(call, Refused { logged: now, since: 0 });
        tracing::error!(call, %error, suppressed, "system call failed, continuing");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_call_is_logged_once_a_minute() {
        let mut refused = RefusedCalls::default();
        let (now, error) = (Instant::now(), io::Error::from_raw_os_error(nix::libc::EINVAL));
        assert!(refused.log("waitid", &error, now));
        for _ in 0..1000 {
            assert!(!refused.log("waitid", &error, now));
        }
        assert!(refused.log("poll", &error, now));
        assert!(refused.log("waitid", &error, now + BETWEEN_LINES));
        assert!(!refused.log("waitid", &error, now + BETWEEN_LINES));
    }

    #[test]
    fn a_refused_call_returns_the_default_value() {
        let mut refused = RefusedCalls::default();
        let now = Instant::now();
        assert_eq!(refused.or_log("read", Ok(Some(1)), now), Some(1));
        assert_eq!(refused.or_log::<Option<i32>>("read", Err(io::ErrorKind::Other.into()), now), None);
        assert!(refused.0.contains_key("read"));
    }
}
