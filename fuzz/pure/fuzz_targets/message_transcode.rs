//! Encoding of parts: no long line, NUL or lone line end remains, in whatever pieces the message comes, and every body
//! decodes to the same octets.

#![no_main]

use libfuzzer_sys::fuzz_target;
use message::outline::Content;
use message::transcode::{Fault, Survey};
use message::transfer::TransferDecoder;
use message::{Outline, Part};

fuzz_target!(|octets: &[u8]| {
    let Ok(whole) = transcoded(octets, usize::MAX) else { return };
    let size = octets.first().map_or(1, |first| usize::from(first % 7) + 1);
    assert_eq!(transcoded(octets, size).as_ref(), Ok(&whole));
    let Some(out) = whole else { return };
    for line in out.split_inclusive(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\r\n").expect("a line ends with CRLF");
        assert!(text.len() <= 998 && !text.iter().any(|octet| matches!(octet, 0 | b'\r')));
    }
    assert_eq!(transcoded(&out, usize::MAX), Ok(None), "a second time");
    let (before, after) = (bodies(octets), bodies(&out));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        // The message's last line gets its CRLF.
        assert_eq!(after.strip_prefix(before.as_slice()).map(|rest| rest.trim_ascii_start()), Some(&[][..]));
    }
});

/// The message; `None` if it is to stay as it is.
fn transcoded(octets: &[u8], size: usize) -> Result<Option<Vec<u8>>, Fault> {
    let mut survey = Survey::new(&Outline::parse(octets));
    octets.chunks(size).for_each(|piece| survey.push(piece));
    let plan = survey.finish()?;
    if plan.offence().is_none() {
        return Ok(None);
    }
    let (mut rewriter, mut out) = (plan.rewriter(), Vec::new());
    octets.chunks(size).for_each(|piece| rewriter.push(piece, &mut out));
    rewriter.finish(&mut out);
    Ok(Some(out))
}

/// The decoded bodies of all parts without structure, with CRLF at the line ends of text.
fn bodies(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    add(&Outline::parse(octets).root, octets, &mut found);
    found
}

fn add(part: &Part, octets: &[u8], found: &mut Vec<Vec<u8>>) {
    match &part.content {
        Content::Single => {
            let mut body = Vec::new();
            let mut decoder = TransferDecoder::new(part.encoding.as_deref());
            decoder.push(part.body.slice(octets), &mut body);
            decoder.finish(&mut body);
            let is_quoted =
                part.encoding.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(b"quoted-printable"));
            found.push(if is_quoted { message::crlf::to_crlf(&body) } else { body });
        }
        Content::Multipart(parts) => parts.iter().for_each(|part| add(part, octets, found)),
        Content::Message(message) => add(&message.root, octets, found),
    }
}
