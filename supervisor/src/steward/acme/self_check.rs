//! Checks that a name reaches us from outside, by the requests that an authority would send.
//!
//! A random page is served under the name on port 80 and a random certificate on port 443: the server that returns them
//! is us, whatever is between (a bridge, a proxy, a forwarded port). Addresses alone would not show that.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::alpn;
use super::challenges::Challenges;
use crate::dns::resolver::is_answer;
use crate::steward::web::CHALLENGES;
use handover::{Concern, config};

/// Timeout for one address and one challenge type. An authority waits ten seconds.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Limit of a response. Our own is far shorter.
const MAX_ANSWER: u64 = 4096;

/// The report for a name without an address.
const NO_ADDRESS: Concern =
    Concern::constant("it has no address in DNS", "publish the records that `mailstead dns` prints");

/// The result of a check at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Responder {
    /// Our own server answered.
    ThisServer,
    /// Another server answered, with this response.
    OtherServer(String),
    /// There is no answer from here, which need not hold for other networks.
    NoAnswer(String),
}

/// The result for one challenge type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reachability {
    /// The name reaches us.
    Reachable,
    /// Unknown from here: a router may not support connections back to its own public address (hairpin NAT).
    Unknown(Concern),
    /// The name does not reach us.
    Unreachable(Concern),
}

/// The challenge types for which a name reaches us; `None` for a port on which we do not listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SelfCheckResult {
    pub(super) http: Option<Reachability>,
    pub(super) tls: Option<Reachability>,
}

/// The inputs of a check.
pub(super) struct SelfCheck<'p> {
    pub(super) resolver: &'p TokioResolver,
    pub(super) challenges: &'p Arc<Challenges>,
    pub(super) ports: config::ChallengePorts,
    /// The listening sockets.
    pub(super) http: bool,
    pub(super) tls: bool,
}

impl SelfCheck<'_> {
    /// Checks one name.
    pub(super) async fn check(&self, name: &str) -> SelfCheckResult {
        let nowhere = |why: Concern| SelfCheckResult {
            http: self.http.then(|| Reachability::Unreachable(why.clone())),
            tls: self.tls.then(|| Reachability::Unreachable(why.clone())),
        };
        let found = match self.resolver.lookup_ip(format!("{name}.")).await {
            Ok(found) => found.iter().take(6).collect::<Vec<IpAddr>>(),
            Err(error) if is_answer(&error) => Vec::new(),
            Err(error) => {
                let why = format!("DNS does not answer for it: {error}");
                return nowhere(Concern::new(why, "check that the name servers of its zone answer"));
            }
        };
        if found.is_empty() {
            return nowhere(NO_ADDRESS);
        }
        let http = async {
            let checks = found.iter().map(|address| self.check_http(name, *address));
            let seen = futures_util::future::join_all(checks).await;
            combined(&found, &seen, self.ports.http)
        };
        let tls = async {
            let seen = self.check_tls(name, &found).await;
            combined(&found, &seen, self.ports.https)
        };
        let (http, tls) = tokio::join!(async { if self.http { Some(http.await) } else { None } }, async {
            if self.tls { Some(tls.await) } else { None }
        });
        SelfCheckResult { http, tls }
    }

    async fn check_http(&self, name: &str, address: IpAddr) -> Responder {
        let (Some(token), Some(content)) = (random(), random()) else {
            return Responder::NoAnswer("no random numbers available".to_owned());
        };
        let _held = self.challenges.answer_token(&token, content.clone());
        let asking = async {
            let mut stream = TcpStream::connect(SocketAddr::new(address, self.ports.http)).await?;
            let request =
                format!("GET {CHALLENGES}{token} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            // A reset after the response does not invalidate it.
            let read = stream.take(MAX_ANSWER).read_to_end(&mut answer).await;
            if answer.is_empty() { read.map(|_| answer) } else { Ok(answer) }
        };
        match timeout(TIMEOUT, asking).await {
            Ok(Ok(answer)) => read_answer(&answer, &content),
            Ok(Err(error)) => Responder::NoAnswer(error.to_string()),
            Err(_) => Responder::NoAnswer("no answer".to_owned()),
        }
    }

    /// Checks all addresses at once with one certificate: there is only one for a name at a time.
    async fn check_tls(&self, name: &str, addresses: &[IpAddr]) -> Vec<Responder> {
        let no_answer = |why: &str| addresses.iter().map(|_| Responder::NoAnswer(why.to_owned())).collect();
        let Some(content) = random() else { return no_answer("no random numbers available") };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
        let Ok(shown) = alpn::certificate(name, digest.as_ref()) else {
            return no_answer("cannot create a test certificate");
        };
        let Some(expected) = shown.cert.first().cloned() else { return no_answer("no test certificate") };
        let _held = self.challenges.answer_name(name, shown);
        let checks = addresses.iter().map(|address| self.check_certificate(name, &expected, *address));
        futures_util::future::join_all(checks).await
    }

    /// Checks if that address serves the expected certificate.
    async fn check_certificate(
        &self,
        name: &str,
        expected: &CertificateDer<'static>,
        address: IpAddr,
    ) -> Responder {
        let asking = async {
            let stream = TcpStream::connect(SocketAddr::new(address, self.ports.https)).await?;
            let server = ServerName::try_from(name.to_owned()).map_err(std::io::Error::other)?;
            let config = alpn::client().map_err(std::io::Error::other)?;
            TlsConnector::from(config).connect(server, stream).await
        };
        match timeout(TIMEOUT, asking).await {
            Ok(Ok(stream)) => {
                let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                if leaf == Some(expected) {
                    Responder::ThisServer
                } else {
                    Responder::OtherServer("another certificate".to_owned())
                }
            }
            // A TLS alert is an answer, but from another server.
            Ok(Err(error)) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
                Responder::OtherServer(error.to_string())
            }
            Ok(Err(error)) => Responder::NoAnswer(error.to_string()),
            Err(_) => Responder::NoAnswer("no answer".to_owned()),
        }
    }
}

/// Reads a response: `HTTP-version SP status-code SP …`, fields, an empty line, the content (RFC 9112 §2.1, §4).
fn read_answer(answer: &[u8], expected: &str) -> Responder {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).unwrap_or_default();
    match status {
        "200" if body.trim() == expected => Responder::ThisServer,
        // An authority follows redirects, and so may reach us in the end.
        "301" | "302" | "303" | "307" | "308" => Responder::NoAnswer("a redirect to another page".to_owned()),
        "" => Responder::OtherServer("an answer that is not HTTP".to_owned()),
        status => Responder::OtherServer(format!("status {status} instead of the test page")),
    }
}

/// Combines the results of all addresses. An authority may use any of them, so a single wrong one makes the result bad.
fn combined(addresses: &[IpAddr], seen: &[Responder], port: u16) -> Reachability {
    let each = || addresses.iter().zip(seen);
    if let Some((address, Responder::OtherServer(what))) =
        each().find(|(_, seen)| matches!(seen, Responder::OtherServer(_)))
    {
        return Reachability::Unreachable(Concern::new(
            format!(
                "its address {address} leads to another server, which answers on port {port} with {what}"
            ),
            "point all its addresses at this machine",
        ));
    }
    if seen.contains(&Responder::ThisServer) {
        return Reachability::Reachable;
    }
    let Some((address, Responder::NoAnswer(what))) = each().next() else {
        return Reachability::Unreachable(NO_ADDRESS);
    };
    let problem = format!("no answer from its address {address} on port {port} ({what})");
    if addresses.iter().all(|address| is_local(*address)) {
        let problem = format!("{problem}, although the address is this machine's");
        return Reachability::Unreachable(Concern::new(problem, "check that the port is open"));
    }
    Reachability::Unknown(Concern::new(
        problem,
        "check that the address is this machine's and that the firewall allows the port",
    ))
}

/// Returns true if an address belongs to this machine: only those can be bound.
fn is_local(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// Sixteen random octets as text, so that other servers cannot guess them.
fn random() -> Option<String> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).ok()?;
    Some(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

#[cfg(test)]
mod tests;
