//! `blocklist`: the peer's address is in no blocklist that the settings name (RFC 5782).

use std::net::{IpAddr, Ipv4Addr};

use address::Domain;
use dnsbl::{Entry, query_name};
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use smtp_proto::Status;
use tokio::time::Instant;

use super::check::{Check, CheckResult};
use crate::checks::AuthResult;
use crate::resolver::{query, texts};

/// Longest text of a list in a reply, in characters: mostly a link to a page about the entry.
const MAX_TEXT: usize = 160;

/// The answer of one list.
pub(super) struct Listing {
    zone: Domain,
    answer: Result<Entry, String>,
    /// The list's own words about the entry, if it has any.
    text: Option<String>,
}

/// Looks up an address in all lists at the same time.
pub(super) async fn look_up(
    resolver: &TokioResolver,
    zones: &[Domain],
    ip: IpAddr,
    end: Instant,
) -> Vec<Listing> {
    join_all(zones.iter().map(|zone| look_up_in(resolver, zone, ip, end))).await
}

async fn look_up_in(resolver: &TokioResolver, zone: &Domain, ip: IpAddr, end: Instant) -> Listing {
    let listing = |answer, text| Listing { zone: zone.clone(), answer, text };
    let name = query_name(zone, ip).and_then(|name| Name::from_ascii(name).ok());
    let Some(name) = name else { return listing(Err("the zone's name is too long".to_owned()), None) };
    let addresses = match query(resolver, name.clone(), RecordType::A, end).await.records() {
        Ok(records) => records,
        Err(reason) => return listing(Err(reason), None),
    };
    let addresses = addresses.iter().filter_map(|data| match data {
        RData::A(address) => Some(address.0),
        _ => None,
    });
    let entry = Entry::read(&addresses.collect::<Vec<Ipv4Addr>>());
    let text = match entry {
        Entry::Listed(_) => text(resolver, name, end).await,
        _ => None,
    };
    listing(Ok(entry), text)
}

async fn text(resolver: &TokioResolver, name: Name, end: Instant) -> Option<String> {
    let records = query(resolver, name, RecordType::TXT, end).await.records().ok()?;
    let first = texts(&records).into_iter().next()?;
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    Some(String::from_utf8_lossy(&first).chars().take(MAX_TEXT).map(plain).collect())
}

/// The result from the answers of the lists; `None` without any. A list that gives no answer is taken to have no entry.
pub(super) fn check(listings: &[Listing], ip: IpAddr) -> Option<CheckResult> {
    let result = |result, explanation: String| CheckResult::new(Check::Blocklist, result, explanation);
    let listed = listings.iter().find(|listing| matches!(listing.answer, Ok(Entry::Listed(_))));
    if let Some(Listing { zone, text, .. }) = listed {
        let why = text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
        return Some(result(AuthResult::Fail, format!("{ip} is in {zone}{why}")).with_refusal(
            Status::NOT_AUTHORIZED,
            format!("Your address {ip} is in the blocklist {zone}{why}: ask there to remove it"),
        ));
    }
    let first = listings.first()?;
    let silent = listings.iter().find_map(|listing| Some((&listing.zone, listing.missing_answer()?)));
    Some(match silent {
        Some((zone, reason)) => result(AuthResult::TempError, format!("{zone} does not answer: {reason}")),
        None => result(AuthResult::Pass, format!("{ip} is not in {}", names(&first.zone, listings.len()))),
    })
}

fn names(first: &Domain, count: usize) -> String {
    match count {
        1 => first.to_string(),
        _ => format!("any of {count} lists"),
    }
}

impl Listing {
    /// The reason why the list says nothing, if it does not.
    fn missing_answer(&self) -> Option<&str> {
        match &self.answer {
            Ok(Entry::Absent | Entry::Listed(_)) => None,
            Ok(Entry::Refused(refusal)) => Some(refusal.reason()),
            Ok(Entry::Invented) => Some("its answers are not those of a list"),
            Err(reason) => Some(reason),
        }
    }
}
