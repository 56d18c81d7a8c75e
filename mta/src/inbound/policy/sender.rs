//! `sender`: the sender's domain can receive a reply. A message to which no report can be sent has no honest sender.

use std::net::IpAddr;

use address::{Domain, ReversePath};
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use smtp_proto::Status;
use tokio::time::Instant;

use super::check::{Check, CheckResult};
use crate::checks::AuthResult;
use crate::resolver::{Answer, query, query_name};

/// "The sender's system specified in the address does not exist or is incapable of accepting return mail"
/// (RFC 3463 §3.2, X.1.8).
const BAD_SENDER_DOMAIN: Status = Status::new(1, 8);
/// "Sender address has null MX" (RFC 7505 §4.2).
const NULL_MX: Status = Status::new(7, 27);

/// The exchanges of a domain that are looked up.
const MAX_EXCHANGES: usize = 10;

/// The state of the hosts that take mail for a domain.
enum Hosts {
    /// At least one can be reached.
    Reachable,
    /// The domain says that it takes no mail (RFC 7505).
    NullMx,
    /// There are none; the reason follows the domain's name.
    Missing(&'static str),
    /// DNS did not answer.
    Unknown(String),
}

/// Looks up the hosts of a sender's domain. Without an answer the sender gets the benefit of the doubt.
pub(super) async fn check(resolver: &TokioResolver, sender: &ReversePath, end: Instant) -> CheckResult {
    let result = |result, explanation: String| CheckResult::new(Check::Sender, result, explanation);
    let Some(domain) = sender.address().and_then(|address| address.domain()) else {
        return result(AuthResult::None, "no domain to check".to_owned());
    };
    match hosts(resolver, domain, end).await {
        Hosts::Reachable => result(AuthResult::Pass, format!("{domain} takes mail")),
        Hosts::Unknown(reason) => result(AuthResult::TempError, format!("no answer about {domain}: {reason}")),
        Hosts::NullMx => result(AuthResult::Fail, format!("{domain} takes no mail (null MX)")).with_refusal(
            NULL_MX,
            format!(
                "The sender's domain {domain} says that it takes no mail (null MX): send from an address that can be \
                 answered"
            ),
        ),
        Hosts::Missing(fault) => result(AuthResult::Fail, format!("{domain} {fault}")).with_refusal(
            BAD_SENDER_DOMAIN,
            format!(
                "The sender's domain {domain} {fault}, so that no reply can be sent: correct the sender address, or the \
                 domain's MX record"
            ),
        ),
    }
}

async fn hosts(resolver: &TokioResolver, domain: &Domain, end: Instant) -> Hosts {
    let mut exchanges: Vec<(u16, Name)> = match query(resolver, query_name(domain), RecordType::MX, end).await
    {
        Answer::Failed(reason) => return Hosts::Unknown(reason),
        Answer::NxDomain => return Hosts::Missing("does not exist"),
        Answer::Found(records) => records
            .into_iter()
            .filter_map(|data| match data {
                RData::MX(mx) => Some((mx.preference, mx.exchange)),
                _ => None,
            })
            .collect(),
        // "The address is treated as if it was associated with an implicit MX RR" (RFC 5321 §5.1).
        Answer::NoData => Vec::new(),
    };
    let is_implicit = exchanges.is_empty();
    if is_implicit {
        exchanges.push((0, query_name(domain)));
    } else if exchanges.iter().all(|(_, name)| name.is_root()) {
        return Hosts::NullMx;
    }
    exchanges.sort_by_key(|(preference, _)| *preference);
    let is_cut = exchanges.len() > MAX_EXCHANGES;
    exchanges.truncate(MAX_EXCHANGES);
    let kinds = [RecordType::A, RecordType::AAAA];
    let queries =
        exchanges.iter().flat_map(|(_, name)| kinds.map(|kind| query(resolver, name.clone(), kind, end)));
    let (mut has_address, mut unknown) = (false, None);
    for answer in join_all(queries).await {
        match answer.records() {
            Ok(records) => {
                let mut addresses = records.iter().filter_map(RData::ip_addr).peekable();
                has_address |= addresses.peek().is_some();
                if addresses.any(is_usable) {
                    return Hosts::Reachable;
                }
            }
            Err(reason) => unknown = Some(reason),
        }
    }
    match unknown {
        Some(reason) => Hosts::Unknown(reason),
        None if is_cut => Hosts::Unknown("it has more mail hosts than are looked up".to_owned()),
        None if has_address => Hosts::Missing("has a mail host without a usable address"),
        None if is_implicit => Hosts::Missing("has neither an MX record nor an address"),
        None => Hosts::Missing("has a mail host that does not exist"),
    }
}

/// True unless the address leads to the host that connects to it.
fn is_usable(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast())
}
