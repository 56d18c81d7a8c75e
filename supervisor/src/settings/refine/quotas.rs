//! The quotas of users.

use accounts::User;
use address::Address;

use super::{ServedDomains, is_none, pieces, size};
use crate::settings::Quotas;
use crate::settings::fault::SettingFault;
use crate::settings::raw::Raw;
use crate::settings::variables;

/// Less does not hold even one message of the smallest size limit, with its metadata.
const MIN_QUOTA: u64 = 1 << 20;

/// `quotas = [ size ] *( "," name [ "@" domain ] ":" size )`.
///
/// A quota of an undeclared user is not a fault: users are added by command too.
pub(super) fn quotas(raw: &mut Raw, served: &ServedDomains, faults: &mut Vec<SettingFault>) -> Quotas {
    let Some(typed) = raw.take(&variables::QUOTA) else { return Quotas::default() };
    let mut quotas = Quotas::default();
    let mut is_everybody_set = false;
    for piece in pieces(&typed.text) {
        let read = match piece.split_once(':') {
            // A malformed size is reported as such, and not as a second one.
            None => bound(piece).and_then(|octets| match is_everybody_set {
                true => Err(format!("has {piece:?} in it, a second limit for all users; keep one")),
                false => {
                    is_everybody_set = true;
                    quotas.default = octets;
                    Ok(())
                }
            }),
            Some((name, bounded)) => user(name.trim(), served).and_then(|user| {
                if quotas.users.iter().any(|(other, _)| *other == user) {
                    return Err(format!("has {user} in it twice"));
                }
                quotas.users.push((user, bound(bounded.trim())?));
                Ok(())
            }),
        };
        faults.extend(read.err().map(|wrong| typed.fault(wrong)));
    }
    quotas
}

fn bound(text: &str) -> Result<Option<u64>, String> {
    if is_none(text) {
        return Ok(None);
    }
    match size::read(text) {
        Some(octets) if octets < MIN_QUOTA => Err(format!("has {text:?} in it, which is less than 1M")),
        Some(octets) => Ok(Some(octets)),
        None => Err(format!(
            "has {text:?} in it, which is neither a number of octets nor `none`; for one user write user:size"
        )),
    }
}

fn user(name: &str, served: &ServedDomains) -> Result<User, String> {
    let full = if name.contains('@') { name.to_owned() } else { format!("{name}@{}", served.home()) };
    let address = Address::parse(&full).map_err(|error| format!("has {name:?} in it: {error}"))?;
    let user = User::new(&address).map_err(|error| format!("has {name:?} in it: {error}"))?;
    if served.is_elsewhere(user.domain()) {
        return Err(format!("has {user} in it, who is in none of our domains"));
    }
    Ok(user)
}
