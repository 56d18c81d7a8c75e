//! Short visits to web servers: the time that an authority has, and the policy that is served in our name.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use address::Domain;
use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use rustls::pki_types::ServerName;
use serve::Stream;
use serve::tls::Connector;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::dns::records::Wanted;
use crate::mta_sts;

/// Policies are short, and of other pages only the head counts.
const LONGEST: u64 = 64 * 1024;
/// One visit.
const PATIENCE: Duration = Duration::from_secs(6);

/// What a web server said.
struct Page {
    code: u16,
    fields: Vec<(String, String)>,
    body: String,
}

/// How far this machine's clock is ahead of the authority's, in seconds. Its certificate is not looked at: by a wrong
/// clock none is valid, and a wrong answer does nothing worse than a wrong finding.
pub(super) async fn date(resolver: &TokioResolver, directory: Option<&str>, end: Instant) -> Option<i64> {
    let (host, port, path) = parts(directory?)?;
    let page = timeout_at(end, get(resolver, &host, port, &path)).await.ok()?.ok()?;
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

/// The policy that is served for each domain that is to have one.
pub(super) async fn policies(
    resolver: &TokioResolver,
    wanted: &Wanted,
    end: Instant,
) -> BTreeMap<Domain, Result<String, String>> {
    let has_policy = |records: &[crate::dns::record::Record]| {
        records.iter().any(|record| record.purpose == crate::dns::record::Purpose::MtaSts)
    };
    let domains = wanted.domains.iter().filter(|(_, records)| has_policy(records));
    let asked = domains.map(async |(domain, _)| {
        let host = format!("{}.{domain}", mta_sts::LABEL);
        let page = timeout_at(end, get(resolver, &host, 443, mta_sts::PATH)).await;
        let policy = match page {
            Err(_) => Err("no answer in time".to_owned()),
            Ok(Ok(page)) if page.code == 200 => Ok(page.body),
            Ok(Ok(page)) => Err(format!("the web server there answers {}", page.code)),
            Ok(Err(why)) => Err(why),
        };
        (domain.clone(), policy)
    });
    join_all(asked).await.into_iter().collect()
}

/// `GET` over TLS; the first address that can be connected to is taken.
async fn get(resolver: &TokioResolver, host: &str, port: u16, path: &str) -> Result<Page, String> {
    timeout(PATIENCE, fetch(resolver, host, port, path)).await.map_err(|_| "no answer in time".to_owned())?
}

async fn fetch(resolver: &TokioResolver, host: &str, port: u16, path: &str) -> Result<Page, String> {
    let found = resolver.lookup_ip(format!("{host}.")).await.map_err(|error| error.to_string())?;
    let mut failed = "it has no address".to_owned();
    for ip in found.iter() {
        match TcpStream::connect((ip, port)).await {
            Ok(stream) => return talk(stream, host, path).await,
            Err(error) => failed = format!("{ip}: {error}"),
        }
    }
    Err(failed)
}

async fn talk(stream: TcpStream, host: &str, path: &str) -> Result<Page, String> {
    let connector = Connector::opportunistic().map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let mut stream =
        Stream::from(stream).secure_to(&connector, name, &[]).await.map_err(|error| error.to_string())?;
    let question = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mailstead\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(question.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // Who closes without a word has said what there was.
    let _ = (&mut stream).take(LONGEST).read_to_end(&mut answer).await;
    read(&answer).ok_or_else(|| "what answers there is no web server".to_owned())
}

/// `HTTP-version SP status-code SP …`, fields, an empty line, the body (RFC 9112 §2.1, §4).
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
    use super::*;

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
