use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::SystemRandom;
use handover::config::Heartbeat;
use message::DateTime;

use super::{BeatFailure, Step};

/// The header field with the signature.
const FIELD: &str = "Mailstead-Heartbeat";
const BODY: &str = "This message tests the mail flow. It is removed as soon as it has been read.\r\n";

/// The key that signs this process's messages. It exists only in this process, so no other message passes as one.
pub(super) struct Signer(hmac::Key);

/// A heartbeat message.
pub(super) struct TestMessage {
    /// The `Message-ID`, by which the message is found in the mailbox.
    pub(super) message_id: String,
    /// The complete message.
    pub(super) octets: String,
}

impl Signer {
    pub(super) fn new() -> Self {
        let key = hmac::Key::generate(HMAC_SHA256, &SystemRandom::new());
        Self(key.expect("the kernel's random numbers never fail once the system runs"))
    }

    /// Writes a message with a unique `Message-ID`.
    pub(super) fn write(&self, heartbeat: &Heartbeat) -> TestMessage {
        let Heartbeat { address, hostname, .. } = heartbeat;
        let mut nonce = [0; 16];
        aws_lc_rs::rand::fill(&mut nonce)
            .expect("the kernel's random numbers never fail once the system runs");
        let nonce = hexadecimal(&nonce);
        let message_id = format!("<{nonce}@{hostname}>");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let date = DateTime::from_unix(i64::try_from(now).unwrap_or(i64::MAX), 0).to_string();
        let signature =
            hexadecimal(hmac::sign(&self.0, signed(&message_id, &date, BODY).as_bytes()).as_ref());
        let octets = format!(
            "From: Mailstead <{address}>\r\nTo: <{address}>\r\nSubject: Heartbeat\r\nDate: {date}\r\n\
             Message-ID: {message_id}\r\nAuto-Submitted: auto-generated\r\n{FIELD}: {signature}\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{BODY}"
        );
        TestMessage { message_id, octets }
    }

    /// Checks that a received message is one of ours, unchanged, and has passed the checks on its way.
    pub(super) fn verify(&self, arrived: &[u8], heartbeat: &Heartbeat) -> Result<(), BeatFailure> {
        let changed = |why: &str| BeatFailure::new(Step::Verify, why);
        let text = str::from_utf8(arrived).map_err(|_| changed("it is no longer ASCII"))?;
        let (header, body) = text.split_once("\r\n\r\n").ok_or_else(|| changed("its body is missing"))?;
        let field = |name: &str| {
            let missing = || changed(&format!("its field {name} is missing"));
            header.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).ok_or_else(missing)
        };
        let (message_id, date, signature) = (field("Message-ID")?, field("Date")?, field(FIELD)?);
        let signature = octets(signature).ok_or_else(|| changed("its signature is malformed"))?;
        hmac::verify(&self.0, signed(message_id, date, body).as_bytes(), &signature)
            .map_err(|_| changed("its signature does not match its content"))?;
        let recorded = format!("Authentication-Results: {};", heartbeat.hostname);
        match header.lines().any(|line| line.starts_with(&recorded)) {
            true => Ok(()),
            false => Err(BeatFailure::new(Step::Check, format!("the field {recorded} is missing"))),
        }
    }
}

/// The signed data.
fn signed(message_id: &str, date: &str, body: &str) -> String {
    format!("{message_id}\n{date}\n{body}")
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets(hexadecimal: &str) -> Option<Vec<u8>> {
    let is_whole = hexadecimal.is_ascii() && hexadecimal.len().is_multiple_of(2);
    let places = (0..hexadecimal.len()).step_by(2).filter(|_| is_whole);
    let octets: Option<Vec<u8>> =
        places.map(|place| u8::from_str_radix(&hexadecimal[place..place + 2], 16).ok()).collect();
    octets.filter(|octets| !octets.is_empty())
}
