//! A message's structure: the same in whatever pieces the message comes, within its bounds, and kept by its blob.

#![no_main]

use libfuzzer_sys::fuzz_target;
use message::outline::{Content, Indexer};
use message::text::SearchablePart;
use message::{Outline, Part};

fuzz_target!(|octets: &[u8]| {
    let outline = Outline::parse(octets);
    within(&outline.root, octets);
    assert_eq!(outline.octets(), message::crlf::to_crlf(octets).len() as u64);

    let mut indexer = Indexer::new();
    let (first, size) =
        octets.split_first().map_or((&[][..], 1), |(first, _)| (octets, usize::from(first % 7) + 1));
    first.chunks(size).for_each(|piece| indexer.push(piece));
    assert_eq!(indexer.finish(), outline);

    let blob = outline.encode();
    assert_eq!(Outline::decode(&blob).as_ref().ok(), Some(&outline));
    let _ = Outline::decode(octets);
    for piece in outline.searchable_parts() {
        if let SearchablePart::Text(part) = piece {
            let mut text = String::new();
            let mut decoder = part.text_decoder();
            part.body.slice(octets).chunks(size).for_each(|piece| decoder.push(piece, &mut text));
            decoder.finish(&mut text);
            let _ = message::text::folded(&text);
        }
    }
});

fn within(part: &Part, octets: &[u8]) {
    for span in [part.header, part.body] {
        assert!(span.start <= span.end && span.end <= octets.len() as u64, "{span:?}");
        assert_eq!(span.octets, message::crlf::to_crlf(span.slice(octets)).len() as u64, "{span:?}");
    }
    match &part.content {
        Content::Single => {}
        Content::Multipart(parts) => parts.iter().for_each(|part| within(part, octets)),
        Content::Message(message) => within(&message.root, octets),
    }
}
