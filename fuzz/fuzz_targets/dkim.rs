//! Signatures, key records and bodies that strangers wrote.

#![no_main]

use dkim::{BodyHasher, Canonicalization, HeaderSection, KeyRecord};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let (header, body) = message::field::split(octets);
    let section = HeaderSection::parse(header);
    let hashes = [Canonicalization::Simple, Canonicalization::Relaxed].map(|form| {
        let mut whole = BodyHasher::new(form);
        whole.update(body);
        let mut cut = BodyHasher::new(form);
        // The hash does not depend on how the body is cut.
        let middle = body.len() / 2;
        body[..middle].chunks(3).for_each(|piece| cut.update(piece));
        body[middle..].chunks(1).for_each(|piece| cut.update(piece));
        let (whole, cut) = (whole.finish(), cut.finish());
        assert_eq!(whole.octets(), cut.octets());
        whole
    });
    let _ = KeyRecord::parse(body);
    for field in section.signatures() {
        let Ok(signature) = field.read() else { continue };
        let _ = signature.early_failure(&section, 1);
        let body_hash = &hashes[usize::from(signature.body_canonicalization() == Canonicalization::Relaxed)];
        let _ = signature.verify(&section.digest(&signature), body_hash, &[body, octets]);
    }
});
