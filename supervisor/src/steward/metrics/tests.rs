use std::collections::BTreeSet;

use super::*;
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

fn told(mda: Option<&str>) -> Told {
    Told(vec![("mda".into(), mda.map(str::to_owned)), ("mta".into(), Some(MTA.into()))])
}

#[test]
fn each_name_is_introduced_once_and_has_the_lines_of_all_processes() {
    let text = text(&observation(), &told(Some(MDA)), Format::Prometheus);
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
fn the_two_dialects_differ_in_how_they_name_a_counter_and_in_their_end() {
    let plain = text(&observation(), &told(None), Format::Prometheus);
    assert!(plain.contains("# TYPE mailstead_bounces_total counter\nmailstead_bounces_total 3\n"), "{plain}");
    assert!(plain.contains("# TYPE mailstead_build_info gauge\n"), "{plain}");
    assert!(!plain.contains("EOF"), "{plain}");
    let open = text(&observation(), &told(None), Format::OpenMetrics);
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
fn what_was_observed_is_told_and_a_daemon_that_did_not_answer_costs_its_own_lines() {
    let text = text(&observation(), &told(None), Format::Prometheus);
    for line in [
        "mailstead_status{status=\"ready\"} 1",
        "mailstead_status{status=\"degraded\"} 0",
        "mailstead_serving 1.0",
        "mailstead_findings{severity=\"error\"} 0",
        "mailstead_process_state{process=\"mta\",state=\"ready\"} 1",
        "mailstead_process_state{process=\"mta\",state=\"backing_off\"} 0",
        "mailstead_process_restarts_total{process=\"mda\"} 0",
        "mailstead_process_resident_bytes{process=\"process-1\"} 2097152.0",
        "mailstead_process_numbers_told{process=\"mda\"} 0",
        "mailstead_process_numbers_told{process=\"mta\"} 1",
        "mailstead_sessions{service=\"smtp\"} 2",
        "mailstead_volume_free_bytes 10737418240.0",
        "mailstead_certificate_self_made 0.0",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} is missing in {text}");
    }
    assert!(!text.contains("service=\"imap\""), "{text}");
}
