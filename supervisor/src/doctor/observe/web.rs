//! Requests to web servers: for the authority's clock, and for the policies served under our names.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use address::Domain;
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use rustls::pki_types::ServerName;
use serve::tls::Connector;
use serve::{Stream, UpgradeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::observed::FetchError;
use super::certificate::{distrust, roots};
use crate::dns::records::WantedRecords;
use crate::dns::resolver::describe;
use crate::mta_sts;

/// Limit of a response. Policies are short, and of other pages only the head matters.
const MAX_LEN: u64 = 64 * 1024;
/// Timeout for one request.
const TIMEOUT: Duration = Duration::from_secs(6);

/// Concurrent requests to domains' own names: all of them lead to this machine.
const AT_ONCE: usize = 8;
/// The path of Thunderbird's settings.
const SETTINGS: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";

/// A response of a web server.
struct Page {
    code: u16,
    fields: Vec<(String, String)>,
    body: String,
}

/// The difference of this machine's clock to the authority's, in seconds; positive if ours is ahead. The server's
/// certificate is not verified: with a wrong clock none is valid, and a forged answer causes only a wrong finding.
pub(super) async fn date(resolver: &TokioResolver, directory: Option<&str>, end: Instant) -> Option<i64> {
    let (host, port, path) = parts(directory?)?;
    let unverified = Connector::opportunistic().ok()?;
    let page = timeout_at(end, get(resolver, &host, port, &path, &unverified)).await.ok()?.ok()?;
    let (_, date) = page.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("date"))?;
    let theirs = httpdate::parse_http_date(date).ok()?;
    let ours = SystemTime::now();
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).ok();
    match ours.duration_since(theirs) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => seconds(behind.duration()).map(|seconds| -seconds),
    }
}

/// `https://host[:port]/path`
fn parts(address: &str) -> Option<(String, u16, String)> {
    let rest = address.strip_prefix("https://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, 443),
    };
    Some((host.to_owned(), port, format!("/{path}")))
}

/// Fetches the policy of each domain that should have one, as a sender does: from a web server whose certificate is
/// trusted and valid for that name (RFC 8461 §3.3).
pub(super) async fn policies(
    resolver: &TokioResolver,
    wanted: &WantedRecords,
    authorities: Option<&Path>,
    end: Instant,
) -> BTreeMap<Domain, Result<String, FetchError>> {
    let has_policy = |records: &[crate::dns::record::Record]| {
        records.iter().any(|record| record.purpose == crate::dns::record::Purpose::MtaSts)
    };
    let verifying = Connector::trusting(roots(authorities));
    let domains = wanted.domains.iter().filter(|(_, records)| has_policy(records));
    let requests = domains.map(async |(domain, _)| {
        let fetched = async {
            let host = format!("{}.{domain}", mta_sts::LABEL);
            let verifying = verifying.as_ref().map_err(failed)?;
            let page = timeout_at(end, get(resolver, &host, 443, mta_sts::PATH, verifying)).await;
            match page.map_err(|_| failed("no answer in time"))?? {
                page if page.code == 200 => Ok(page.body),
                page => Err(failed(format!("the web server there answers {}", page.code))),
            }
        };
        (domain.clone(), fetched.await)
    });
    join_all(requests).await.into_iter().collect()
}

/// Requests a page from the web server of each domain's own name, as a mail client does that looks for its settings: the
/// certificate must be trusted and valid for that name, whatever the page is.
pub(super) async fn own_names(
    resolver: &TokioResolver,
    domains: &[Domain],
    authorities: Option<&Path>,
    end: Instant,
) -> BTreeMap<Domain, Result<(), FetchError>> {
    let verifying = Connector::trusting(roots(authorities));
    let mut results = BTreeMap::new();
    for some in domains.chunks(AT_ONCE) {
        let requests = some.iter().map(async |domain| {
            let verifying = verifying.as_ref().map_err(failed)?;
            let page = timeout_at(end, get(resolver, domain.as_str(), 443, SETTINGS, verifying)).await;
            page.map_err(|_| failed("no answer in time"))?.map(drop)
        });
        results.extend(some.iter().cloned().zip(join_all(requests).await));
    }
    results
}

fn failed(why: impl ToString) -> FetchError {
    FetchError::Failed(why.to_string())
}

/// Sends `GET` over TLS, to the first address that accepts a connection.
async fn get(
    resolver: &TokioResolver,
    host: &str,
    port: u16,
    path: &str,
    connector: &Connector,
) -> Result<Page, FetchError> {
    let fetched = timeout(TIMEOUT, fetch(resolver, host, port, path, connector)).await;
    fetched.map_err(|_| failed("no answer in time"))?
}

async fn fetch(
    resolver: &TokioResolver,
    host: &str,
    port: u16,
    path: &str,
    connector: &Connector,
) -> Result<Page, FetchError> {
    let found = resolver.lookup_ip(format!("{host}.")).await.map_err(|error| failed(describe(&error)))?;
    let mut why = "it has no address".to_owned();
    for ip in found.iter() {
        match TcpStream::connect((ip, port)).await {
            Ok(stream) => return exchange(stream, host, path, connector).await,
            Err(error) => why = format!("{ip}: {error}"),
        }
    }
    Err(failed(why))
}

async fn exchange(
    stream: TcpStream,
    host: &str,
    path: &str,
    connector: &Connector,
) -> Result<Page, FetchError> {
    let name = ServerName::try_from(host.to_owned()).map_err(failed)?;
    let mut stream = Stream::from(stream).secure_to(connector, name, &[]).await.map_err(unsecured)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mailstead\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut answer = Vec::new();
    // A server that closes without a close_notify has sent its whole answer.
    let _ = (&mut stream).take(MAX_LEN).read_to_end(&mut answer).await;
    read(&answer).ok_or_else(|| failed("the server there is not a web server"))
}

/// Distinguishes a certificate that is not trusted from a connection that fails otherwise.
fn unsecured(error: UpgradeError) -> FetchError {
    let UpgradeError::Handshake(inner) = &error else { return failed(error) };
    match inner.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(wrong @ rustls::Error::InvalidCertificate(_)) => FetchError::Distrusted(distrust(wrong)),
        _ => failed(error),
    }
}

/// Reads a response: `HTTP-version SP status-code SP …`, fields, an empty line, the body (RFC 9112 §2.1, §4).
fn read(answer: &[u8]) -> Option<Page> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let code = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    Some(Page { code, fields: lines.filter_map(field).collect(), body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::super::observed::Distrust;
    use super::*;

    /// Visits a web server with a certificate for that name and validity, as a client that trusts it or does not.
    async fn fetch(name: &str, not_after: (i32, u8, u8), is_trusted: bool) -> Result<Page, FetchError> {
        let mut parameters = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) =
            (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(not_after.0, not_after.1, not_after.2));
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (shown, private) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        std::fs::write(&shown, certificate.pem()).unwrap();
        std::fs::write(&private, key.serialize_pem()).unwrap();
        let serving = tokio_rustls::TlsAcceptor::from(::tests::certificate::serving(&shown, &private));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = serving.accept(stream).await else { return };
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nversion: STSv1\r\n").await.unwrap();
            stream.shutdown().await.unwrap();
        };
        let trusted = is_trusted.then_some(shown.as_path());
        let connector = Connector::trusting(roots(trusted)).unwrap();
        let client = async {
            let stream = TcpStream::connect(address).await.unwrap();
            exchange(stream, "mta-sts.example.org", "/", &connector).await
        };
        tokio::join!(server, client).1
    }

    #[tokio::test]
    async fn a_policy_is_accepted_only_from_a_web_server_that_is_trusted_under_its_name() {
        let (name, later) = ("mta-sts.example.org", (4000, 1, 1));
        let page = fetch(name, later, true).await.unwrap_or_else(|why| panic!("{why:?}"));
        assert_eq!(page.body, "version: STSv1\r\n");
        for (name, until, is_trusted, why) in [
            (name, later, false, Distrust::Unknown),
            (name, (2021, 1, 1), true, Distrust::Ended),
            ("www.example.org", later, true, Distrust::Name),
        ] {
            let met = fetch(name, until, is_trusted).await;
            assert_eq!(met.err(), Some(FetchError::Distrusted(why)), "{name} until {until:?}");
        }
    }

    #[test]
    fn a_page_has_a_code_fields_and_a_body() {
        let page = read(b"HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 03:00:00 GMT\r\n\r\nversion: STSv1\r\n")
            .unwrap();
        assert_eq!((page.code, page.body.as_str()), (200, "version: STSv1\r\n"));
        assert_eq!(page.fields, [("Date".to_owned(), "Sat, 28 Nov 2026 03:00:00 GMT".to_owned())]);
        for none in ["", "220 mail ESMTP\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n"] {
            assert!(read(none.as_bytes()).is_none(), "{none:?}");
        }
    }

    #[test]
    fn an_address_of_the_web_has_a_host_a_port_and_a_path() {
        for (address, expected) in [
            ("https://acme.example.com:14000/dir", Some(("acme.example.com", 14000, "/dir"))),
            ("https://acme.example.com", Some(("acme.example.com", 443, "/"))),
            ("http://acme.example.com/", None),
        ] {
            let expected = expected.map(|(host, port, path)| (host.to_owned(), port, path.to_owned()));
            assert_eq!(parts(address), expected);
        }
    }
}
