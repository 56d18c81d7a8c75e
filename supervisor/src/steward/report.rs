//! From what was observed to what is told: a pure function, and the shape of the JSON.

use std::cmp::Reverse;

use calendar::rfc3339;
use handover::certificate::Facts;
use handover::status::{HEARTBEAT_SECONDS, Process, State, Status};
use serde::Serialize;

use super::acme;
use super::findings::{Finding, Severity, Source};
use super::heartbeat::Beats;
use super::observation::{FreeFiles, Observation};
use crate::certificate::is_self_made;

/// The state of the whole, as `/health/ready` tells it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// In one word.
    status: Overall,
    /// What is wrong, each with its fix, the worst first; empty when all is well.
    reasons: Vec<Finding>,
    version: &'static str,
    /// When process 1 started.
    since: Option<String>,
    processes: Vec<ProcessReport>,
    certificate: Option<CertificateReport>,
    /// How its renewal stands; nothing where it is made or brought by somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal: Option<acme::State>,
    /// Messages that wait to be delivered elsewhere.
    queue: Option<u64>,
    free_bytes: Option<u64>,
    /// Files that can still be created on the volume; nothing where its file system sets no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_files: Option<u64>,
    /// The last message that was sent all the way through; nothing before the first.
    heartbeat: Option<HeartbeatReport>,
    #[serde(skip)]
    is_serving: bool,
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

#[derive(Debug, Serialize)]
struct ProcessReport {
    name: String,
    state: State,
    since: String,
    /// Since when it has not responded although it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent_since: Option<String>,
    restarts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_end: Option<String>,
}

#[derive(Debug, Serialize)]
struct HeartbeatReport {
    /// When the last one ended.
    at: String,
    succeeded: bool,
    /// At which step it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<&'static str>,
    /// When the last one succeeded.
    last_success: Option<String>,
    /// How long that took.
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
    /// We ourselves: encrypts, but clients have to be told to trust it.
    SelfMade,
    /// Somebody else.
    Authority,
}

/// A status that is older than this is no status: process 1 does not turn its loop.
const STALE_SECONDS: u64 = 3 * HEARTBEAT_SECONDS;
/// With less, the next large messages are refused: two or three copies of each exist for a moment.
const LITTLE_SPACE: u64 = 256 << 20;
/// With fewer files that can be created, mail is deferred soon: each message is one, and several for a moment.
const FEW_FILES: u64 = 1000;
/// Of a small volume: this part of all its files.
const FEW_FILES_PART: u64 = 20;
/// A message that waits so long is worth a look: its host may be down, or ours be unable to send.
const LONG_WAIT: u64 = 4 * 3600;
/// And one that waits so long is four more days from being given up.
const TOO_LONG_WAIT: u64 = 24 * 3600;
/// Renewal is due weeks before; when so little time is left, it has failed again and again.
const SOON_SECONDS: i64 = 7 * 24 * 3600;
/// Of a certificate that lives shorter: the last part of its life.
const SOON_PART: i64 = 8;

impl Report {
    /// Judges what was observed.
    pub(super) fn on(observation: &Observation) -> Self {
        let now = observation.at;
        let fresh = alive(observation);
        let processes = fresh.as_ref().map_or(&[][..], |status| &status.processes);
        let is_serving = !processes.is_empty() && processes.iter().all(serves);
        let is_broken = fresh.is_err() || processes.iter().any(|process| broken(process).is_some());

        let mut reasons = Vec::new();
        reasons.extend(fresh.as_ref().err().cloned());
        reasons.extend(processes.iter().filter_map(broken));
        let concerns = fresh.as_ref().map_or(&[][..], |status| &status.concerns);
        reasons.extend(concerns.iter().map(Finding::of_concern));
        reasons.extend(space_trouble(observation));
        reasons.extend(processes.iter().find_map(|process| queue_trouble(process, now)));
        reasons.extend(certificate_trouble(observation, i64::try_from(now).unwrap_or(i64::MAX)));
        reasons.extend(observation.findings.iter().cloned());
        // Stable: what is equally bad stays in the order of the sources.
        reasons.sort_by_key(|reason| Reverse(reason.severity));

        let told = observation.status.as_ref().ok();
        Self {
            status: match () {
                () if !is_broken && !is_serving => Overall::Starting,
                () if reasons.iter().all(|reason| reason.severity == Severity::Note) => Overall::Ready,
                () => Overall::Degraded,
            },
            reasons,
            version: env!("CARGO_PKG_VERSION"),
            since: told.map(|status| moment(status.started)),
            processes: told.map_or_else(Vec::new, |status| status.processes.iter().map(process).collect()),
            certificate: observation.certificate.as_ref().ok().map(certificate),
            renewal: observation.renewal.clone(),
            queue: told.and_then(|status| status.processes.iter().find_map(|process| process.queue)),
            free_bytes: observation.free.as_ref().ok().map(|free| free.bytes),
            free_files: observation.free.as_ref().ok().and_then(|free| Some(free.files?.free)),
            heartbeat: heartbeat(&observation.beats),
            is_serving,
        }
    }

    /// The state in one word.
    pub(super) fn overall(&self) -> Overall {
        self.status
    }

    /// What is wrong, the worst first.
    pub(super) fn reasons(&self) -> &[Finding] {
        &self.reasons
    }

    /// Whether mail is served: every daemon says that it is ready. A certificate that ends soon, or settings
    /// that want attention, degrade it but do not take it out of service.
    pub(super) fn is_serving(&self) -> bool {
        self.is_serving
    }
}

/// What process 1 says, when it has said it lately; else what is wrong.
pub(super) fn alive(observation: &Observation) -> Result<&Status, Finding> {
    let gone = |problem| {
        let fix = "restart the container, and if that does not help read its log";
        Finding::new(Source::Process, Severity::Error, problem, fix)
    };
    let status = observation
        .status
        .as_ref()
        .map_err(|error| gone(format!("the state of process 1 is unknown: {error}")))?;
    // A clock that was set back makes a status of the future, which is fresh enough.
    let age = observation.at.saturating_sub(status.written);
    if age > STALE_SECONDS {
        return Err(gone(format!("process 1 has not been heard of for {age} seconds")));
    }
    Ok(status)
}

/// Returns true while a daemon does its work.
fn serves(process: &Process) -> bool {
    process.state == State::Ready && process.silent_since.is_none()
}

/// What is wrong with a daemon that neither works nor is on its way to.
fn broken(process: &Process) -> Option<Finding> {
    let name = &process.name;
    let ended = process.last_end.as_deref().map_or_else(String::new, |end| format!(" ({end})"));
    let (problem, fix) = match (process.state, process.silent_since) {
        (State::Starting | State::Ready, None) => return None,
        (State::Starting | State::Ready, Some(since)) => (
            format!("{name} has not responded since {}", moment(since)),
            "wait a minute, after which it is restarted; if that repeats, read its lines in the log, and see whether the \
             machine has enough memory and its disk works",
        ),
        (State::BackingOff, _) => (
            format!("{name} ended by itself{ended} and is started again after a wait"),
            "if that repeats, read its lines in the log",
        ),
        (State::Stopping | State::Stopped, _) => {
            (format!("{name} is stopped{ended}"), "start the container again to have it back")
        }
    };
    Some(Finding::new(Source::Process, Severity::Error, problem, fix))
}

fn space_trouble(observation: &Observation) -> Vec<Finding> {
    let free = match &observation.free {
        Ok(free) => free,
        Err(error) => {
            let problem = format!("the volume's free space is unknown: {error}");
            let fix = "see whether the volume is mounted";
            return vec![Finding::new(Source::Space, Severity::Error, problem, fix)];
        }
    };
    let few_bytes = (free.bytes < LITTLE_SPACE).then(|| {
        let mebibytes = free.bytes >> 20;
        Finding::new(
            Source::Space,
            Severity::Warning,
            format!("only {mebibytes} MiB are free on the volume, and mail is refused for the time being when it is full"),
            "delete something or enlarge the disk",
        )
    });
    few_bytes.into_iter().chain(free.files.and_then(few_files)).collect()
}

fn few_files(files: FreeFiles) -> Option<Finding> {
    const FIX: &str = "remove files that are not needed, of mail above all, or move to a file system with more inodes (`df -i` shows them)";
    let (severity, problem) = match files.free {
        0 => (
            Severity::Error,
            "no more files can be created on the volume, although it may have room: all its inodes are in use, and mail is \
             refused for the time being"
                .to_owned(),
        ),
        free if free < FEW_FILES.min(files.total / FEW_FILES_PART) => (
            Severity::Warning,
            format!(
                "only {free} more files can be created on the volume, and mail is refused for the time being when all its \
                 inodes are in use"
            ),
        ),
        _ => return None,
    };
    Some(Finding::new(Source::Space, severity, problem, FIX))
}

fn queue_trouble(process: &Process, now: u64) -> Option<Finding> {
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
        format!("a message has been waiting for {} hours to be delivered, {waiting} in all wait", age / 3600),
        "read why in the lines of the log that say `deferred`; when they are of one host only, it is that host's trouble",
    ))
}

fn certificate_trouble(observation: &Observation, now: i64) -> Option<Finding> {
    const FIX: &str = "read what keeps it from being renewed under `renewal`; a brought one is renewed by whoever brings it";
    let (severity, problem, fix) = match &observation.certificate {
        Err(error) => (Severity::Error, format!("the certificate cannot be used: {error}"), FIX),
        Ok(facts) if facts.not_after <= now => {
            (Severity::Error, format!("the certificate ended on {}", rfc3339(facts.not_after)), FIX)
        }
        Ok(facts) if facts.not_before > now => (
            Severity::Error,
            format!("the certificate is valid from {} on only", rfc3339(facts.not_before)),
            "see whether the clock is right",
        ),
        Ok(facts) if facts.not_after - now < soon(facts) => {
            (Severity::Warning, format!("the certificate ends on {}", rfc3339(facts.not_after)), FIX)
        }
        Ok(_) => return None,
    };
    Some(Finding::new(Source::Certificate, severity, problem, fix))
}

/// How long before its end a certificate ends soon.
fn soon(facts: &Facts) -> i64 {
    SOON_SECONDS.min((facts.not_after - facts.not_before) / SOON_PART)
}

fn process(process: &Process) -> ProcessReport {
    ProcessReport {
        name: process.name.clone(),
        state: process.state,
        since: moment(process.since),
        silent_since: process.silent_since.map(moment),
        restarts: process.restarts,
        last_end: process.last_end.clone(),
    }
}

fn heartbeat(beats: &Beats) -> Option<HeartbeatReport> {
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
pub(super) mod tests;
