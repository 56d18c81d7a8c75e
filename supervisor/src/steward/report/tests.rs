use handover::Memory;
use handover::certificate::CertificateError;
use handover::status::StatusError;
use serde_json::{Value, json};

use super::*;
use crate::site::NO_USERS;
use crate::steward::heartbeat::{Beat, BeatFailure, BeatSnapshot, Step};
use crate::steward::observation::Free;

const NOW: u64 = 1_795_372_496;

fn process(name: &str, state: DaemonState) -> DaemonStatus {
    DaemonStatus {
        name: name.into(),
        state,
        since: NOW - 60,
        pid: Some(7),
        silent_since: None,
        restarts: 0,
        last_end: None,
        queue: None,
        queue_since: None,
        gateway_clients: 0,
        sandbox: None,
        accounts: None,
    }
}

fn facts(days_left: i64) -> CertificateFacts {
    CertificateFacts {
        names: vec!["mail.example.org".into()],
        issuer: "CN=Some Authority".into(),
        not_before: NOW as i64 - 60 * 86_400,
        not_after: NOW as i64 + days_left * 86_400,
    }
}

/// An observation without faults.
pub(in crate::steward) fn observation() -> Observation {
    Observation {
        at: NOW,
        status: Ok(Status {
            written: NOW - 2,
            started: NOW - 100,
            memory: Some(Memory { anonymous: 2 << 20, file: 1 << 20 }),
            processes: vec![
                process("steward", DaemonState::Ready),
                DaemonStatus { queue: Some(3), ..process("mta", DaemonState::Ready) },
                process("mda", DaemonState::Ready),
            ],
            concerns: Vec::new(),
        }),
        certificate: Ok(facts(60)),
        renewal: None,
        free: Ok(Free { bytes: 10 << 30, files: Some(FreeFiles { free: 600_000, total: 655_360 }) }),
        findings: Vec::new(),
        beats: BeatSnapshot::default(),
        acme: None,
    }
}

fn status(observation: &mut Observation) -> &mut Status {
    observation.status.as_mut().unwrap()
}

/// The overall state, whether mail is served, and the reasons.
fn summary(observation: &Observation) -> (Overall, bool, Vec<String>) {
    let report = Report::on(observation);
    let line = |reason: &Finding| format!("{}; {}", reason.problem, reason.fix);
    (report.status, report.is_serving(), report.reasons.iter().map(line).collect())
}

#[test]
fn a_report_without_faults_is_ready_and_complete() {
    let report: Value = serde_json::to_value(Report::on(&observation())).unwrap();
    let process =
        |name| json!({ "name": name, "state": "ready", "since": "2026-11-22T18:33:56Z", "restarts": 0 });
    assert_eq!(
        report,
        json!({
            "status": "ready",
            "reasons": [],
            "version": env!("CARGO_PKG_VERSION"),
            "since": "2026-11-22T18:33:16Z",
            "processes": [process("steward"), process("mta"), process("mda")],
            "certificate": {
                "names": ["mail.example.org"],
                "issuer": "CN=Some Authority",
                "issuer_kind": "authority",
                "expires": "2027-01-21T18:34:56Z",
            },
            "queue": 3,
            "free_bytes": 10_737_418_240_u64,
            "free_files": 600_000,
            "heartbeat": null,
        })
    );
    assert!(Report::on(&observation()).is_serving());
}

#[test]
fn the_status_is_starting_while_a_daemon_starts() {
    let mut observation = observation();
    status(&mut observation).processes[1].state = DaemonState::Starting;
    assert_eq!(summary(&observation), (Overall::Starting, false, vec![]));
    status(&mut observation).processes.clear();
    assert_eq!(summary(&observation), (Overall::Starting, false, vec![]));
}

#[test]
fn a_dead_daemon_degrades_the_server_and_takes_it_out_of_service() {
    for (state, expected) in [
        (DaemonState::BackingOff, "mta exited (signal 9)"),
        (DaemonState::Stopping, "mta is stopped"),
        (DaemonState::Stopped, "mta is stopped"),
    ] {
        let mut observation = observation();
        let mta = &mut status(&mut observation).processes[1];
        (mta.state, mta.last_end) = (state, Some("signal 9".into()));
        status(&mut observation).processes[2].state = DaemonState::Starting;
        let (overall, is_serving, reasons) = summary(&observation);
        assert_eq!((overall, is_serving, reasons.len()), (Overall::Degraded, false, 1), "{state:?}");
        assert!(reasons[0].starts_with(expected), "{reasons:?}");
    }
}

#[test]
fn a_status_that_is_old_or_missing_means_that_process_1_is_gone() {
    let mut late = observation();
    late.at = NOW - 2 + STALE_SECONDS;
    assert!(recent_status(&late).is_ok());
    late.at += 1;
    let missing = Observation {
        status: Err(StatusError::Read { path: "/run/x".into(), source: std::io::ErrorKind::NotFound.into() }),
        ..observation()
    };
    for (observation, expected) in [(late, "for 16 seconds"), (missing, "/run/x")] {
        let (overall, is_serving, reasons) = summary(&observation);
        assert_eq!((overall, is_serving, reasons.len()), (Overall::Degraded, false, 1));
        assert!(reasons[0].contains(expected), "{reasons:?}");
        assert!(recent_status(&observation).is_err());
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_count_as_silence() {
    let mut observation = observation();
    observation.at -= 3600;
    assert!(recent_status(&observation).is_ok());
}

#[test]
fn a_fault_for_the_operator_degrades_the_server_but_mail_is_served() {
    let concern = || {
        let mut observation = observation();
        status(&mut observation).concerns.push(NO_USERS);
        observation
    };
    let read = || CertificateError::Malformed { path: "/data/tls/certificate.pem".into() };
    let young = CertificateFacts { not_before: NOW as i64 + 60, ..facts(60) };
    for (observation, expected) in [
        (concern(), "MAIL_USERS"),
        (
            Observation { free: Ok(Free { bytes: LITTLE_SPACE - 1, files: None }), ..observation() },
            "only 255 MiB",
        ),
        (
            Observation { free: Ok(Free { bytes: (1 << 20) - 1, files: None }), ..observation() },
            "the volume is full",
        ),
        (Observation { free: Err(std::io::ErrorKind::NotFound.into()), ..observation() }, "mounted"),
        (Observation { certificate: Ok(facts(6)), ..observation() }, "expires on 2026-11-28"),
        (Observation { certificate: Ok(facts(0)), ..observation() }, "expired on 2026-11-22"),
        (Observation { certificate: Ok(young), ..observation() }, "clock"),
        (Observation { certificate: Err(read()), ..observation() }, "certificate.pem is not X.509"),
    ] {
        let (overall, is_serving, reasons) = summary(&observation);
        assert_eq!((overall, is_serving, reasons.len()), (Overall::Degraded, true, 1), "{expected}");
        assert!(reasons[0].contains(expected), "{reasons:?}");
    }
}

#[test]
fn findings_of_other_parts_degrade_the_server_worst_first_and_a_note_does_not() {
    let found = |severity| Finding::new(Source::Doctor, severity, format!("{severity:?} found"), "do it");
    let mut observation = observation();
    observation.findings = vec![found(Severity::Note)];
    assert_eq!(summary(&observation), (Overall::Ready, true, vec!["Note found; do it".into()]));
    observation.findings.extend([found(Severity::Warning), found(Severity::Error)]);
    observation.free = Ok(Free { bytes: 1 << 20, files: None });
    let (overall, is_serving, reasons) = summary(&observation);
    assert_eq!((overall, is_serving), (Overall::Degraded, true));
    let begins: Vec<_> = reasons.iter().map(|reason| &reason[..6]).collect();
    assert_eq!(begins, ["Error ", "only 1", "Warnin", "Note f"]);
    let json = serde_json::to_value(&Report::on(&observation).reasons[0]).unwrap();
    assert_eq!(
        json,
        json!({ "source": "doctor", "severity": "error", "problem": "Error found", "fix": "do it" })
    );
}

#[test]
fn a_message_that_waits_for_hours_is_a_note_and_for_a_day_a_warning() {
    for (hours, overall, count) in
        [(3, Overall::Ready, 0), (4, Overall::Ready, 1), (23, Overall::Ready, 1), (24, Overall::Degraded, 1)]
    {
        let mut observation = observation();
        status(&mut observation).processes[1].queue_since = Some(NOW - hours * 3600);
        let (status, is_serving, reasons) = summary(&observation);
        assert_eq!((status, is_serving, reasons.len()), (overall, true, count), "{hours}");
        assert!(reasons.iter().all(|reason| reason.contains(&format!("{hours} hours"))), "{reasons:?}");
    }
}

#[test]
fn the_heartbeats_last_success_is_reported_beside_its_last_failure() {
    let beat = |at, outcome| Beat { at, took: std::time::Duration::from_micros(123_456), outcome };
    let success = beat(NOW - 600, Ok(()));
    let failure = BeatFailure { step: Step::Send, detail: "452 4.3.1 full".into() };
    let mut observation = observation();
    observation.beats =
        BeatSnapshot { last: Some(success.clone()), last_success: Some(success), ..BeatSnapshot::default() };
    let heartbeat_json =
        |observation: &Observation| serde_json::to_value(Report::on(observation).heartbeat).unwrap();
    let mut expected = json!({
        "at": "2026-11-22T18:24:56Z",
        "succeeded": true,
        "last_success": "2026-11-22T18:24:56Z",
        "latency_seconds": 0.123,
    });
    assert_eq!(heartbeat_json(&observation), expected);
    observation.beats.last = Some(beat(NOW - 300, Err(failure)));
    expected["at"] = json!("2026-11-22T18:29:56Z");
    expected["succeeded"] = json!(false);
    expected["failed_at"] = json!("send");
    assert_eq!(heartbeat_json(&observation), expected);
}

#[test]
fn a_hanging_daemon_degrades_the_server_and_takes_it_out_of_service() {
    let mut observation = observation();
    status(&mut observation).processes[1].silent_since = Some(NOW - 12);
    let (overall, is_serving, reasons) = summary(&observation);
    assert_eq!((overall, is_serving, reasons.len()), (Overall::Degraded, false, 1));
    assert!(reasons[0].starts_with("mta has not responded since 2026-11-22T18:34:44Z"), "{reasons:?}");
    let report = serde_json::to_value(Report::on(&observation)).unwrap();
    assert_eq!(report["processes"][1]["silent_since"], "2026-11-22T18:34:44Z");
}

#[test]
fn inodes_are_watched_as_space_is() {
    for (free, total, expected) in [
        (0, 400, Some("no more files can be created on the volume")),
        (999, 655_360, Some("only 999 more files can be created on the volume")),
        (1000, 655_360, None),
        // A small volume has few inodes from the first day.
        (200, 400, None),
        (19, 400, Some("only 19 more files")),
    ] {
        let mut observation = observation();
        observation.free = Ok(Free { bytes: 10 << 30, files: Some(FreeFiles { free, total }) });
        let (overall, is_serving, reasons) = summary(&observation);
        assert_eq!((is_serving, reasons.len()), (true, usize::from(expected.is_some())), "{reasons:?}");
        assert_eq!(overall == Overall::Ready, expected.is_none());
        assert!(expected.is_none_or(|expected| reasons[0].starts_with(expected)), "{reasons:?}");
    }
    let mut without_limit = observation();
    without_limit.free = Ok(Free { bytes: 10 << 30, files: None });
    assert_eq!(summary(&without_limit), (Overall::Ready, true, vec![]));
}
