//! Users and aliases as the operator names them: `ann` in the first domain, `bob@example.net` in another,
//! `@example.org` for the rest of a domain.

use accounts::{Accounts, AliasName, User};
use address::{Address, Domain};

/// An error of a name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NameError {
    /// It is not the name of a mailbox.
    #[error(
        "{0:?} is not a valid user name: use letters, digits, dots, hyphens and underscores, and add @ and the domain \
         unless it is the first one, such as ann or bob@example.net"
    )]
    User(String),
    /// It is not an address.
    #[error(
        "{0:?} is not a valid address: use one such as info, info@example.org, or @example.org for the rest of a domain"
    )]
    Address(String),
    /// The text before the `@` is longer than any server sends.
    #[error("{0:?} is too long: at most {MAX_LOCAL_PART} octets are allowed before the @")]
    TooLong(String),
    /// A name alone needs a domain to be in.
    #[error("{0:?} needs an @ and a domain: the accounts have no domain yet")]
    NoDomain(String),
}

/// The limit of the octets before the `@`.
const MAX_LOCAL_PART: usize = 64;

/// The named user.
pub(super) fn user(text: &str, accounts: &Accounts) -> Result<User, NameError> {
    let wrong = || NameError::User(text.to_owned());
    let address = in_first_domain(text, accounts)?.parse::<Address>().map_err(|_| wrong())?;
    User::new(&address).map_err(|_| wrong())
}

/// The name of a new user: easy to type and not changed by plus addressing.
pub(super) fn new_user(text: &str, accounts: &Accounts) -> Result<User, NameError> {
    let user = user(text, accounts)?;
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if user.name().chars().all(is_plain) { Ok(user) } else { Err(NameError::User(text.to_owned())) }
}

/// The name of a new alias: one that a sender's server may send (RFC 5321 §4.5.3.1.1).
pub(super) fn new_alias(text: &str, accounts: &Accounts) -> Result<AliasName, NameError> {
    let alias = alias(text, accounts)?;
    match &alias {
        AliasName::Address(address) if address.local.to_lower_case().len() > MAX_LOCAL_PART => {
            Err(NameError::TooLong(text.to_owned()))
        }
        _ => Ok(alias),
    }
}

/// The named alias.
pub(super) fn alias(text: &str, accounts: &Accounts) -> Result<AliasName, NameError> {
    AliasName::parse(&in_first_domain(text, accounts)?).map_err(|_| NameError::Address(text.to_owned()))
}

/// The named address: the target of an alias.
pub(super) fn address(text: &str, accounts: &Accounts) -> Result<Address, NameError> {
    in_first_domain(text, accounts)?.parse().map_err(|_| NameError::Address(text.to_owned()))
}

fn in_first_domain(text: &str, accounts: &Accounts) -> Result<String, NameError> {
    if text.contains('@') {
        return Ok(text.to_owned());
    }
    let domain: &Domain = accounts.domains.first().ok_or_else(|| NameError::NoDomain(text.to_owned()))?;
    Ok(format!("{text}@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts { domains: vec!["example.org".parse().unwrap()], ..Accounts::default() }
    }

    #[test]
    fn a_name_alone_is_in_the_first_domain() {
        assert_eq!(user("Ann", &accounts()).unwrap().to_string(), "ann@example.org");
        assert_eq!(user("bob@example.net", &accounts()).unwrap().to_string(), "bob@example.net");
        assert_eq!(address("ann", &accounts()).unwrap().to_string(), "ann@example.org");
        assert_eq!(alias("info", &accounts()).unwrap().to_string(), "info@example.org");
        assert_eq!(alias("@example.net", &accounts()).unwrap().to_string(), "@example.net");
        assert_eq!(user("ann", &Accounts::default()), Err(NameError::NoDomain("ann".into())));
    }

    #[test]
    fn a_new_alias_is_no_longer_than_a_server_may_send() {
        assert!(new_alias(&"a".repeat(64), &accounts()).is_ok());
        assert!(matches!(new_alias(&"a".repeat(65), &accounts()), Err(NameError::TooLong(_))));
        assert!(alias(&"a".repeat(65), &accounts()).is_ok(), "an existing one can be deleted");
    }

    #[test]
    fn an_invalid_name_is_refused() {
        for bad in ["", "a b", "../x", "ann@", "@example.org", "ann@[192.0.2.1]", "ann:secret"] {
            assert!(matches!(user(bad, &accounts()), Err(NameError::User(_))), "{bad:?}");
        }
        for bad in ["ann+lists", "\"ann\\ smith\"", "an☃n"] {
            assert!(new_user(bad, &accounts()).is_err(), "{bad:?}");
        }
        assert!(new_user("ann.m_smith-2", &accounts()).is_ok());
    }
}
