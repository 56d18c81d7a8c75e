use std::time::Duration;

/// RFC 3501 §5.4: a client that has logged in may be silent for at least half an hour.
const SILENCE: Duration = Duration::from_secs(30 * 60);
/// One that has not holds a connection of which there are few. Its time until the login is bounded by its pace
/// ([`serve::Patience`]).
const GUEST_SILENCE: Duration = Duration::from_secs(60);
/// So many bad commands in a row come from no mail client.
const MISTAKES: u32 = 20;

/// How long a session waits for its client, and how much it bears.
#[derive(Debug, Default)]
pub(super) struct Patience {
    mistakes: u32,
}

impl Patience {
    /// How long to wait for the next command.
    pub(super) fn wait(&self, is_guest: bool) -> Duration {
        if is_guest { GUEST_SILENCE } else { SILENCE }
    }

    /// Counts a bad command, and says whether it was one too many.
    pub(super) fn is_over_after_mistake(&mut self) -> bool {
        self.mistakes += 1;
        self.mistakes >= MISTAKES
    }

    /// A good command came.
    pub(super) fn forgive(&mut self) {
        self.mistakes = 0;
    }
}
