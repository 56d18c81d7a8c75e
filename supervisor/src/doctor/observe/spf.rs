//! Looks up what the domains' SPF records refer to, as receivers of our mail do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::Name;
use hickory_resolver::TokioResolver;
use spf::{Answer, Qualifier, Query, Stop, check_host};
use tokio::time::Instant;

use super::super::receiver::{ReceiverView, mail_from};
use super::names;
use crate::dns::record::fqdn;
use crate::dns::records::SiteFacts;

/// Makes the queries that the evaluations need, in rounds: an evaluation ends within ten lookups (RFC 7208 §4.6.4), and
/// no query is repeated.
pub(super) async fn query_includes(
    resolver: &TokioResolver,
    facts: &SiteFacts,
    known: &BTreeMap<Query, Answer>,
    host: &Name,
    own: &[IpAddr],
    end: Instant,
) -> BTreeMap<Query, Answer> {
    let mut names = known.clone();
    while Instant::now() < end {
        let questions = missing(facts, &ReceiverView { names: &names, host, own });
        if questions.is_empty() {
            break;
        }
        names.extend(names::query(resolver, &questions, end).await.0);
    }
    names
}

/// The domains whose record permits mail from each of our addresses.
pub(super) async fn passing(
    resolver: &TokioResolver,
    facts: &SiteFacts,
    host: &Name,
    own: &[IpAddr],
    end: Instant,
) -> BTreeSet<Name> {
    let names = query_includes(resolver, facts, &BTreeMap::new(), host, own, end).await;
    let seen = ReceiverView { names: &names, host, own };
    let helo = &facts.presence.hostname;
    let passes = |domain: &&Domain| {
        let of = |ip: &IpAddr| check_host(&seen, &mail_from(*ip, domain, helo));
        !own.is_empty()
            && own.iter().all(|ip| of(ip).is_ok_and(|verdict| verdict.qualifier == Qualifier::Pass))
    };
    facts.presence.domains.iter().chain([helo]).filter(passes).flat_map(fqdn).collect()
}

/// The queries still missing to evaluate mail from each of our addresses for each of our names.
fn missing(facts: &SiteFacts, seen: &ReceiverView<'_>) -> BTreeSet<Query> {
    let helo = &facts.presence.hostname;
    let domains = facts.presence.domains.iter().chain([helo]);
    let senders = domains.flat_map(|domain| seen.own.iter().map(move |ip| mail_from(*ip, domain, helo)));
    let needed = senders.filter_map(|sender| match check_host(seen, &sender) {
        Err(Stop::Pending(questions)) => Some(questions),
        _ => None,
    });
    needed.flatten().collect()
}
