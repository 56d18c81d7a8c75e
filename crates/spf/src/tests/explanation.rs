//! RFC 7208 §6.2.

use super::super::explanation::MAX_LEN;
use super::*;

/// The explanation for a client that example.com does not permit, if the domain publishes this text.
fn explained(text: &str, local_part: &str, helo: &str) -> Option<String> {
    let mut zone = zone(&[
        ("example.com.", "TXT", "v=spf1 -all exp=why.example.com"),
        ("7.100.51.198.in-addr.arpa.", "PTR", "mail.example.com."),
        ("mail.example.com.", "A", "198.51.100.7"),
    ]);
    let record = RData::TXT(TXT::from_bytes(text.as_bytes().chunks(255).collect()));
    zone.insert((name("why.example.com."), RecordType::TXT), Answer::Found(vec![record]));
    let sender = Sender { ip: "198.51.100.7".parse().unwrap(), local_part, domain: "example.com", helo };
    let explanation = check_sender(&zone, &sender).unwrap().explanation.unwrap();
    let receiver = Receiver { host: "mx.example.net", time: 1_234_567_890 };
    explanation.text(&zone, &sender, &receiver).unwrap()
}

#[test]
fn rfc_7208_6_2_the_queries_of_an_explanation_come_after_those_of_the_evaluation() {
    let mut answers = zone(&[("example.com.", "TXT", "v=spf1 -all exp=%{p}.why.example.com")]);
    let sender = Sender {
        ip: "::ffff:198.51.100.7".parse().unwrap(),
        local_part: "ann",
        domain: "example.com",
        helo: "mail.example.com",
    };
    let receiver = Receiver { host: "unknown", time: 0 };
    let explanation = check_host(&answers, &sender).unwrap().explanation.unwrap();
    for (owner, kind, value) in [
        ("7.100.51.198.in-addr.arpa.", "PTR", "mail.example.com."),
        ("mail.example.com.", "A", "198.51.100.7"),
        ("mail.example.com.why.example.com.", "TXT", "%{p} is not %{r}"),
    ] {
        let query = (name(owner), record(kind, value).0);
        assert_eq!(explanation.text(&answers, &sender, &receiver), Err([query].into()), "{owner}");
        answers.extend(zone(&[(owner, kind, value)]));
    }
    let text = explanation.text(&answers, &sender, &receiver);
    assert_eq!(text.unwrap().as_deref(), Some("mail.example.com is not unknown"));
}

#[test]
fn an_explanation_contains_no_control_characters_of_the_client() {
    assert_eq!(explained("%{l}", "a\r\n250 b", "h").as_deref(), None);
    assert_eq!(explained("%{h}", "ann", "h\u{7f}").as_deref(), None);
    assert_eq!(explained("%{L}", "a\r\n250 b", "h").as_deref(), Some("a%0D%0A250%20b"));
}

proptest::proptest! {
    #[test]
    fn an_explanation_is_short_and_of_printable_ascii(
        text in "([ -~]{0,40}|%\\{[slodiphvcrtSLODIPHVCRT][0-9]{0,2}r?[-.+,/_=]{0,2}\\}|%[%_-]|é){0,20}",
        local_part in "\\PC{0,80}|[\\x00-\\x7f]{0,80}",
        helo in "[\\x00-\\x7f]{0,255}",
    ) {
        if let Some(text) = explained(&text, &local_part, &helo) {
            assert!((1..=MAX_LEN).contains(&text.len()), "{text}");
            assert!(text.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{text:?}");
        }
    }
}
