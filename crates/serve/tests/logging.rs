//! The log belongs to the process, and so does the hook for panics: each case runs in a process of its own, which is
//! this test again with a variable in its environment.

use std::path::Path;
use std::process::{Command, ExitCode};

use handover::config::{Format, Level, Log};
use serve::daemon::DaemonError;

const CASE: &str = "SERVE_LOGGING_CASE";

/// The text that a daemon with this log writes to standard error.
fn logged(case: &str) -> String {
    let test = std::env::current_exe().expect("a test has a file");
    let output = Command::new(test)
        .args(["--exact", "in_a_process_of_its_own", "--nocapture"])
        .env(CASE, case)
        .output()
        .expect("a test can be run again");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).expect("log lines are text")
}

#[test]
fn in_a_process_of_its_own() {
    let Ok(case) = std::env::var(CASE) else { return };
    if case == "no daemon" {
        return begin_two_daemons();
    }
    let format = if case == "json" { Format::Json } else { Format::Text };
    let writer = serve::logging::start("mta", &Log { level: Level::Info, format });
    tracing::info!(queue = 3, "message accepted");
    tracing::debug!("below the level");
    tracing::info!(target: "rustls::conn", "from a library");
    std::thread::spawn(|| panic!("a bug")).join().unwrap_err();
    writer.flush();
}

/// Two daemons: one with a configuration of which only the log can be read, and one that has to give up.
fn begin_two_daemons() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Configuration {
        log: Log,
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let begin = |path: &Path| {
        serve::daemon::run(
            "mta",
            path,
            |configuration: &Configuration| &configuration.log,
            async |_, _, _| Err(DaemonError::other(std::io::Error::other("cannot read the key"))),
        )
    };
    let path = folder.path().join("mta.toml");
    for (text, status) in [("queue = 3\n[log]\nformat = 'json'\n", 64), ("[log]\nformat = 'json'\n", 71)] {
        std::fs::write(&path, text).expect("a file can be written");
        assert_eq!(format!("{:?}", begin(&path)), format!("{:?}", ExitCode::from(status)));
    }
}

#[test]
fn a_start_error_has_the_format_of_the_log() {
    let text = logged("no daemon");
    let messages: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line)["message"].to_string())
        .collect();
    let [configuration, own] = messages.as_slice() else { panic!("{text}") };
    assert!(configuration.contains("mta.toml") && configuration.contains("queue"), "{text}");
    assert!(own.contains("mailstead mta: cannot read the key"), "{text}");
}

#[test]
fn a_program_reads_one_json_object_a_line_and_panics_are_lines_too() {
    let lines: Vec<serde_json::Value> =
        logged("json").lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(
        (&lines[0]["level"], &lines[0]["message"], &lines[0]["queue"]),
        (&"INFO".into(), &"message accepted".into(), &3.into())
    );
    assert_eq!(lines.iter().filter(|line| line["process"] == "mta").count(), 2, "{lines:?}");
    assert_eq!(lines[1]["level"], "ERROR");
    assert_eq!(lines[1]["fault"], "a bug");
    assert!(lines[1]["place"].as_str().unwrap().contains("logging.rs"));
}

#[test]
fn a_person_reads_a_line_for_each_event() {
    let text = logged("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].ends_with("message accepted queue=3 process=\"mta\""), "{text}");
    assert!(lines[1].contains("ERROR") && lines[1].contains("a bug"), "{text}");
}
