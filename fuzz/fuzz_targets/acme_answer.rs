//! Responses of a certificate authority: HTTP fields, an empty line, and a problem document or renewal info.

#![no_main]

use handover::certificate::CertificateFacts;
use hyper::http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use supervisor::steward::acme::{detail, due, next_check, parse_renewal_info, response_metadata};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
/// Checks the part of a foreign text that is shown.
const MAX_LEN: usize = 603;

fuzz_target!(|answer: &[u8]| {
    let end = answer.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((answer, &[][..]), |end| (&answer[..end], &answer[end + 2..]));

    let metadata = response_metadata(&fields(head), NOW);
    let check = next_check(NOW, metadata.retry_at);
    assert!((NOW + 60..=NOW + DAY).contains(&check), "the next check is later, within a day");

    if let Ok(problem) = serde_json::from_slice(body) {
        is_fit_for_a_terminal(&detail(&problem));
    }
    if let Some((window, page)) = parse_renewal_info(body) {
        assert!(window.start < window.end);
        let facts = CertificateFacts {
            names: Vec::new(),
            issuer: String::new(),
            not_before: NOW - 30 * DAY,
            not_after: NOW + 60 * DAY,
        };
        for draw in [0.0, 0.5, 1.0] {
            assert!(due(&facts, Some(window), draw) < facts.not_after, "renewal is due before expiry");
        }
        is_fit_for_a_terminal(&page.unwrap_or_default());
    }
});

fn fields(head: &[u8]) -> HeaderMap {
    let field = |line: &[u8]| {
        let colon = line.iter().position(|octet| *octet == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((name, HeaderValue::from_bytes(&line[colon + 1..]).ok()?))
    };
    head.split(|octet| *octet == b'\n').filter_map(field).collect()
}

fn is_fit_for_a_terminal(words: &str) {
    assert!(words.len() <= MAX_LEN, "{} octets", words.len());
    assert!(!words.contains(char::is_control), "{words:?}");
}
