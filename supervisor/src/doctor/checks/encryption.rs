use address::Domain;
use hickory_proto::rr::{RData, RecordType};

use super::super::finding::{Finding, FindingId};
use super::super::observed::text;
use super::super::observed::{ChainTrust, Distrust, FetchError};
use super::{Case, of_purpose, publish, replace_records, unanswered};
use crate::certificate::{covers, is_self_made};
use crate::dns::dmarc_text::tag;
use crate::dns::reconcile::reports_somewhere;
use crate::dns::record::{Content, Purpose, Record, fqdn};
use crate::dns::spf_text::has_version;
use crate::mta_sts;

/// Checks that an MTA-STS policy is announced, and that it is the one served (RFC 8461).
pub(super) fn policy(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Some(record) = of_purpose(wanted, Purpose::MtaSts).next() else { return Vec::new() };
    let (Ok(name), Content::Txt(ours)) = (record.owner(), &record.content) else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return vec![finding];
    }
    let texts = case.observed.texts(&name, "v=STSv1");
    match texts.as_slice() {
        [] => {
            return vec![Finding::warning(
                FindingId::MtaStsMissing,
                format!("no MTA-STS record tells other hosts to encrypt mail for {domain}"),
                publish([record]),
            )];
        }
        [text] if tag(text, "id") == tag(ours, "id") => {}
        [text] => {
            return vec![Finding::warning(
                FindingId::MtaStsDifferent,
                format!("the MTA-STS record of {domain} announces another policy than is served: {text}"),
                replace_records(case, &name, RecordType::TXT, |data| has(data, "v=STSv1"), [record]),
            )];
        }
        [..] => {
            return vec![Finding::warning(
                FindingId::MtaStsSeveral,
                format!("{domain} has {} MTA-STS records, which count as none (RFC 8461 §3.1)", texts.len()),
                replace_records(case, &name, RecordType::TXT, |data| has(data, "v=STSv1"), [record]),
            )];
        }
    }
    // Until the authority has issued a certificate, no policy is served, and senders do without one.
    let certificate = case.observed.machine.certificate.as_ref();
    if certificate.is_some_and(|found| found.as_ref().is_ok_and(|(facts, _)| is_self_made(facts))) {
        return Vec::new();
    }
    served(case, domain).into_iter().collect()
}

fn served(case: &Case<'_>, domain: &Domain) -> Option<Finding> {
    // A name that resolves to another host, or to none, is a finding of its own.
    let name = domain.with_prefix(mta_sts::LABEL).ok().and_then(|name| fqdn(&name).ok())?;
    let host = case.observed.addresses(&case.host);
    let named = case.observed.addresses(&name);
    if named.is_empty() || named.iter().any(|address| !host.contains(address)) {
        return None;
    }
    let ours = mta_sts::policy(&case.facts.presence.hostname);
    let address = format!("https://{}.{domain}{}", mta_sts::LABEL, mta_sts::PATH);
    match case.observed.policies.get(domain)? {
        Ok(policy) if policy.trim_end() == ours.trim_end() => None,
        Ok(_) => Some(Finding::error(
            FindingId::MtaStsPolicy,
            format!(
                "another policy than ours is served at {address}; if it names other hosts, senders do not deliver here"
            ),
            "point that name at this machine, and check whether another web server answers on port 443",
        )),
        Err(FetchError::Failed(why)) => Some(Finding::warning(
            FindingId::MtaStsPolicy,
            format!("{address} cannot be fetched: {why}"),
            "open TCP port 443 in the firewall, and check that the name leads to this machine",
        )),
        Err(FetchError::Distrusted(why)) if is_own_fault(case, domain, why) => None,
        Err(FetchError::Distrusted(why)) => Some(distrusted(domain, why)),
    }
}

fn has(data: &RData, version: &str) -> bool {
    text(data).is_some_and(|text| has_version(&text, version))
}

/// Returns true if the fault is that of the machine's own certificate, which has its own finding.
fn is_own_fault(case: &Case<'_>, domain: &Domain, why: &Distrust) -> bool {
    let Some(Ok((facts, chain))) = &case.observed.machine.certificate else { return false };
    let now = i64::try_from(case.observed.at).unwrap_or(i64::MAX);
    match why {
        Distrust::Ended if facts.not_after <= now => true,
        Distrust::Early if facts.not_before > now => true,
        Distrust::Name => !covers(&facts.names, &format!("{}.{domain}", mta_sts::LABEL)),
        Distrust::Ended | Distrust::Early | Distrust::Unknown | Distrust::Other(_) => {
            *chain != ChainTrust::Trusted
        }
    }
}

fn distrusted(domain: &Domain, why: &Distrust) -> Finding {
    let host = format!("{}.{domain}", mta_sts::LABEL);
    let why = match why {
        Distrust::Unknown => "it does not lead to an authority that they know",
        Distrust::Ended => "it has expired",
        Distrust::Early => "it is not valid yet",
        Distrust::Name => "it is for other names",
        Distrust::Other(why) => why,
    };
    Finding::warning(
        FindingId::MtaStsCertificate,
        format!(
            "senders ignore the MTA-STS policy of {domain}, since they do not trust the certificate at {host}: {why}"
        ),
        format!(
            "it is not this machine's certificate, so another web server answers there: point {host} at this machine, \
             with port 443, or give that web server a certificate for {host}"
        ),
    )
}

/// Checks the address for reports about failed encryption (RFC 8460 §3).
pub(super) fn reporting(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Some(record) = of_purpose(wanted, Purpose::TlsReporting).next() else { return Vec::new() };
    let Ok(name) = record.owner() else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return vec![finding];
    }
    let texts = case.observed.texts(&name, "v=TLSRPTv1");
    match texts.as_slice() {
        [] => {}
        [one] if reports_somewhere(one) => return Vec::new(),
        _ => {
            let fix = replace_records(case, &name, RecordType::TXT, |data| has(data, "v=TLSRPTv1"), [record]);
            let cause = match texts.as_slice() {
                [one] => format!("the record at {} names no address for reports (rua=): {one}", record.name),
                _ => {
                    format!("{} has {} records, which count as none (RFC 8460 §3)", record.name, texts.len())
                }
            };
            return vec![Finding::notice(FindingId::TlsReportingWrong, cause, fix)];
        }
    }
    vec![Finding::notice(
        FindingId::TlsReportingMissing,
        format!("no record names an address for reports that mail to {domain} could not be encrypted"),
        publish([record]),
    )]
}
