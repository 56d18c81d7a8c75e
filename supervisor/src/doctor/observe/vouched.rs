//! Whether the resolver vouches for names: the AD bit of its answers (RFC 4035 §3.2.3, RFC 6840 §5.7). It is as good as the
//! way to the resolver, which for a resolver on the machine is good enough.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use futures_util::future::join_all;
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Of those names and the root, the ones that the first resolver vouches for. The root is signed, so a resolver that
/// vouches for nothing does not check.
pub(super) async fn ask(resolvers: &[SocketAddr], names: &BTreeSet<Name>, end: Instant) -> BTreeSet<Name> {
    let Some(server) = resolvers.first() else { return BTreeSet::new() };
    let names: Vec<Name> = names.iter().cloned().chain([Name::root()]).collect();
    let asked = names.iter().map(|name| timeout_at(end, is_vouched(*server, name)));
    let answers = join_all(asked).await;
    let vouched = names.iter().zip(answers).filter(|(_, answer)| matches!(answer, Ok(Some(true))));
    vouched.map(|(name, _)| name.clone()).collect()
}

/// Asked over TCP, so that no short datagram is in the way. SOA, since a zone that is signed proves its absence too.
async fn is_vouched(server: SocketAddr, name: &Name) -> Option<bool> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.metadata.authentic_data = true;
    question.add_query(Query::query(name.clone(), RecordType::SOA));
    let octets = question.to_vec().ok()?;
    let mut stream = TcpStream::connect(server).await.ok()?;
    stream.write_u16(u16::try_from(octets.len()).ok()?).await.ok()?;
    stream.write_all(&octets).await.ok()?;
    let length = stream.read_u16().await.ok()?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await.ok()?;
    let answer = Message::from_vec(&answer).ok()?;
    (answer.metadata.id == question.metadata.id).then_some(answer.metadata.authentic_data)
}
