use rcgen::{CertificateParams, KeyPair};

use super::*;

const HOST: &str = "mail.example.org";
const DAY: i64 = 86_400;

struct Fixture {
    from: Tls,
    folder: PathBuf,
    root: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let root = tempfile::tempdir().unwrap();
    let from = Tls { certificate: root.path().join("fullchain.pem"), key: root.path().join("privkey.pem") };
    Fixture { from, folder: root.path().join("run/tls"), root }
}

/// A pair that expires `days` from now.
fn pair(name: &str, days: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
    let day = |days: i64| {
        let (year, month, day) = calendar::date(now() / DAY + days);
        rcgen::date_time_ymd(i32::try_from(year).unwrap(), month, day)
    };
    (parameters.not_before, parameters.not_after) = (day(-100), day(days));
    (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn not_x509() -> String {
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()
}

fn now() -> i64 {
    i64::try_from(crate::init::unit::Moment::now().wall).unwrap()
}

impl Fixture {
    fn write(&self, (certificate, key): &(String, String)) {
        fs::write(&self.from.certificate, certificate).unwrap();
        fs::write(&self.from.key, key).unwrap();
    }

    fn bring(&self) -> Option<String> {
        install(&self.from, &self.folder, HOST, now(), None).map(|concern| concern.to_string())
    }

    /// The pair in use.
    fn serving(&self) -> Option<(String, String)> {
        let tls = current(&self.folder)?;
        Some((fs::read_to_string(tls.certificate).unwrap(), fs::read_to_string(tls.key).unwrap()))
    }
}

#[test]
fn a_new_pair_replaces_the_previous_one_completely() {
    let fixture = fixture();
    let pairs = [pair(HOST, 30), pair("*.example.org", 60)];
    for pair in &pairs {
        fixture.write(pair);
        for _ in 0..2 {
            assert_eq!(fixture.bring(), None);
            assert_eq!(fixture.serving().as_ref(), Some(pair));
        }
    }
    assert_eq!(
        fs::read_dir(&fixture.folder).unwrap().count(),
        3,
        "a configuration may still name the other pair"
    );
    remove_unused(&fixture.folder);
    assert_eq!(fs::read_dir(&fixture.folder).unwrap().count(), 2, "the pair and the link");
    assert_eq!(fixture.serving().as_ref(), pairs.last());
    let key = current(&fixture.folder).unwrap().key;
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o440);
}

#[test]
fn an_unusable_pair_is_reported_and_the_previous_one_stays_in_use() {
    let fixture = fixture();
    assert!(fixture.bring().unwrap().contains("fullchain.pem"), "there is no file yet");
    assert_eq!(fixture.serving(), None);
    let good = pair(HOST, 30);
    let other = pair(HOST, 30);
    fixture.write(&good);
    assert_eq!(fixture.bring(), None);
    for (bad, expected) in [
        ((good.0.clone(), other.1.clone()), "privkey.pem does not match the first certificate"),
        (
            ("half a certi".to_owned(), good.1.clone()),
            "fullchain.pem cannot be used: it has no certificate in PEM",
        ),
        ((good.0.clone(), String::new()), "privkey.pem cannot be used: it has no private key in PEM"),
        ((not_x509(), good.1.clone()), "fullchain.pem is not X.509"),
        (pair(HOST, -1), "it expired on"),
    ] {
        fixture.write(&bad);
        let concern = fixture.bring().unwrap();
        assert!(concern.contains(expected) && concern.contains("stays in use"), "{concern}");
        assert!(!concern.contains("PRIVATE"), "{concern}");
        assert!(!concern.contains("run/tls"), "our own copy is named: {concern}");
        assert_eq!(fixture.serving().as_ref(), Some(&good), "{expected}");
    }
    fs::remove_file(&fixture.from.key).unwrap();
    assert!(fixture.bring().unwrap().contains("privkey.pem"));
    fs::create_dir(&fixture.from.key).unwrap();
    assert!(fixture.bring().unwrap().contains("not a regular file"));
    assert_eq!(fixture.serving().as_ref(), Some(&good));
}

#[test]
fn a_certificate_with_a_cn_and_no_names_is_reported() {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, HOST);
    let fixture = fixture();
    fixture.write(&(parameters.self_signed(&key).unwrap().pem(), key.serialize_pem()));
    let concern = fixture.bring().unwrap();
    assert!(concern.contains("is for no name, since it has no subjectAltName"), "{concern}");
}

#[test]
fn a_pair_with_other_names_or_an_old_date_is_used_without_a_better_one_and_is_reported() {
    let fixture = fixture();
    for (pair, expected) in
        [(pair(HOST, -1), "expired on"), (pair("mx.example.net", 30), "not for mail.example.org")]
    {
        fixture.write(&pair);
        let concern = fixture.bring().unwrap();
        assert!(concern.contains(expected), "{concern}");
        assert_eq!(fixture.serving().as_ref(), Some(&pair));
    }
    assert!(fixture.root.path().exists());
}

#[test]
fn an_unusable_key_is_reported_with_its_type_and_the_fix() {
    let fixture = fixture();
    let (certificate, key) = pair(HOST, 30);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned();
    fixture.write(&(certificate.clone(), encrypted));
    let concern = fixture.bring().unwrap();
    assert!(concern.contains("the private key in it is encrypted"), "{concern}");
    assert!(concern.contains("openssl pkey -in") && concern.contains("privkey.pem"), "{concern}");
    fs::remove_file(&fixture.from.key).unwrap();
    let concern = fixture.bring().unwrap();
    assert!(concern.contains("put it at") && concern.contains("privkey.pem"), "{concern}");
    for (text, kind) in [
        (include_str!("small-rsa.pem"), "an RSA key of 1024 bits"),
        (include_str!("secp256k1.pem"), "a key on the curve 1.3.132.0.10"),
    ] {
        fixture.write(&(text.to_owned(), text.to_owned()));
        let concern = fixture.bring().unwrap();
        assert!(concern.contains(kind) && concern.contains("openssl genpkey"), "{concern}");
    }
    fixture.write(&(certificate, key));
    assert_eq!(fixture.bring(), None);
}

#[test]
fn a_pair_whose_lines_are_joined_is_used_with_all_its_certificates() {
    let fixture = fixture();
    let (certificate, key) = pair(HOST, 30);
    let (issuer, _) = pair("ca.example.org", 30);
    let joined = format!("\u{feff}{}{issuer}", certificate.trim_end());
    fixture.write(&(joined, key.replace('\n', "\r\n")));
    assert_eq!(fixture.bring(), None);
    let serving = load(&current(&fixture.folder).unwrap()).unwrap();
    assert_eq!(serving.chain.len(), 2);
}
