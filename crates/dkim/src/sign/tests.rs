use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::KeyPair;

use super::*;
use crate::{BodyHasher, Canonicalization, KeyError, SignatureFailure};

struct Keys(Vec<(SigningKey, String)>);

impl Keys {
    fn make() -> Self {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
        let record = format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(public.as_ref()));
        let edwards = Ed25519KeyPair::generate().unwrap();
        let edwards_private = edwards.to_pkcs8v1().unwrap();
        let edwards_record =
            format!("v=DKIM1; k=ed25519; p={}", BASE64_STANDARD.encode(edwards.public_key().as_ref()));
        Self(vec![
            (SigningKey::from_pkcs8(private.as_ref()).unwrap(), record),
            (SigningKey::from_pkcs8(edwards_private.as_ref()).unwrap(), edwards_record),
        ])
    }
}

fn signed(key: &SigningKey, header: &str, body: &str, names: &[&str]) -> String {
    let mut hasher = BodyHasher::new(Canonicalization::Relaxed);
    hasher.update(body.as_bytes());
    let section = HeaderSection::parse(header.as_bytes());
    let domain = Domain::parse("example.org").unwrap();
    let field = sign(&section, &hasher.finish(), key, (&domain, "one"), names, 1000).unwrap();
    assert!(field.lines().all(|line| line.len() <= LINE + 2), "{field}");
    assert!(field.ends_with("\r\n") && !field.contains("\r\n\r\n"), "{field}");
    format!("{field}{header}")
}

fn verify(header: &str, body: &str, records: &[&str]) -> Result<(), SignatureFailure> {
    let section = HeaderSection::parse(header.as_bytes());
    let signature = section.signatures().next().unwrap().read().unwrap();
    if let Some(failure) = signature.early_failure(&section, 1000) {
        return Err(failure);
    }
    let mut hasher = BodyHasher::new(signature.body_canonicalization());
    hasher.update(body.as_bytes());
    signature.verify(&section.digest(&signature), &hasher.finish(), records).result
}

const HEADER: &str = "Received: x\r\nFrom: ann@example.org\r\nSubject : a\r\n\tb\r\nTo:\r\nX: y\r\n\r\n";
const NAMES: [&str; 6] = ["From", "From", "Subject", "Subject", "To", "Cc"];

#[test]
fn a_signature_verifies_until_a_covered_octet_changes() {
    for (key, record) in &Keys::make().0 {
        for body in ["", "\r\n", "text\r\n", "text \t x\r\n \r\n\t\r\n\r\n", " \r\n"] {
            let header = signed(key, HEADER, body, &NAMES);
            assert_eq!(verify(&header, body, &[record]), Ok(()), "{header}");
            // Changes that relaxed form allows.
            let folded =
                header.replace("Subject : a\r\n\tb", "SUBJECT:  a \t b \t").replace("\r\nTo:", "\r\nto \t: ");
            assert_eq!(verify(&folded, body, &[record]), Ok(()), "{folded}");
            assert_eq!(verify(&header, &format!("{body}\r\n \r\n"), &[record]), Ok(()), "{body:?}");
            // Fields that are not covered.
            assert_eq!(verify(&format!("X: z\r\nTo: z\r\n{header}"), body, &[record]), Ok(()));
            // Changes that must fail.
            for changed in [
                header.replace("Subject : a", "Subject : c"),
                header.replace("ann@", "eve@"),
                header.replace("\r\nTo:", "\r\nTo: x"),
                header.replace("\r\nX: y", "\r\nCc: x\r\nX: y"),
                format!("Subject: x\r\n{header}"),
                header.replace("t=1000", "t=1001"),
            ] {
                assert_eq!(verify(&changed, body, &[record]), Err(SignatureFailure::Signature), "{changed}");
            }
            assert_eq!(verify(&header, &format!("{body}x\r\n"), &[record]), Err(SignatureFailure::BodyHash));
        }
    }
}

#[test]
fn the_record_limits_the_use_of_its_key() {
    let keys = Keys::make();
    let (key, record) = &keys.0[0];
    let other = &keys.0[1].1;
    let header = signed(key, HEADER, "text\r\n", &NAMES);
    let with = |tags: &str| record.replace("k=rsa", &format!("k=rsa; {tags}"));
    let unusable = |error: KeyError| Err(SignatureFailure::Key(error));
    let (sha1, other_service, strict) = (with("h=sha1"), with("s=other"), with("t=s"));
    let garbage = record.replacen("p=", "p=MII", 1);
    for (records, result) in [
        (vec![], unusable(KeyError::Missing)),
        (vec![sha1.as_str()], unusable(KeyError::Hash)),
        (vec![&other_service], unusable(KeyError::Service)),
        (vec![&strict], Ok(())),
        (vec![other], unusable(KeyError::OtherType)),
        (vec!["v=DKIM1; p="], unusable(KeyError::Revoked)),
        (vec![&garbage], unusable(KeyError::Malformed)),
        // Several records: the one that verifies counts, else the first key record gives the reason.
        (vec!["v=spf1 -all", record], Ok(())),
        (vec![other, record], Ok(())),
        (vec!["v=DKIM1; p=", record], Ok(())),
        (vec!["v=spf1 -all", &sha1, other], unusable(KeyError::Hash)),
        (vec!["x", "x", "x", "x", record], unusable(KeyError::Malformed)),
    ] {
        assert_eq!(verify(&header, "text\r\n", &records), result, "{records:?}");
    }
}

#[test]
fn names_are_folded_and_the_value_of_the_signature_comes_last() {
    let keys = Keys::make();
    let names: Vec<_> = std::iter::repeat_n("Content-Transfer-Encoding", 40).chain(["From"]).collect();
    for (key, record) in &keys.0 {
        let header = signed(key, HEADER, "", &names);
        assert_eq!(verify(&header, "", &[record]), Ok(()));
        let (before, _) = header.split_once("Received:").unwrap();
        assert!(!before.trim_end().ends_with(';') && before.rsplit_once(";\r\n\tb=").is_some(), "{before}");
    }
}

#[test]
fn a_valid_signature_without_from_is_refused() {
    let keys = Keys::make();
    let (key, record) = &keys.0[1];
    let header = signed(key, HEADER, "", &["Subject", "To"]);
    assert_eq!(verify(&header, "", &[record]), Err(SignatureFailure::FromNotSigned));
    let section = HeaderSection::parse(header.as_bytes());
    let signature = section.signatures().next().unwrap().read().unwrap();
    let body = BodyHasher::new(Canonicalization::Relaxed).finish();
    assert_eq!(signature.verify(&section.digest(&signature), &body, &[record]).result, Ok(()));
}

#[test]
fn an_identity_in_a_subdomain_needs_a_key_that_allows_it() {
    let keys = Keys::make();
    let (key, record) = &keys.0[1];
    let header = signed(key, HEADER, "", &NAMES);
    let strict = record.replacen("k=", "t=y:s; k=", 1);
    for (identity, result) in [
        ("@example.org", SignatureFailure::Signature),
        ("@sub.example.org", SignatureFailure::IdentityInSubdomain),
    ] {
        let with = header.replace("t=1000;", &format!("t=1000; i={identity};"));
        assert_eq!(verify(&with, "", &[&strict]), Err(result), "{identity}");
        assert_eq!(verify(&with, "", &[record]), Err(SignatureFailure::Signature), "{identity}");
    }
}

#[test]
fn an_invalid_private_key_is_refused() {
    assert!(SigningKey::from_pkcs8(b"nonsense").is_err());
    assert!(SigningKey::from_pkcs1(b"").is_err());
}
