//! Waiting for a condition. The only module in which time passes.

use std::thread;
use std::time::{Duration, Instant};

/// The time after which a test gives up. Generous, since a busy machine is not a fault: no test measures
/// time by it.
const DEADLINE: Duration = Duration::from_secs(90);

/// The time between two polls.
const PAUSE: Duration = Duration::from_millis(20);

/// Polls until there is a result, and returns it. `what` is the awaited event for the panic's message.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < DEADLINE, "timed out waiting until {what}");
        thread::sleep(PAUSE);
    }
}

/// Polls until the condition is true.
#[track_caller]
pub fn until_true(what: &str, mut look: impl FnMut() -> bool) {
    until(what, || look().then_some(()));
}

/// The time for which a socket may be silent before a read fails.
pub(crate) const READ_TIMEOUT: Duration = DEADLINE;
