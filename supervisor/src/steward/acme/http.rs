//! The steward's own HTTP client. It resolves names with hickory, since a static program has no system resolver, sends
//! one request per connection, and bounds every operation in time and size.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hickory_resolver::TokioResolver;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper::header::{CONTENT_TYPE, DATE, HOST, HeaderValue, LINK, LOCATION, RETRY_AFTER};
use hyper::http::HeaderMap;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::printable;

/// Timeout for connecting to one address.
const CONNECTING: Duration = Duration::from_secs(8);
/// Timeout for one request in total. A busy authority needs seconds.
const REQUEST: Duration = Duration::from_secs(60);
/// Limit of a response. A chain has some kilobytes, a directory one.
const MAX_ANSWER: usize = 512 * 1024;
/// Limit of the addresses tried for one host.
const MAX_ADDRESSES: usize = 6;
/// Limit of redirects followed in a row.
const MAX_REDIRECTS: usize = 5;

/// An HTTPS client. Clones share its state.
#[derive(Clone)]
pub(super) struct Http(Arc<Shared>);

struct Shared {
    resolver: TokioResolver,
    tls: TlsConnector,
    metadata: Mutex<ResponseMetadata>,
    instructions: Mutex<Option<String>>,
}

/// Metadata of the last response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResponseMetadata {
    /// The server's time, in seconds since 1970.
    pub date: Option<i64>,
    /// The time named by `Retry-After`, if any.
    pub retry_at: Option<i64>,
}

/// An error instead of a response.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("{0:?} does not begin with https://")]
    Address(String),
    #[error("{host} has no address in DNS: {why}")]
    Name { host: String, why: String },
    #[error("{host} cannot be reached: {why}")]
    Connect { host: String, why: String },
    #[error("the certificate of {host} is not trusted: {why}")]
    Untrusted { host: String, why: String, is_unknown_issuer: bool },
    #[error("the exchange with {host} failed: {why}")]
    Broken { host: String, why: String },
    #[error("{host} did not answer within {} seconds", REQUEST.as_secs())]
    Late { host: String },
    #[error("{host} answers {status} without a reason")]
    Status { host: String, status: u16 },
    #[error("{host} redirects to {to}, which is not followed: only GET over https is, five times at most")]
    Moved { host: String, to: String },
}

impl Http {
    pub(super) fn new(resolver: TokioResolver, tls: ClientConfig) -> Self {
        let tls = TlsConnector::from(Arc::new(tls));
        Self(Arc::new(Shared { resolver, tls, metadata: Mutex::default(), instructions: Mutex::default() }))
    }

    /// The metadata of the last response.
    pub(super) fn metadata(&self) -> ResponseMetadata {
        *self.0.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page for a person that the last response names (RFC 8555 §7.3.3), if it was a problem.
    pub(super) fn instructions(&self) -> Option<String> {
        self.0.instructions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the content at an address.
    pub(super) async fn get(&self, address: &str) -> Result<Bytes, HttpError> {
        let request = Request::get(address)
            .body(Full::<Bytes>::default())
            .map_err(|_| HttpError::Address(address.to_owned()))?;
        let (host, response) = self.send(request).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(HttpError::Status { host, status: status.as_u16() });
        }
        Ok(response.into_body())
    }

    /// Sends a request and follows redirects of a GET: a directory may move, but a signed request must not be
    /// redirected (RFC 8555 §6.4).
    async fn send<B>(&self, request: Request<B>) -> Result<(String, Response<Bytes>), HttpError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let is_get = request.method() == Method::GET;
        let mut from = request.uri().clone();
        let (mut host, mut response) = self.send_once(request).await?;
        let mut followed = 0;
        while let Some(location) = redirection(&response) {
            let to = resolved(&from, &location);
            let moved = || HttpError::Moved { host: host.clone(), to: printable(&location) };
            let to = to.filter(|_| is_get && followed < MAX_REDIRECTS).ok_or_else(moved)?;
            let request = Request::get(to.clone()).body(Full::<Bytes>::default()).map_err(|_| moved())?;
            (host, response) = self.send_once(request).await?;
            (from, followed) = (to, followed + 1);
        }
        Ok((host, response))
    }

    async fn send_once<B>(&self, request: Request<B>) -> Result<(String, Response<Bytes>), HttpError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let target = Target::of(request.uri())?;
        let host = target.host.clone();
        let answered = timeout(REQUEST, self.exchange(&target, request)).await;
        let response = answered.unwrap_or_else(|_| Err(HttpError::Late { host: host.clone() }))?;
        let metadata = response_metadata(response.headers(), now());
        *self.0.metadata.lock().unwrap_or_else(PoisonError::into_inner) = metadata;
        *self.0.instructions.lock().unwrap_or_else(PoisonError::into_inner) = instructions(&response);
        // A proxy in front of an unavailable authority answers in HTML, which would fail as JSON.
        let is_json = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.contains("json"));
        if response.status().as_u16() >= 400 && !is_json {
            return Err(HttpError::Status { host, status: response.status().as_u16() });
        }
        Ok((host, response))
    }

    async fn exchange<B>(
        &self,
        target: &Target,
        mut request: Request<B>,
    ) -> Result<Response<Bytes>, HttpError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let Target { host, port, path } = target;
        let broken = |why: String| HttpError::Broken { host: host.clone(), why };
        let stream = self.connect(host, *port).await?;
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| HttpError::Address(host.clone()))?;
        let stream = self.0.tls.connect(name, stream).await.map_err(|error| {
            let tls_error = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match tls_error {
                Some(rustls::Error::InvalidCertificate(why)) => untrusted(host, why),
                _ => broken(error.to_string()),
            }
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_headers(100)
            .max_buf_size(64 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let connection = tokio::spawn(connection);
        let authority = if *port == 443 { host.clone() } else { format!("{host}:{port}") };
        request
            .headers_mut()
            .insert(HOST, HeaderValue::try_from(authority).map_err(|_| HttpError::Address(host.clone()))?);
        *request.uri_mut() = path.clone();
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| broken(error.to_string()))?;
            let (head, body) = response.into_parts();
            let body =
                Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| broken(error.to_string()))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        let response = exchange.await;
        connection.abort();
        response
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, HttpError> {
        let addresses = addresses(&self.0.resolver, host)
            .await
            .map_err(|why| HttpError::Name { host: host.to_owned(), why })?;
        let mut why = "no address".to_owned();
        for address in addresses {
            let address = SocketAddr::new(address, port);
            match timeout(CONNECTING, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => why = format!("{address}: {error}"),
                Err(_) => why = format!("{address} does not answer"),
            }
        }
        Err(HttpError::Connect { host: host.to_owned(), why })
    }
}

/// Describes a certificate error for a person: the library prints the names of its variants.
fn untrusted(host: &str, why: &CertificateError) -> HttpError {
    let is_unknown_issuer = matches!(why, CertificateError::UnknownIssuer);
    let why = match why {
        CertificateError::UnknownIssuer => "its issuer is unknown".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        why => why.to_string(),
    };
    HttpError::Untrusted { host: host.to_owned(), why, is_unknown_issuer }
}

/// The target of a redirect.
fn redirection(response: &Response<Bytes>) -> Option<String> {
    let is_redirection = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirection)?;
    location.to_str().ok().map(str::to_owned)
}

/// Resolves a `Location` (RFC 9110 §10.2.2), which may be relative. Only https is followed.
fn resolved(from: &Uri, location: &str) -> Option<Uri> {
    let text = match location.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => format!("https:{location}"),
        Some(_) => format!("https://{}{location}", from.authority()?),
        None => location.to_owned(),
    };
    let to: Uri = text.parse().ok()?;
    (to.scheme_str() == Some("https")).then_some(to)
}

/// The page for a person that comes with a problem: the member `instance` or the link to the terms (RFC 8555 §7.3.3).
fn instructions(response: &Response<Bytes>) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Instance {
        instance: String,
    }
    if response.status().as_u16() < 400 {
        return None;
    }
    let instance = serde_json::from_slice::<Instance>(response.body()).ok().map(|problem| problem.instance);
    let links = response.headers().get_all(LINK).iter().filter_map(|link| link.to_str().ok());
    let terms = links.filter(|link| link.contains("terms-of-service")).find_map(|link| {
        let (target, _) = link.split_once('<')?.1.split_once('>')?;
        Some(target.to_owned())
    });
    instance.into_iter().chain(terms).find(|page| page.starts_with("https://")).map(|page| printable(&page))
}

/// The addresses of a host, which is a name or an IP address.
pub(super) async fn addresses(resolver: &TokioResolver, host: &str) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Ok(vec![address]);
    }
    // With the trailing dot, so that no search list is applied.
    let found = resolver
        .lookup_ip(format!("{}.", host.trim_end_matches('.')))
        .await
        .map_err(|error| error.to_string())?;
    Ok(found.iter().take(MAX_ADDRESSES).collect())
}

/// The target of a request.
struct Target {
    host: String,
    port: u16,
    path: Uri,
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, HttpError> {
        let wrong = || HttpError::Address(uri.to_string());
        if uri.scheme_str() != Some("https") {
            return Err(wrong());
        }
        let host = uri.host().ok_or_else(wrong)?.to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self { host, port: uri.port_u16().unwrap_or(443), path: path.parse().map_err(|_| wrong())? })
    }
}

/// Reads `Date` and `Retry-After`; the latter is a number of seconds or a date (RFC 9110 §10.2.3).
pub fn response_metadata(fields: &HeaderMap, now: i64) -> ResponseMetadata {
    let text = |name| fields.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let date = |text: &str| {
        let date = httpdate::parse_http_date(text).ok()?;
        i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
    };
    let retry_at = text(RETRY_AFTER).and_then(|text| match text.parse::<u32>() {
        Ok(seconds) => Some(now + i64::from(seconds)),
        Err(_) => date(text),
    });
    ResponseMetadata { date: text(DATE).and_then(date), retry_at }
}

/// The current time in seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let http = self.clone();
        Box::pin(async move {
            let (_, response) =
                http.send(request).await.map_err(|error| instant_acme::Error::Other(Box::new(error)))?;
            let (parts, body) = response.into_parts();
            Ok(BytesResponse { parts, body: Box::new(body) })
        })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

#[cfg(test)]
mod tests;
