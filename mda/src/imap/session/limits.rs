use std::time::Duration;

/// RFC 3501 §5.4: a client that has logged in may be silent for at least half an hour.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// Before the login a client holds one of few connections. Its time until the login is bounded by its pace
/// ([`serve::TimeLimits`]).
const LOGIN_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// No real client sends this many bad commands in a row.
const MAX_BAD_COMMANDS: u32 = 20;

/// The limits on a client's silence and mistakes.
#[derive(Debug, Default)]
pub(super) struct SessionLimits {
    bad_commands: u32,
}

impl SessionLimits {
    /// The longest wait for the next command.
    pub(super) fn idle_timeout(&self, is_before_login: bool) -> Duration {
        if is_before_login { LOGIN_IDLE_TIMEOUT } else { IDLE_TIMEOUT }
    }

    /// Counts a bad command. Returns true if it exceeds the limit.
    pub(super) fn count_bad_command(&mut self) -> bool {
        self.bad_commands += 1;
        self.bad_commands >= MAX_BAD_COMMANDS
    }

    /// Resets the count after a good command.
    pub(super) fn reset_bad_commands(&mut self) {
        self.bad_commands = 0;
    }
}
