use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use address::Domain;
use handover::config::{Tls, WebListen};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::*;

struct Fixture {
    web: Arc<Web>,
    http: SocketAddr,
    https: SocketAddr,
    trust: Arc<ClientConfig>,
    _drain: Drain,
    folder: tempfile::TempDir,
}

const HOST: &str = "mail.example.org";
const POLICY_HOST: &str = "mta-sts.example.org";

fn write(folder: &Path) -> Tls {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned(), POLICY_HOST.to_owned()]).unwrap();
    let tls = Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    tls
}

fn trusting(certificate: &Path, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let tls = write(folder.path());
    let live = Arc::new(ServedCertificate::default());
    live.load(&tls).unwrap();
    let (http, https) = (free(), free());
    let site = config::Web {
        hostname: Domain::parse(HOST).unwrap(),
        domains: vec![Domain::parse("example.org").unwrap()],
        operator: Vec::new(),
        listen: WebListen { http: vec![http], https: vec![https] },
    };
    let web = Web::new(site, live, Arc::default()).unwrap();
    let drain = Drain::new();
    let open = web.start(&mut Sockets::default(), &drain).unwrap();
    assert_eq!(open, OpenSockets { http: true, https: true });
    let trust = trusting(&tls.certificate, &[b"http/1.1"]);
    Fixture { web, http, https, trust, _drain: drain, folder }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Vec<u8> {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Whether the server sent a close_notify does not matter here.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

async fn plain(fixture: &Fixture, request: &str) -> String {
    String::from_utf8(exchange(TcpStream::connect(fixture.http).await.unwrap(), request).await).unwrap()
}

async fn secure(fixture: &Fixture, request: &str) -> String {
    String::from_utf8(secure_octets(fixture, request).await).unwrap()
}

async fn secure_octets(fixture: &Fixture, request: &str) -> Vec<u8> {
    let name = ServerName::try_from(POLICY_HOST).unwrap();
    let stream = TcpStream::connect(fixture.https).await.unwrap();
    let stream = TlsConnector::from(Arc::clone(&fixture.trust)).connect(name, stream).await.unwrap();
    exchange(stream, request).await
}

#[tokio::test]
async fn http_answers_challenges_and_redirects_everything_else() {
    let fixture = fixture();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let challenge = get("/.well-known/acme-challenge/abc");
    assert!(plain(&fixture, &challenge).await.starts_with("HTTP/1.1 404 "));
    let published = fixture.web.challenges.answer_token("abc", "abc.thumb".into());
    let answer = plain(&fixture, &challenge).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nabc.thumb"), "{answer}");
    drop(published);
    assert!(plain(&fixture, &challenge).await.starts_with("HTTP/1.1 404 "));

    let moved = plain(&fixture, &get("/a/b?c=d")).await;
    assert!(moved.starts_with("HTTP/1.1 308 "), "{moved}");
    assert!(moved.contains(&format!("\r\nlocation: https://{HOST}/a/b?c=d\r\n")), "{moved}");
    let policy = format!("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {POLICY_HOST}\r\n\r\n");
    assert!(
        plain(&fixture, &policy).await.starts_with("HTTP/1.1 308 "),
        "a policy is never served without TLS"
    );
    for request in ["GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        assert!(plain(&fixture, request).await.starts_with("HTTP/1."), "{request}");
        assert!(plain(&fixture, request).await.contains(" 404 "), "{request}");
    }
}

#[tokio::test]
async fn https_serves_the_policy_and_reads_a_bounded_request_of_outlook() {
    let fixture = fixture();
    let answer =
        secure(&fixture, &format!("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {POLICY_HOST}\r\n\r\n"))
            .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{answer}");
    assert!(answer.ends_with("\r\nmax_age: 604800\r\n"), "{answer}");

    let post = |body: &str| {
        format!(
            "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: example.org\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let request =
        "<Autodiscover><Request><EMailAddress>ann@example.org</EMailAddress></Request></Autodiscover>";
    let answer = secure(&fixture, &post(request)).await;
    assert!(answer.contains("<LoginName>ann@example.org</LoginName>"), "{answer}");
    let answer = secure(&fixture, &post("nonsense")).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("<ErrorCode>600</ErrorCode>"), "{answer}");
    let answer = secure(&fixture, &post(&"x".repeat(20_000))).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // The client sends no body before the server agrees to it.
    let expecting = "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: example.org\r\nContent-Length: 30000000\r\nExpect: 100-continue\r\n\r\n";
    let answer = secure(&fixture, expecting).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn outlook_is_redirected_by_302_after_any_method() {
    let fixture = fixture();
    for (request, path) in
        [("GET", "/autodiscover/autodiscover.xml"), ("POST", "/Autodiscover/Autodiscover.xml")]
    {
        let request = format!(
            "{request} {path} HTTP/1.1\r\nHost: autodiscover.example.org\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = plain(&fixture, &request).await;
        assert!(answer.starts_with("HTTP/1.1 302 "), "{answer}");
        let location = format!("\r\nlocation: https://autodiscover.example.org{path}\r\n");
        assert!(answer.contains(&location), "{answer}");
    }
}

#[tokio::test]
async fn a_calendar_client_at_the_domains_own_name_is_not_redirected() {
    let fixture = fixture();
    for path in ["/.well-known/caldav", "/.well-known/carddav"] {
        let request = format!("PROPFIND {path} HTTP/1.1\r\nHost: example.org\r\n\r\n");
        assert!(plain(&fixture, &request).await.starts_with("HTTP/1.1 404 "), "{path}");
        assert!(secure(&fixture, &request).await.starts_with("HTTP/1.1 404 "), "{path}");
    }
}

#[tokio::test]
async fn apple_devices_get_a_profile_signed_with_the_hosts_key() {
    let fixture = fixture();
    let request =
        format!("GET /mail.mobileconfig?address=ann%40example.org HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let answer = secure_octets(&fixture, &request).await;
    let head = answer.windows(4).position(|octets| octets == b"\r\n\r\n").unwrap() + 4;
    let fields = String::from_utf8_lossy(&answer[..head]).into_owned();
    assert!(fields.contains("\r\ncontent-type: application/x-apple-aspen-config\r\n"), "{fields}");
    let file = fixture.folder.path().join("profile");
    std::fs::write(&file, &answer[head..]).unwrap();
    let output = std::process::Command::new("openssl")
        .args(["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-in"])
        .arg(&file)
        .arg("-CAfile")
        .arg(fixture.folder.path().join("certificate.pem"))
        .output()
        .expect("openssl is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let profile = String::from_utf8(output.stdout).unwrap();
    assert!(profile.contains("<key>EmailAddress</key><string>ann@example.org</string>"), "{profile}");
}

#[tokio::test]
async fn the_challenge_certificate_is_served_only_with_the_authoritys_alpn() {
    let fixture = fixture();
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    std::fs::write(folder.path().join("challenge.pem"), made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let shown = rustls::sign::CertifiedKey::from_der(
        vec![made.cert.der().clone()],
        key.into(),
        &rustls::crypto::aws_lc_rs::default_provider(),
    )
    .unwrap();
    let connect = async |protocols: &[&[u8]]| {
        let config = trusting(&folder.path().join("challenge.pem"), protocols);
        let stream = TcpStream::connect(fixture.https).await.unwrap();
        TlsConnector::from(config).connect(ServerName::try_from(HOST).unwrap(), stream).await
    };
    assert!(connect(&[b"acme-tls/1"]).await.is_err(), "there is no challenge yet");
    let published = fixture.web.challenges.answer_name(HOST, shown);
    let stream = connect(&[b"acme-tls/1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"acme-tls/1".as_slice()));
    assert!(connect(&[b"http/1.1"]).await.is_err(), "other clients get the host's certificate");
    drop(published);
    assert!(connect(&[b"acme-tls/1"]).await.is_err());
}

#[tokio::test]
async fn too_long_a_request_is_refused() {
    let fixture = fixture();
    // Exactly as long as the server reads: unread data would reset the connection before the response arrives.
    let mut endless = "GET / HTTP/1.1\r\nX: ".to_owned();
    endless.extend(std::iter::repeat_n('x', 8 * 1024 - endless.len()));
    assert!(plain(&fixture, &endless).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(65));
    assert!(plain(&fixture, &many).await.starts_with("HTTP/1.1 431 "));
}
