use std::time::Duration;

/// RFC 3501 §5.4: a client that has logged in may be silent for at least half an hour.
const SILENCE: Duration = Duration::from_secs(30 * 60);
/// Before the login a client holds one of few connections. Its time until the login is bounded by its pace
/// ([`serve::Patience`]).
const GUEST_SILENCE: Duration = Duration::from_secs(60);
/// No real client sends this many bad commands in a row.
const MISTAKES: u32 = 20;

/// The limits on a client's silence and mistakes.
#[derive(Debug, Default)]
pub(super) struct Patience {
    mistakes: u32,
}

impl Patience {
    /// The longest wait for the next command.
    pub(super) fn wait(&self, is_guest: bool) -> Duration {
        if is_guest { GUEST_SILENCE } else { SILENCE }
    }

    /// Counts a bad command. Returns true if it exceeds the limit.
    pub(super) fn is_over_after_mistake(&mut self) -> bool {
        self.mistakes += 1;
        self.mistakes >= MISTAKES
    }

    /// Resets the count after a good command.
    pub(super) fn forgive(&mut self) {
        self.mistakes = 0;
    }
}
