use std::collections::BTreeSet;

use super::*;
use crate::steward::acme::EventTimes;
use crate::steward::heartbeat::{Beat, BeatSnapshot, Step};
use crate::steward::report::tests::observation;

const MTA: &str = "# HELP mailstead_sessions Sessions that run now.\n\
    # TYPE mailstead_sessions gauge\n\
    mailstead_sessions{service=\"smtp\"} 2\n\
    # HELP mailstead_bounces Reports.\n\
    # TYPE mailstead_bounces counter\n\
    mailstead_bounces_total 3\n";
const MDA: &str = "stray 1\n\
    # HELP mailstead_sessions Sessions that run now.\n\
    # TYPE mailstead_sessions gauge\n\
    mailstead_sessions{service=\"imap\"} 1\n\
    elsewhere 7\n";

fn daemon_metrics(mda: Option<&str>) -> DaemonMetrics {
    let daemons = vec![("mda".into(), mda.map(str::to_owned)), ("mta".into(), Some(MTA.into()))];
    DaemonMetrics { daemons, web: String::new() }
}

#[test]
fn each_family_has_one_header_and_the_lines_of_all_processes() {
    let text = text(&observation(), &daemon_metrics(Some(MDA)), Format::Prometheus);
    assert!(
        text.contains(
            "# HELP mailstead_sessions Sessions that run now.\n# TYPE mailstead_sessions gauge\n\
             mailstead_sessions{service=\"imap\"} 1\nmailstead_sessions{service=\"smtp\"} 2\n"
        ),
        "{text}"
    );
    let introduced: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    assert_eq!(introduced.len(), introduced.iter().collect::<BTreeSet<_>>().len());
    assert!(!text.contains("stray") && !text.contains("elsewhere"), "{text}");
}

#[test]
fn the_two_formats_differ_in_counter_names_and_in_their_end() {
    let plain = text(&observation(), &daemon_metrics(None), Format::Prometheus);
    assert!(plain.contains("# TYPE mailstead_bounces_total counter\nmailstead_bounces_total 3\n"), "{plain}");
    assert!(plain.contains("# TYPE mailstead_build_info gauge\n"), "{plain}");
    assert!(!plain.contains("EOF"), "{plain}");
    let open = text(&observation(), &daemon_metrics(None), Format::OpenMetrics);
    assert!(open.contains("# TYPE mailstead_bounces counter\nmailstead_bounces_total 3\n"), "{open}");
    assert!(open.ends_with("\n# EOF\n"), "{open}");
    for (accept, format) in [
        ("", Format::Prometheus),
        ("*/*", Format::Prometheus),
        ("text/plain;version=0.0.4;q=0.5", Format::Prometheus),
        ("application/openmetrics-text;version=1.0.0;q=0.75,text/plain", Format::OpenMetrics),
    ] {
        assert_eq!(Format::negotiate(accept), format, "{accept}");
    }
}

#[test]
fn observations_are_exported_and_a_silent_daemon_costs_only_its_own_lines() {
    let text = text(&observation(), &daemon_metrics(None), Format::Prometheus);
    for line in [
        "mailstead_status{status=\"ready\"} 1",
        "mailstead_status{status=\"degraded\"} 0",
        "mailstead_serving 1.0",
        "mailstead_findings{severity=\"error\"} 0",
        "mailstead_process_state{process=\"mta\",state=\"ready\"} 1",
        "mailstead_process_state{process=\"mta\",state=\"backing_off\"} 0",
        "mailstead_process_restarts_total{process=\"mda\"} 0",
        "mailstead_process_memory_bytes{process=\"process-1\",kind=\"anonymous\"} 2097152",
        "mailstead_process_memory_bytes{process=\"process-1\",kind=\"file\"} 1048576",
        "mailstead_process_metrics_reported{process=\"mda\"} 0",
        "mailstead_process_metrics_reported{process=\"mta\"} 1",
        "mailstead_sessions{service=\"smtp\"} 2",
        "mailstead_volume_free_bytes 10737418240.0",
        "mailstead_volume_free_files 600000.0",
        "mailstead_certificate_self_made 0.0",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} is missing in {text}");
    }
    assert!(!text.contains("service=\"imap\""), "{text}");
}

#[test]
fn known_times_of_heartbeats_and_certificates_are_exported_and_unknown_ones_left_out() {
    let mut observation = observation();
    let unknown = text(&observation, &daemon_metrics(None), Format::Prometheus);
    assert!(unknown.contains("mailstead_heartbeats_total{outcome=\"succeeded\"} 0\n"), "{unknown}");
    assert!(
        !unknown.contains("mailstead_heartbeat_latency") && !unknown.contains("mailstead_acme"),
        "{unknown}"
    );
    let took = std::time::Duration::from_millis(42);
    observation.beats = BeatSnapshot {
        last_success: Some(Beat { at: 1_795_372_000, took, outcome: Ok(()) }),
        successes: 7,
        failures: [(Step::LogIn, 2)].into(),
        ..BeatSnapshot::default()
    };
    observation.acme =
        Some(EventTimes { next_try: Some(1_795_373_000), last_success: None, last_failure: Some(1) });
    let text = text(&observation, &daemon_metrics(None), Format::Prometheus);
    for line in [
        "mailstead_heartbeats_total{outcome=\"succeeded\"} 7",
        "mailstead_heartbeats_total{outcome=\"log_in\"} 2",
        "mailstead_heartbeats_total{outcome=\"send\"} 0",
        "mailstead_heartbeat_latency_seconds 0.042",
        "mailstead_heartbeat_last_success_time_seconds 1795372000.0",
        "mailstead_acme_next_try_time_seconds 1795373000.0",
        "mailstead_acme_last_failure_time_seconds 1.0",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} is missing in {text}");
    }
    assert!(!text.contains("acme_last_success"), "{text}");

    observation.acme = Some(EventTimes { last_success: Some(2), ..observation.acme.unwrap() });
    let manual = include_str!("../../../../docs/operating.md");
    let all = super::text(&observation, &daemon_metrics(None), Format::Prometheus);
    for name in all.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        let is_ours = !["mailstead_sessions", "mailstead_bounces_total"].contains(&name);
        let is_written = manual.contains(&format!("| `{name}`")) || manual.contains(&format!("| `{name}{{"));
        assert!(!is_ours || is_written, "{name} is not in the manual");
    }
}
