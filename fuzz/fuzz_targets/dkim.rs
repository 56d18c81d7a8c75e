//! DKIM signatures, key records and bodies of other hosts: parsing and verification never panic, and the hash of a body
//! does not depend on the pieces in which it arrives.

#![no_main]

use dkim::{BodyHasher, Canonicalization, HeaderSection, KeyRecord};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let (header, body) = message::field::split(octets);
    let section = HeaderSection::parse(header);
    let hashes = [Canonicalization::Simple, Canonicalization::Relaxed].map(|form| {
        let mut whole = BodyHasher::new(form);
        whole.update(body);
        let mut in_pieces = BodyHasher::new(form);
        let middle = body.len() / 2;
        body[..middle].chunks(3).for_each(|piece| in_pieces.update(piece));
        body[middle..].chunks(1).for_each(|piece| in_pieces.update(piece));
        let (whole, in_pieces) = (whole.finish(), in_pieces.finish());
        assert_eq!(whole.octets(), in_pieces.octets());
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
