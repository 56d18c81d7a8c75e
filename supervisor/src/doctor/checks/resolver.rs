use std::net::IpAddr;

use hickory_proto::rr::Name;

use super::super::finding::{Finding, FindingId};
use super::super::observed::{Answer, NameFault, ObservedState};
use super::super::queries::FORGED;
use super::Case;

/// The addresses of the large public resolvers: Google, Cloudflare, Quad9, OpenDNS.
const PUBLIC: [&str; 14] = [
    "8.8.8.8",
    "8.8.4.4",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "1.1.1.1",
    "1.0.0.1",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "9.9.9.9",
    "149.112.112.112",
    "2620:fe::fe",
    "2620:fe::9",
    "208.67.222.222",
    "208.67.220.220",
];

const OWN: &str = "run a resolver on the machine: apt-get install unbound, and set MAIL_DNS_SERVERS=127.0.0.1 if the \
                   container has the machine's network (network_mode: host); with a network of its own, set the \
                   machine's address in that network, and have unbound answer there (interface and access-control in \
                   unbound.conf)";

/// Returns true if no resolver answers, which explains what other checks could not see.
pub(super) fn is_failing(case: &Case<'_>) -> bool {
    let observed = case.observed;
    let fails = observed.resolvers.is_empty() || failing(observed, "").is_some() || is_silent(observed);
    fails && !case.facts.presence.is_local
}

/// Checks that the resolver answers, validates signatures, and is served by blocklists.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let observed = case.observed;
    // A demo has no names in public DNS.
    if case.facts.presence.is_local {
        return Vec::new();
    }
    if observed.resolvers.is_empty() {
        return vec![Finding::error(
            FindingId::ResolverSilent,
            "no name server is known: /etc/resolv.conf names none",
            "set MAIL_DNS_SERVERS to the address of a resolver",
        )];
    }
    let servers: Vec<String> = observed.resolvers.iter().map(ToString::to_string).collect();
    let servers = servers.join(" and ");
    if let Some(finding) = failing(observed, &servers) {
        return vec![finding];
    }
    if is_silent(observed) {
        return vec![Finding::error(
            FindingId::ResolverSilent,
            format!("no name server answers: {servers} was queried"),
            "check that it runs and that the firewall allows port 53, or set MAIL_DNS_SERVERS to another resolver",
        )];
    }
    let mut findings = Vec::new();
    let is_public = |ip: IpAddr| PUBLIC.iter().any(|public| public.parse() == Ok(ip));
    let public: Vec<String> = observed
        .resolvers
        .iter()
        .filter(|server| is_public(server.ip()))
        .map(|server| server.ip().to_string())
        .collect();
    if !public.is_empty() {
        findings.push(Finding::notice(
            FindingId::ResolverPublic,
            format!("{} is a large public resolver, which blocklists refuse to answer", public.join(" and ")),
            OWN,
        ));
    }
    // Only the first resolver is used.
    let first = observed.resolvers[0];
    // If a zone has no answer, its names cannot be validated.
    if observed.authentic.is_empty() && !observed.faults.is_empty() {
        return findings;
    }
    if observed.authentic.is_empty() {
        findings.push(Finding::notice(
            FindingId::ResolverNotValidating,
            format!("{first} does not validate DNSSEC signatures, or does not report it"),
            OWN,
        ));
    } else if observed.gives_forged == Some(true) {
        findings.push(Finding::notice(
            FindingId::ResolverNotValidating,
            format!(
                "{first} reports that it validates DNSSEC signatures, but answers for {FORGED}, whose signatures are \
                 invalid on purpose; its answers may be forged"
            ),
            OWN,
        ));
    }
    findings
}

/// The finding if every query failed, including the one for the root, with an error response.
fn failing(observed: &ObservedState, servers: &str) -> Option<Finding> {
    let fault = observed.faults.get(&Name::root()).filter(|_| is_silent(observed))?;
    Some(match fault {
        NameFault::Refused => Finding::error(
            FindingId::ResolverRefuses,
            format!("the resolver {servers} refuses every query (REFUSED)"),
            "allow this machine to query it (access-control in unbound.conf, allow-recursion in named.conf), or set \
             MAIL_DNS_SERVERS to another resolver",
        ),
        NameFault::Bogus(reason) | NameFault::Unanswered(reason) => Finding::error(
            FindingId::ResolverFails,
            format!("the resolver {servers} answers every query with an error: {reason}"),
            "see its log: a firewall may keep it from other name servers (port 53 over UDP and TCP), or a wrong clock \
             or trust anchor makes every signature invalid; or set MAIL_DNS_SERVERS to another resolver",
        ),
    })
}

/// Returns true if every query failed.
fn is_silent(observed: &ObservedState) -> bool {
    observed.names.values().all(|answer| matches!(answer, Answer::Failed(_)))
}
