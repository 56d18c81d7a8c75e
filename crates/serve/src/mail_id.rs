//! The identifier of a message, by which its lines in the logs of all processes are found.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The identifier of a message from MAIL, or APPEND, to its last delivery: the field `id` of every log line about it,
/// in `Received`, in the queue, and in LMTP's ENVID.
///
/// Sorted as text it is sorted by time. Its first eleven characters are the microsecond, never used twice by one
/// process; the last six are drawn once per process, so that processes and nodes do not collide either.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailId([u8; MailId::LENGTH]);

/// Crockford's digits: no letter is mistaken for a digit when an administrator reads it aloud to another.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl MailId {
    const TIME: usize = 11;
    const PROCESS: usize = 6;
    const LENGTH: usize = Self::TIME + Self::PROCESS;

    /// Generates a unique identifier.
    pub fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        static PROCESS: OnceLock<u64> = OnceLock::new();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        // If the clock stands still or runs backwards, the identifier must still be unique.
        let before = LAST.fetch_max(now, Ordering::Relaxed);
        let time = if before < now { now } else { LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1) };
        Self::from_parts(time, *PROCESS.get_or_init(random))
    }

    fn from_parts(time: u64, process: u64) -> Self {
        let mut text = [0; Self::LENGTH];
        let (first, last) = text.split_at_mut(Self::TIME);
        write_digits(first, time);
        write_digits(last, process);
        Self(text)
    }

    /// Reads an identifier; accepts only those that [`MailId::new`] could have generated.
    pub fn parse(text: &str) -> Option<Self> {
        let text: [u8; Self::LENGTH] = text.as_bytes().try_into().ok()?;
        text.iter().all(|digit| DIGITS.contains(digit)).then_some(Self(text))
    }

    /// The time at which it was generated.
    pub fn created_at(&self) -> SystemTime {
        let digits = self.0.iter().take(Self::TIME);
        let value = |digit: &u8| DIGITS.iter().position(|known| known == digit).unwrap_or(0) as u64;
        let microseconds = digits.fold(0_u64, |number, digit| number.wrapping_mul(32) | value(digit));
        UNIX_EPOCH + Duration::from_micros(microseconds)
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the digits are ASCII")
    }
}

impl Default for MailId {
    fn default() -> Self {
        Self::new()
    }
}

fn write_digits(text: &mut [u8], mut number: u64) {
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(number % 32) as usize];
        number /= 32;
    }
}

fn random() -> u64 {
    let mut octets = [0; 8];
    match aws_lc_rs::rand::fill(&mut octets) {
        Ok(()) => u64::from_ne_bytes(octets),
        // Without randomness the process number keeps the processes of one machine apart.
        Err(_) => u64::from(std::process::id()),
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for MailId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MailId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a message identifier")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_contains_its_time() {
        let created = UNIX_EPOCH + Duration::from_micros(1_795_370_399_123_456);
        assert_eq!(MailId::from_parts(1_795_370_399_123_456, 7).created_at(), created);
    }

    #[test]
    fn identifiers_are_sorted_by_time_and_unique() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..5000).map(|_| MailId::new()).collect::<Vec<_>>()))
            .collect();
        let mut names = Vec::new();
        for thread in threads {
            let of_thread = thread.join().unwrap();
            assert!(of_thread.is_sorted());
            names.extend(of_thread);
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 20_000);
        assert!(
            MailId::from_parts(1_795_370_399_000_000, 7).as_str()
                < MailId::from_parts(1_795_370_399_000_001, 0).as_str()
        );
    }

    #[test]
    fn an_identifier_reads_back_and_a_path_is_refused() {
        let name = MailId::new();
        assert_eq!(MailId::parse(name.as_str()), Some(name));
        for bad in ["", "../../etc/passwd", "0123456789abcdef", "0123456789ABCDEFG", "0123456789abcdefi"] {
            assert_eq!(MailId::parse(bad), None, "{bad:?}");
        }
    }
}
