use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;

/// RFC 8463 §A.2
const EDWARDS: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byY\
                   zCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

fn parse(record: &str) -> Result<KeyRecord, KeyError> {
    KeyRecord::parse(record.as_bytes())
}

#[test]
fn a_record_with_defaults_is_an_unrestricted_rsa_key() {
    let key = parse(&format!("p={RSA}")).unwrap();
    assert!(matches!(key.key, PublicKey::Rsa(_, 1024)));
    assert!(key.allows_sha256 && key.allows_mail && !key.is_testing && !key.is_strict);
}

#[test]
fn every_valid_spelling_of_a_record_is_read() {
    let folded = RSA.chars().map(|letter| format!("{letter} ")).collect::<String>();
    let inner =
        subject_public_key(&BASE64_STANDARD.decode(RSA).unwrap()).map(|key| BASE64_STANDARD.encode(key));
    for record in [
        format!("v=DKIM1; k=rsa; p={RSA}"),
        format!("v=DKIM1;k=RSA;p={RSA};"),
        format!("v=DKIM1;; n=for tests; g=*; p={RSA}"),
        format!("k=rsa; p={folded}"),
        format!("p={}", inner.unwrap()),
        format!("v=DKIM1; k=ed25519; p={EDWARDS}"),
        format!("v=DKIM1; k=ed25519; p={}", EDWARDS.trim_end_matches('=')),
    ] {
        assert!(parse(&record).is_ok(), "{record}");
    }
}

#[test]
fn unusable_keys_are_refused_with_a_reason() {
    let short = BASE64_STANDARD.encode([7; 31]);
    for (record, error) in [
        (String::new(), KeyError::Malformed),
        ("v=spf1 -all".to_owned(), KeyError::Malformed),
        ("v=DKIM1; k=rsa".to_owned(), KeyError::Malformed),
        (format!("v=DKIM2; p={RSA}"), KeyError::Malformed),
        (format!("v=dkim1; p={RSA}"), KeyError::Malformed),
        (format!("p={RSA}; p={RSA}"), KeyError::Malformed),
        ("v=DKIM1; p=".to_owned(), KeyError::Revoked),
        ("v=DKIM1; k=rsa; p= ;".to_owned(), KeyError::Revoked),
        ("v=DKIM1; k=dsa; p=".to_owned(), KeyError::Revoked),
        (format!("k=dsa; p={RSA}"), KeyError::UnknownType),
        (format!("k=; p={RSA}"), KeyError::UnknownType),
        ("p=AAAA".to_owned(), KeyError::Malformed),
        ("p=not base64!".to_owned(), KeyError::Malformed),
        (format!("k=rsa; p={EDWARDS}"), KeyError::Malformed),
        (format!("k=ed25519; p={short}"), KeyError::Malformed),
        (format!("k=ed25519; p={RSA}"), KeyError::Malformed),
    ] {
        assert_eq!(parse(&record).unwrap_err(), error, "{record}");
    }
}

#[test]
fn hashes_services_and_flags_are_lists() {
    let key = |tags: &str| parse(&format!("{tags}; p={RSA}")).unwrap();
    for (tags, allows) in
        [("h=sha256", true), ("h=sha1:SHA256", true), ("h=sha1", false), ("h=", false), ("h=sha2560", false)]
    {
        assert_eq!(key(tags).allows_sha256, allows, "{tags}");
    }
    for (tags, allows) in
        [("s=*", true), ("s=email", true), ("s=other : Email", true), ("s=other", false), ("s=", false)]
    {
        assert_eq!(key(tags).allows_mail, allows, "{tags}");
    }
    for (tags, flags) in
        [("t=y", (true, false)), ("t= y : s ", (true, true)), ("t=s", (false, true)), ("t=x", (false, false))]
    {
        let key = key(tags);
        assert_eq!((key.is_testing, key.is_strict), flags, "{tags}");
    }
}

#[test]
fn truncated_der_is_refused() {
    let der = BASE64_STANDARD.decode(RSA).unwrap();
    for length in 1..der.len() {
        let record = format!("p={}", BASE64_STANDARD.encode(&der[..length]));
        assert_eq!(parse(&record).unwrap_err(), KeyError::Malformed, "{length}");
    }
}
