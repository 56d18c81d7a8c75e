use calendar::rfc3339;
use handover::certificate::CertificateFacts;
use handover::config::Presence;

use super::super::finding::{Finding, FindingId};
use super::super::observed::{ChainTrust, Distrust};
use super::{Case, of_purpose};
use crate::certificate::external::names_of;
use crate::certificate::{MAX_NAMES, covers, is_self_made, wanted_names};
use crate::dns::record::Purpose;

/// A certificate is renewed at two thirds of its lifetime. With less than a sixth left, renewal has failed repeatedly.
const LATE: i64 = 6;

/// Checks the certificate.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let presence = &case.facts.presence;
    let fix = match presence.acme_directory {
        Some(_) => "see in `mailstead health` and in the container's log why it is not renewed",
        None => {
            "replace it and its key (MAIL_TLS_CERT_FILE, MAIL_TLS_KEY_FILE), or have one obtained by ACME"
        }
    };
    let (facts, chain) = match &case.observed.machine.certificate {
        None => return Vec::new(),
        Some(Err(why)) => return vec![Finding::error(FindingId::CertificateUnusable, why.clone(), fix)],
        Some(Ok(found)) => found,
    };
    // The reason why there is no better certificate is reported with its own fix, and one cause is one finding.
    let is_explained = is_self_made(facts) && is_reported_by_health(case);
    if is_self_made(facts) {
        let cause = "the certificate is self-made: mail programs warn about it";
        return vec![match (presence.is_attested, presence.is_local) {
            (_, true) => return Vec::new(),
            _ if is_explained => return Vec::new(),
            (true, false) => Finding::warning(FindingId::CertificateSelfMade, cause, fix),
            (false, false) => Finding::notice(
                FindingId::CertificateSelfMade,
                cause,
                "set MAIL_ACME_DIRECTORY, or MAIL_TLS_CERT_FILE",
            ),
        }];
    }
    let now = i64::try_from(case.observed.at).unwrap_or(i64::MAX);
    let mut findings = Vec::new();
    let life = facts.not_after - facts.not_before;
    let end = rfc3339(facts.not_after);
    if facts.not_after <= now {
        findings.push(Finding::error(
            FindingId::CertificateEnds,
            format!("the certificate expired on {end}"),
            fix,
        ));
    } else if facts.not_before > now {
        let cause = format!("the certificate is not valid before {}", rfc3339(facts.not_before));
        findings.push(Finding::error(FindingId::CertificateEnds, cause, "check the clock"));
    } else if facts.not_after - now < life / LATE {
        findings.push(Finding::warning(
            FindingId::CertificateEnds,
            format!("the certificate expires on {end}"),
            fix,
        ));
    }
    findings.extend(of_chain(chain, facts, presence));
    if !covers(&facts.names, presence.hostname.as_str()) {
        findings.push(Finding::error(
            FindingId::CertificateName,
            format!("the certificate is for {} and not for {}", names_of(facts), presence.hostname),
            fix,
        ));
    }
    findings.extend(of_pages(case, facts));
    findings
}

/// Returns true if the health page reports why there is no better certificate.
fn is_reported_by_health(case: &Case<'_>) -> bool {
    let Some(Ok(reasons)) = &case.observed.machine.health else { return false };
    reasons.iter().any(|reason| {
        let is_of_ours = reason.source == "acme" || reason.problem.contains("MAIL_TLS_CERT_FILE");
        is_of_ours && reason.severity != "note"
    })
}

/// The names of our web pages that are missing from the certificate: there may be no room for some.
fn of_pages(case: &Case<'_>, facts: &CertificateFacts) -> Vec<Finding> {
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
            FindingId::CertificateName,
            format!(
                "a certificate has room for {MAX_NAMES} names, and {} do not fit: their pages are not trusted",
                without_room.join(", ")
            ),
            "mail works without them; for their pages (MTA-STS, settings of mail programs), serve some of the domains \
             from another server, or provide a certificate with all names (MAIL_TLS_CERT_FILE)",
        ));
    }
    if !others.is_empty() {
        findings.push(Finding::warning(
            FindingId::CertificateName,
            format!("the certificate is not for {}, under which pages are served", others.join(", ")),
            match is_acme {
                true => "point those names at this machine; each joins the certificate when it leads here",
                false => "provide one that is for those names too (MAIL_TLS_CERT_FILE)",
            },
        ));
    }
    findings
}

/// The finding for the chain: a certificate may be valid, but from an authority that clients do not trust.
fn of_chain(chain: &ChainTrust, facts: &CertificateFacts, presence: &Presence) -> Option<Finding> {
    let issuer = &facts.issuer;
    let why = match chain {
        ChainTrust::Trusted => return None,
        ChainTrust::Broken => {
            return Some(Finding::error(
                FindingId::CertificateChain,
                format!("the certificate of the issuer, {issuer}, is missing from the chain"),
                "append the issuer's certificate in the same file, as in fullchain.pem",
            ));
        }
        ChainTrust::Distrusted(Distrust::Unknown) => {
            format!("its issuer, {issuer}, does not lead to an authority that they know")
        }
        ChainTrust::Distrusted(Distrust::Ended) => {
            format!("a certificate in its chain has expired, above its issuer, {issuer}")
        }
        ChainTrust::Distrusted(Distrust::Early) => "a certificate in its chain is not valid yet".to_owned(),
        ChainTrust::Distrusted(Distrust::Name) => "a certificate in its chain is for other names".to_owned(),
        ChainTrust::Distrusted(Distrust::Other(why)) => why.clone(),
    };
    let fix = match presence.acme_directory.as_deref() {
        Some(directory) if directory.contains("staging") => {
            "that authority is for tests only: remove MAIL_ACME_DIRECTORY from .env to use Let's Encrypt's production \
             directory"
        }
        Some(_) => {
            "if the authority is your own and your users' devices trust it, set MAIL_ACME_CA_FILE to a file with its \
             root certificate; otherwise use a public one: remove MAIL_ACME_DIRECTORY from .env"
        }
        None => {
            "provide one of a public authority with its chain (MAIL_TLS_CERT_FILE), or remove both MAIL_TLS_ settings \
             from .env to obtain one from Let's Encrypt"
        }
    };
    let cause = format!("browsers and mail programs do not trust the certificate: {why}");
    Some(Finding::warning(FindingId::CertificateUntrusted, cause, fix))
}
