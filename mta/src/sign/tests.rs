use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;
use crate::doubles::name_server::NameServer;

/// A pair of keys of a domain, in files, and their DNS records.
pub(crate) struct Keys {
    pub(crate) config: Vec<config::DkimKey>,
    records: Vec<(String, String)>,
    _folder: tempfile::TempDir,
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der))
}

/// One pair for all tests: generating one takes a second of processor time.
fn rsa() -> (&'static [u8], &'static [u8]) {
    static PAIR: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    let (private, public) = PAIR.get_or_init(|| {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        (private.as_ref().to_vec(), public.as_ref().to_vec())
    });
    (private, public)
}

impl Keys {
    pub(crate) fn make(domain: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ed25519 = Ed25519KeyPair::generate().unwrap();
        let ed25519_private = ed25519.to_pkcs8v1().unwrap();
        let mut keys = Self { config: Vec::new(), records: Vec::new(), _folder: folder };
        let (rsa_private, rsa_public) = rsa();
        keys.add(domain, "one", "rsa", rsa_private, rsa_public);
        keys.add(domain, "two", "ed25519", ed25519_private.as_ref(), ed25519.public_key().as_ref());
        keys
    }

    fn add(&mut self, domain: &str, selector: &str, kind: &str, private: &[u8], public: &[u8]) {
        let path = self._folder.path().join(selector);
        std::fs::write(&path, pem(private)).unwrap();
        let record = format!("v=DKIM1; k={kind}; p={}", BASE64_STANDARD.encode(public));
        self.records.push((format!("{selector}._domainkey.{domain}"), record));
        self.config.push(config::DkimKey {
            domain: Domain::parse(domain).unwrap(),
            selector: selector.to_owned(),
            key: path,
        });
    }

    pub(crate) fn publish(&self, names: NameServer) -> NameServer {
        self.records.iter().fold(names, |names, (owner, record)| names.txt(owner, record))
    }

    /// The name and the text of a key's record.
    pub(crate) fn record(&self, at: usize) -> (&str, &str) {
        let (owner, record) = &self.records[at];
        (owner, record)
    }

    pub(crate) fn selectors(&self) -> Vec<String> {
        self.records.iter().map(|(owner, _)| owner.clone()).collect()
    }
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

#[tokio::test]
async fn only_the_keys_of_the_domain_sign() {
    let keys = Keys::make("example.org");
    let signer = Signer::load(&keys.config).unwrap();
    let content = Content::from_octets(b"From: ann@example.org\r\n\r\nhello\r\n".to_vec());
    let fields = String::from_utf8(signer.sign(&domain("example.org"), &content).await.unwrap()).unwrap();
    assert_eq!(fields.matches("DKIM-Signature: v=1;").count(), 2);
    for (algorithm, selector) in [("rsa", "one"), ("ed25519", "two")] {
        let begin = format!("a={algorithm}-sha256; s={selector}; d=example.org;\r\n\tc=relaxed/relaxed; t=");
        assert!(fields.contains(&begin), "{fields}");
    }
    assert!(fields.ends_with("\r\n"));
    assert!(signer.sign(&domain("sub.example.org"), &content).await.unwrap().is_empty());
}

/// Signs a header section and returns the names in `h=`, in lower case.
async fn signed_names(header: &str) -> Vec<String> {
    let keys = Keys::make("example.org");
    let signer = Signer::load(&keys.config).unwrap();
    let content = Content::from_octets(header.as_bytes().to_vec());
    let fields = String::from_utf8(signer.sign(&domain("example.org"), &content).await.unwrap()).unwrap();
    let names: String =
        fields.split("h=").nth(1).unwrap().split(';').next().unwrap().split_whitespace().collect();
    names.to_lowercase().split(':').map(str::to_owned).collect()
}

#[tokio::test]
async fn oversigned_fields_cannot_be_added() {
    let header = "From: ann@example.org\r\nTo: bob@example.net\r\nTo : carol@example.net\r\nSender: x@example.org\r\n\
                  List-Unsubscribe: <https://example.org>\r\nReceived: x\r\n\r\n";
    let names = signed_names(header).await;
    for (name, times) in [
        ("from", 2),
        ("reply-to", 1),
        ("subject", 1),
        ("date", 1),
        ("message-id", 1),
        ("to", 3),
        ("cc", 1),
        ("in-reply-to", 1),
        ("references", 1),
        ("mime-version", 1),
        ("content-type", 1),
        ("content-transfer-encoding", 1),
        ("content-disposition", 1),
        ("content-id", 1),
        ("content-description", 1),
        // Fields that a mailing list or a resender adds must not break the signature.
        ("sender", 1),
        ("list-unsubscribe", 1),
        ("list-id", 0),
        ("resent-from", 0),
        ("received", 0),
    ] {
        assert_eq!(names.iter().filter(|found| *found == name).count(), times, "{name} in {names:?}");
    }
}

#[tokio::test]
async fn an_unreadable_key_does_not_disable_the_others() {
    let mut keys = Keys::make("example.org");
    std::fs::write(&keys.config[0].key, "no key").unwrap();
    keys.config.reverse();
    let signer = Signer::load_usable(&keys.config);
    let content = Content::from_octets(b"From: ann@example.org\r\n\r\nhello\r\n".to_vec());
    let fields = String::from_utf8(signer.sign(&domain("example.org"), &content).await.unwrap()).unwrap();
    assert_eq!(fields.matches("DKIM-Signature: v=1;").count(), 1);
    assert!(
        signer
            .load_errors()
            .is_some_and(|load_error| load_error.contains(keys.config[1].key.to_str().unwrap()))
    );
}

#[tokio::test]
async fn after_a_reload_a_damaged_key_signs_as_before() {
    let keys = Keys::make("example.org");
    let signer = Signer::load_usable(&keys.config);
    assert_eq!(signer.load_errors(), None);
    std::fs::write(&keys.config[0].key, "no key").unwrap();
    let signer = signer.reloaded(&keys.config);
    assert!(signer.load_errors().is_some());
    let content = Content::from_octets(b"From: ann@example.org\r\n\r\nhello\r\n".to_vec());
    let fields = String::from_utf8(signer.sign(&domain("example.org"), &content).await.unwrap()).unwrap();
    assert_eq!(fields.matches("DKIM-Signature: v=1;").count(), 2);
    // A key that the configuration no longer names is gone.
    assert_eq!(signer.reloaded(&keys.config[1..]).load_errors(), None);
}

#[test]
fn the_error_names_an_unusable_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    let key = config::DkimKey { domain: domain("example.org"), selector: "one".into(), key: path.clone() };
    let load_error = || Signer::load(std::slice::from_ref(&key)).unwrap_err();
    assert!(matches!(load_error(), KeyError::Read { .. }));
    std::fs::write(&path, "no key").unwrap();
    assert!(matches!(load_error(), KeyError::Read { .. }));
    std::fs::write(&path, pem(b"nonsense")).unwrap();
    assert!(load_error().to_string().contains("key.pem"), "{}", load_error());
}

#[test]
fn a_key_with_a_byte_order_mark_signs() {
    let keys = Keys::make("example.org");
    for key in &keys.config {
        let text = std::fs::read_to_string(&key.key).unwrap();
        std::fs::write(&key.key, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    }
    assert!(Signer::load(&keys.config).is_ok());
}
