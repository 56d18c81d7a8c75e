//! Any octets have a structure; it does not depend on the pieces they come in, its spans lie within the octets, and its
//! blob gives it back. What a blob was damaged into is refused, not believed.

#![no_main]

use std::num::NonZeroU32;

use libfuzzer_sys::fuzz_target;
use message::{
    Outline,
    field::{fields, header_length},
    outline::Indexer,
    section::Wanted,
    text::{Piece, header_text},
};

fuzz_target!(|octets: &[u8]| {
    let outline = Outline::parse(octets);
    assert_eq!(outline.whole().end, octets.len() as u64);

    let mut indexer = Indexer::new();
    octets.chunks(7).for_each(|piece| indexer.push(piece));
    assert_eq!(indexer.finish(), outline);

    let blob = outline.encode();
    assert_eq!(Outline::decode(&blob).as_ref(), Ok(&outline));
    let _ = Outline::decode(octets);

    for piece in outline.pieces() {
        match piece {
            Piece::Header(span) | Piece::Mime(span) => drop(header_text(span.of(octets))),
            Piece::Text(part) => drop(part.text(part.body.of(octets))),
        }
    }
    header_text(&octets[..header_length(octets)]);
    assert!(fields(octets).all(|field| field.end <= octets.len()));
    let path: Vec<NonZeroU32> = octets.iter().filter_map(|octet| NonZeroU32::new(u32::from(octet % 4))).collect();
    for wanted in [Wanted::All, Wanted::Header, Wanted::Mime, Wanted::Text] {
        if let Some(span) = outline.locate(&path, wanted) {
            assert!(span.end <= octets.len() as u64);
        }
    }
});
