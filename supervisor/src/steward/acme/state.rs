//! What is told about the certificate's renewal: in `/health/ready`, in `acme/state.json` for the doctor, and on the
//! board of findings.

use std::path::Path;

use calendar::rfc3339;
use handover::Concern;
use serde::{Deserialize, Serialize};

use super::choice::LeftOut;
use crate::read_limited;
use crate::steward::findings::{Finding, Severity, Source};

/// The state of the renewal. Moments are as RFC 3339 writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The authority's directory.
    pub authority: String,
    /// The names that the certificate on disk is for, when it is the authority's.
    pub names: Vec<String>,
    /// When it is to be renewed.
    pub renews: Option<String>,
    /// The page on which the authority explains why it suggests that.
    pub explanation: Option<String>,
    /// Names that it is not for, and why.
    pub left_out: Vec<Missing>,
    /// When it was last tried to get one.
    pub last_try: Option<String>,
    /// What went wrong then, in plain words; nothing when it succeeded.
    pub last_error: Option<String>,
    /// When the next try is.
    pub next_try: Option<String>,
    /// Whether the certificate that is served is an authority's and has not ended.
    pub is_served: bool,
}

/// A name that is not in the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The name.
    pub name: String,
    /// Why it is not in it, and what to do.
    #[serde(flatten)]
    pub why: Concern,
    /// When it is tried again, if that is known.
    pub next_try: Option<String>,
}

impl From<&LeftOut> for Missing {
    fn from(left_out: &LeftOut) -> Self {
        let LeftOut { name, why, until } = left_out.clone();
        Self { name, why, next_try: until.map(rfc3339) }
    }
}

impl State {
    /// The file, for who cannot ask the steward.
    pub fn load(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&read_limited::own(&folder.join(FILE)).ok()?).ok()
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), durable::Error> {
        let text = serde_json::to_vec_pretty(self).expect("a state has string keys only");
        durable::write_whole(&folder.join(FILE), &text, 0o600)
    }

    /// What a person has to know. `host` is the name without which mail clients do not find us.
    pub(super) fn findings(&self, host: &str) -> Vec<Finding> {
        let severity = if self.is_served { Severity::Warning } else { Severity::Error };
        let again = |at: &Option<String>| {
            at.as_deref().map_or_else(String::new, |at| format!("; it is tried again at {at}"))
        };
        let next = again(&self.next_try);
        let failed = self.last_error.as_ref().map(|error| {
            let served = if self.is_served { "the one before serves on" } else { "a self-made one serves" };
            Finding::new(
                Source::Acme,
                severity,
                format!("the last try to get a certificate failed, and {served}: {error}"),
                format!("put right what is said there{next}; SIGHUP tries at once"),
            )
        });
        let missing = self.left_out.iter().map(|Missing { name, why, next_try }| {
            let (severity, what) = if name == host {
                (severity, "no certificate can be had for the host's own name")
            } else {
                // Nobody's mail stays away for want of it.
                (Severity::Note, "the certificate is without")
            };
            let problem = format!("{what} {name}: {}", why.problem);
            Finding::new(Source::Acme, severity, problem, format!("{}{}", why.fix, again(next_try)))
        });
        failed.into_iter().chain(missing).collect()
    }
}

const FILE: &str = "state.json";

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State { authority: "https://ca.example/".into(), is_served: true, ..State::default() }
    }

    #[test]
    fn a_failure_is_worse_while_a_self_made_certificate_serves() {
        assert_eq!(state().findings("mail.example.org"), []);
        let failed = State { last_error: Some("it is down".into()), ..state() };
        assert_eq!(failed.findings("h")[0].severity, Severity::Warning);
        let failed = State { is_served: false, ..failed };
        assert_eq!(failed.findings("h")[0].severity, Severity::Error);
        assert!(failed.findings("h")[0].problem.contains("it is down"));
    }

    #[test]
    fn only_the_hosts_own_name_degrades_when_it_is_left_out() {
        let why = Concern::new("no address; none at all", "publish it");
        let left_out = |name: &str| LeftOut { name: name.into(), why: why.clone(), until: None };
        let state = State {
            left_out: vec![(&left_out("mail.example.org")).into(), (&left_out("x")).into()],
            ..state()
        };
        let findings = state.findings("mail.example.org");
        assert_eq!(
            findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(),
            [Severity::Warning, Severity::Note]
        );
        assert_eq!(findings[1].problem, "the certificate is without x: no address; none at all");
        assert_eq!(findings[1].fix, "publish it");
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(State::load(folder.path()), None);
        state().save(folder.path()).unwrap();
        assert_eq!(State::load(folder.path()), Some(state()));
    }
}
