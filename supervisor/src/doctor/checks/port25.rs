use super::super::finding::{Finding, FindingId, Severity};
use super::super::observed::{Family, Probe};
use super::Case;

/// Checks that mail can leave. Many providers block port 25 until the customer asks.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some((host, probes)) = &case.observed.probe else { return Vec::new() };
    let has = |wanted: fn(&Probe) -> bool| probes.iter().any(|(_, probe)| wanted(probe));
    let is_open = has(|probe| matches!(probe, Probe::Greeted(_)));
    let is_nameless = is_nameless(case);
    let failed = probes.iter().filter(|(_, probe)| matches!(probe, Probe::Failed(_))).count();
    let mut findings = Vec::new();
    for (family, probe) in probes {
        match probe {
            // One cause: no connection succeeds, over either family.
            Probe::Failed(_) if failed == probes.len() && !findings.is_empty() => {}
            Probe::Failed(why) if is_open => findings.push(of_one_family(case, host, *family, why)),
            Probe::NoAddress(_) if !is_nameless => findings.push(Finding::notice(
                FindingId::NotChecked,
                format!(
                    "whether mail can leave over {} was not checked: {host} has no address of that family",
                    named(*family)
                ),
                "set MAIL_CHECK_SMTP_HOST to a mail host with IPv4 and IPv6 addresses",
            )),
            probe => findings.extend(of_all(case, host, probe)),
        }
    }
    findings
}

/// Returns true if no address of the host to connect to is known.
pub(super) fn is_nameless(case: &Case<'_>) -> bool {
    let probes = case.observed.probe.iter().flat_map(|(_, probes)| probes);
    probes.into_iter().all(|(_, probe)| matches!(probe, Probe::NoAddress(_)))
}

fn named(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// The finding if mail leaves over the other family only.
fn of_one_family(case: &Case<'_>, host: &str, family: Family, why: &str) -> Finding {
    let cause = format!(
        "port 25 of {host} cannot be reached over {}, only over the other family: {why}",
        named(family)
    );
    if case.facts.presence.is_relayed {
        return Finding::notice(
            FindingId::Port25Blocked,
            cause,
            "nothing: mail leaves through the host of MAIL_RELAY_URL",
        );
    }
    let (severity, what) = match family {
        Family::V4 => (Severity::Error, "many hosts have IPv4 only"),
        Family::V6 => (Severity::Warning, "deliveries to hosts with IPv6 begin with a failed connection"),
    };
    let fix = format!(
        "ask the provider to open outgoing port 25 over {} too, and check this machine's own firewall; {what}",
        named(family)
    );
    Finding::new(severity, FindingId::Port25Blocked, cause, fix)
}

fn of_all(case: &Case<'_>, host: &str, probe: &Probe) -> Vec<Finding> {
    match probe {
        Probe::Greeted(_) => Vec::new(),
        Probe::NoAddress(why) => vec![Finding::warning(
            FindingId::Unanswered,
            format!("whether mail can leave is not known, since {host} has no address: {why}"),
            "set MAIL_CHECK_SMTP_HOST to a mail host",
        )],
        Probe::Failed(why) => {
            let cause = format!("port 25 of {host} cannot be reached: {why}");
            vec![if case.facts.presence.is_relayed {
                Finding::notice(
                    FindingId::Port25Blocked,
                    cause,
                    "nothing: mail leaves through the host of MAIL_RELAY_URL",
                )
            } else {
                Finding::error(
                    FindingId::Port25Blocked,
                    cause,
                    "ask the provider to open outgoing port 25, and check the firewall; or send through another host: \
                     MAIL_RELAY_URL=submission://user:password@smtp.example.net",
                )
            }]
        }
    }
}
