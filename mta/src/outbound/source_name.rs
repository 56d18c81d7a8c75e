//! The reverse name of the IPv6 address that this machine sends from. Large receivers refuse mail over IPv6 from an
//! address without a name that leads back to it, and accept the same mail over IPv4.

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::checks::{ReverseName, is_public};
use crate::resolver::Resolver;

/// The time for which a result is kept. The resolver keeps the records themselves as long as their zone allows.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The time after which a lookup without an answer is repeated.
const RETRY: Duration = Duration::from_secs(60);

/// Source addresses that are remembered. A machine has one or two; those with privacy extensions change daily.
const MAX_SOURCES: usize = 8;

/// The acceptance of mail from an IPv6 address, by its reverse name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The address has a name that leads back to it, or can have none because it is private: a router translates it.
    Named,
    /// The address has no name that leads back to it.
    Nameless,
    /// DNS has not answered yet.
    Unknown,
}

/// The standings of the addresses that this machine sends from. All clones share them.
#[derive(Clone, Debug, Default)]
pub struct SourceNames(Arc<Mutex<Vec<KnownSource>>>);

#[derive(Debug)]
struct KnownSource {
    source: Ipv6Addr,
    standing: Standing,
    expires: Instant,
}

impl SourceNames {
    /// The standing of an address. There is one lookup at a time; deliveries that need it wait for the same answer. While
    /// DNS does not answer, the last answer stays.
    pub(super) async fn standing(&self, resolver: &Resolver, source: Ipv6Addr) -> Standing {
        if !is_public(source.into()) {
            return Standing::Named;
        }
        let mut known = self.0.lock().await;
        let found = known.iter_mut().find(|known| known.source == source);
        if let Some(found) = found.as_ref().filter(|found| Instant::now() < found.expires) {
            return found.standing;
        }
        let answer = look_up(resolver, source).await;
        let lifetime = if answer == Standing::Unknown { RETRY } else { LIFETIME };
        let expires = Instant::now() + lifetime;
        let before = found.as_ref().map(|found| found.standing);
        let standing = match (answer, before) {
            (Standing::Unknown, Some(before)) => before,
            (answer, _) => answer,
        };
        if before != Some(standing) {
            log(source, standing, before);
        }
        match found {
            Some(found) => (found.standing, found.expires) = (standing, expires),
            None => {
                if known.len() == MAX_SOURCES {
                    known.remove(0);
                }
                known.push(KnownSource { source, standing, expires });
            }
        }
        standing
    }
}

async fn look_up(resolver: &Resolver, source: Ipv6Addr) -> Standing {
    let end = Instant::now() + resolver.budget();
    match ReverseName::look_up(&resolver.inner(), source.into(), end).await {
        ReverseName::Confirmed(_) => Standing::Named,
        ReverseName::Unconfirmed(_) | ReverseName::Missing => Standing::Nameless,
        ReverseName::Unknown(_) => Standing::Unknown,
    }
}

fn log(source: Ipv6Addr, standing: Standing, before: Option<Standing>) {
    match standing {
        Standing::Nameless => {
            tracing::warn!(%source, "source address without a reverse name, sending over IPv4; set its PTR record");
        }
        Standing::Named if before.is_some() => tracing::info!(%source, "source address has a reverse name"),
        Standing::Named | Standing::Unknown => {}
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::{Name, RecordType};

    use super::*;
    use crate::doubles::name_server::NameServer;

    const SOURCE: &str = "2001:db8:51::7";

    fn source() -> Ipv6Addr {
        SOURCE.parse().unwrap()
    }

    fn named() -> NameServer {
        NameServer::new().ptr(source(), "mail.example.org").address("mail.example.org", source().into())
    }

    fn broken() -> NameServer {
        NameServer::new().server_failure(&Name::from(std::net::IpAddr::from(source())).to_ascii())
    }

    async fn standing_with(names: NameServer) -> Standing {
        SourceNames::default().standing(&names.resolver(30_000).await, source()).await
    }

    #[tokio::test]
    async fn only_a_name_that_leads_back_counts() {
        assert_eq!(standing_with(named()).await, Standing::Named);
        assert_eq!(standing_with(NameServer::new()).await, Standing::Nameless);
        let astray = NameServer::new()
            .ptr(source(), "mail.example.org")
            .address("mail.example.org", "2001:db8:51::8".parse().unwrap());
        assert_eq!(standing_with(astray).await, Standing::Nameless);
        assert_eq!(standing_with(broken()).await, Standing::Unknown);
    }

    #[tokio::test]
    async fn a_private_address_needs_no_name() {
        let resolver = NameServer::new().resolver(30_000).await;
        for private in ["::1", "fd00::7", "fe80::7"] {
            let standing = SourceNames::default().standing(&resolver, private.parse().unwrap()).await;
            assert_eq!(standing, Standing::Named, "{private}");
        }
    }

    #[tokio::test]
    async fn concurrent_deliveries_share_one_lookup() {
        let server = named();
        let queries = server.queries();
        let resolver = server.resolver(30_000).await;
        let names = SourceNames::default();
        let waiting = (0..10).map(|_| names.standing(&resolver, source()));
        let standings = futures_util::future::join_all(waiting).await;
        assert_eq!(standings, [Standing::Named; 10]);
        let asked = queries.borrow();
        let of_pointer = asked.iter().filter(|(_, kind)| *kind == RecordType::PTR).count();
        assert_eq!(of_pointer, 1, "{asked:?}");
    }

    #[tokio::test]
    async fn the_last_answer_stays_while_dns_does_not_answer() {
        let (answering, failing) = (named().resolver(30_000).await, broken().resolver(30_000).await);
        let names = SourceNames::default();
        assert_eq!(names.standing(&answering, source()).await, Standing::Named);
        for known in &mut *names.0.lock().await {
            known.expires = Instant::now();
        }
        assert_eq!(names.standing(&failing, source()).await, Standing::Named);
    }

    #[tokio::test]
    async fn a_machine_with_ever_new_addresses_does_not_fill_the_memory() {
        let resolver = NameServer::new().resolver(30_000).await;
        let names = SourceNames::default();
        for number in 1..=2 * MAX_SOURCES {
            let source = Ipv6Addr::from(u128::from(source()) + number as u128);
            assert_eq!(names.standing(&resolver, source).await, Standing::Nameless);
        }
        assert_eq!(names.0.lock().await.len(), MAX_SOURCES);
    }
}
