//! The two made-up users.

/// Letters and digits that are not confused with each other, 32 of them: a random octet modulo 32 favours none.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A made-up user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DemoUser {
    /// The name within the domain.
    pub(super) name: &'static str,
    /// The password, generated for every demo.
    pub(super) password: String,
}

/// Ann and Bob.
pub(super) fn two() -> Vec<DemoUser> {
    ["ann", "bob"].map(|name| DemoUser { name, password: password() }).into()
}

/// The users in the form of MAIL_USERS.
pub(super) fn declared(users: &[DemoUser]) -> String {
    let entries: Vec<String> = users.iter().map(|user| format!("{}:{}", user.name, user.password)).collect();
    entries.join(",")
}

/// Sixteen characters, 80 bits: the demo listens on loopback only, but the machine may have other users.
fn password() -> String {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).expect("the system has random numbers");
    octets
        .chunks(4)
        .map(|chunk| {
            chunk.iter().map(|octet| char::from(ALPHABET[usize::from(octet % 32)])).collect::<String>()
        })
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_can_be_typed_and_pasted_anywhere() {
        let users = two();
        assert_ne!(users[0].password, users[1].password);
        for user in users {
            assert_eq!(user.password.len(), 19);
            assert!(user.password.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        }
    }
}
