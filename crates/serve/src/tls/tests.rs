use std::fs;
use std::path::Path;

use handover::config;
use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::{Stream, UpgradeError};

/// Writes a self-signed certificate and its key.
pub(crate) fn certificate(folder: &Path, name: &str) -> config::Tls {
    let files = config::Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    let generated = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    fs::write(&files.certificate, generated.cert.pem()).unwrap();
    fs::write(&files.key, generated.signing_key.serialize_pem()).unwrap();
    files
}

/// A connector that trusts exactly the current certificate in these files.
fn trusting(files: &config::Tls) -> Connector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.certificate).unwrap()).unwrap();
    Connector::trusting(roots).unwrap()
}

async fn connect(tls: &Tls, connector: &Connector) -> Result<(Stream, Stream), UpgradeError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (client, server) = (Stream::from(client.unwrap()), Stream::from(server.unwrap().0));
    let name = ServerName::try_from("mail.example.org").unwrap();
    let (client, server) = tokio::join!(client.secure_to(connector, name, b""), server.secure(tls, b""));
    Ok((client?, server?))
}

async fn carries(streams: &mut (Stream, Stream)) {
    streams.0.send(b"ping").await.unwrap();
    let mut received = Vec::new();
    streams.1.receive(&mut received).await.unwrap();
    assert_eq!(received, b"ping");
}

#[tokio::test]
async fn a_new_certificate_reaches_new_handshakes_and_leaves_running_sessions_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "mail.example.org");
    let tls = Tls::load(&files).unwrap();
    let old = trusting(&files);
    let mut running = connect(&tls, &old).await.unwrap();
    carries(&mut running).await;

    certificate(folder.path(), "mail.example.org");
    let new = trusting(&files);
    assert!(connect(&tls, &new).await.is_err(), "nothing changes before the reload");
    tls.reload(&files).unwrap();
    carries(&mut connect(&tls, &new).await.unwrap()).await;
    carries(&mut running).await;
}

#[tokio::test]
async fn files_that_do_not_fit_together_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "mail.example.org");
    let tls = Tls::load(&files).unwrap();
    let connector = trusting(&files);

    let other = tempfile::tempdir().unwrap();
    fs::copy(certificate(other.path(), "mail.example.org").key, &files.key).unwrap();
    assert!(matches!(tls.reload(&files), Err(TlsError::Mismatch { .. })));
    fs::remove_file(&files.key).unwrap();
    assert!(matches!(tls.reload(&files), Err(TlsError::Certificate(_))));
    carries(&mut connect(&tls, &connector).await.unwrap()).await;
}

#[tokio::test]
async fn a_verifying_client_refuses_a_server_that_an_opportunistic_one_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::load(&certificate(folder.path(), "other.example")).unwrap();
    let trusting_them = trusting(&config::Tls {
        certificate: folder.path().join("certificate.pem"),
        key: folder.path().join("key.pem"),
    });
    assert!(connect(&tls, &Connector::verifying().unwrap()).await.is_err());
    assert!(connect(&tls, &trusting_them).await.is_err(), "the name is another");
    carries(&mut connect(&tls, &Connector::opportunistic().unwrap()).await.unwrap()).await;
}

#[tokio::test]
async fn a_pinned_key_is_accepted_under_any_name_and_no_other_key() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "other.example");
    let tls = Tls::load(&files).unwrap();
    let leaf = CertificateDer::from_pem_file(&files.certificate).unwrap();
    let connector = Connector::pinned_to(&leaf).unwrap();
    carries(&mut connect(&tls, &connector).await.unwrap()).await;

    let other = tempfile::tempdir().unwrap();
    let impostor = Tls::load(&certificate(other.path(), "other.example")).unwrap();
    assert!(connect(&impostor, &connector).await.is_err());

    let other_certificate = CertificateDer::from_pem_file(other.path().join("certificate.pem")).unwrap();
    let either = Connector::pinned_to_any(&[&leaf, &other_certificate]).unwrap();
    carries(&mut connect(&tls, &either).await.unwrap()).await;
    carries(&mut connect(&impostor, &either).await.unwrap()).await;
    let third = tempfile::tempdir().unwrap();
    let third = Tls::load(&certificate(third.path(), "other.example")).unwrap();
    assert!(connect(&third, &either).await.is_err());
}
