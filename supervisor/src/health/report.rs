use std::fmt::Write;

use serde::Deserialize;

/// The part of the steward's report that a person needs.
#[derive(Debug, Deserialize)]
struct Report {
    status: String,
    reasons: Vec<Reason>,
    version: String,
    since: Option<String>,
    processes: Vec<Process>,
    certificate: Option<Certificate>,
    queue: Option<u64>,
    free_bytes: Option<u64>,
    free_files: Option<u64>,
    heartbeat: Option<Heartbeat>,
    renewal: Option<Renewal>,
}

#[derive(Debug, Deserialize)]
struct Reason {
    source: String,
    severity: String,
    problem: String,
    fix: String,
}

#[derive(Debug, Deserialize)]
struct Process {
    name: String,
    state: String,
    since: String,
    restarts: u64,
    last_end: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Certificate {
    names: Vec<String>,
    issuer: String,
    expires: String,
}

#[derive(Debug, Deserialize)]
struct Renewal {
    next_try: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Heartbeat {
    at: String,
    succeeded: bool,
    last_success: Option<String>,
    latency_seconds: Option<f64>,
}

/// The report in lines for a person; `None` if it is of another version.
pub(super) fn lines(json: &str, is_serving: bool) -> Option<String> {
    let report: Report = serde_json::from_str(json).ok()?;
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _ = write_report(&mut text, &report, is_serving);
    Some(text)
}

fn write_report(text: &mut String, report: &Report, is_serving: bool) -> std::fmt::Result {
    let served = if is_serving { "mail is served" } else { "mail is not served" };
    writeln!(text, "{}: {served}", report.status)?;
    for Reason { source, severity, problem, fix } in &report.reasons {
        writeln!(text, "\n{severity} ({source}): {problem}")?;
        if !fix.is_empty() {
            writeln!(text, "    fix: {fix}")?;
        }
    }
    writeln!(text)?;
    let since = report.since.as_ref().map_or_else(String::new, |since| format!(", since {since}"));
    writeln!(text, "version      {}{since}", report.version)?;
    for Process { name, state, since, restarts, last_end } in &report.processes {
        write!(text, "{name:<12} {state} since {since}")?;
        if *restarts > 0 {
            write!(text, ", restarted {restarts} times")?;
        }
        if let Some(end) = last_end {
            write!(text, ", last exit: {end}")?;
        }
        writeln!(text)?;
    }
    if let Some(Certificate { names, issuer, expires }) = &report.certificate {
        writeln!(text, "certificate  for {}, by {issuer}, until {expires}", names.join(", "))?;
    }
    if let Some(Renewal { next_try: Some(next) }) = &report.renewal {
        writeln!(text, "renewal      next check at {next}")?;
    }
    if let Some(queue) = report.queue {
        writeln!(text, "queue        {queue} waiting")?;
    }
    if let Some(free) = report.free_bytes {
        let files = report.free_files.map_or_else(String::new, |files| format!(", {files} files"));
        writeln!(text, "free         {} MiB{files}", free >> 20)?;
    }
    match &report.heartbeat {
        None => writeln!(text, "heartbeat    none yet"),
        Some(Heartbeat { at, succeeded: true, latency_seconds, .. }) => {
            writeln!(text, "heartbeat    succeeded in {:.3} s, at {at}", latency_seconds.unwrap_or_default())
        }
        Some(Heartbeat { at, last_success, .. }) => {
            let last = last_success.as_deref().unwrap_or("never since the start");
            writeln!(text, "heartbeat    failed at {at}, last success: {last}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{
      "status": "degraded",
      "reasons": [
        { "source": "heartbeat", "severity": "error", "problem": "lost", "fix": "read the log" },
        { "source": "settings", "severity": "warning", "problem": "odd", "fix": "" }
      ],
      "version": "0.1.0",
      "since": "2026-11-22T18:33:16Z",
      "processes": [
        { "name": "mta", "state": "ready", "since": "2026-11-22T18:33:56Z", "restarts": 2, "last_end": "signal 9" },
        { "name": "mda", "state": "ready", "since": "2026-11-22T18:33:56Z", "restarts": 0 }
      ],
      "certificate": {
        "names": ["mail.example.org", "mta-sts.example.org"], "issuer": "CN=R11", "issuer_kind": "authority",
        "expires": "2027-01-21T18:34:56Z"
      },
      "renewal": { "authority": "https://ca.example/dir", "next_try": "2026-12-22T18:34:56Z" },
      "queue": 3,
      "free_bytes": 10737418240,
      "free_files": 600000,
      "heartbeat": {
        "at": "2026-11-22T18:34:00Z", "succeeded": true, "last_success": "2026-11-22T18:34:00Z",
        "latency_seconds": 0.0421
      },
      "something": "of a later version"
    }"#;

    #[test]
    fn a_report_is_printed_with_the_status_and_the_faults_first() {
        assert_eq!(
            lines(REPORT, true).unwrap(),
            "degraded: mail is served\n\
             \n\
             error (heartbeat): lost\n    fix: read the log\n\
             \n\
             warning (settings): odd\n\
             \n\
             version      0.1.0, since 2026-11-22T18:33:16Z\n\
             mta          ready since 2026-11-22T18:33:56Z, restarted 2 times, last exit: signal 9\n\
             mda          ready since 2026-11-22T18:33:56Z\n\
             certificate  for mail.example.org, mta-sts.example.org, by CN=R11, until 2027-01-21T18:34:56Z\n\
             renewal      next check at 2026-12-22T18:34:56Z\n\
             queue        3 waiting\n\
             free         10240 MiB, 600000 files\n\
             heartbeat    succeeded in 0.042 s, at 2026-11-22T18:34:00Z\n"
        );
    }

    #[test]
    fn a_report_of_the_first_seconds_is_printed_too() {
        let bare = r#"{ "status": "starting", "reasons": [], "version": "0.1.0", "processes": [] }"#;
        assert_eq!(
            lines(bare, false).unwrap(),
            "starting: mail is not served\n\nversion      0.1.0\nheartbeat    none yet\n"
        );
        assert_eq!(lines("{}", true), None);
    }
}
