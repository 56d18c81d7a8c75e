//! Any octets have a structure; it does not depend on the pieces they come in, its spans lie within the octets, and its
//! blob gives it back. What a blob was damaged into is refused, not believed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use message::{
    Outline,
    field::{fields, header_length},
    outline::Indexer,
    section::Section,
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
    if let Some(section) = std::str::from_utf8(octets).ok().and_then(Section::parse) {
        outline.locate(&section.path, &section.wanted);
    }
});
