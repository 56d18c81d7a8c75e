//! The reverse name: the peer's address has a name, and the name has the address (RFC 8601 §3, method `iprev`).

use std::net::IpAddr;

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::Instant;

use super::{AuthResult, Finding, Method};
use crate::resolver::{Answer, address_type, query};

/// The names of one address that are looked up; the owner of the reverse zone may give an address any number.
const MAX_NAMES: usize = 10;

/// The reverse name of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReverseName {
    /// The name has the address.
    Confirmed(String),
    /// The first name; none has the address.
    Unconfirmed(String),
    /// The address has no name.
    Missing,
    /// DNS did not answer.
    Unknown(String),
}

impl ReverseName {
    /// Looks up the names of an address, and the addresses of the names.
    pub async fn look_up(resolver: &TokioResolver, ip: IpAddr, end: Instant) -> Self {
        let names = match query(resolver, Name::from(ip), RecordType::PTR, end).await.records() {
            Ok(records) => records.into_iter().filter_map(|data| match data {
                RData::PTR(name) => Some(name.0),
                _ => None,
            }),
            Err(reason) => return Self::Unknown(reason),
        };
        let names: Vec<Name> = names.take(MAX_NAMES).collect();
        let Some(first) = names.first() else { return Self::Missing };
        let kind = address_type(ip);
        let answers = join_all(names.iter().map(|name| query(resolver, name.clone(), kind, end))).await;
        let answers: Vec<Result<Vec<RData>, String>> = answers.into_iter().map(Answer::records).collect();
        let has_address = |answer: &Result<Vec<RData>, String>| {
            answer.as_ref().is_ok_and(|found| found.iter().any(|data| data.ip_addr() == Some(ip)))
        };
        if let Some((name, _)) = names.iter().zip(&answers).find(|(_, answer)| has_address(answer)) {
            return Self::Confirmed(text(name));
        }
        match answers.into_iter().find_map(Result::err) {
            Some(reason) => Self::Unknown(reason),
            None => Self::Unconfirmed(text(first)),
        }
    }

    /// The name, if it has the address.
    pub fn confirmed(&self) -> Option<&str> {
        match self {
            Self::Confirmed(name) => Some(name),
            _ => None,
        }
    }

    /// The result of the method `iprev`.
    pub fn finding(&self, ip: IpAddr) -> Finding {
        let (result, reason) = match self {
            Self::Confirmed(name) => (AuthResult::Pass, Some(name)),
            Self::Unconfirmed(name) => (AuthResult::Fail, Some(name)),
            Self::Missing => (AuthResult::Fail, None),
            Self::Unknown(_) => (AuthResult::TempError, None),
        };
        let finding = Finding::new(Method::Iprev, result).with_property("policy.iprev", ip.to_string());
        match reason {
            Some(name) => finding.with_reason(name),
            None => finding,
        }
    }
}

fn text(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

/// True if an address can be that of another host in the internet: not of this machine, of a link, or of a private
/// network. Only such an address can have a public reverse name.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_multicast())
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::doubles::name_server::NameServer;

    const PEER: std::net::Ipv4Addr = std::net::Ipv4Addr::new(192, 0, 2, 7);

    async fn look_up(names: NameServer) -> ReverseName {
        let resolver = names.resolver(30_000).await;
        ReverseName::look_up(&resolver.inner(), PEER.into(), Instant::now() + Duration::from_secs(30)).await
    }

    #[tokio::test]
    async fn a_name_is_confirmed_by_its_address() {
        let names = NameServer::new().ptr(PEER, "Mail.example.net").address("mail.example.net", PEER.into());
        let found = look_up(names).await;
        assert_eq!(found, ReverseName::Confirmed("mail.example.net".to_owned()));
        assert_eq!(found.finding(PEER.into()).result, AuthResult::Pass);
    }

    #[tokio::test]
    async fn one_of_several_names_is_enough() {
        let names = NameServer::new()
            .ptr(PEER, "gone.example")
            .ptr(PEER, "mail.example.net")
            .address("mail.example.net", PEER.into());
        assert_eq!(look_up(names).await.confirmed(), Some("mail.example.net"));
    }

    #[tokio::test]
    async fn names_without_the_address_and_addresses_without_a_name() {
        let elsewhere = NameServer::new()
            .ptr(PEER, "mail.example.net")
            .address("mail.example.net", [198, 51, 100, 1].into());
        assert_eq!(look_up(elsewhere).await, ReverseName::Unconfirmed("mail.example.net".to_owned()));
        let nowhere = NameServer::new().ptr(PEER, "gone.example");
        assert_eq!(look_up(nowhere).await, ReverseName::Unconfirmed("gone.example".to_owned()));
        assert_eq!(look_up(NameServer::new()).await, ReverseName::Missing);
    }

    #[tokio::test]
    async fn a_failed_query_proves_nothing() {
        let broken = NameServer::new().server_failure("7.2.0.192.in-addr.arpa");
        assert!(matches!(look_up(broken).await, ReverseName::Unknown(_)));
        let broken = NameServer::new().ptr(PEER, "mail.example.net").server_failure("mail.example.net");
        let found = look_up(broken).await;
        assert!(matches!(found, ReverseName::Unknown(_)), "{found:?}");
        assert_eq!(found.finding(PEER.into()).result, AuthResult::TempError);
    }
}
