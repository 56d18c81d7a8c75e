//! The renewal's state as it is told to others: one value that is changed in place and then published.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calendar::rfc3339;

use super::backoff::Wait;
use super::choice::LeftOut;
use super::current::Current;
use super::http;
use super::state::State;
use super::suggestion::Suggestion;
use super::tender::Settings;
use crate::steward::findings::{Findings, Source};

/// Clones are the same board.
#[derive(Debug, Clone)]
pub(in crate::steward) struct Board {
    state: Arc<Mutex<State>>,
    times: Arc<Mutex<Times>>,
    findings: Findings,
}

/// When what happened, in seconds since 1970, for the numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::steward) struct Times {
    /// The next try, once it is known.
    pub(in crate::steward) next_try: Option<i64>,
    /// The last try that brought a certificate since the start.
    pub(in crate::steward) last_success: Option<i64>,
    /// The last that did not.
    pub(in crate::steward) last_failure: Option<i64>,
}

impl Board {
    pub(in crate::steward) fn new(findings: Findings) -> Self {
        Self { state: Arc::default(), times: Arc::default(), findings }
    }

    /// When what happened.
    pub(in crate::steward) fn times(&self) -> Times {
        *self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Times)) {
        note(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn found(
        &self,
        held: Option<&Current>,
        renew_at: Option<i64>,
        suggestion: &Suggestion,
        left_out: &[LeftOut],
        now: i64,
    ) {
        let mut state = self.locked();
        state.names = held.map(|held| held.facts.names.clone()).unwrap_or_default();
        state.is_served = held.is_some_and(|held| held.facts.not_after > now);
        state.renews = renew_at.map(rfc3339);
        state.explanation = suggestion.explanation();
        state.left_out = left_out.iter().map(Into::into).collect();
    }

    /// All is done until then.
    pub(super) fn rests(&self, until: Option<i64>) {
        let mut state = self.locked();
        state.last_error = None;
        state.next_try = until.map(rfc3339);
        self.note(|times| times.next_try = until);
    }

    /// A try is put off.
    pub(super) fn waits(&self, wait: &Wait) {
        let mut state = self.locked();
        state.last_error = Some(wait.why.clone());
        state.next_try = Some(rfc3339(wait.until));
        self.note(|times| times.next_try = Some(wait.until));
    }

    /// No name reaches us.
    pub(super) fn finds_nothing_to_order(&self, why: Option<String>, now: i64, wait: std::time::Duration) {
        let mut state = self.locked();
        let nobody = || "none of the names reaches this machine yet".to_owned();
        state.last_error = Some(why.unwrap_or_else(nobody));
        let next = now + i64::try_from(wait.as_secs()).unwrap_or(0);
        state.next_try = Some(rfc3339(next));
        self.note(|times| times.next_try = Some(next));
    }

    pub(super) fn tries(&self, now: i64) {
        self.locked().last_try = Some(rfc3339(now));
    }

    pub(super) fn failed(&self, why: String, next: i64) {
        let mut state = self.locked();
        if state.last_error.as_ref() != Some(&why) {
            tracing::warn!(why, next = rfc3339(next), "no certificate was obtained");
        }
        state.last_error = Some(why);
        state.last_try.get_or_insert_with(|| rfc3339(http::now()));
        state.next_try = Some(rfc3339(next));
        self.note(|times| (times.last_failure, times.next_try) = (Some(http::now()), Some(next)));
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.locked();
        state.last_error = None;
        state.next_try = None;
        self.note(|times| (times.last_success, times.next_try) = (Some(http::now()), None));
    }

    /// Tells everybody: the findings, and the file for who cannot ask.
    pub(super) fn publish(&self, settings: &Settings) {
        let state = {
            let mut state = self.locked();
            state.authority.clone_from(&settings.renewal.authority.directory);
            state.clone()
        };
        self.findings.replace(Source::Acme, state.findings(settings.web.hostname.as_str()));
        let folder = &settings.renewal.folder;
        if State::load(folder).as_ref() != Some(&state)
            && let Err(error) = tokio::task::block_in_place(|| state.save(folder))
        {
            tracing::warn!(%error, "the state of the renewal cannot be written");
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
