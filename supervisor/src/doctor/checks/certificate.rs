use calendar::rfc3339;
use handover::certificate::Facts;
use handover::config::Presence;

use super::super::finding::{Finding, Id};
use super::super::world::{Chain, Distrust};
use super::{Case, of_purpose};
use crate::certificate::brought::named;
use crate::certificate::{MOST_NAMES, covers, is_self_made, wanted_names};
use crate::dns::record::Purpose;

/// A certificate is renewed at two thirds of its lifetime. With less than a sixth left, renewal has failed repeatedly.
const LATE: i64 = 6;

/// Checks the certificate.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let presence = &case.facts.presence;
    let fix = match presence.acme_directory {
        Some(_) => "see why it is not renewed: `mailstead health`, and the container's log",
        None => {
            "put a new one with its key where the old one is (MAIL_TLS_CERT_FILE), or let one be obtained by ACME"
        }
    };
    let (facts, chain) = match &case.world.machine.certificate {
        None => return Vec::new(),
        Some(Err(why)) => return vec![Finding::error(Id::CertificateUnusable, why.clone(), fix)],
        Some(Ok(found)) => found,
    };
    // The reason why there is no better certificate is reported with its own fix, and one cause is one finding.
    let is_explained = is_self_made(facts) && is_told_by_health(case);
    if is_self_made(facts) {
        let cause = "the certificate is one that the server made itself: mail programs warn about it";
        return vec![match (presence.is_attested, presence.is_local) {
            (_, true) => return Vec::new(),
            _ if is_explained => return Vec::new(),
            (true, false) => Finding::warning(Id::CertificateSelfMade, cause, fix),
            (false, false) => Finding::notice(
                Id::CertificateSelfMade,
                cause,
                "set MAIL_ACME_DIRECTORY, or MAIL_TLS_CERT_FILE",
            ),
        }];
    }
    let now = i64::try_from(case.world.at).unwrap_or(i64::MAX);
    let mut findings = Vec::new();
    let life = facts.not_after - facts.not_before;
    let end = rfc3339(facts.not_after);
    if facts.not_after <= now {
        findings.push(Finding::error(Id::CertificateEnds, format!("the certificate ended on {end}"), fix));
    } else if facts.not_before > now {
        let cause = format!("the certificate is valid from {} on only", rfc3339(facts.not_before));
        findings.push(Finding::error(Id::CertificateEnds, cause, "see whether the clock is right"));
    } else if facts.not_after - now < life / LATE {
        findings.push(Finding::warning(Id::CertificateEnds, format!("the certificate ends on {end}"), fix));
    }
    findings.extend(of_chain(chain, facts, presence));
    if !covers(&facts.names, presence.hostname.as_str()) {
        findings.push(Finding::error(
            Id::CertificateName,
            format!("the certificate is for {}, and not for {}", named(facts), presence.hostname),
            fix,
        ));
    }
    findings.extend(of_pages(case, facts));
    findings
}

/// Returns true if the health page reports why there is no better certificate.
fn is_told_by_health(case: &Case<'_>) -> bool {
    let Some(Ok(reasons)) = &case.world.machine.health else { return false };
    reasons.iter().any(|reason| {
        let is_of_ours = reason.source == "acme" || reason.problem.contains("MAIL_TLS_CERT_FILE");
        is_of_ours && reason.severity != "note"
    })
}

/// The names of our web pages that are missing from the certificate: there may be no room for some.
fn of_pages(case: &Case<'_>, facts: &Facts) -> Vec<Finding> {
    let presence = &case.facts.presence;
    let web = case.wanted.domains.iter().flat_map(|(_, records)| of_purpose(records, Purpose::Web));
    let missing: Vec<String> =
        web.map(|record| record.name.to_string()).filter(|name| !covers(&facts.names, name)).collect();
    let is_acme = presence.acme_directory.is_some();
    let surplus = wanted_names(&presence.hostname, &presence.domains, &[]).surplus;
    let (without_room, others): (Vec<String>, Vec<String>) =
        missing.into_iter().partition(|name| is_acme && surplus.contains(name));
    let mut findings = Vec::new();
    if !without_room.is_empty() {
        findings.push(Finding::notice(
            Id::CertificateName,
            format!(
                "a certificate has room for {MOST_NAMES} names, and {} come behind them: their pages are not trusted",
                without_room.join(", ")
            ),
            "mail works without them; for their pages (MTA-STS, settings of mail programs) serve some of the domains by \
             another server, or bring a certificate that has all of them (MAIL_TLS_CERT_FILE)",
        ));
    }
    if !others.is_empty() {
        findings.push(Finding::warning(
            Id::CertificateName,
            format!("the certificate is not for {}, under which pages are served", others.join(", ")),
            match is_acme {
                true => "let those names lead here; each is asked for as soon as it does",
                false => "bring one that is for those names too (MAIL_TLS_CERT_FILE)",
            },
        ));
    }
    findings
}

/// The finding for the chain: a certificate may be valid, but from an authority that clients do not trust.
fn of_chain(chain: &Chain, facts: &Facts, presence: &Presence) -> Option<Finding> {
    let issuer = &facts.issuer;
    let why = match chain {
        Chain::Trusted => return None,
        Chain::Broken => {
            return Some(Finding::error(
                Id::CertificateChain,
                format!("the certificate comes without that of its issuer, {issuer}"),
                "put the issuer's certificate behind it in the same file, as in fullchain.pem",
            ));
        }
        Chain::Distrusted(Distrust::Unknown) => {
            format!("no authority that they know stands behind its issuer, {issuer}")
        }
        Chain::Distrusted(Distrust::Ended) => {
            format!("one in its chain has ended, above its issuer, {issuer}")
        }
        Chain::Distrusted(Distrust::Early) => "one in its chain is not valid yet".to_owned(),
        Chain::Distrusted(Distrust::Name) => "one in its chain is for other names".to_owned(),
        Chain::Distrusted(Distrust::Other(why)) => why.clone(),
    };
    let fix = match presence.acme_directory.as_deref() {
        Some(directory) if directory.contains("staging") => {
            "that authority is for trying only: take MAIL_ACME_DIRECTORY out of .env, and Let's Encrypt's true one is asked"
        }
        Some(_) => {
            "if the authority is your own and your users' devices know it, name its root's certificate in \
             MAIL_ACME_CA_FILE; else ask a public one: take MAIL_ACME_DIRECTORY out of .env"
        }
        None => {
            "bring one of a public authority with its chain (MAIL_TLS_CERT_FILE), or take both MAIL_TLS_ settings out of \
             .env, and one is obtained from Let's Encrypt"
        }
    };
    let cause = format!("browsers and mail programs do not trust the certificate: {why}");
    Some(Finding::warning(Id::CertificateUntrusted, cause, fix))
}
