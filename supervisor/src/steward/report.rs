//! From what was observed to what is told: a pure function, and the shape of the JSON.

use handover::certificate::Facts;
use handover::status::{HEARTBEAT_SECONDS, Process, State, Status};
use serde::Serialize;

use super::observation::Observation;
use super::rfc3339::rfc3339;
use crate::certificate;

/// The state of the whole, as `/health/ready` tells it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// In one word.
    pub(super) status: Overall,
    /// What is wrong, each with its fix; empty when all is well.
    reasons: Vec<Reason>,
    version: &'static str,
    /// When process 1 started.
    since: Option<String>,
    processes: Vec<ProcessReport>,
    certificate: Option<CertificateReport>,
    /// Messages that wait to be delivered elsewhere.
    queue: Option<u64>,
    free_bytes: Option<u64>,
}

/// The state of the whole in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Overall {
    /// Every daemon works and nothing needs a person.
    Ready,
    /// Something is wrong. What still works goes on.
    Degraded,
    /// Daemons are being started and none has failed yet.
    Starting,
}

/// One thing that is wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Reason {
    problem: String,
    fix: String,
}

#[derive(Debug, Serialize)]
struct ProcessReport {
    name: String,
    state: State,
    since: String,
    restarts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_end: Option<String>,
}

#[derive(Debug, Serialize)]
struct CertificateReport {
    names: Vec<String>,
    issuer: String,
    /// `self-made` by us, which no client trusts by itself, or `issued` by somebody else.
    issuer_kind: &'static str,
    expires: String,
}

/// A status that is older than this is no status: process 1 does not turn its loop.
const STALE: u64 = 3 * HEARTBEAT_SECONDS;
/// Less than this and the next large messages, of which two or three copies exist for a moment, are refused.
const LITTLE_SPACE: u64 = 256 << 20;
/// Renewal happens weeks before; when so little is left, it has failed again and again.
const SOON: i64 = 7 * 24 * 3600;

impl Report {
    /// Judges what was observed.
    pub(super) fn on(observation: &Observation) -> Self {
        let mut reasons = Vec::new();
        let status = alive(observation).map_err(|reason| reasons.push(reason)).ok();
        if let Some(status) = status {
            reasons.extend(status.processes.iter().filter_map(broken));
            reasons.extend(status.concerns.iter().map(|concern| concern_of(concern)));
        }
        reasons.extend(little_space(observation));
        reasons.extend(certificate_trouble(observation));

        let is_starting = status.is_some_and(|status| {
            status.processes.is_empty() || status.processes.iter().any(|process| process.state == State::Starting)
        });
        let is_failing = status.is_none_or(|status| status.processes.iter().any(|p| broken(p).is_some()));
        let overall = match (is_failing, is_starting, reasons.is_empty()) {
            (false, true, _) => Overall::Starting,
            (false, false, true) => Overall::Ready,
            _ => Overall::Degraded,
        };
        let known = observation.status.as_ref().ok();
        Self {
            status: overall,
            reasons,
            version: env!("CARGO_PKG_VERSION"),
            since: known.map(|status| moment(status.started)),
            processes: known.map_or_else(Vec::new, |status| status.processes.iter().map(process).collect()),
            certificate: observation.certificate.as_ref().ok().map(certificate_report),
            queue: known.and_then(|status| status.processes.iter().find_map(|process| process.queue)),
            free_bytes: observation.free.as_ref().ok().copied(),
        }
    }

    /// Whether mail is served: every daemon says that it is ready. A certificate that ends soon, or settings that
    /// want attention, make it degraded but do not take it out of service.
    pub(super) fn is_serving(&self) -> bool {
        let all_ready = self.processes.iter().all(|process| process.state == State::Ready);
        !self.processes.is_empty() && all_ready && !self.reasons.iter().any(Reason::is_of_process_one)
    }
}

impl Reason {
    fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }

    fn is_of_process_one(&self) -> bool {
        self.problem.starts_with(PROCESS_ONE)
    }
}

const PROCESS_ONE: &str = "process 1 ";

/// The status, when process 1 has written it lately.
pub(super) fn alive(observation: &Observation) -> Result<&Status, String> {
    let fix = "restart the container; if that does not help, read its log";
    todo_placeholder(fix)
}
