use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::RecordType;

use super::super::finding::{Finding, FindingId};
use super::super::observed::{Answer, ChainTrust, FetchError};
use super::{Case, of_purpose, publish, unanswered};
use crate::certificate::{covers, is_self_made};
use crate::dns::record::{Purpose, Record};

/// Checks that the names of our web pages lead here, as an alias or by addresses, and that the domain's own name has
/// the right certificate if it leads here too.
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let missing: Vec<&Record> =
        of_purpose(wanted, Purpose::Web).filter(|record| is_missing(case, record)).collect();
    let others = of_purpose(wanted, Purpose::Web).filter(|record| !missing.contains(record));
    let below = others.filter_map(|record| check_name(case, record)).collect::<Vec<_>>();
    let missing = (!missing.is_empty()).then(|| of_missing(&missing));
    missing.into_iter().chain(below).chain(of_domain(case, domain)).collect()
}

fn is_missing(case: &Case<'_>, record: &Record) -> bool {
    let Ok(name) = record.owner() else { return false };
    let is_nothing = |kind| *case.observed.answer(&name, kind) == Answer::Nothing;
    !case.observed.aliases.contains_key(&name) && is_nothing(RecordType::A) && is_nothing(RecordType::AAAA)
}

/// The finding for names without records: one cause, however many they are.
fn of_missing(records: &[&Record]) -> Finding {
    let names: Vec<&str> = records.iter().map(|record| record.name.as_str()).collect();
    let cause = match names.as_slice() {
        [one] => {
            format!("{one} has no address, so there is no certificate for it and no page can be fetched")
        }
        many => format!(
            "{} have no address, so there is no certificate for them and no page can be fetched",
            many.join(" and ")
        ),
    };
    Finding::warning(FindingId::WebMissing, cause, publish(records.iter().copied()))
}

/// Checks the domain's own name. Thunderbird looks for settings, calendars and address books at `https://<domain>/` and
/// warns of a wrong certificate. A domain whose name leads to another host is in order, and so is one without a web
/// server.
fn of_domain(case: &Case<'_>, domain: &Domain) -> Option<Finding> {
    let Some(Err(FetchError::Distrusted(_))) = case.observed.own_names.get(domain) else { return None };
    let (facts, chain) = case.observed.machine.certificate.as_ref()?.as_ref().ok()?;
    // A certificate that is not trusted under any of our names is a finding of its own.
    if is_self_made(facts) || *chain != ChainTrust::Trusted {
        return None;
    }
    let (ours, others) = case.observed.own_name(case.facts, &case.host, domain);
    let first = ours.first()?;
    let fix = if !others.is_empty() {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        format!(
            "it also leads to {}: point all its addresses at this machine, and it joins the certificate, or none of \
             them",
            others.join(" and ")
        )
    } else if covers(&facts.names, domain.as_str()) {
        "another web server answers on port 443: give it a certificate for that name".to_owned()
    } else if case.facts.presence.acme_directory.is_some() {
        "if that is new, wait a quarter of an hour: it joins the certificate then; otherwise see `mailstead health` \
         and the container's log"
            .to_owned()
    } else {
        "provide one that is for that name too (MAIL_TLS_CERT_FILE), or point the name at another host"
            .to_owned()
    };
    let cause = format!(
        "{domain} leads to this machine ({first}), and the certificate that is served there is not for it: mail \
         programs warn during set-up"
    );
    Some(Finding::warning(FindingId::DomainCertificate, cause, fix))
}

fn check_name(case: &Case<'_>, record: &Record) -> Option<Finding> {
    let name = record.owner().ok()?;
    // An alias of the host name is right, whatever the host's addresses are; those are checked once.
    if case.observed.aliases.get(&name) == Some(&case.host) {
        return None;
    }
    if let Some(finding) = unanswered(case, &name, RecordType::A) {
        return Some(finding);
    }
    let seen = case.observed.addresses(&name);
    if seen.is_empty() {
        return Some(Finding::warning(
            FindingId::WebMissing,
            format!(
                "{} has no address, so there is no certificate for it and no page can be fetched",
                record.name
            ),
            super::replace_names(case, [(name.clone(), record)]),
        ));
    }
    let hosts = case.observed.addresses(&case.host);
    let is_ours = |address: &&IpAddr| {
        let is_translated =
            case.facts.addresses.may_be_translated(address.is_ipv4()) && hosts.contains(*address);
        case.observed.leads_here(case.facts, **address) || is_translated
    };
    let strange: Vec<String> =
        seen.iter().filter(|address| !is_ours(address)).map(ToString::to_string).collect();
    (!strange.is_empty()).then(|| {
        Finding::warning(
            FindingId::WebElsewhere,
            format!("{} leads to {}, which is not this machine", record.name, strange.join(" and ")),
            super::replace_names(case, [(name.clone(), record)]),
        )
    })
}
