use super::*;

const GOOD: &str = "v=1; a=rsa-sha256; d=Example.ORG; s=one; h=From; bh=AAAA; b=AAAA";

fn read(value: &str) -> Result<Signature, SignatureError> {
    let octets = format!("DKIM-Signature: {value}\r\nFrom: ann@example.org\r\n");
    HeaderSection::parse(octets.as_bytes()).signatures().next().unwrap().read()
}

fn early_failure(value: &str, header: &str, now: u64) -> Option<SignatureFailure> {
    let octets = format!("DKIM-Signature: {value}\r\n{header}");
    let section = HeaderSection::parse(octets.as_bytes());
    section.signatures().next().unwrap().read().unwrap().early_failure(&section, now)
}

/// The good signature with additional tags.
fn with(more: &str) -> String {
    format!("{GOOD}; {more}")
}

/// The good signature with another value of a tag, or without the tag.
fn changed(name: &str, value: Option<&str>) -> String {
    let tags = GOOD.split("; ").filter_map(|tag| match (tag.split_once('=').unwrap().0 == name, value) {
        (true, Some(value)) => Some(format!("{name}={value}")),
        (true, None) => None,
        (false, _) => Some(tag.to_owned()),
    });
    tags.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_signature_is_read_with_its_defaults() {
    let signature = read(GOOD).unwrap();
    assert_eq!(signature.domain().as_str(), "example.org");
    assert_eq!(signature.selector(), "one");
    assert_eq!(signature.key_name().as_str(), "one._domainkey.example.org");
    assert_eq!(
        (signature.header_canonicalization(), signature.body_canonicalization()),
        (Canonicalization::Simple, Canonicalization::Simple)
    );
    assert!(signature.has_exact_identity());
}

#[test]
fn folding_white_space_is_read_in_every_value_that_allows_it() {
    let folded = "v=1 ;\r\n\ta = rsa-sha256;\r\n d=example.org ; s=\r\n one;\r\n\th=To :\r\n\tFrom : Subject\r\n ;\
                  bh=AA\r\n\tAA; b=\r\n\tAA \tA\r\n\t=; q= dns/txt ; i=ann@\r\n example.org";
    let signature = read(folded).unwrap();
    assert_eq!(signature.octets(), [0, 0]);
    assert_eq!(signature.names().collect::<Vec<_>>(), [b"To".as_slice(), b"From", b"Subject"]);
    assert!(signature.has_exact_identity());
}

#[test]
fn a_signature_without_a_required_tag_cannot_be_read() {
    for name in ["v", "a", "d", "s", "h", "bh", "b"] {
        assert_eq!(read(&changed(name, None)).unwrap_err(), SignatureError::Missing(name));
    }
}

#[test]
fn malformed_values_are_refused_with_their_tag() {
    use SignatureError::*;
    for (value, error) in [
        (changed("v", Some("2")), Version),
        (changed("v", Some("1.0")), Version),
        (changed("a", Some("rsa-sha512")), Algorithm),
        (changed("a", Some("rsa")), Algorithm),
        (changed("d", Some("a..b")), Malformed("d")),
        (changed("d", Some("")), Malformed("d")),
        (changed("d", Some("exa mple.org")), Malformed("d")),
        (changed("s", Some("")), Malformed("s")),
        (changed("s", Some("a b")), Malformed("s")),
        (changed("h", Some("")), Malformed("h")),
        (changed("h", Some(" : ")), Malformed("h")),
        (changed("bh", Some("A!AA")), Malformed("bh")),
        (changed("bh", Some("")), Malformed("bh")),
        (changed("b", Some("")), Malformed("b")),
        (changed("b", Some("AAAAA")), Malformed("b")),
        (with("c=nofws"), Canonicalization),
        (with("c=relaxed/"), Canonicalization),
        (with("c=/relaxed"), Canonicalization),
        (with("l=-1"), Malformed("l")),
        (with("l="), Malformed("l")),
        (with("t=now"), Malformed("t")),
        (with("x=1e9"), Malformed("x")),
        (with("t=5; x=5"), Malformed("x")),
        (with("t=5; x=4"), Malformed("x")),
        (with("q=http"), QueryMethod),
        (with("i=example.org"), Malformed("i")),
        (with("i=a=4@example.org"), Malformed("i")),
        (with("s=two"), TagList),
        ("nonsense".to_owned(), TagList),
    ] {
        assert_eq!(read(&value).unwrap_err(), error, "{value}");
    }
}

#[test]
fn unusual_valid_values_are_read() {
    for value in [
        changed("a", Some("RSA-SHA256")),
        changed("a", Some("ed25519-sha256")),
        changed("d", Some("b\u{fc}cher.example")),
        changed("s", Some("2026.a_b")),
        changed("h", Some("From:To:")),
        changed("b", Some("AAAAAA")),
        with("c=Relaxed/Simple"),
        with("x_unknown=1; zz=; r=y"),
        with("z=From:ann@example.org|To:=20x"),
        with("q=http:dns/txt"),
        with("i==61nn@sub.example.org"),
        with("i=@example.org"),
        with(&format!("l={}", "9".repeat(76))),
        with(&format!("t=1; x={}", "9".repeat(40))),
    ] {
        assert!(read(&value).is_ok(), "{value}: {:?}", read(&value).unwrap_err());
    }
    let relaxed = read(&with("c=relaxed")).unwrap();
    assert_eq!(
        (relaxed.header_canonicalization(), relaxed.body_canonicalization()),
        (Canonicalization::Relaxed, Canonicalization::Simple)
    );
}

#[test]
fn a_signature_has_to_cover_every_from() {
    let one = "From: ann@example.org\r\n";
    let two = "From: eve@example.net\r\nFrom: ann@example.org\r\n";
    for (names, header, is_refused) in [
        ("From", one, false),
        ("fROM", one, false),
        ("To:Subject", one, true),
        ("From-x", one, true),
        ("From", two, true),
        ("From:From", two, false),
        ("From:From", one, false),
        ("From", "From : ann@example.org\r\n", false),
        ("From", "From : ann@example.org\r\nFrom: eve@example.net\r\n", true),
        ("From", "Subject: x\r\n", false),
    ] {
        let refused = early_failure(&changed("h", Some(names)), header, 0);
        assert_eq!(refused, is_refused.then_some(SignatureFailure::FromNotSigned), "{names} over {header:?}");
    }
}

#[test]
fn the_identity_must_be_in_the_domain() {
    let header = "From: x\r\n";
    for (identity, is_refused) in [
        ("@example.org", false),
        ("ann@EXAMPLE.org", false),
        ("ann@a.b.example.org", false),
        ("\"a@b\"@example.org", false),
        ("@example.net", true),
        ("@org", true),
        ("@evilexample.org", true),
        ("ann@example.org.example.net", true),
        ("@", true),
        ("@.example.org", true),
    ] {
        let refused = early_failure(&with(&format!("i={identity}")), header, 0);
        assert_eq!(refused, is_refused.then_some(SignatureFailure::IdentityOutsideDomain), "{identity}");
    }
}

#[test]
fn a_signature_expires_and_may_be_from_the_future() {
    let header = "From: x\r\n";
    assert_eq!(early_failure(&with("x=1000"), header, 1000), None);
    assert_eq!(early_failure(&with("x=1000"), header, 1001), Some(SignatureFailure::Expired));
    assert_eq!(early_failure(&with("x=0"), header, 1001), Some(SignatureFailure::Expired));
    assert_eq!(early_failure(&with("t=5000"), header, 1000), None);
    assert_eq!(early_failure(&with("t=5000; x=6000"), header, 1000), None);
}

#[test]
fn sha1_is_refused_without_a_query() {
    let value = changed("a", Some("rsa-sha1"));
    assert_eq!(early_failure(&value, "From: x\r\n", 0), Some(SignatureFailure::RetiredAlgorithm));
}
