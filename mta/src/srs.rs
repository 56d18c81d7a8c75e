//! SRS, the Sender Rewriting Scheme: return paths of forwarded mail.
//!
//! An alias whose target is at another host forwards mail of senders that this host may not send for, so SPF (RFC 7208)
//! would fail at the destination. The forwarded message therefore has a return path at this host, from which the
//! original one can be computed: a delivery report sent there goes on to the original sender.
//!
//! | original sender                           | return path                                                      |
//! |-------------------------------------------|------------------------------------------------------------------|
//! | `eve@example.net`                         | `SRS0=<tag>=<day>=example.net=eve@<this host>`                   |
//! | `SRS0=<rest>@first.example`               | `SRS1=<tag>=first.example==<rest>@<this host>`                   |
//! | `SRS1=<tag>=first.example=<rest>@second`  | `SRS1=<tag>=first.example=<rest>@<this host>`                    |
//! | the null sender                           | the same                                                         |
//!
//! There is no RFC; the form is that of the paper by Shevek ("The Sender Rewriting Scheme", 2004) and of postsrsd. The
//! tag is an HMAC with a key of this host, so that only return paths that this host has made are resolved: it is not an
//! open relay. A report to a chain of forwarders goes back to the first of them directly.

mod keys;

use address::{Address, Domain, Host, LocalPart, ReversePath};
use aws_lc_rs::hmac;

pub(crate) use keys::Keys;

/// The time for which a return path is accepted: reports of delays come within a week, and some days more for hosts
/// that were down.
const MAX_AGE_DAYS: u16 = 21;

/// Days are counted modulo this number: two digits in base 32.
const DAYS: u16 = 1 << 10;

/// Letters of a tag: 30 bits. A forger would have to try each guess at our port 25.
const TAG_LENGTH: usize = 6;

/// The alphabet of RFC 4648 §6, in which case does not matter: some hosts change the case of local parts.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The largest path, without its brackets (RFC 5321 §4.5.3.1.3).
const MAX_PATH: usize = 254;

/// The reason why an address in SRS form does not resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// This host has not made it, or with a key that has been replaced twice since.
    Forged,
    /// It was made too long ago.
    Expired,
}

/// The return path of a message that is forwarded to another host: the null sender as it is, and any other rewritten.
/// Senders in the domains of this server too, since a peer may use them: SPF would pass for them at the destination.
/// `None` if the return path would be longer than a path may be.
pub(crate) fn forward(keys: &Keys, host: &Domain, sender: &ReversePath) -> Option<ReversePath> {
    match sender {
        ReversePath::Null => Some(ReversePath::Null),
        ReversePath::Address(address) => forwarded(keys, host, address).map(ReversePath::Address),
    }
}

fn forwarded(keys: &Keys, host: &Domain, sender: &Address) -> Option<Address> {
    let key = keys.newest();
    let content = match Form::read(sender.local.as_str()) {
        Some(Form::Original { rest }) => chained(&key, &sender.host.to_string(), rest),
        Some(Form::Chained { first, rest, .. }) => chained(&key, first, rest),
        None => {
            let day = encode(u64::from(keys.today()), 2);
            let (domain, local) = (sender.host.to_string(), sender.local.as_str());
            let tag = tag(&key, &["0", &day, &domain, local]);
            format!("SRS0={tag}={day}={domain}={local}")
        }
    };
    let address = Address { local: local_part(&content)?, host: Host::Domain(host.clone()) };
    (address.to_string().len() <= MAX_PATH).then_some(address)
}

/// `rest` begins with the separator that followed `SRS0` at the first forwarder.
fn chained(key: &hmac::Key, first: &str, rest: &str) -> String {
    format!("SRS1={}={first}={rest}", tag(key, &["1", first, rest]))
}

/// The original sender behind a return path at this host. `None` if the address is not in SRS form.
pub(crate) fn resolve(
    keys: &Keys,
    host: &Domain,
    recipient: &Address,
) -> Option<Result<Address, Unresolved>> {
    let form = Form::read(recipient.local.as_str()).filter(|_| recipient.domain() == Some(host))?;
    Some(
        resolved(keys, &form).ok_or(Unresolved::Forged).and_then(|(address, age)| {
            if age <= MAX_AGE_DAYS { Ok(address) } else { Err(Unresolved::Expired) }
        }),
    )
}

/// True if an address of this host is in SRS form.
pub(crate) fn is_return_path(host: &Domain, recipient: &Address) -> bool {
    recipient.domain() == Some(host) && Form::read(recipient.local.as_str()).is_some()
}

/// The original sender, and the age of the return path in days.
fn resolved(keys: &Keys, form: &Form<'_>) -> Option<(Address, u16)> {
    match form {
        Form::Original { rest } => {
            let mut parts = rest.get(1..)?.splitn(4, '=');
            let (tag, day, domain, local) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            keys.find(|key| is_tag(key, tag, &["0", day, domain, local]))?;
            let address = Address { local: local_part(local)?, host: Host::parse(domain).ok()? };
            Some((address, age(decode(day)?, keys.today())))
        }
        Form::Chained { tag, first, rest } => {
            keys.find(|key| is_tag(key, tag, &["1", first, rest]))?;
            let local = local_part(&format!("SRS0{rest}"))?;
            // The first forwarder checks the age.
            Some((Address { local, host: Host::parse(first).ok()? }, 0))
        }
    }
}

/// The days since a return path was made. One from tomorrow, of a host whose clock was set back, counts as new.
fn age(made: u16, today: u16) -> u16 {
    let days = (today + DAYS - made % DAYS) % DAYS;
    if days == DAYS - 1 { 0 } else { days }
}

/// A local part in SRS form.
#[derive(Debug, PartialEq, Eq)]
enum Form<'a> {
    /// `SRS0`, and the rest with its separator.
    Original { rest: &'a str },
    /// `SRS1=<tag>=<first forwarder>=<rest>`, where the rest is that of the first forwarder's `SRS0`.
    Chained { tag: &'a str, first: &'a str, rest: &'a str },
}

impl<'a> Form<'a> {
    /// The separator after the first word may be `=`, `+` or `-`.
    fn read(local: &'a str) -> Option<Self> {
        let (word, rest) = local.split_at_checked(4)?;
        if !rest.starts_with(['=', '+', '-']) {
            return None;
        }
        if word.eq_ignore_ascii_case("SRS0") {
            return Some(Self::Original { rest });
        }
        if !word.eq_ignore_ascii_case("SRS1") {
            return None;
        }
        let mut parts = rest[1..].splitn(3, '=');
        let (tag, first, rest) = (parts.next()?, parts.next()?, parts.next()?);
        rest.starts_with(['=', '+', '-']).then_some(Self::Chained { tag, first, rest })
    }
}

/// The local part with this content, quoted if it must be.
fn local_part(content: &str) -> Option<LocalPart> {
    LocalPart::parse(content).ok().or_else(|| {
        let escaped = content.replace('\\', "\\\\").replace('"', "\\\"");
        LocalPart::parse(&format!("\"{escaped}\"")).ok()
    })
}

/// The input of the HMAC: the parts in lower case, since hosts on the way may change their case.
fn input(parts: &[&str]) -> Vec<u8> {
    parts.join("\0").to_lowercase().into_bytes()
}

fn tag(key: &hmac::Key, parts: &[&str]) -> String {
    let digest = hmac::sign(key, &input(parts));
    let mut bits = [0; 8];
    bits.copy_from_slice(&digest.as_ref()[..8]);
    encode(u64::from_be_bytes(bits) >> (64 - 5 * TAG_LENGTH), TAG_LENGTH)
}

fn is_tag(key: &hmac::Key, given: &str, parts: &[&str]) -> bool {
    let right = tag(key, parts);
    aws_lc_rs::constant_time::verify_slices_are_equal(given.to_ascii_lowercase().as_bytes(), right.as_bytes())
        .is_ok()
}

fn encode(number: u64, letters: usize) -> String {
    (0..letters).rev().map(|letter| char::from(BASE32[(number >> (5 * letter)) as usize & 31])).collect()
}

/// A number of two letters.
fn decode(letters: &str) -> Option<u16> {
    if letters.len() != 2 {
        return None;
    }
    letters.bytes().try_fold(0, |number, letter| {
        let digit = BASE32.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        Some(number << 5 | u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests;
