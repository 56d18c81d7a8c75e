use std::net::{IpAddr, Ipv4Addr};

use dnsbl::Entry;

use super::super::finding::{Finding, FindingId};
use super::super::observed::{Answer, Blocklist};
use super::Case;
use crate::dns::record::address;

/// Checks that our addresses are on no blocklist. Each list is tested with an entry that every list has and one that
/// none has (RFC 5782 §5), so that a list that refuses us, or a resolver that invents answers, is not mistaken for a
/// result.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    case.observed.blocklists.iter().flat_map(of_list).collect()
}

fn of_list(list: &Blocklist) -> Vec<Finding> {
    let zone = &list.zone;
    let answers = [&list.listed, &list.unlisted].into_iter().chain(list.own.iter().map(|(_, answer)| answer));
    let refusal = answers.map(entry).find_map(|entry| match entry {
        Entry::Refused(refusal) => Some(refusal),
        _ => None,
    });
    if let Some(refusal) = refusal {
        return vec![Finding::notice(
            FindingId::BlocklistRefuses,
            format!("{zone} does not answer this resolver: {}", refusal.reason()),
            "use a resolver of your own: run unbound on the machine and set MAIL_DNS_SERVERS=127.0.0.1",
        )];
    }
    if !is_listed(&list.listed) || entry(&list.unlisted) != Entry::Absent {
        let reason = match &list.listed {
            Answer::Failed(why) => format!("does not answer ({why})"),
            _ if list.unlisted.records().is_empty() => {
                "has no entry for 127.0.0.2, which every list has".to_owned()
            }
            _ => "has an entry for 127.0.0.1, which no list has".to_owned(),
        };
        return vec![Finding::notice(
            FindingId::BlocklistUseless,
            format!("{zone} {reason}; it is gone, or the resolver invents answers"),
            "remove it from MAIL_CHECK_BLOCKLISTS, or use another resolver (MAIL_DNS_SERVERS)",
        )];
    }
    let listed = list.own.iter().filter(|(_, answer)| is_listed(answer));
    listed.map(|(own, answer)| listing(list, *own, answer)).collect()
}

fn listing(list: &Blocklist, own: IpAddr, answer: &Answer) -> Finding {
    let codes: Vec<String> =
        answer.records().iter().filter_map(address).map(|address| address.to_string()).collect();
    Finding::error(
        FindingId::Blocklisted,
        format!(
            "{own} is on the blocklist {} ({}); hosts that use it refuse our mail",
            list.zone,
            codes.join(", ")
        ),
        format!(
            "look up the reason and request removal on the web site of {}; the address of a new machine may be listed \
             because of its former owner: ask the provider for another",
            list.zone
        ),
    )
}

fn entry(answer: &Answer) -> Entry {
    let addresses: Vec<Ipv4Addr> = answer
        .records()
        .iter()
        .filter_map(|data| match address(data) {
            Some(IpAddr::V4(v4)) => Some(v4),
            _ => None,
        })
        .collect();
    Entry::read(&addresses)
}

fn is_listed(answer: &Answer) -> bool {
    matches!(entry(answer), Entry::Listed(_))
}
