//! From what was observed to what is told: a pure function, and the shape of the JSON.

use calendar::rfc3339;
use handover::certificate::Facts;
use handover::status::{HEARTBEAT_SECONDS, Process, State, Status};
use serde::Serialize;

use super::observation::Observation;
use crate::certificate::is_self_made;

/// The state of the whole, as `/health/ready` tells it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// In one word.
    status: Overall,
    /// What is wrong, in plain words, each with its fix; empty when all is well.
    reasons: Vec<String>,
    version: &'static str,
    /// When process 1 started.
    since: Option<String>,
    processes: Vec<ProcessReport>,
    certificate: Option<CertificateReport>,
    /// Messages that wait to be delivered elsewhere.
    queue: Option<u64>,
    free_bytes: Option<u64>,
    #[serde(skip)]
    is_serving: bool,
}

/// The state of the whole in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Overall {
    /// Every daemon works and nothing needs a person.
    Ready,
    /// Something is wrong. What still works goes on.
    Degraded,
    /// Daemons are being started and none has failed yet.
    Starting,
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
    issuer_kind: IssuerKind,
    expires: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum IssuerKind {
    /// We ourselves: encrypts, but clients have to be told to trust it.
    SelfMade,
    /// Somebody else.
    Authority,
}

/// A status that is older than this is no status: process 1 does not turn its loop.
const STALE_SECONDS: u64 = 3 * HEARTBEAT_SECONDS;
/// With less, the next large messages are refused: two or three copies of each exist for a moment.
const LITTLE_SPACE: u64 = 256 << 20;
/// Renewal is due weeks before; when so little time is left, it has failed again and again.
const SOON_SECONDS: i64 = 7 * 24 * 3600;

impl Report {
    /// Judges what was observed.
    pub(super) fn on(observation: &Observation) -> Self {
        let now = observation.at;
        let fresh = alive(observation);
        let processes = fresh.as_ref().map_or(&[][..], |status| &status.processes);
        let is_serving = !processes.is_empty() && processes.iter().all(|p| p.state == State::Ready);
        let is_broken = fresh.is_err() || processes.iter().any(|process| broken(process).is_some());

        let mut reasons = Vec::new();
        reasons.extend(fresh.as_ref().err().cloned());
        reasons.extend(processes.iter().filter_map(broken));
        reasons.extend(fresh.as_ref().map_or(&[][..], |status| &status.concerns).iter().cloned());
        reasons.extend(space_trouble(observation));
        reasons.extend(certificate_trouble(observation, i64::try_from(now).unwrap_or(i64::MAX)));

        let told = observation.status.as_ref().ok();
        Self {
            status: match () {
                () if !is_broken && !is_serving => Overall::Starting,
                () if reasons.is_empty() => Overall::Ready,
                () => Overall::Degraded,
            },
            reasons,
            version: env!("CARGO_PKG_VERSION"),
            since: told.map(|status| moment(status.started)),
            processes: told.map_or_else(Vec::new, |status| status.processes.iter().map(process).collect()),
            certificate: observation.certificate.as_ref().ok().map(certificate),
            queue: told.and_then(|status| status.processes.iter().find_map(|process| process.queue)),
            free_bytes: observation.free.as_ref().ok().copied(),
            is_serving,
        }
    }

    /// Whether mail is served: every daemon says that it is ready. A certificate that ends soon, or settings
    /// that want attention, degrade it but do not take it out of service.
    pub(super) fn is_serving(&self) -> bool {
        self.is_serving
    }
}

/// What process 1 says, when it has said it lately; else what is wrong.
pub(super) fn alive(observation: &Observation) -> Result<&Status, String> {
    const FIX: &str = "restart the container, and if that does not help read its log";
    let status = observation
        .status
        .as_ref()
        .map_err(|error| format!("the state of process 1 is unknown: {error}; {FIX}"))?;
    // A clock that was set back makes a status of the future, which is fresh enough.
    let age = observation.at.saturating_sub(status.written);
    if age > STALE_SECONDS {
        return Err(format!("process 1 has not been heard of for {age} seconds; {FIX}"));
    }
    Ok(status)
}

/// What is wrong with a daemon that neither works nor is on its way to.
fn broken(process: &Process) -> Option<String> {
    let name = &process.name;
    let ended = process.last_end.as_deref().map_or_else(String::new, |end| format!(" ({end})"));
    match process.state {
        State::Starting | State::Ready => None,
        State::BackingOff => Some(format!(
            "{name} ended by itself{ended} and is started again after a wait; if that repeats, read its lines in \
             the log"
        )),
        State::Stopping | State::Stopped => {
            Some(format!("{name} is stopped{ended}; start the container again to have it back"))
        }
    }
}

fn space_trouble(observation: &Observation) -> Option<String> {
    match &observation.free {
        Err(error) => {
            Some(format!("the volume's free space is unknown: {error}; see whether the volume is mounted"))
        }
        Ok(free) if *free < LITTLE_SPACE => Some(format!(
            "only {} MiB are free on the volume, and mail is refused for the time being when it is full; delete \
             something or enlarge the disk",
            free >> 20
        )),
        Ok(_) => None,
    }
}

fn certificate_trouble(observation: &Observation, now: i64) -> Option<String> {
    const FIX: &str = "put a new one and its key into the volume's folder tls and send process 1 a SIGHUP";
    match &observation.certificate {
        Err(error) => Some(format!("the certificate cannot be used: {error}; {FIX}")),
        Ok(facts) if facts.not_after <= now => {
            Some(format!("the certificate ended on {}; {FIX}", rfc3339(facts.not_after)))
        }
        Ok(facts) if facts.not_before > now => Some(format!(
            "the certificate is valid from {} on only; see whether the clock is right",
            rfc3339(facts.not_before)
        )),
        Ok(facts) if facts.not_after - now < SOON_SECONDS => {
            Some(format!("the certificate ends on {}; {FIX}", rfc3339(facts.not_after)))
        }
        Ok(_) => None,
    }
}

fn process(process: &Process) -> ProcessReport {
    ProcessReport {
        name: process.name.clone(),
        state: process.state,
        since: moment(process.since),
        restarts: process.restarts,
        last_end: process.last_end.clone(),
    }
}

fn certificate(facts: &Facts) -> CertificateReport {
    CertificateReport {
        names: facts.names.clone(),
        issuer: facts.issuer.clone(),
        issuer_kind: if is_self_made(facts) { IssuerKind::SelfMade } else { IssuerKind::Authority },
        expires: rfc3339(facts.not_after),
    }
}

fn moment(seconds: u64) -> String {
    rfc3339(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
