use super::super::finding::{Finding, FindingId, Severity};
use super::super::observed::{HealthReason, PortHolder};
use super::{Case, gateway};

/// Sources of reasons that the doctor checks itself and does not repeat.
const OWN: [&str; 3] = ["doctor", "space", "certificate"];

/// The name of our own processes.
const PROGRAM: &str = "mailstead";

/// Checks that the server runs, and repeats the steward's findings.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let machine = &case.observed.machine;
    match &machine.health {
        None => Vec::new(),
        Some(Ok(reasons)) => {
            let is_reported_elsewhere = |reason: &&HealthReason| {
                OWN.contains(&reason.source.as_str())
                    || gateway::is_gateway_reason(reason)
                    || is_of_names(reason)
            };
            // No certificate can be issued for a name that does not resolve to this machine, or whose resolver fails: each
            // is a finding of its own.
            let is_unresolved = super::causes::host_is_missing(case) || super::resolver::is_failing(case);
            let is_consequence = |reason: &&HealthReason| reason.source == "acme" && is_unresolved;
            let others =
                reasons.iter().filter(|reason| !is_reported_elsewhere(reason) && !is_consequence(reason));
            others.map(of_reason).collect()
        }
        Some(Err(why)) => not_running(why, machine.port_25.as_ref()),
    }
}

/// Returns true if the reason is about names missing from the certificate: the check of the certificate lists them.
fn is_of_names(reason: &HealthReason) -> bool {
    reason.source == "acme" && reason.severity == "note" && reason.problem.contains("has room for")
}

/// The findings if the steward does not answer. The holder of port 25 shows if something else is wrong too.
fn not_running(why: &str, holder: Option<&PortHolder>) -> Vec<Finding> {
    if let Some(PortHolder::Program { name, .. }) = holder
        && name == PROGRAM
    {
        return vec![Finding::error(
            FindingId::Unhealthy,
            format!("Mailstead runs here and has port 25, but its steward does not report: {why}"),
            "see the reason in the log: docker compose logs mail; the steward is restarted automatically, and docker \
             compose restart restarts everything",
        )];
    }
    let gone = Finding::error(
        FindingId::NotRunning,
        format!("Mailstead does not run here: {why}"),
        "start it: docker compose up -d",
    );
    let taken = |cause: String, fix: String| Finding::error(FindingId::Port25Taken, cause, fix);
    let taken = match holder {
        None => None,
        Some(PortHolder::Program { name, id }) => Some(taken(
            format!("the program {name} (process {id}) holds port 25"),
            format!(
                "find what started it: systemctl status {id}\nand stop that: systemctl disable --now {name}"
            ),
        )),
        Some(PortHolder::Unseen) => Some(taken(
            "another program holds port 25, perhaps a mail server that came with the system".to_owned(),
            "find it: ss -ltnp 'sport = :25'\nand stop it: systemctl disable --now exim4 postfix".to_owned(),
        )),
    };
    [gone].into_iter().chain(taken).collect()
}

fn of_reason(reason: &HealthReason) -> Finding {
    let severity = match reason.severity.as_str() {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => Severity::Notice,
    };
    let id = if reason.source == "acme" { FindingId::AcmeFailed } else { FindingId::Unhealthy };
    Finding::new(severity, id, reason.problem.clone(), reason.fix.clone())
}
