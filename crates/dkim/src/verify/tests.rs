use super::*;
use crate::{BodyHasher, HeaderSection};

/// Verifies all signatures of a whole message, each by the records at its name.
fn verify_all(message: &str, records: impl Fn(&str) -> Vec<String>) -> Vec<Verified> {
    let (header, body) = message::field::split(message.as_bytes());
    let section = HeaderSection::parse(header);
    let verify = |field: crate::SignatureField<'_>| {
        let signature = field.read().unwrap();
        assert_eq!(signature.early_failure(&section, 1_800_000_000), None);
        let mut hasher = BodyHasher::new(signature.body_canonicalization());
        body.chunks(3).for_each(|piece| hasher.update(piece));
        let records = records(signature.key_name().as_str());
        signature.verify(&section.digest(&signature), &hasher.finish(), &records)
    };
    section.signatures().map(verify).collect()
}

const PASSES: Verified = Verified { result: Ok(()), is_testing: false };

/// RFC 8463 §A.3
const FOOTBALL: &str = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n \
    d=football.example.com; i=@football.example.com;\r\n \
    q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n \
    subject : date : message-id : from : subject : date;\r\n \
    bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n \
    b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n \
    Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n \
    d=football.example.com; i=@football.example.com;\r\n \
    q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n \
    date : message-id : from : subject : date;\r\n \
    bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n \
    b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n \
    DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n \
    dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n\
    From: Joe SixPack <joe@football.example.com>\r\n\
    To: Suzie Q <suzie@shopping.example.net>\r\n\
    Subject: Is dinner ready?\r\n\
    Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
    Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\
    \r\n\
    Hi.\r\n\
    \r\n\
    We lost the game.  Are you hungry yet?\r\n\
    \r\n\
    Joe.\r\n";

fn football_records(name: &str) -> Vec<String> {
    let record = match name {
        "brisbane._domainkey.football.example.com" => {
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        }
        _ => {
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bd\
             OKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLz\
             BfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
        }
    };
    vec![record.to_owned()]
}

#[test]
fn the_message_of_rfc_8463_verifies_with_both_keys() {
    assert_eq!(verify_all(FOOTBALL, football_records), [PASSES, PASSES]);
    let changed = FOOTBALL.replace("hungry", "thirsty");
    let failed = Verified { result: Err(SignatureFailure::BodyHash), is_testing: false };
    assert_eq!(verify_all(&changed, football_records), [failed.clone(), failed]);
}

#[test]
fn test_mode_is_reported() {
    let testing = |name: &str| vec![football_records(name)[0].replace("v=DKIM1", "v=DKIM1; t=y")];
    let passed = Verified { result: Ok(()), is_testing: true };
    assert_eq!(verify_all(FOOTBALL, testing), [passed.clone(), passed]);
    let failed = Verified { result: Err(SignatureFailure::Signature), is_testing: true };
    assert_eq!(verify_all(&FOOTBALL.replace("dinner", "supper"), testing), [failed.clone(), failed]);
}

#[test]
fn signatures_of_dkimpy_and_opendkim_verify() {
    let mut counts = [0, 0, 0];
    for line in include_str!("../../vectors/signed.txt").lines() {
        let mut parts = line.splitn(3, ' ');
        let (who, forms) = (parts.next().unwrap(), parts.next().unwrap());
        let mut strings = serde_json::Deserializer::from_str(parts.next().unwrap()).into_iter::<String>();
        let (record, message) = (strings.next().unwrap().unwrap(), strings.next().unwrap().unwrap());
        let verified = verify_all(&message, |_| vec![record.clone()]);
        let (at, expected) = match who {
            "dkimpy" => (0, Ok(())),
            "opendkim" => (1, Ok(())),
            _ => (2, Err(KeyError::Weak.into())),
        };
        counts[at] += 1;
        assert_eq!(
            verified,
            [Verified { result: expected, is_testing: false }],
            "{who} {forms}: {message:?}"
        );
    }
    assert_eq!(counts, [60, 64, 3]);
}

#[test]
fn a_length_must_cover_the_whole_body() {
    let with = |length: &str| FOOTBALL.replace("s=test;", &format!("s=test; l={length};"));
    let signature = |message: &str| {
        let section = HeaderSection::parse(message.as_bytes());
        let field = section.signatures().nth(1).unwrap();
        field.read().unwrap()
    };
    let (_, body) = message::field::split(FOOTBALL.as_bytes());
    let mut hasher = BodyHasher::new(crate::Canonicalization::Relaxed);
    hasher.update(body);
    let body = hasher.finish();
    for (length, result) in [
        ("54", Ok(())),
        ("53", Err(SignatureFailure::PartOfBody)),
        ("0", Err(SignatureFailure::PartOfBody)),
        ("55", Err(SignatureFailure::BodyHash)),
        ("99999999999999999999999999", Err(SignatureFailure::BodyHash)),
    ] {
        assert_eq!(signature(&with(length)).check_body(&body), result, "l={length} of {}", body.length);
    }
}

proptest::proptest! {
    #[test]
    fn any_signature_is_verified_without_a_panic(
        tags in proptest::collection::vec(
            ("[vabcdhilqstxzkp]|bh", "[ \r\n\t]{0,2}", "(1|rsa-sha256|relaxed/|example\\.org|@|From:|[A-Za-z0-9+/=]{0,8}|\\PC{0,4})"),
            0..16
        ),
        head in "(From ?: x\r\n|[ \t]y\r\n|dkim-signature:b=\r\n|\\PC{0,5}[:\r\n]){0,6}",
        body in "[ \t\r\na]{0,12}",
    ) {
        let list: Vec<_> = tags.iter().map(|(name, space, value)| format!("{space}{name}{space}={value}")).collect();
        let signatures = [
            format!("DKIM-Signature:{}\r\n", list.join(";")),
            format!("DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=From; bh=AA; b=AA;{}\r\n", list.join(";")),
        ];
        for signature in signatures {
            let header = format!("{signature}{head}");
            let section = HeaderSection::parse(header.as_bytes());
            for field in section.signatures() {
                let Ok(signature) = field.read() else { continue };
                let _ = signature.early_failure(&section, 0);
                let mut hasher = BodyHasher::new(signature.body_canonicalization());
                hasher.update(body.as_bytes());
                let records = [list.join(";"), "p=AAAA".to_owned()];
                let verified = signature.verify(&section.digest(&signature), &hasher.finish(), &records);
                proptest::prop_assert!(verified.result.is_err());
            }
        }
    }
}
