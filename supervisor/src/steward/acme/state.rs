//! The reported state of the certificate's renewal: in `/health/ready`, in `acme/state.json` for the doctor, and among
//! the findings.

use std::path::Path;

use calendar::rfc3339;
use handover::Concern;
use serde::{Deserialize, Serialize};

use super::selection::LeftOut;
use crate::read_limited;
use crate::steward::findings::{Finding, Severity, Source};

/// The state of the renewal. Times are in RFC 3339 format.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalState {
    /// The authority's directory.
    pub authority: String,
    /// The names of the certificate on disk, if the authority issued it.
    pub names: Vec<String>,
    /// The time of its renewal.
    pub renews: Option<String>,
    /// The page on which the authority explains the suggested time.
    pub explanation: Option<String>,
    /// Names missing from the certificate, with reasons.
    pub left_out: Vec<MissingName>,
    /// The time of the last attempt.
    pub last_try: Option<String>,
    /// Its error in plain words; `None` if it succeeded.
    pub last_error: Option<String>,
    /// The fix for that error, where known.
    #[serde(default)]
    pub last_fix: Option<String>,
    /// Set if the error concerns single names, which `left_out` lists with their reasons.
    #[serde(default)]
    pub is_about_names: bool,
    /// The authority's current step, while an order is pending.
    #[serde(default)]
    pub pending: Option<String>,
    /// The time of the next attempt.
    pub next_try: Option<String>,
    /// Set if the certificate in use was issued by an authority, covers the host's own name and has not expired.
    pub is_served: bool,
}

/// A name that is not in the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingName {
    /// The name.
    pub name: String,
    /// The reason, with its fix.
    #[serde(flatten)]
    pub why: Concern,
    /// The time of its next attempt, if known.
    pub next_try: Option<String>,
}

impl From<&LeftOut> for MissingName {
    fn from(left_out: &LeftOut) -> Self {
        let LeftOut { name, why, until } = left_out.clone();
        Self { name, why, next_try: until.map(rfc3339) }
    }
}

impl RenewalState {
    /// Loads the state from its file, for programs that cannot query the steward.
    pub fn load(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&read_limited::read_own(&folder.join(FILE)).ok()?).ok()
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), durable::Error> {
        let text = serde_json::to_vec_pretty(self).expect("a state has string keys only");
        durable::write_whole(&folder.join(FILE), &text, 0o600)
    }

    /// The findings to report. `host` is the name by which mail clients connect.
    pub(super) fn findings(&self, host: &str) -> Vec<Finding> {
        let severity = if self.is_served { Severity::Warning } else { Severity::Error };
        let again = |at: &Option<String>| {
            at.as_deref().map_or_else(String::new, |at| format!("; next attempt at {at}"))
        };
        let next = again(&self.next_try);
        let is_host = |missing: &&MissingName| missing.name.eq_ignore_ascii_case(host);
        let of_host = self.left_out.iter().find(is_host);
        // One cause is one finding: the finding for the host's own name covers it.
        let failed = self.last_error.as_ref().filter(|_| !(self.is_about_names && of_host.is_some()));
        let failed = failed.map(|error| {
            let served =
                if self.is_served { "the previous one stays in use" } else { "a self-made one is in use" };
            let fix = self
                .last_fix
                .as_deref()
                .unwrap_or("nothing, unless it persists: see `docker compose logs mail`");
            let problem = format!("the last attempt to obtain a certificate failed, and {served}: {error}");
            Finding::new(Source::Acme, severity, problem, format!("{fix}{next}"))
        });
        let pending = self.pending.as_ref().map(|why| {
            let problem = format!("an order is pending at the authority: {why}");
            Finding::new(Source::Acme, Severity::Note, problem, format!("wait{next}"))
        });
        let of_host = of_host.map(|MissingName { name, why, next_try }| {
            let problem =
                format!("no certificate can be obtained for the host's own name {name}: {}", why.problem);
            Finding::new(Source::Acme, severity, problem, format!("{}{}", why.fix, again(next_try)))
        });
        // Mail flows without the other names.
        let of_others = self.of_others(host).into_iter().map(|(names, MissingName { why, next_try, .. })| {
            let problem = format!("the certificate does not cover {}: {}", names.join(", "), why.problem);
            Finding::new(Source::Acme, Severity::Note, problem, format!("{}{}", why.fix, again(next_try)))
        });
        failed.into_iter().chain(pending).chain(of_host).chain(of_others).collect()
    }

    /// The other names, grouped by reason.
    fn of_others(&self, host: &str) -> Vec<(Vec<&str>, &MissingName)> {
        let mut groups: Vec<(Vec<&str>, &MissingName)> = Vec::new();
        for missing in self.left_out.iter().filter(|missing| !missing.name.eq_ignore_ascii_case(host)) {
            match groups
                .iter_mut()
                .find(|(_, first)| first.why == missing.why && first.next_try == missing.next_try)
            {
                Some((names, _)) => names.push(&missing.name),
                None => groups.push((vec![&missing.name], missing)),
            }
        }
        groups
    }
}

const FILE: &str = "state.json";

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> RenewalState {
        RenewalState { authority: "https://ca.example/".into(), is_served: true, ..RenewalState::default() }
    }

    #[test]
    fn a_failure_is_an_error_while_a_self_made_certificate_is_in_use() {
        assert_eq!(state().findings("mail.example.org"), []);
        let failed = RenewalState { last_error: Some("it is down".into()), ..state() };
        assert_eq!(failed.findings("h")[0].severity, Severity::Warning);
        let failed = RenewalState { is_served: false, ..failed };
        assert_eq!(failed.findings("h")[0].severity, Severity::Error);
        assert!(failed.findings("h")[0].problem.contains("it is down"));
    }

    #[test]
    fn only_the_hosts_own_name_degrades_when_it_is_left_out() {
        let why = Concern::new("no address; none at all", "publish it");
        let left_out = |name: &str| LeftOut { name: name.into(), why: why.clone(), until: None };
        let state = RenewalState {
            left_out: vec![(&left_out("mail.example.org")).into(), (&left_out("x")).into()],
            ..state()
        };
        let findings = state.findings("mail.example.org");
        assert_eq!(
            findings.iter().map(|finding| finding.severity).collect::<Vec<_>>(),
            [Severity::Warning, Severity::Note]
        );
        assert_eq!(findings[1].problem, "the certificate does not cover x: no address; none at all");
        assert_eq!(findings[1].fix, "publish it");
    }

    #[test]
    fn a_saved_state_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RenewalState::load(folder.path()), None);
        state().save(folder.path()).unwrap();
        assert_eq!(RenewalState::load(folder.path()), Some(state()));
    }
    #[test]
    fn one_cause_is_one_finding() {
        let why = Concern::new("no address", "publish it");
        let left_out = |name: &str| LeftOut { name: name.into(), why: why.clone(), until: None };
        let names = ["mail.example.org", "mta-sts.example.org", "autoconfig.example.org"];
        let state = RenewalState {
            left_out: names.iter().map(|name| (&left_out(name)).into()).collect(),
            last_error: Some("none of the names reaches this machine yet".into()),
            is_about_names: true,
            is_served: false,
            ..state()
        };
        let findings = state.findings("mail.example.org");
        let problems: Vec<&str> = findings.iter().map(|finding| finding.problem.as_str()).collect();
        assert_eq!(
            problems,
            [
                "no certificate can be obtained for the host's own name mail.example.org: no address",
                "the certificate does not cover mta-sts.example.org, autoconfig.example.org: no address"
            ]
        );
        let other = RenewalState { is_about_names: false, ..state };
        assert_eq!(other.findings("mail.example.org").len(), 3, "the authority is away as well");
    }

    #[test]
    fn a_pending_order_degrades_nothing_and_a_fix_names_its_setting() {
        let under_way =
            RenewalState { pending: Some("it signs".into()), next_try: Some("soon".into()), ..state() };
        let [finding] = &under_way.findings("h")[..] else { panic!("{under_way:?}") };
        assert_eq!((finding.severity, finding.fix.as_str()), (Severity::Note, "wait; next attempt at soon"));
        let (last_error, last_fix) = (Some("it is down".into()), Some("set MAIL_ACME_DIRECTORY".into()));
        let failed = RenewalState { last_error, last_fix, ..state() };
        assert_eq!(failed.findings("h")[0].fix, "set MAIL_ACME_DIRECTORY");
    }
}
