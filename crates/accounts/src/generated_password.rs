//! Generated passwords.

use zeroize::Zeroizing;

/// Letters and digits that are not mistaken for each other. There are 32, so that a random octet modulo 32 selects each
/// with the same probability.
pub(crate) const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The number of characters between two hyphens of a generated password.
pub(crate) const GROUP: usize = 4;

/// Random characters of [`ALPHABET`], five bits each.
pub(crate) fn random_characters(count: usize) -> Zeroizing<String> {
    let mut octets = Zeroizing::new(vec![0; count]);
    aws_lc_rs::rand::fill(&mut octets).expect("the kernel's random numbers never fail once the system runs");
    let mut text = Zeroizing::new(String::with_capacity(count));
    text.extend(octets.iter().map(|octet| char::from(ALPHABET[usize::from(octet % 32)])));
    text
}

/// Inserts a hyphen after every [`GROUP`] characters: the text is then easier to read and type.
pub(crate) fn grouped(characters: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(characters.len() * 2));
    for (index, character) in characters.chars().enumerate() {
        if index > 0 && index % GROUP == 0 {
            text.push('-');
        }
        text.push(character);
    }
    text
}

/// Generates a password of sixteen characters, 80 bits, such as `k7mq-x3fp-9dwn-t2hc`.
pub fn generate_password() -> Zeroizing<String> {
    grouped(&random_characters(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_differ_and_have_plain_characters() {
        let password = generate_password();
        assert_ne!(password, generate_password());
        assert_eq!(password.len(), 19);
        assert!(
            password.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{password:?}"
        );
    }

    #[test]
    fn hyphens_separate_groups() {
        for (characters, expected) in
            [("", ""), ("abc", "abc"), ("abcd", "abcd"), ("abcdefghj", "abcd-efgh-j")]
        {
            assert_eq!(*grouped(characters), expected);
        }
    }
}
