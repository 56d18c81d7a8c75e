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

/// Them as MAIL_USERS declares users.
pub(super) fn declared(people: &[DemoUser]) -> String {
    let entries: Vec<String> =
        people.iter().map(|person| format!("{}:{}", person.name, person.password)).collect();
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
        let people = two();
        assert_ne!(people[0].password, people[1].password);
        for person in people {
            assert_eq!(person.password.len(), 19);
            assert!(
                person.password.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            );
        }
    }
}
