//! The steward's periodic run of the doctor. It observes the view from outside and publishes the faults as findings, so
//! that `/health/ready` reports them. It never runs during a start, which must not wait for DNS.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use handover::config::{self, Presence};

use super::checks::Scope;
use super::finding::{Finding, Severity};
use super::observe::Paths;
use super::report::Report;
use crate::dns;
use crate::steward::findings::{self, Findings, Source};

/// The wait after a start: the daemons, the certificate and perhaps the records come first.
const FIRST: Duration = Duration::from_secs(60);
/// The interval. Records seldom change, and resolvers cache them for as long.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// The interval while there is a fault, which the operator is probably fixing.
const SHORT_PAUSE: Duration = Duration::from_secs(3 * 60);

/// Runs until it is dropped. `presence` is read at each run: a reload may have changed it.
pub async fn watch(presence: PathBuf, findings: Findings) {
    let mut pause = FIRST;
    loop {
        tokio::time::sleep(jittered(pause)).await;
        match examine_outside(&presence).await {
            Ok(None) => pause = PAUSE,
            Ok(Some(report)) => {
                let found = published(&report);
                pause = if report.severity() <= Severity::Notice { PAUSE } else { SHORT_PAUSE };
                findings.replace(Source::Doctor, found);
            }
            Err(message) => {
                tracing::warn!(message, "cannot run the check");
                pause = PAUSE;
            }
        }
    }
}

/// Makes a report. `None` for a steward that runs alone, and for a demo, which is not visible from outside.
async fn examine_outside(presence: &Path) -> Result<Option<Report>, String> {
    if !presence.exists() {
        return Ok(None);
    }
    let presence: Presence = config::load(presence).map_err(|error| error.to_string())?;
    if presence.is_local {
        return Ok(None);
    }
    let facts = dns::facts_of(presence);
    super::examine(&facts, &Paths::default(), Scope::Outside).await.map(Some)
}

/// Adds up to a fifth, so that many machines do not query at the same moment. The clock's last digits are random
/// enough.
fn jittered(pause: Duration) -> Duration {
    let dice = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_micros() % 1000);
    pause + pause / 5 * dice / 1000
}

/// The findings of a report to publish. A notice does not degrade the server.
fn published(report: &Report) -> Vec<findings::Finding> {
    let one = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::Ok | Severity::Notice => findings::Severity::Note,
            Severity::Warning => findings::Severity::Warning,
            Severity::Error => findings::Severity::Error,
        };
        let problem = format!("{} ({})", finding.cause, finding.id.name());
        findings::Finding::new(Source::Doctor, severity, problem, finding.fix.clone())
    };
    report.0.iter().flat_map(|checked| &checked.findings).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::FindingId;
    use super::super::report::{Check, CheckResult};
    use super::*;

    #[test]
    fn a_notice_is_published_and_degrades_nothing() {
        let findings = vec![
            Finding::notice(FindingId::CaaMissing, "any authority may", "publish"),
            Finding::error(FindingId::MxMissing, "no MX", "publish\nline"),
        ];
        let report =
            Report(vec![CheckResult { check: Check::Exchange, about: "example.org".into(), findings }]);
        let published = published(&report);
        assert_eq!(published[0].severity, findings::Severity::Note);
        assert_eq!(published[1].severity, findings::Severity::Error);
        assert_eq!(
            (published[1].problem.as_str(), published[1].fix.as_str()),
            ("no MX (mx-missing)", "publish\nline")
        );
    }

    #[test]
    fn the_pause_is_never_shorter_and_at_most_a_fifth_longer() {
        let (least, most) = (Duration::from_secs(100), Duration::from_secs(120));
        assert!((least..most).contains(&jittered(least)));
    }
}
