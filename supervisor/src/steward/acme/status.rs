//! The published state of the renewal: one value that is changed in place and then published.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calendar::rfc3339;

use super::error::Reason;
use super::http;
use super::issued_certificate::IssuedCertificate;
use super::renewal_task::RenewalSettings;
use super::selection::LeftOut;
use super::state::RenewalState;
use crate::steward::findings::{Findings, Source};

/// The published state. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::steward) struct RenewalStatus {
    state: Arc<Mutex<RenewalState>>,
    times: Arc<Mutex<EventTimes>>,
    findings: Findings,
}

/// Times of events for the metrics, in seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::steward) struct EventTimes {
    /// The next attempt, once it is known.
    pub(in crate::steward) next_try: Option<i64>,
    /// The last attempt since the start that obtained a certificate.
    pub(in crate::steward) last_success: Option<i64>,
    /// The last attempt that failed.
    pub(in crate::steward) last_failure: Option<i64>,
}

/// The findings of a check, before anything is ordered.
pub(super) struct RenewalFacts<'f> {
    pub(super) held: Option<&'f IssuedCertificate>,
    pub(super) renew_at: Option<i64>,
    pub(super) host: &'f str,
    pub(super) explanation: Option<String>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) now: i64,
}

/// The end of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CheckOutcome {
    /// Nothing is wrong: there is nothing to do until then, or the only names missing cannot be obtained now.
    Idle { until: Option<i64> },
    /// The ledger defers an attempt.
    Deferred { reason: Reason, until: i64 },
    /// There is nothing to order, since no name can be proved.
    Unproven { why: String, until: i64 },
    /// The authority works on an order.
    Pending { reason: Reason, next: i64 },
    /// There is no new certificate.
    Failed { reason: Reason, next: i64, is_about_names: bool },
    /// A new certificate was installed.
    Installed,
}

impl CheckOutcome {
    fn next(&self) -> Option<i64> {
        match self {
            Self::Idle { until } => *until,
            Self::Deferred { until, .. } | Self::Unproven { until, .. } => Some(*until),
            Self::Pending { next, .. } | Self::Failed { next, .. } => Some(*next),
            Self::Installed => None,
        }
    }
}

impl RenewalStatus {
    pub(in crate::steward) fn new(findings: Findings) -> Self {
        Self { state: Arc::default(), times: Arc::default(), findings }
    }

    /// The times of the last events.
    pub(in crate::steward) fn times(&self) -> EventTimes {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what a check has found.
    pub(super) fn record_check(&self, found: &RenewalFacts<'_>) {
        let RenewalFacts { held, renew_at, host, explanation, left_out, now } = found;
        let mut state = self.locked();
        state.names = held.map(|held| held.facts.names.clone()).unwrap_or_default();
        state.is_served = held.is_some_and(|held| held.facts.not_after > *now && held.covers(host));
        state.renews = renew_at.map(rfc3339);
        state.explanation.clone_from(explanation);
        state.left_out = left_out.iter().map(Into::into).collect();
    }

    pub(super) fn record_attempt(&self, now: i64) {
        self.locked().last_try = Some(rfc3339(now));
    }

    /// Records how a check ended. Every check records it, so that no reason outlives the check in which it was true.
    pub(super) fn conclude(&self, conclusion: CheckOutcome) {
        let mut state = self.locked();
        let before = state.last_error.take();
        (state.last_fix, state.pending, state.is_about_names) = (None, None, false);
        let next = conclusion.next();
        state.next_try = next.map(rfc3339);
        let now = http::now();
        let mut note = EventTimes { next_try: next, ..self.times() };
        match conclusion {
            CheckOutcome::Idle { .. } => {}
            CheckOutcome::Installed => note.last_success = Some(now),
            CheckOutcome::Pending { reason, .. } => state.pending = Some(reason.why),
            CheckOutcome::Deferred { reason, .. } => {
                (state.last_error, state.last_fix) = (Some(reason.why), reason.fix)
            }
            CheckOutcome::Unproven { why, .. } => {
                (state.last_error, state.is_about_names) = (Some(why), true);
            }
            CheckOutcome::Failed { reason, next, is_about_names } => {
                if before.as_ref() != Some(&reason.why) {
                    tracing::warn!(why = reason.why, next = rfc3339(next), "no certificate was obtained");
                }
                (state.last_error, state.last_fix) = (Some(reason.why), reason.fix);
                state.is_about_names = is_about_names;
                state.last_try.get_or_insert_with(|| rfc3339(now));
                note.last_failure = Some(now);
            }
        }
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    /// Publishes the state: as findings, and in the file for programs that cannot query the steward.
    pub(super) fn publish(&self, settings: &RenewalSettings) {
        let state = {
            let mut state = self.locked();
            state.authority.clone_from(&settings.renewal.authority.directory);
            state.clone()
        };
        self.findings.replace(Source::Acme, state.findings(settings.web.hostname.as_str()));
        let folder = &settings.renewal.folder;
        if RenewalState::load(folder).as_ref() != Some(&state)
            && let Err(error) = tokio::task::block_in_place(|| state.save(folder))
        {
            tracing::warn!(%error, "cannot write the state of the renewal");
        }
    }

    fn locked(&self) -> MutexGuard<'_, RenewalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_conclusion_replaces_the_reason_of_the_previous_one() {
        let status = RenewalStatus::new(Findings::default());
        let failed =
            CheckOutcome::Failed { reason: Reason::new("it is down", "wait"), next: 7, is_about_names: true };
        let others = [
            CheckOutcome::Idle { until: Some(9) },
            CheckOutcome::Deferred { reason: "too many".into(), until: 9 },
            CheckOutcome::Unproven { why: "no address".into(), until: 9 },
            CheckOutcome::Pending { reason: "it signs".into(), next: 9 },
            CheckOutcome::Installed,
        ];
        for other in others {
            status.conclude(failed.clone());
            assert_eq!(status.locked().last_error.as_deref(), Some("it is down"));
            status.conclude(other.clone());
            let state = status.locked().clone();
            assert!(state.last_error.is_none_or(|error| error != "it is down"), "{other:?}");
            assert_ne!(state.last_fix.as_deref(), Some("wait"), "{other:?}");
            assert_eq!(state.pending.is_some(), matches!(other, CheckOutcome::Pending { .. }), "{other:?}");
            assert_ne!(state.next_try, Some(rfc3339(7)), "{other:?}");
        }
    }
}
