use std::net::IpAddr;

use hickory_proto::rr::RData;

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
    if answers.flat_map(|answer| answer.records()).any(is_refusal) {
        return vec![Finding::notice(
            FindingId::BlocklistRefuses,
            format!("{zone} does not answer this resolver; it refuses large public resolvers"),
            "use a resolver of your own: run unbound on the machine and set MAIL_DNS_SERVERS=127.0.0.1",
        )];
    }
    if !list.listed.records().iter().any(is_listing) || list.unlisted.records().iter().any(is_listing) {
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
            "remove it from MAIL_BLOCKLISTS, or use another resolver (MAIL_DNS_SERVERS)",
        )];
    }
    let listed = list.own.iter().filter(|(_, answer)| answer.records().iter().any(is_listing));
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

/// Returns true for an answer in 127.255.255.0/24, by which lists refuse a query (Spamhaus: wrong zone, public
/// resolver, too many queries).
fn is_refusal(data: &RData) -> bool {
    matches!(address(data), Some(IpAddr::V4(v4)) if v4.octets()[..3] == [127, 255, 255])
}

/// Returns true for an answer in 127.0.0.0/8 (RFC 5782 §2.1). Anything else is invented by the resolver.
fn is_listing(data: &RData) -> bool {
    matches!(address(data), Some(IpAddr::V4(v4)) if v4.octets()[0] == 127) && !is_refusal(data)
}
