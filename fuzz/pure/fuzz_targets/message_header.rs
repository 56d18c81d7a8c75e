//! Header fields and their values.

#![no_main]

use libfuzzer_sys::fuzz_target;
use message::mime::{ContentDisposition, ContentType};
use message::{AddressList, DateTime, Envelope};

fuzz_target!(|octets: &[u8]| {
    let _ = Envelope::parse(octets);
    let _ = message::text::header_lines(octets).count();
    for field in message::field::fields(octets) {
        let value = field.unfolded();
        let _ = message::encoded_word::decode(&value);
        let _ = AddressList::parse(&value);
        let _ = ContentType::parse(&value);
        let _ = ContentDisposition::parse(&value);
        let _ = message::mime::language_tags(&value);
        let _ = message::message_id::identifiers(&value);
        if let Some(date) = DateTime::parse(&value) {
            let _ = (date.to_unix(), date.rfc5322());
        }
    }
    let (header, body) = message::field::split(octets);
    assert_eq!(header.len() + body.len(), octets.len());
});
