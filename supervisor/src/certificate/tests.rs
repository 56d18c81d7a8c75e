use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::*;

const DAY: u64 = 24 * 3600;

fn now() -> u64 {
    crate::init::unit::Moment::now().wall
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Connects as a client that trusts the authority file, to a server with these files, under that name.
fn handshake(folder: &Path, name: &str) -> Result<(), rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let loaded = handover::certificate::load(&files(folder)).unwrap();
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(loaded.chain, loaded.key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority(folder)).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let mut client =
        ClientConnection::new(Arc::new(client), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        server.read_tls(&mut flight.as_slice()).unwrap();
        let _ = server.process_new_packets();
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        let mut flight = flight.as_slice();
        while !flight.is_empty() {
            client.read_tls(&mut flight).unwrap();
            client.process_new_packets()?;
        }
    }
    client.writer().write_all(b"x").unwrap();
    let mut flight = Vec::new();
    client.write_tls(&mut flight).unwrap();
    server.read_tls(&mut flight.as_slice()).unwrap();
    server.process_new_packets().unwrap();
    let mut octet = [0];
    server.reader().read_exact(&mut octet).unwrap();
    Ok(())
}

#[test]
fn a_client_that_trusts_the_authority_accepts_every_name_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let names = names(&["mail.example.org", "localhost", "127.0.0.1", "::1"]);
    assert_eq!(ensure(folder.path(), &names, now(), None).unwrap(), CertificateState::Created);
    for name in &names {
        handshake(folder.path(), name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(handshake(folder.path(), "mail.example.net").is_err());
    let facts = facts(&files(folder.path()).certificate).unwrap();
    assert_eq!(facts.names, names);
    let mode = fs::metadata(files(folder.path()).key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_valid_certificate_is_kept_and_an_expiring_or_misnamed_one_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let one = names(&["mail.example.org"]);
    let other = names(&["mx.example.org"]);
    let then = now() - 790 * DAY;
    assert_eq!(ensure(folder.path(), &one, then, None).unwrap(), CertificateState::Created);
    assert_eq!(ensure(folder.path(), &one, then, None).unwrap(), CertificateState::Good);
    assert_eq!(ensure(folder.path(), &one, then + 793 * DAY, None).unwrap(), CertificateState::Good);
    assert_eq!(ensure(folder.path(), &one, then + 795 * DAY, None).unwrap(), CertificateState::Created);
    assert_eq!(ensure(folder.path(), &other, now(), None).unwrap(), CertificateState::Created);
    fs::remove_file(files(folder.path()).key).unwrap();
    assert_eq!(ensure(folder.path(), &other, now(), None).unwrap(), CertificateState::Created);
    handshake(folder.path(), "mx.example.org").unwrap();
}

#[test]
fn the_key_is_created_once_and_every_certificate_is_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let tls = files(folder.path());
    ensure(folder.path(), &names(&["mail.example.org"]), now(), None).unwrap();
    let key = fs::read_to_string(&tls.key).unwrap();
    let first = fingerprint(&tls.certificate).unwrap();
    ensure(folder.path(), &names(&["mx.example.org"]), now(), None).unwrap();
    fs::remove_file(&tls.certificate).unwrap();
    ensure(folder.path(), &names(&["mx.example.org"]), now(), None).unwrap();
    assert_eq!(fs::read_to_string(&tls.key).unwrap(), key);
    assert_ne!(fingerprint(&tls.certificate).unwrap(), first);
    assert!(is_of(&tls.certificate, &KeyPair::from_pem(&key).unwrap()));
}

#[test]
fn an_authoritys_certificate_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = rcgen::generate_simple_self_signed(names(&["*.example.org"])).unwrap();
    let tls = files(folder.path());
    fs::write(&tls.certificate, foreign.cert.pem()).unwrap();
    fs::write(&tls.key, foreign.signing_key.serialize_pem()).unwrap();
    assert_eq!(
        ensure(folder.path(), &names(&["mail.example.org"]), now(), None).unwrap(),
        CertificateState::Good
    );
    for wrong in ["example.org", "a.b.example.org", "mail.example.net"] {
        let found = ensure(folder.path(), &names(&[wrong]), now(), None).unwrap();
        assert!(matches!(found, CertificateState::OfAuthority { .. }), "{wrong}: {found:?}");
    }
}

#[test]
fn unusable_files_are_moved_aside_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let tls = files(folder.path());
    let host = names(&["mail.example.org"]);
    fs::write(&tls.certificate, "half a certi").unwrap();
    assert_eq!(ensure(folder.path(), &host, now(), None).unwrap(), CertificateState::Created);
    let aside = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(aside("certificate.pem.unusable"), "half a certi");
    // A foreign certificate without its key.
    let foreign = rcgen::generate_simple_self_signed(host.clone()).unwrap();
    fs::write(&tls.certificate, foreign.cert.pem()).unwrap();
    assert_eq!(ensure(folder.path(), &host, now(), None).unwrap(), CertificateState::Created);
    assert_eq!(aside("certificate.pem.unusable"), "half a certi", "the first file stays");
    assert_eq!(aside("certificate.pem.unusable-2"), foreign.cert.pem());
    fs::write(&tls.key, "no key").unwrap();
    assert_eq!(ensure(folder.path(), &host, now(), None).unwrap(), CertificateState::Created);
    assert_eq!(aside("key.pem.unusable"), "no key");
    handshake(folder.path(), "mail.example.org").unwrap();
}

#[test]
fn a_self_made_certificate_is_renewed_for_the_same_names_and_key_in_time_and_when_the_clock_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let tls = files(folder.path());
    let names = names(&["mail.example.org", "localhost"]);
    let key = || fs::read(&tls.key).unwrap();
    for (made_at, now, is_renewed) in [
        (now(), now(), false),
        (now() - 790 * DAY, now(), false),
        (now() - 800 * DAY, now(), true),
        (now() + 4000 * DAY, now(), true),
        (0, now(), true),
    ] {
        let _ = fs::remove_file(&tls.certificate);
        ensure(folder.path(), &names, made_at, None).unwrap();
        let before = key();
        assert_eq!(renew_self_made(&tls, now).unwrap(), is_renewed, "made at {made_at}");
        assert!(!renew_self_made(&tls, now).unwrap(), "once");
        assert_eq!(key(), before);
        assert_eq!(facts(&tls.certificate).unwrap().names, names);
        handshake(folder.path(), "mail.example.org").unwrap();
    }
    let foreign = rcgen::generate_simple_self_signed(names.clone()).unwrap();
    fs::write(&tls.certificate, foreign.cert.pem()).unwrap();
    fs::write(&tls.key, foreign.signing_key.serialize_pem()).unwrap();
    assert!(!renew_self_made(&tls, now() + 10_000 * DAY).unwrap(), "an authority's is not ours to renew");
}

#[test]
fn a_start_replaces_a_self_made_certificate_that_is_not_valid_yet() {
    let folder = tempfile::tempdir().unwrap();
    let names = names(&["mail.example.org"]);
    ensure(folder.path(), &names, now() + 4000 * DAY, None).unwrap();
    assert_eq!(ensure(folder.path(), &names, now(), None).unwrap(), CertificateState::Created);
    assert_eq!(ensure(folder.path(), &names, now(), None).unwrap(), CertificateState::Good);
}
