//! Health, the metrics, and the heartbeat message that passes through all parts, of the whole demo.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tests::demo::Demo;
use tests::program;
use tests::smtp::message;
use tests::wait;

/// A page of the steward, without its header.
fn page(demo: &Demo, path: &str) -> String {
    let mut stream = TcpStream::connect(demo.services.address("health")).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn report(demo: &Demo) -> Value {
    serde_json::from_str(&page(demo, "/health/ready")).unwrap()
}

/// The metrics by name with all labels, once each daemon has answered in time.
#[track_caller]
fn numbers(demo: &Demo) -> BTreeMap<String, f64> {
    let text = wait::until("all daemons report their metrics", || {
        let text = page(demo, "/metrics");
        let is_silent =
            |line: &str| line.starts_with("mailstead_process_metrics_reported") && line.ends_with(" 0");
        (!text.lines().any(is_silent)).then_some(text)
    });
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?} is no sample"));
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line:?} has no number")))
        })
        .collect()
}

/// The number of heartbeats, passed or failed.
fn heartbeat_count(demo: &Demo) -> f64 {
    let of_beats =
        |(name, number): (&String, &f64)| name.starts_with("mailstead_heartbeats").then_some(*number);
    numbers(demo).iter().filter_map(of_beats).sum()
}

/// The report after a further heartbeat.
#[track_caller]
fn report_after_heartbeat(demo: &Demo, before: f64) -> Value {
    wait::until_true("a heartbeat ends", || heartbeat_count(demo) > before);
    report(demo)
}

/// Waits for a heartbeat that fails at this step, or passes.
#[track_caller]
fn await_heartbeat(demo: &Demo, failed_at: Option<&str>) -> Value {
    wait::until(&format!("a heartbeat ends with {failed_at:?}"), || {
        let report = report(demo);
        let beat = &report["heartbeat"];
        (beat.is_object() && beat["failed_at"].as_str() == failed_at).then_some(report)
    })
}

fn steward_toml(demo: &Demo) -> PathBuf {
    demo.volume().join("run/steward.toml")
}

/// Writes the steward's configuration and reloads it, which is followed by a heartbeat.
fn configure(demo: &Demo, text: &str) {
    fs::write(steward_toml(demo), text).unwrap();
    kill(demo.role("steward"), Signal::SIGHUP).unwrap();
}

#[test]
fn the_metrics_follow_the_mail_and_all_are_in_the_manual() {
    let demo = Demo::start();
    report_after_heartbeat(&demo, 0.0);
    let before = numbers(&demo);

    let (ann, stranger) = (demo.services.user(0), "stranger@example.com");
    let mut client = demo.services.smtp_client();
    client.mail(stranger, &[ann], &message(stranger, ann, "counted")).unwrap().expect(250);
    client.mail(stranger, &["unknown@demo.test"], "").unwrap().expect(550);
    client.command("RSET").unwrap().expect(250);
    client.mail(stranger, &["bob@elsewhere.example"], "").unwrap().expect(550);
    let mut submission = demo.services.submission_session();
    submission.log_in(ann, "a wrong password").unwrap().expect(535);
    let mut submitter = demo.services.submission_client(0);
    submitter
        .mail(ann, &[demo.services.user(1)], &message(ann, demo.services.user(1), "inside"))
        .unwrap()
        .expect(250);
    let reader = demo.services.imap_client(1);

    let after = numbers(&demo);
    let grown = |name: &str| {
        let full = format!("mailstead_{name}");
        let now = after.get(&full).unwrap_or_else(|| panic!("{full} is not exported: {after:#?}"));
        now - before.get(&full).copied().unwrap_or(0.0)
    };
    for (name, by) in [
        (r#"messages_total{service="smtp",outcome="accepted"}"#, 1.0),
        (r#"messages_total{service="submissions",outcome="accepted"}"#, 1.0),
        (r#"deliveries_total{destination="local",outcome="delivered"}"#, 2.0),
        (r#"refusals_total{service="smtp",step="recipient",reason="address",lasting="permanent"}"#, 1.0),
        (r#"refusals_total{service="smtp",step="recipient",reason="policy",lasting="permanent"}"#, 1.0),
        (r#"logins_total{service="submissions",outcome="refused"}"#, 1.0),
        (r#"logins_total{service="submissions",outcome="accepted"}"#, 1.0),
        (r#"logins_total{service="imaps",outcome="accepted"}"#, 1.0),
        (r#"sessions{service="smtp"}"#, 1.0),
        (r#"sessions{service="imaps"}"#, 1.0),
        (r#"sessions_begun_total{service="lmtp"}"#, 2.0),
        (
            r#"tls_handshakes_total{service="submissions",version="1.3",cipher="TLS13_AES_256_GCM_SHA384"}"#,
            2.0,
        ),
    ] {
        assert_eq!(grown(name), by, "{name}");
    }
    for process in ["process-1", "steward", "mta", "mda"] {
        for kind in ["anonymous", "file"] {
            let name = format!(r#"mailstead_process_memory_bytes{{process="{process}",kind="{kind}"}}"#);
            assert!(after[&name] > 1e5, "{name} is {}", after[&name]);
        }
    }
    assert_eq!(after[r#"mailstead_heartbeats_total{outcome="succeeded"}"#], 1.0);
    drop((client, submission, submitter, reader));

    let manual = include_str!("../../docs/operating.md");
    let exported: BTreeSet<String> = page(&demo, "/metrics")
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned()))
        .collect();
    let written: BTreeSet<String> = manual
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `mailstead_")?.split_once(['`', '{'])?.0))
        .map(|name| format!("mailstead_{name}"))
        .collect();
    let only_sometimes = |name: &&String| !name.starts_with("mailstead_acme_");
    let difference: Vec<&String> = exported.symmetric_difference(&written).filter(only_sometimes).collect();
    assert!(difference.is_empty(), "only exported or only documented: {difference:?}");
}

#[test]
fn a_heartbeat_succeeds_and_leaves_nothing_behind() {
    let demo = Demo::start();
    let report = report_after_heartbeat(&demo, 0.0);
    let beat = &report["heartbeat"];
    assert_eq!(beat["succeeded"], true, "{report:#}");
    assert!(beat["latency_seconds"].as_f64().unwrap() > 0.0, "{report:#}");
    assert_eq!(report["status"], "ready", "{report:#}");
    assert_eq!(report["queue"], 0);

    // A passed heartbeat is not logged, since it would fill the log every five minutes.
    let log = fs::read_to_string(demo.volume().join("demo.log")).unwrap();
    assert!(log.contains("ready process=\"mta\"") && !log.contains("heartbeat"), "{log}");

    let maildir = demo.mail.join("demo.test/mailstead-heartbeat/Maildir");
    for folder in ["new", "cur", "tmp"] {
        let left: Vec<_> = fs::read_dir(maildir.join(folder)).unwrap().collect();
        assert!(left.is_empty(), "{left:?} is left in {folder}");
    }

    // For authenticated users the address does not exist, and cannot be a sender.
    let internal = "mailstead-heartbeat@demo.test";
    let mut submitter = demo.services.submission_client(0);
    submitter.mail(demo.services.user(0), &[internal], "").unwrap().expect(550);
    submitter.command("RSET").unwrap().expect(250);
    submitter.command(&format!("MAIL FROM:<{internal}>")).unwrap().expect(553);
    // A message that a client on this machine sends there is removed with the next heartbeat.
    let mut client = demo.services.smtp_client();
    client
        .mail("root@localhost.example", &[internal], &message("root@localhost.example", internal, "planted"))
        .unwrap()
        .expect(250);
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 1);
    let before = heartbeat_count(&demo);
    configure(&demo, &fs::read_to_string(steward_toml(&demo)).unwrap());
    let report = report_after_heartbeat(&demo, before);
    assert_eq!(report["heartbeat"]["succeeded"], true, "{report:#}");
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 0);
}

#[test]
fn a_failed_heartbeat_names_its_step_and_the_fix_while_mail_is_served() {
    let demo = Demo::start();
    await_heartbeat(&demo, None);
    let good = fs::read_to_string(steward_toml(&demo)).unwrap();
    let replaced = |service: &str, by: SocketAddr| {
        let address_text = demo.services.address(service).to_string();
        assert!(good.contains(&address_text), "{good}");
        good.replace(&address_text, &by.to_string())
    };
    let password = good.lines().find(|line| line.starts_with("password = ")).unwrap();
    for (text, step, problem) in [
        (replaced("smtp", demo.services.address("imap")), "connect", "port 25"),
        (replaced("imaps", demo.services.address("imap")), "open", "TLS handshake"),
        (good.replace(password, "password = \"another\""), "log_in", "NO"),
    ] {
        configure(&demo, &text);
        let report = await_heartbeat(&demo, Some(step));
        assert_eq!(report["status"], "degraded", "{report:#}");
        let reason =
            report["reasons"].as_array().unwrap().iter().find(|reason| reason["source"] == "heartbeat");
        let reason = reason.unwrap_or_else(|| panic!("no reason: {report:#}"));
        assert!(reason["problem"].as_str().unwrap().contains(problem), "{reason:#}");
        assert!(reason["fix"].as_str().unwrap().len() > 20, "{reason:#}");
        assert!(report["heartbeat"]["last_success"].is_string(), "{report:#}");
    }
    // A mailbox that cannot be written to: mail is refused, not queued.
    configure(&demo, &good);
    await_heartbeat(&demo, None);
    let folder = demo.mail.join("demo.test/mailstead-heartbeat/Maildir/tmp");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    configure(&demo, &good);
    let report = await_heartbeat(&demo, Some("send"));
    assert!(report["reasons"][0]["problem"].as_str().unwrap().contains("port 25: 4"), "{report:#}");
    assert_eq!(report["queue"], 0);
    assert!(numbers(&demo)[r#"mailstead_heartbeats_total{outcome="send"}"#] >= 1.0);

    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    configure(&demo, &good);
    let report = await_heartbeat(&demo, None);
    assert_eq!(report["status"], "ready", "{report:#}");
}

#[test]
fn a_daemon_that_does_not_answer_costs_its_own_metrics_and_a_restart_is_counted() {
    let demo = Demo::start();
    report_after_heartbeat(&demo, 0.0);
    let mda = demo.role("mda");
    kill(mda, Signal::SIGSTOP).unwrap();
    // On a busy machine the other daemon may miss the time limit once.
    let text = wait::until("the metrics of the other daemon are exported", || {
        let text = page(&demo, "/metrics");
        text.contains("mailstead_process_metrics_reported{process=\"mta\"} 1\n").then_some(text)
    });
    kill(mda, Signal::SIGCONT).unwrap();
    assert!(text.contains("mailstead_process_metrics_reported{process=\"mda\"} 0\n"), "{text}");
    assert!(text.contains("mailstead_sessions{service=\"smtp\"}"), "{text}");
    assert!(!text.contains("service=\"imap\""), "{text}");

    kill(mda, Signal::SIGKILL).unwrap();
    wait::until_true("the restart of the mda is counted", || {
        let numbers = numbers(&demo);
        numbers[r#"mailstead_process_restarts_total{process="mda"}"#] == 1.0
            && numbers[r#"mailstead_process_state{process="mda",state="ready"}"#] == 1.0
    });
}

#[test]
fn health_is_printed_as_text_and_as_json() {
    let demo = Demo::start();
    let print = |more: &[&str]| {
        let mut command = Command::new(program::mailstead());
        let output =
            command.arg("health").arg("--config").arg(steward_toml(&demo)).args(more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let lines = print(&[]);
    assert!(lines.starts_with("ready: mail is served\n"), "{lines}");
    assert!(lines.contains("\nmta          ready since 20"), "{lines}");
    let json: Value = serde_json::from_str(&print(&["--json"])).unwrap();
    assert_eq!(json["status"], "ready");
}
