//! Waiting for something to become so. The only place that lets time pass.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up. Generous, since a busy machine is no fault: no test measures
/// time by it.
const DEADLINE: Duration = Duration::from_secs(90);

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until the answer is there, and gives it. `what` is what the panic says was waited for in vain.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < DEADLINE, "waited in vain until {what}");
        thread::sleep(PAUSE);
    }
}

/// Asks until it is so.
#[track_caller]
pub fn until_true(what: &str, mut look: impl FnMut() -> bool) {
    until(what, || look().then_some(()));
}

/// How long a socket may stay silent before a read gives up with an error.
pub(crate) const SILENCE: Duration = DEADLINE;
