//! Determines why a name has no answer: the resolver, the zone's signatures, or its name servers.
//!
//! A failed query is repeated with checking disabled (CD, RFC 4035 §3.2.2): if that one is answered, the signatures are
//! invalid. The resolver's extended errors are used too (RFC 8914).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use futures_util::future::join_all;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RecordType};
use tokio::time::{Instant, timeout_at};

use super::super::observed::{Answer, NameFault};
use super::authenticated::exchange;

/// The code of the extended error option (RFC 8914 §2).
const EXTENDED_ERROR: u16 = 15;
/// Limit of the resolver's text in a report.
const MAX_LEN: usize = 300;

/// Diagnoses those names of which a query failed, and the root.
pub(super) async fn query(
    resolvers: &[SocketAddr],
    names: &BTreeSet<Name>,
    answers: &BTreeMap<(Name, RecordType), Answer>,
    end: Instant,
) -> BTreeMap<Name, NameFault> {
    let Some(server) = resolvers.first() else { return BTreeMap::new() };
    let has_failed = |name: &&Name| {
        answers.iter().any(|((owner, _), answer)| owner == *name && matches!(answer, Answer::Failed(_)))
    };
    let failed: Vec<&Name> = names.iter().filter(has_failed).collect();
    let root = Name::root();
    let pending = failed
        .into_iter()
        .chain([&root])
        .map(async |name| Some((name.clone(), one(*server, name, end).await?)));
    join_all(pending).await.into_iter().flatten().collect()
}

/// Diagnoses one name. `None` if the name has an answer now, or the resolver does not respond at all.
async fn one(server: SocketAddr, name: &Name, end: Instant) -> Option<NameFault> {
    let plain = timeout_at(end, exchange(server, name, RecordType::SOA, false)).await.ok()??;
    if is_answer(&plain) {
        return None;
    }
    if plain.metadata.response_code == ResponseCode::Refused {
        return Some(NameFault::Refused);
    }
    let description = describe(&plain);
    let unchecked = timeout_at(end, exchange(server, name, RecordType::SOA, true)).await.ok().flatten();
    Some(match unchecked {
        Some(answer) if is_answer(&answer) => NameFault::Bogus(description),
        _ => NameFault::Unanswered(description),
    })
}

fn is_answer(message: &Message) -> bool {
    matches!(message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// The response code and the extended errors as text: `SERVFAIL, DNSSEC Bogus: signature expired`.
fn describe(message: &Message) -> String {
    let mut description = message.metadata.response_code.to_string();
    let options = message.edns.as_ref().map(|edns| edns.options().get_all(EdnsCode::from(EXTENDED_ERROR)));
    for option in options.unwrap_or_default() {
        let EdnsOption::Unknown(_, octets) = option else { continue };
        let Some((code, text)) = octets.split_at_checked(2) else { continue };
        let code = u16::from_be_bytes([code[0], code[1]]);
        let text: String = String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect();
        description.push_str(", ");
        description.push_str(&meaning(code));
        if !text.is_empty() {
            description.push_str(": ");
            description.push_str(text.trim());
        }
    }
    description.chars().take(MAX_LEN).collect()
}

/// The names of RFC 8914 §4, for the codes that explain why a zone has no answer.
fn meaning(code: u16) -> String {
    let name = match code {
        1 => "Unsupported DNSKEY Algorithm",
        2 => "Unsupported DS Digest Type",
        5 => "DNSSEC Indeterminate",
        6 => "DNSSEC Bogus",
        7 => "Signature Expired",
        8 => "Signature Not Yet Valid",
        9 => "DNSKEY Missing",
        10 => "RRSIGs Missing",
        11 => "No Zone Key Bit Set",
        12 => "NSEC Missing",
        14 => "Not Ready",
        15 => "Blocked",
        18 => "Prohibited",
        20 => "Not Authoritative",
        22 => "No Reachable Authority",
        23 => "Network Error",
        24 => "Invalid Data",
        other => return format!("extended error {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{Edns, OpCode};

    use super::*;

    #[test]
    fn extended_errors_of_a_resolver_are_read() {
        let mut answer = Message::response(1, OpCode::Query);
        answer.metadata.response_code = ResponseCode::ServFail;
        assert_eq!(describe(&answer), "Server Failure");
        let mut edns = Edns::new();
        let octets = [&7_u16.to_be_bytes()[..], b"of example.org\r\n"].concat();
        edns.options_mut().insert(EdnsOption::Unknown(EXTENDED_ERROR, octets));
        answer.set_edns(edns);
        let octets = answer.to_vec().unwrap();
        let read = Message::from_vec(&octets).unwrap();
        assert_eq!(describe(&read), "Server Failure, Signature Expired: of example.org");
        // An extended error without a code is ignored.
        let mut edns = Edns::new();
        edns.options_mut().insert(EdnsOption::Unknown(EXTENDED_ERROR, vec![7]));
        answer.set_edns(edns);
        assert_eq!(describe(&answer), "Server Failure");
    }
}
