//! The steward's web server on ports 80 and 443: the few pages that mail needs.
//!
//! | where | what |
//! |---|---|
//! | `http://…/.well-known/acme-challenge/<token>` | answers to HTTP-01 challenges (RFC 8555 §8.3) |
//! | any other page over HTTP, of a name of ours | redirected to the same over HTTPS |
//! | port 443 with ALPN `acme-tls/1` | answers to TLS-ALPN-01 challenges (RFC 8737) |
//! | `https://mta-sts.<domain>/.well-known/mta-sts.txt` | the MTA-STS policy (RFC 8461 §3.2) |
//! | `https://autoconfig.<domain>/mail/config-v1.1.xml` | settings for Thunderbird and compatible clients |
//! | `https://<domain>/.well-known/autoconfig/mail/config-v1.1.xml`, `https://<domain>/mail/config-v1.1.xml` | the same |
//! | `POST https://autodiscover.<domain>/autodiscover/autodiscover.xml` | settings for Outlook |
//! | `http://…/autodiscover/autodiscover.xml` | redirected by 302, as Outlook expects (MS-OXDISCO §3.1.5.4) |
//! | `https://<host>/`, `https://<domain>/` | the operator and the addresses for complaints |
//! | `https://<host>/setup`, `https://<domain>/setup` | the page for a person |
//! | `https://<host>/mail.mobileconfig?address=…` | the signed profile for Apple's devices |
//!
//! `<domain>` serves the same pages as `<host>`. Everything else is not found, including calendars and address books,
//! which clients look for at the domain's own name. Each connection serves one request, under limits of size and time.
//! Only the body of Outlook's request is read, and its size is bounded.

mod autoconfig;
mod autodiscover;
mod exchange;
mod operator;
mod pages;
mod profile;
mod served_certificate;
mod setup;
mod signed;
mod tls;
mod xml;

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use handover::config;
use handover::sockets::{self, SocketError, Sockets};
use serve::metrics::{Metrics, PeerKind};
use serve::{Connection, Drain, Limits, Service};

use super::acme::Challenges;
use super::server::BUSY;
pub(super) use pages::CHALLENGES;
use pages::Scheme;
pub(super) use served_certificate::ServedCertificate;

/// Limit of connections, separately for HTTP and HTTPS: few clients connect, each once in days.
const CONNECTIONS: usize = 256;
/// Limit of connections per address. An authority validates several names at once; behind a proxy all clients share an
/// address.
const CONNECTIONS_PER_ADDRESS: usize = 64;

/// The data needed to answer requests.
#[derive(Debug)]
pub(super) struct Web {
    /// The settings of the pages.
    pub(super) site: ArcSwap<config::Web>,
    /// The certificate in use.
    pub(super) live: Arc<ServedCertificate>,
    /// The current answers to an authority's challenges.
    pub(super) challenges: Arc<Challenges>,
    tls: tls::TlsConfigs,
    numbers: Arc<Metrics>,
}

/// The open sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenSockets {
    pub(in crate::steward) http: bool,
    pub(in crate::steward) https: bool,
}

/// An error while starting the web services.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
}

impl Web {
    pub(super) fn new(
        site: config::Web,
        live: Arc<ServedCertificate>,
        challenges: Arc<Challenges>,
    ) -> Result<Arc<Self>, WebError> {
        let tls = tls::TlsConfigs::new(&live, &challenges)?;
        let numbers = Arc::new(Metrics::new(super::NAME));
        Ok(Arc::new(Self { site: ArcSwap::from_pointee(site), live, challenges, tls, numbers }))
    }

    /// The metrics of its connections.
    pub(super) fn numbers(&self) -> Arc<Metrics> {
        Arc::clone(&self.numbers)
    }

    /// Serves on the sockets that were passed in, or on the configured addresses.
    pub(super) fn start(
        self: &Arc<Self>,
        sockets: &mut Sockets,
        drain: &Drain,
    ) -> Result<OpenSockets, WebError> {
        let listen = self.site.load().listen.clone();
        let http = sockets.take_tcp(sockets::HTTP, &listen.http)?;
        let https = sockets.take_tcp(sockets::HTTPS, &listen.https)?;
        let open = OpenSockets { http: !http.is_empty(), https: !https.is_empty() };
        let limits = || Limits::new(CONNECTIONS, CONNECTIONS_PER_ADDRESS);
        let counted = |name| self.numbers.service(name, PeerKind::Peers);
        Service::new("http", limits(), BUSY).with_metrics(counted("http")).start(http, drain, {
            let web = Arc::clone(self);
            move |connection: Connection| {
                let web = Arc::clone(&web);
                async move {
                    let peer = connection.peer;
                    exchange::serve_request(connection.stream, peer, web, Scheme::Http).await;
                }
            }
        })?;
        Service::new("https", limits(), b"").with_metrics(counted("https")).start(https, drain, {
            let web = Arc::clone(self);
            move |connection: Connection| {
                let web = Arc::clone(&web);
                async move {
                    let peer = connection.peer;
                    if let Some(stream) = web.tls.handshake(connection.stream, peer).await {
                        exchange::serve_request(stream, peer, web, Scheme::Https).await;
                    }
                }
            }
        })?;
        Ok(open)
    }
}

#[cfg(test)]
mod tests;
