//! Checks if the resolver authenticates names, by the AD bit of its answers (RFC 4035 §3.2.3, RFC 6840 §5.7). The bit
//! is as trustworthy as the path to the resolver, which is good enough for a resolver on the machine.
//!
//! Also checks if it withholds names with invalid signatures, since a resolver may pass on the bit of another, or
//! always set it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use futures_util::future::join_all;
use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::super::queries::FORGED;

/// Those of the names, and of the root, that the first resolver authenticates. The root is signed, so a resolver that
/// does not authenticate it does not validate.
pub(super) async fn query(resolvers: &[SocketAddr], names: &BTreeSet<Name>, end: Instant) -> BTreeSet<Name> {
    let Some(server) = resolvers.first() else { return BTreeSet::new() };
    let names: Vec<Name> = names.iter().cloned().chain([Name::root()]).collect();
    // SOA, since a signed zone proves its absence too.
    let pending = names.iter().map(|name| timeout_at(end, exchange(*server, name, RecordType::SOA, false)));
    let answers = join_all(pending).await;
    let is_authenticated = |answer: &Message| answer.metadata.authentic_data;
    let authenticated = names
        .iter()
        .zip(answers)
        .filter(|(_, answer)| matches!(answer, Ok(Some(answer)) if is_authenticated(answer)));
    authenticated.map(|(name, _)| name.clone()).collect()
}

/// Returns true if the first resolver answers for a name with invalid signatures; `None` if that is unknown.
pub(super) async fn gives_forged(resolvers: &[SocketAddr], end: Instant) -> Option<bool> {
    let (server, name) = (*resolvers.first()?, Name::from_ascii(FORGED).ok()?);
    let pending = [RecordType::DS, RecordType::SOA].map(|kind| exchange(server, &name, kind, false));
    let answers = timeout_at(end, join_all(pending)).await.ok()?;
    match answers.as_slice() {
        [Some(delegation), Some(zone)] => is_given(delegation, zone),
        _ => None,
    }
}

/// Decides from the answers for the delegation and the zone. The parent zone must still declare the name as signed;
/// otherwise the resolver would be right to answer. In a closed network the name does not exist.
fn is_given(delegation: &Message, zone: &Message) -> Option<bool> {
    let has = |answer: &Message, kind| {
        let is_good = answer.metadata.response_code == ResponseCode::NoError;
        is_good && answer.answers.iter().any(|record| record.record_type() == kind)
    };
    if !has(delegation, RecordType::DS) {
        return None;
    }
    match zone.metadata.response_code {
        ResponseCode::ServFail => Some(false),
        _ => has(zone, RecordType::SOA).then_some(true),
    }
}

/// Queries over TCP, so that short datagrams do not matter; optionally with checking disabled (CD).
pub(super) async fn exchange(
    server: SocketAddr,
    name: &Name,
    kind: RecordType,
    is_unchecked: bool,
) -> Option<Message> {
    let mut message = Message::query();
    message.metadata.checking_disabled = is_unchecked;
    // Without EDNS a resolver sends no extended errors (RFC 8914 §3).
    message.set_edns(Edns::new());
    message.metadata.recursion_desired = true;
    message.metadata.authentic_data = true;
    message.add_query(Query::query(name.clone(), kind));
    let octets = message.to_vec().ok()?;
    let mut stream = TcpStream::connect(server).await.ok()?;
    stream.write_u16(u16::try_from(octets.len()).ok()?).await.ok()?;
    stream.write_all(&octets).await.ok()?;
    let length = stream.read_u16().await.ok()?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await.ok()?;
    let answer = Message::from_vec(&answer).ok()?;
    (answer.metadata.id == message.metadata.id).then_some(answer)
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::OpCode;
    use hickory_proto::rr::rdata::{NULL, SOA};
    use hickory_proto::rr::{RData, Record};

    use super::*;

    fn answer(code: ResponseCode, data: Option<RData>) -> Message {
        let mut message = Message::response(1, OpCode::Query);
        message.metadata.response_code = code;
        message.add_answers(data.map(|data| Record::from_rdata(Name::from_ascii(FORGED).unwrap(), 60, data)));
        message
    }

    #[test]
    fn a_resolver_that_answers_for_invalid_signatures_is_distinguished_from_one_that_cannot_know() {
        use ResponseCode::{NXDomain, NoError, ServFail};
        let soa = RData::SOA(SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, 1));
        let delegation = RData::Unknown { code: RecordType::DS, rdata: NULL::with(vec![1]) };
        for (delegation, zone, expected) in [
            (answer(NoError, Some(delegation.clone())), answer(ServFail, None), Some(false)),
            (answer(NoError, Some(delegation.clone())), answer(NoError, Some(soa.clone())), Some(true)),
            // A closed network, in which the name does not exist.
            (answer(NXDomain, None), answer(NXDomain, None), None),
            // No longer signed: a resolver that answers is right.
            (answer(NoError, None), answer(NoError, Some(soa)), None),
            (answer(ServFail, None), answer(ServFail, None), None),
            (answer(NoError, Some(delegation)), answer(NXDomain, None), None),
        ] {
            assert_eq!(is_given(&delegation, &zone), expected, "{delegation:?} {zone:?}");
        }
    }
}
