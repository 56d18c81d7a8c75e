//! What is wrong, from whoever finds it out, kept in one place for `/health/ready`, the metrics and the log.
//!
//! Each part of the steward that looks after something tells the whole of what it has found each time it has looked
//! ([`Findings::replace`]); what it does not repeat is put right. So nothing stays that nobody would take back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use handover::Concern;
use serde::Serialize;

/// Who has found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Process 1 is not heard of, or a daemon does not work.
    Process,
    /// What process 1 says of the settings, the ports and the volume.
    Settings,
    /// The volume's free space.
    Space,
    /// The certificate that is served.
    Certificate,
    /// The certificate's renewal.
    Acme,
    /// What the world sees of us: DNS records, ports, blocklists.
    Doctor,
    /// The message that goes all the way through every few minutes.
    Heartbeat,
    /// Messages that wait to be delivered elsewhere.
    Queue,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the whole is as ready as before.
    Note,
    /// Something works less well than it should, or will not work for long.
    Warning,
    /// Something does not work.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Who found it.
    pub source: Source,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in plain words.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

/// The board on which they stand. Cloned freely; all clones are the same board.
#[derive(Debug, Clone, Default)]
pub struct Findings(Arc<Mutex<BTreeMap<Source, Vec<Finding>>>>);

/// So many of one source are kept: a person puts the first right before looking at the next.
const MOST: usize = 50;

impl Finding {
    /// A finding.
    pub fn new(
        source: Source,
        severity: Severity,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { source, severity, problem: problem.into(), fix: fix.into() }
    }

    /// What process 1 says.
    pub(super) fn of_concern(concern: &Concern) -> Self {
        let Concern { problem, fix } = concern.clone();
        Self::new(Source::Settings, Severity::Warning, problem, fix)
    }
}

impl Findings {
    /// What that source has found now, in place of what it had found before.
    pub fn replace(&self, source: Source, mut found: Vec<Finding>) {
        found.truncate(MOST);
        let mut board = self.board();
        let before = board.insert(source, found).unwrap_or_default();
        for new in board[&source].iter().filter(|finding| !before.contains(finding)) {
            let Finding { source, severity, problem, fix } = new;
            tracing::warn!(?source, ?severity, problem, fix, "new finding");
        }
    }

    /// All that is wrong now, source by source.
    pub fn all(&self) -> Vec<Finding> {
        self.board().values().flatten().cloned().collect()
    }

    fn board(&self) -> MutexGuard<'_, BTreeMap<Source, Vec<Finding>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_does_not_repeat_is_put_right_and_others_are_left_alone() {
        let findings = Findings::default();
        let found = |source, problem: &str| Finding::new(source, Severity::Warning, problem, "do it");
        findings.clone().replace(Source::Queue, vec![found(Source::Queue, "old mail")]);
        findings
            .replace(Source::Acme, vec![found(Source::Acme, "no answer"), found(Source::Acme, "refused")]);
        assert_eq!(findings.all().len(), 3);
        findings.replace(Source::Acme, vec![found(Source::Acme, "refused")]);
        assert_eq!(
            findings.all(),
            [found(Source::Acme, "refused"), found(Source::Queue, "old mail")],
            "in the order of the sources"
        );
        findings.replace(Source::Acme, vec![found(Source::Acme, "again"); 2 * MOST]);
        assert_eq!(findings.all().len(), MOST + 1);
    }
}
