//! Findings from all parts of the steward, kept in one place for `/health/ready`, the metrics and the log.
//!
//! After each check, a part of the steward reports all of its current findings ([`Findings::replace`]). A finding that
//! is not repeated is resolved, so no stale finding stays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use handover::Concern;
use serde::Serialize;

/// The part that reported a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Process 1 does not respond, or a daemon does not work.
    Process,
    /// Process 1 reports on the settings, the ports and the volume.
    Settings,
    /// The volume's free space.
    Space,
    /// The certificate in use.
    Certificate,
    /// The certificate's renewal.
    Acme,
    /// The view from outside: DNS records, ports, blocklists.
    Doctor,
    /// The test message that passes through the whole server every few minutes.
    Heartbeat,
    /// Messages waiting for delivery to other hosts.
    Queue,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the server is ready all the same.
    Note,
    /// Something works less well than it should, or will stop working soon.
    Warning,
    /// Something does not work.
    Error,
}

/// A fault, with its fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The part that reported it.
    pub source: Source,
    /// Its severity.
    pub severity: Severity,
    /// The fault in plain words.
    pub problem: String,
    /// The fix.
    pub fix: String,
}

/// The current findings. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Findings(Arc<Mutex<BTreeMap<Source, Vec<Finding>>>>);

/// Findings kept per source: an operator fixes the first before looking at the next.
const MAX_FINDINGS: usize = 50;

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

    /// Converts a report of process 1.
    pub(super) fn of_concern(concern: &Concern) -> Self {
        let Concern { problem, fix } = concern.clone();
        Self::new(Source::Settings, Severity::Warning, problem, fix)
    }
}

impl Findings {
    /// Replaces the findings of a source.
    pub fn replace(&self, source: Source, mut found: Vec<Finding>) {
        found.truncate(MAX_FINDINGS);
        let mut findings = self.locked();
        let before = findings.insert(source, found).unwrap_or_default();
        for new in findings[&source].iter().filter(|finding| !before.contains(finding)) {
            let Finding { source, severity, problem, fix } = new;
            tracing::warn!(?source, ?severity, problem, fix, "new finding");
        }
    }

    /// All current findings, source by source.
    pub fn all(&self) -> Vec<Finding> {
        self.locked().values().flatten().cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Source, Vec<Finding>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_that_its_source_does_not_repeat_is_resolved_and_others_stay() {
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
        findings.replace(Source::Acme, vec![found(Source::Acme, "again"); 2 * MAX_FINDINGS]);
        assert_eq!(findings.all().len(), MAX_FINDINGS + 1);
    }
}
