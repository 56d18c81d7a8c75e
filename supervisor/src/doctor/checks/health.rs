use super::super::finding::{Finding, Id, Severity};
use super::super::world::Reason;
use super::{Case, gateway};

/// What the doctor looks at itself is not told twice.
const OWN: [&str; 3] = ["doctor", "space", "certificate"];

/// Whether it runs, and what the steward finds wrong.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let machine = &case.world.machine;
    match &machine.health {
        None => Vec::new(),
        Some(Ok(reasons)) => {
            let is_told_elsewhere =
                |reason: &&Reason| OWN.contains(&reason.source.as_str()) || gateway::is_told(reason);
            reasons.iter().filter(|reason| !is_told_elsewhere(reason)).map(of_reason).collect()
        }
        Some(Err(why)) => {
            let mut findings = vec![Finding::error(
                Id::NotRunning,
                format!("Mailstead does not run here: {why}"),
                "start it: docker compose up -d",
            )];
            if machine.is_port_25_held {
                findings.push(Finding::error(
                    Id::Port25Taken,
                    "another program holds port 25, perhaps a mail server that came with the system",
                    "find it: ss -ltnp 'sport = :25'\nand end it: systemctl disable --now exim4 postfix",
                ));
            }
            findings
        }
    }
}

fn of_reason(reason: &Reason) -> Finding {
    let severity = match reason.severity.as_str() {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => Severity::Notice,
    };
    let id = if reason.source == "acme" { Id::AcmeFailed } else { Id::Unhealthy };
    Finding::new(severity, id, reason.problem.clone(), reason.fix.clone())
}
