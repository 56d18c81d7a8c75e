//! Checks of a message's origin: the reverse name of the peer, SPF, DKIM and DMARC.
//!
//! The results are recorded in an `Authentication-Results` field (RFC 8601). Nothing is refused here: the
//! consequences of a result are decided elsewhere. The DNS queries run at the same time and under one budget; a
//! query without an answer by then is a temporary error, never a reason to keep the peer waiting.

mod dkim;
mod dmarc;
mod results;
mod reverse_name;
mod spf;

pub use results::{AuthResult, AuthenticationResults, DmarcEvaluation, Finding, Method, SpfEvaluation};
pub use reverse_name::{ReverseName, is_public};

use std::net::IpAddr;

use address::{Domain, ReversePath};
use message::Author;
use serve::MailId;
use tokio::time::Instant;

use crate::content::Content;
use crate::resolver::Resolver;

/// The peer that sends a message.
#[derive(Clone, Debug)]
pub struct PeerIdentity {
    /// The peer's address; `None` when it is not known, because the peer connected through our gateway.
    pub ip: Option<IpAddr>,
    /// The name that the peer gave in HELO or EHLO.
    pub helo: String,
}

/// Runs SPF, DKIM and DMARC on a message. `hostname` is ours: the authserv-id of the results. `earlier` are the results
/// of checks before the message arrived.
///
/// Ends within the resolver's budget.
pub async fn authenticate(
    resolver: &Resolver,
    hostname: &Domain,
    id: MailId,
    peer: &PeerIdentity,
    sender: &ReversePath,
    content: &Content,
    earlier: Vec<Finding>,
) -> AuthenticationResults {
    let begin = Instant::now();
    let budget = resolver.budget();
    // DMARC sends its queries only after SPF and DKIM have their answers, and must find some of the budget left.
    let (first_end, end) = (begin + budget / 4 * 3, begin + budget);
    let ip = peer.ip.map(|ip| ip.to_canonical());
    let origin = ip.map(|ip| spf::Origin { ip, helo: &peer.helo, sender });
    let prepared = dkim::PreparedSignatures::of(content).await.unwrap_or_else(|error| {
        tracing::error!(%id, %error, "cannot read a message to check its signatures");
        dkim::PreparedSignatures::unreadable()
    });
    let inner = resolver.inner();
    let verify = prepared.verify(&inner, first_end);
    let sender_policy = async {
        match &origin {
            Some(origin) => spf::check(resolver, origin, first_end).await,
            None => spf::SpfResults::of_unknown_peer(&peer.helo),
        }
    };
    let (spf, signatures) = tokio::join!(sender_policy, verify);
    let mut results = AuthenticationResults::new(hostname.clone());
    results.extend(earlier);
    results.extend(spf.findings().filter(|_| origin.is_some()));
    results.extend(signatures.findings());
    let author = Author::of(content.header());
    let (finding, evaluation) =
        dmarc::check(&inner, &author, spf.for_dmarc(), &signatures.for_dmarc(), end).await;
    results.extend([finding]);
    results.set_evaluations(spf.evaluation(), evaluation);
    if results.are_all_unanswered() {
        resolver.request_check();
    }
    results
}

#[cfg(test)]
mod tests;
