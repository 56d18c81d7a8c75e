//! Computes the report from an observation, as a pure function, and defines its JSON.

use std::cmp::Reverse;

use calendar::rfc3339;
use handover::certificate::CertificateFacts;
use handover::status::{DaemonState, DaemonStatus, HEARTBEAT_SECONDS, Status};
use serde::Serialize;

use super::acme;
use super::findings::{Finding, Severity, Source};
use super::heartbeat::BeatSnapshot;
use super::observation::{FreeFiles, Observation};
use crate::certificate::is_self_made;

/// The state of the server, as in `/health/ready`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The overall state.
    status: Overall,
    /// The faults with their fixes, worst first; empty if there are none.
    reasons: Vec<Finding>,
    version: &'static str,
    /// The start time of process 1.
    since: Option<String>,
    processes: Vec<ProcessReport>,
    certificate: Option<CertificateReport>,
    /// The state of the renewal; `None` if the steward does not obtain the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal: Option<acme::RenewalState>,
    /// Messages waiting for delivery to other hosts.
    queue: Option<u64>,
    free_bytes: Option<u64>,
    /// Free inodes of the volume; `None` if its file system sets no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_files: Option<u64>,
    /// The last heartbeat; `None` before the first.
    heartbeat: Option<HeartbeatReport>,
    #[serde(skip)]
    is_serving: bool,
}

/// The overall state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Overall {
    /// Every daemon works and the operator need not act.
    Ready,
    /// Something is wrong. What works keeps running.
    Degraded,
    /// Daemons are starting and none has failed yet.
    Starting,
}

#[derive(Debug, Serialize)]
struct ProcessReport {
    name: String,
    state: DaemonState,
    since: String,
    /// The time since which it has not responded although it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent_since: Option<String>,
    restarts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_end: Option<String>,
}

#[derive(Debug, Serialize)]
struct HeartbeatReport {
    /// The end of the last beat.
    at: String,
    succeeded: bool,
    /// The step at which it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<&'static str>,
    /// The end of the last beat that succeeded.
    last_success: Option<String>,
    /// The duration of that beat.
    latency_seconds: Option<f64>,
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
    /// Made by this server: encrypts, but clients must be configured to trust it.
    SelfMade,
    /// Issued by an authority.
    Authority,
}

/// Age at which a status counts as missing: process 1 no longer runs its loop.
const STALE_SECONDS: u64 = 3 * HEARTBEAT_SECONDS;
/// With less free space, the next large messages are refused: two or three copies of each exist for a moment.
const LITTLE_SPACE: u64 = 256 << 20;
/// With fewer free inodes, mail is deferred soon: each message is a file, and several for a moment.
const FEW_FILES: u64 = 1000;
/// The same limit for a small volume, as a fraction of all its inodes.
const FEW_FILES_PART: u64 = 20;
/// The age of a waiting message that is worth a look: its host may be down, or ours unable to send.
const LONG_WAIT: u64 = 4 * 3600;
/// The age of a waiting message that bounces four days later.
const TOO_LONG_WAIT: u64 = 24 * 3600;
/// Renewal is due weeks before the end; with this little time left it has failed repeatedly.
const SOON_SECONDS: i64 = 7 * 24 * 3600;
/// The same limit for a certificate with a shorter lifetime, as a fraction of it.
const SOON_PART: i64 = 8;

impl Report {
    /// Computes the report.
    pub(super) fn on(observation: &Observation) -> Self {
        let now = observation.at;
        let fresh = recent_status(observation);
        let processes = fresh.as_ref().map_or(&[][..], |status| &status.processes);
        let is_serving = !processes.is_empty() && processes.iter().all(serves);
        let is_broken = fresh.is_err() || processes.iter().any(|process| process_finding(process).is_some());

        let mut reasons = Vec::new();
        reasons.extend(fresh.as_ref().err().cloned());
        reasons.extend(processes.iter().filter_map(process_finding));
        let concerns = fresh.as_ref().map_or(&[][..], |status| &status.concerns);
        reasons.extend(concerns.iter().map(Finding::of_concern));
        reasons.extend(space_findings(observation));
        reasons.extend(processes.iter().find_map(|process| queue_finding(process, now)));
        reasons.extend(certificate_finding(observation, i64::try_from(now).unwrap_or(i64::MAX)));
        reasons.extend(observation.findings.iter().cloned());
        // Stable: equal severities stay in the order of the sources.
        reasons.sort_by_key(|reason| Reverse(reason.severity));

        let known_status = observation.status.as_ref().ok();
        Self {
            status: match () {
                () if !is_broken && !is_serving => Overall::Starting,
                () if reasons.iter().all(|reason| reason.severity == Severity::Note) => Overall::Ready,
                () => Overall::Degraded,
            },
            reasons,
            version: env!("CARGO_PKG_VERSION"),
            since: known_status.map(|status| moment(status.started)),
            processes: known_status
                .map_or_else(Vec::new, |status| status.processes.iter().map(process).collect()),
            certificate: observation.certificate.as_ref().ok().map(certificate),
            renewal: observation.renewal.clone(),
            queue: known_status.and_then(|status| status.processes.iter().find_map(|process| process.queue)),
            free_bytes: observation.free.as_ref().ok().map(|free| free.bytes),
            free_files: observation.free.as_ref().ok().and_then(|free| Some(free.files?.free)),
            heartbeat: heartbeat(&observation.beats),
            is_serving,
        }
    }

    /// The overall state.
    pub(super) fn overall(&self) -> Overall {
        self.status
    }

    /// The faults, worst first.
    pub(super) fn reasons(&self) -> &[Finding] {
        &self.reasons
    }

    /// Returns true if mail is served: every daemon reports that it is ready. A certificate that expires soon, or
    /// settings that need attention, degrade the server but do not take it out of service.
    pub(super) fn is_serving(&self) -> bool {
        self.is_serving
    }
}

/// The status of process 1 if it is recent; otherwise the fault.
pub(super) fn recent_status(observation: &Observation) -> Result<&Status, Finding> {
    let gone = |problem| {
        let fix = "restart the container; if that does not help, read its log";
        Finding::new(Source::Process, Severity::Error, problem, fix)
    };
    let status = observation
        .status
        .as_ref()
        .map_err(|error| gone(format!("the state of process 1 is unknown: {error}")))?;
    // After the clock was set back, the status is dated in the future, which is recent enough.
    let age = observation.at.saturating_sub(status.written);
    if age > STALE_SECONDS {
        return Err(gone(format!("process 1 has not reported for {age} seconds")));
    }
    Ok(status)
}

/// Returns true while a daemon does its work.
fn serves(process: &DaemonStatus) -> bool {
    process.state == DaemonState::Ready && process.silent_since.is_none()
}

/// The fault of a daemon that neither works nor is starting.
fn process_finding(process: &DaemonStatus) -> Option<Finding> {
    let name = &process.name;
    let ended = process.last_end.as_deref().map_or_else(String::new, |end| format!(" ({end})"));
    let (problem, fix) = match (process.state, process.silent_since) {
        (DaemonState::Starting | DaemonState::Ready, None) => return None,
        (DaemonState::Starting | DaemonState::Ready, Some(since)) => (
            format!("{name} has not responded since {}", moment(since)),
            "wait a minute: then it is restarted; if it happens again, read its lines in the log, and check the \
             machine's memory and disk",
        ),
        (DaemonState::BackingOff, _) => (
            format!("{name} exited{ended} and is restarted after a wait"),
            "if it happens again, read its lines in the log",
        ),
        (DaemonState::Stopping | DaemonState::Stopped, _) => {
            (format!("{name} is stopped{ended}"), "restart the container")
        }
    };
    Some(Finding::new(Source::Process, Severity::Error, problem, fix))
}

fn space_findings(observation: &Observation) -> Vec<Finding> {
    let free = match &observation.free {
        Ok(free) => free,
        Err(error) => {
            let problem = format!("the volume's free space is unknown: {error}");
            let fix = "check that the volume is mounted";
            return vec![Finding::new(Source::Space, Severity::Error, problem, fix)];
        }
    };
    let few_bytes = (free.bytes < LITTLE_SPACE).then(|| {
        let (severity, problem) = match free.bytes >> 20 {
            0 => (Severity::Error, "the volume is full, and new mail is deferred".to_owned()),
            mebibytes => (
                Severity::Warning,
                format!("only {mebibytes} MiB are free on the volume; when it is full, new mail is deferred"),
            ),
        };
        Finding::new(Source::Space, severity, problem, "delete files or enlarge the disk")
    });
    few_bytes.into_iter().chain(free.files.and_then(few_files)).collect()
}

fn few_files(files: FreeFiles) -> Option<Finding> {
    const FIX: &str = "remove files, mail above all, or move to a file system with more inodes (see `df -i`)";
    let (severity, problem) = match files.free {
        0 => (
            Severity::Error,
            "no more files can be created on the volume: all its inodes are in use, even if it has free space, and new \
             mail is deferred"
                .to_owned(),
        ),
        free if free < FEW_FILES.min(files.total / FEW_FILES_PART) => (
            Severity::Warning,
            format!(
                "only {free} more files can be created on the volume; when all its inodes are in use, new mail is \
                 deferred"
            ),
        ),
        _ => return None,
    };
    Some(Finding::new(Source::Space, severity, problem, FIX))
}

fn queue_finding(process: &DaemonStatus, now: u64) -> Option<Finding> {
    let age = now.saturating_sub(process.queue_since?);
    let severity = match age {
        TOO_LONG_WAIT.. => Severity::Warning,
        LONG_WAIT.. => Severity::Note,
        _ => return None,
    };
    let waiting = process.queue.unwrap_or(1);
    Some(Finding::new(
        Source::Queue,
        severity,
        format!("a message has waited for delivery for {} hours; {waiting} in all wait", age / 3600),
        "see the reason in the log lines `deferred`; if they are all about one host, the fault is that host's",
    ))
}

fn certificate_finding(observation: &Observation, now: i64) -> Option<Finding> {
    const FIX: &str = "see under `renewal` why it is not renewed; replace a certificate of your own \
                       (MAIL_TLS_CERT_FILE) yourself";
    let (severity, problem, fix) = match &observation.certificate {
        Err(error) => (Severity::Error, format!("the certificate cannot be used: {error}"), FIX),
        Ok(facts) if facts.not_after <= now => {
            (Severity::Error, format!("the certificate expired on {}", rfc3339(facts.not_after)), FIX)
        }
        Ok(facts) if facts.not_before > now => (
            Severity::Error,
            format!("the certificate is not valid before {}", rfc3339(facts.not_before)),
            "check the clock",
        ),
        Ok(facts) if facts.not_after - now < soon(facts) => {
            (Severity::Warning, format!("the certificate expires on {}", rfc3339(facts.not_after)), FIX)
        }
        Ok(_) => return None,
    };
    Some(Finding::new(Source::Certificate, severity, problem, fix))
}

/// The time before its end from which a certificate counts as expiring soon.
fn soon(facts: &CertificateFacts) -> i64 {
    SOON_SECONDS.min((facts.not_after - facts.not_before) / SOON_PART)
}

fn process(process: &DaemonStatus) -> ProcessReport {
    ProcessReport {
        name: process.name.clone(),
        state: process.state,
        since: moment(process.since),
        silent_since: process.silent_since.map(moment),
        restarts: process.restarts,
        last_end: process.last_end.clone(),
    }
}

fn heartbeat(beats: &BeatSnapshot) -> Option<HeartbeatReport> {
    let last = beats.last.as_ref()?;
    let success = beats.last_success.as_ref();
    Some(HeartbeatReport {
        at: moment(last.at),
        succeeded: last.outcome.is_ok(),
        failed_at: last.outcome.as_ref().err().map(|failure| failure.step.name()),
        last_success: success.map(|beat| moment(beat.at)),
        latency_seconds: success.map(|beat| (beat.took.as_secs_f64() * 1000.0).round() / 1000.0),
    })
}

fn certificate(facts: &CertificateFacts) -> CertificateReport {
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
pub(super) mod tests;
