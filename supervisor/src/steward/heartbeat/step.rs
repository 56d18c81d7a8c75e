use std::fmt;

use crate::steward::findings::{Finding, Severity, Source};

/// The steps of a beat, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::steward) enum Step {
    /// Reading the certificate on disk, which determines the trusted key.
    Certificate,
    /// Connecting to port 25, until the server is ready for mail.
    Connect,
    /// Sending the message to the MTA, which passes it to the MDA.
    Send,
    /// Connecting to port 993 with TLS.
    Open,
    /// Logging in as the mailbox's owner.
    LogIn,
    /// Finding the message in the mailbox.
    Arrive,
    /// Comparing it with the message sent.
    Verify,
    /// Finding the recorded results of the message checks.
    Check,
    /// Removing the message.
    Remove,
    /// Completing all steps in time.
    Whole,
}

/// The step at which a beat failed, and the reply or error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::steward) struct BeatFailure {
    pub(in crate::steward) step: Step,
    pub(in crate::steward) detail: String,
}

/// Limit of a peer's reply in reports.
const MAX_LEN: usize = 300;

impl Step {
    pub(in crate::steward) const ALL: [Self; 10] = [
        Self::Certificate,
        Self::Connect,
        Self::Send,
        Self::Open,
        Self::LogIn,
        Self::Arrive,
        Self::Verify,
        Self::Check,
        Self::Remove,
        Self::Whole,
    ];

    /// The name for programs.
    pub(in crate::steward) fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Open => "open",
            Self::LogIn => "log_in",
            Self::Arrive => "arrive",
            Self::Verify => "verify",
            Self::Check => "check",
            Self::Remove => "remove",
            Self::Whole => "whole",
        }
    }

    fn fix(self) -> &'static str {
        match self {
            Self::Certificate => "check that certificate and key are in the volume's folder tls",
            Self::Connect => {
                "read the mta's lines in the log; if it runs and answers other clients, it has too many connections or \
                 serves another certificate than the one on disk: restart the container"
            }
            Self::Send => {
                "mail from other hosts is refused in the same way: read the lines of the mta and the mda in the log, \
                 and check that the volume is writable and has space"
            }
            Self::Open => {
                "read the mda's lines in the log; if it runs and answers other clients, it has too many connections or \
                 serves another certificate than the one on disk: restart the container"
            }
            Self::LogIn => "read the mda's lines in the log; users may be refused in the same way",
            Self::Arrive | Self::Verify => {
                "mail is accepted and then lost or changed: read the mda's lines in the log, and check the volume's \
                 disk"
            }
            Self::Check => {
                "mail from other hosts is accepted without checks: read the mta's lines in the log"
            }
            Self::Remove => {
                "read the mda's lines in the log, and check that the volume is writable and has space"
            }
            Self::Whole => "the disk or DNS is very slow: read the log, and check the load of the machine",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "reading the certificate",
            Self::Connect => "connecting to port 25",
            Self::Send => "sending it to port 25",
            Self::Open => "connecting to port 993",
            Self::LogIn => "logging in over IMAP",
            Self::Arrive => "finding it in the mailbox",
            Self::Verify => "comparing it with the original",
            Self::Check => "finding the results of the checks",
            Self::Remove => "removing it from the mailbox",
            Self::Whole => "completing all steps",
        })
    }
}

impl BeatFailure {
    pub(super) fn new(step: Step, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(MAX_LEN) {
            detail.truncate(end);
        }
        Self { step, detail: detail.replace(|c: char| c.is_control(), " ") }
    }

    /// The finding for this failure.
    pub(super) fn finding(&self) -> Finding {
        let problem = format!("the heartbeat message was lost while {}: {}", self.step, self.detail);
        Finding::new(Source::Heartbeat, Severity::Error, problem, self.step.fix())
    }
}
