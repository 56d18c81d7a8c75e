//! The report, as text and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::finding::{Finding, FindingId, Severity};

/// The checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The addresses of the machine's name.
    Addresses,
    /// The reverse names of the addresses.
    Reverse,
    /// Records exist, and name servers answer.
    Publication,
    /// MX records.
    Exchange,
    /// SPF records.
    Spf,
    /// DKIM keys.
    Dkim,
    /// DMARC records.
    Dmarc,
    /// The MTA-STS policy.
    MtaSts,
    /// The address for TLS reports.
    TlsReporting,
    /// The SRV records for mail clients.
    Services,
    /// The names of web pages.
    Web,
    /// CAA records.
    Authority,
    /// TLSA records.
    Dane,
    /// Reachability of our ports.
    Incoming,
    /// Outgoing connections to port 25.
    Port25,
    /// Blocklists.
    Blocklists,
    /// The resolver.
    Resolver,
    /// The clock.
    Clock,
    /// Free space.
    Space,
    /// Owners and permissions on the volume.
    Volume,
    /// The certificate.
    Certificate,
    /// The state of the daemons.
    Health,
    /// Clients arriving with the gateway's address.
    Gateway,
}

/// A check with its findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// The domain, address or other object of the check.
    pub about: String,
    /// The faults found; empty if there are none.
    pub findings: Vec<Finding>,
}

/// The results of all checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report(pub Vec<CheckResult>);

#[derive(Serialize)]
struct Json<'a> {
    status: Severity,
    checks: Vec<JsonCheck<'a>>,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonCheck<'a> {
    check: Check,
    about: &'a str,
    severity: Severity,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    id: super::finding::FindingId,
    severity: Severity,
    check: Check,
    about: &'a str,
    cause: &'a str,
    fix: &'a str,
}

/// The JSON for a run that failed entirely.
pub fn json_of_failure(message: &str) -> String {
    let json = serde_json::json!({
        "status": Severity::Error, "checks": [], "findings": [], "error": message,
    });
    format!("{json:#}\n")
}

impl CheckResult {
    fn json(&self) -> impl Iterator<Item = JsonFinding<'_>> {
        self.findings.iter().map(|finding| JsonFinding {
            id: finding.id,
            severity: finding.severity,
            check: self.check,
            about: &self.about,
            cause: &finding.cause,
            fix: &finding.fix,
        })
    }

    fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok)
    }
}

impl Report {
    /// The worst severity; notices count as no fault.
    pub fn severity(&self) -> Severity {
        self.0.iter().map(CheckResult::severity).max().unwrap_or(Severity::Ok)
    }

    /// The report as JSON.
    pub fn json(&self) -> String {
        let json = Json {
            status: self.severity(),
            checks: self
                .0
                .iter()
                .map(|c| JsonCheck { check: c.check, about: &c.about, severity: c.severity() })
                .collect(),
            findings: self.0.iter().flat_map(CheckResult::json).collect(),
        };
        serde_json::to_string_pretty(&json).expect("our own reports have string keys only") + "\n"
    }

    /// The report as text: the faults, worst first, then the checks without faults, then a summary line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut wrong: Vec<(&CheckResult, &Finding)> =
            self.0.iter().flat_map(|checked| checked.findings.iter().map(move |f| (checked, f))).collect();
        wrong.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
        // Writing to a string does not fail.
        for (checked, finding) in &wrong {
            let word = word(finding.severity);
            let _ = writeln!(text, "{word:<8}{} ({}, {})", finding.cause, finding.id.name(), checked.about);
            for (index, line) in finding.fix.lines().enumerate() {
                let lead = if index == 0 { "fix:" } else { "" };
                let _ = writeln!(text, "        {lead:<5}{line}");
            }
            text.push('\n');
        }
        for checked in self.0.iter().filter(|checked| checked.findings.is_empty()) {
            let _ = writeln!(text, "ok      {}, {}", label(checked.check), checked.about);
        }
        let count = |severity| wrong.iter().filter(|(_, finding)| finding.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let unseen = wrong.iter().filter(|(_, finding)| finding.id == FindingId::NotChecked).count();
        let summary = match (errors, warnings, unseen) {
            (0, 0, 0) => "All is green.".to_owned(),
            (0, 0, 1) => "No faults were found; one thing was not checked: see not-checked.".to_owned(),
            (0, 0, unseen) => {
                format!("No faults were found; {unseen} things were not checked: see not-checked.")
            }
            (errors, warnings, _) => {
                format!("{}, {}.", counted(errors, "error"), counted(warnings, "warning"))
            }
        };
        let (checks, notices) = (counted(self.0.len(), "check"), counted(count(Severity::Notice), "notice"));
        let _ = writeln!(text, "\n{summary} {checks}, {notices}.");
        text
    }
}

/// A number with its noun, in the plural unless it is one.
fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Error => "ERROR",
    }
}

fn label(check: Check) -> &'static str {
    match check {
        Check::Addresses => "addresses",
        Check::Reverse => "reverse names",
        Check::Publication => "publication",
        Check::Exchange => "MX",
        Check::Spf => "SPF",
        Check::Dkim => "DKIM",
        Check::Dmarc => "DMARC",
        Check::MtaSts => "MTA-STS",
        Check::TlsReporting => "TLS reporting",
        Check::Services => "mail programs' set-up",
        Check::Web => "names of web pages",
        Check::Authority => "CAA",
        Check::Dane => "TLSA",
        Check::Incoming => "incoming ports",
        Check::Port25 => "outgoing port 25",
        Check::Blocklists => "blocklists",
        Check::Resolver => "resolver",
        Check::Clock => "clock",
        Check::Space => "free space",
        Check::Volume => "volume",
        Check::Certificate => "certificate",
        Check::Health => "daemons",
        Check::Gateway => "peers' addresses",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>) -> Report {
        Report(vec![
            CheckResult { check: Check::Clock, about: "this machine".into(), findings: Vec::new() },
            CheckResult { check: Check::Spf, about: "example.org".into(), findings },
        ])
    }

    #[test]
    fn a_report_without_faults_ends_with_a_green_line() {
        let text = report(Vec::new()).text();
        assert!(text.ends_with("All is green. 2 checks, 0 notices.\n"), "{text}");
        assert!(text.contains("ok      SPF, example.org\n"), "{text}");
    }

    #[test]
    fn a_report_with_unchecked_things_is_not_green() {
        let text = report(vec![Finding::notice(FindingId::NotChecked, "not seen", "look")]).text();
        assert!(!text.contains("green") && text.contains("one thing was not checked"), "{text}");
    }

    #[test]
    fn the_worst_finding_comes_first_with_its_fix_and_json_has_the_same() {
        let report = report(vec![
            Finding::notice(FindingId::CaaMissing, "small", "a"),
            Finding::error(FindingId::SpfMissing, "large", "publish:\nline"),
        ]);
        let text = report.text();
        assert!(
            text.starts_with("ERROR   large (spf-missing, example.org)\n        fix: publish:\n"),
            "{text}"
        );
        assert!(text.contains("\n             line\n"), "{text}");
        assert!(text.ends_with("1 error, 0 warnings. 2 checks, 1 notice.\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["status"], "error");
        assert_eq!(json["findings"][1]["id"], "spf-missing");
        assert_eq!(json["checks"][0]["severity"], "ok");
    }
}
