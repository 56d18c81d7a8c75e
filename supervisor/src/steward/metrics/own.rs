use std::sync::atomic::AtomicU64;

use handover::Memory;
use handover::status::{DaemonState, DaemonStatus, PROCESS_1};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use serve::metrics::{PREFIX, register_memory};

use crate::certificate::is_self_made;
use crate::steward::NAME;
use crate::steward::acme::EventTimes;
use crate::steward::findings::Severity;
use crate::steward::heartbeat::{BeatSnapshot, Step};
use crate::steward::observation::Observation;
use crate::steward::report::{Overall, Report};

type Number = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfProcess {
    process: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InState {
    process: String,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSeverity {
    severity: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOutcome {
    outcome: &'static str,
}

const STATES: [(DaemonState, &str); 5] = [
    (DaemonState::Starting, "starting"),
    (DaemonState::Ready, "ready"),
    (DaemonState::BackingOff, "backing_off"),
    (DaemonState::Stopping, "stopping"),
    (DaemonState::Stopped, "stopped"),
];

/// The steward's own metrics. `answered` lists the daemons and whether they have answered.
pub(super) fn text(observation: &Observation, answered: &[(&str, bool)]) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The program's version", build);
    server_status(&mut registry, observation);
    let processes = observation.status.as_ref().map_or(&[][..], |status| &status.processes);
    per_process(&mut registry, processes);
    let process_1 = observation.status.as_ref().ok().and_then(|status| status.memory);
    register_memory(&mut registry, [(PROCESS_1, process_1), (NAME, Memory::of_this_process())]);
    let reported: Family<OfProcess, Gauge> = Family::default();
    for (process, has_answered) in answered {
        reported.get_or_create(&OfProcess { process: (*process).to_owned() }).set(i64::from(*has_answered));
    }
    registry.register("process_metrics_reported", "1 if a daemon's own metrics are among these", reported);
    resources(&mut registry, observation);
    heartbeat(&mut registry, &observation.beats);
    acme(&mut registry, observation.acme.unwrap_or_default());

    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode_registry(&mut text, &registry);
    text
}

fn server_status(registry: &mut Registry, observation: &Observation) {
    let report = Report::on(observation);
    let status: Family<Status, Gauge> = Family::default();
    for (overall, name) in
        [(Overall::Ready, "ready"), (Overall::Degraded, "degraded"), (Overall::Starting, "starting")]
    {
        status.get_or_create(&Status { status: name }).set(i64::from(report.overall() == overall));
    }
    registry.register("status", "1 for the overall status in /health/ready, 0 for the others", status);
    number(
        registry,
        "serving",
        "1 while mail is served: every daemon is ready",
        f64::from(report.is_serving()),
    );
    let findings: Family<OfSeverity, Gauge> = Family::default();
    for (severity, name) in
        [(Severity::Note, "note"), (Severity::Warning, "warning"), (Severity::Error, "error")]
    {
        let count = report.reasons().iter().filter(|reason| reason.severity == severity).count();
        findings.get_or_create(&OfSeverity { severity: name }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register("findings", "Reasons in /health/ready, by severity", findings);
    if let Ok(status) = &observation.status {
        let help = "Start time of process 1, in seconds since 1970";
        number(registry, "start_time_seconds", help, status.started as f64);
        let age = observation.at.saturating_sub(status.written);
        number(registry, "status_age_seconds", "Age of the status that process 1 wrote", age as f64);
    }
}

fn per_process(registry: &mut Registry, processes: &[DaemonStatus]) {
    let states: Family<InState, Gauge> = Family::default();
    let since: Family<OfProcess, Number> = Family::default();
    let restarts: Family<OfProcess, Counter> = Family::default();
    for process in processes {
        let label = OfProcess { process: process.name.clone() };
        for (state, name) in STATES {
            states
                .get_or_create(&InState { process: process.name.clone(), state: name })
                .set(i64::from(process.state == state));
        }
        since.get_or_create(&label).set(process.since as f64);
        restarts.get_or_create(&label).inc_by(process.restarts);
    }
    registry.register("process_state", "1 for the state of a process, 0 for the other states", states);
    registry.register(
        "process_state_since_time_seconds",
        "Time at which the state began, in seconds since 1970",
        since,
    );
    registry.register("process_restarts", "Restarts of a daemon", restarts);
}

fn resources(registry: &mut Registry, observation: &Observation) {
    if let Ok(free) = &observation.free {
        number(registry, "volume_free_bytes", "Free space on the volume", free.bytes as f64);
        if let Some(files) = free.files {
            let help = "Files that can still be created on the volume";
            number(registry, "volume_free_files", help, files.free as f64);
        }
    }
    if let Ok(facts) = &observation.certificate {
        let help = "Expiry time of the certificate, in seconds since 1970";
        number(registry, "certificate_expiry_time_seconds", help, facts.not_after as f64);
        let help = "1 while the certificate is self-made, which no client trusts";
        number(registry, "certificate_self_made", help, f64::from(is_self_made(facts)));
    }
}

fn acme(registry: &mut Registry, times: EventTimes) {
    for (name, help, time) in [
        ("acme_next_try_time_seconds", "Time of the next attempt to obtain a certificate", times.next_try),
        ("acme_last_success_time_seconds", "Time of the last success since the start", times.last_success),
        ("acme_last_failure_time_seconds", "Time of the last failure since the start", times.last_failure),
    ] {
        if let Some(time) = time {
            number(registry, name, &format!("{help}, in seconds since 1970"), time as f64);
        }
    }
}

fn heartbeat(registry: &mut Registry, beats: &BeatSnapshot) {
    let count: Family<OfOutcome, Counter> = Family::default();
    count.get_or_create(&OfOutcome { outcome: "succeeded" }).inc_by(beats.successes);
    for step in Step::ALL {
        let failures = beats.failures.get(&step).copied().unwrap_or(0);
        count.get_or_create(&OfOutcome { outcome: step.name() }).inc_by(failures);
    }
    registry.register("heartbeats", "Heartbeats by outcome: succeeded, or the step that failed", count);
    if let Some(beat) = &beats.last_success {
        let help = "Duration of the last successful heartbeat";
        number(registry, "heartbeat_latency_seconds", help, beat.took.as_secs_f64());
        let help = "Time of the last successful heartbeat, in seconds since 1970";
        number(registry, "heartbeat_last_success_time_seconds", help, beat.at as f64);
    }
}

fn number(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Number::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}
