//! One request and its response, under limits of size and time; then the connection is closed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{
    ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serve::Peer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::Web;
use super::pages::{Lookup, PageRequest, PageResponse, Scheme};

/// Timeout for the request's head, which is one short packet; slower clients are dropped.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for the whole exchange.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_HEAD: usize = 8 * 1024;
const MAX_FIELDS: usize = 64;
/// Limit of a body. Outlook's request is half a kilobyte.
const MAX_BODY: usize = 16 * 1024;

/// The content security policy: pages have our own style and form, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Answers one request.
pub(super) async fn serve_request<S>(stream: S, peer: Peer, web: Arc<Web>, scheme: Scheme)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| answer(request, Arc::clone(&web), scheme));
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(EXCHANGE_TIMEOUT, conversation).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%peer, %error, "web request failed"),
        Err(_) => tracing::debug!(%peer, "web request timed out"),
    }
}

async fn answer(
    request: Request<Incoming>,
    web: Arc<Web>,
    scheme: Scheme,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // An HTTP/1.1 request names the host in a field; one through a proxy, in its target.
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = head.uri.host().or(host).unwrap_or_default();
    let page_request =
        PageRequest { scheme, method: &head.method, host, path: head.uri.path(), query: head.uri.query() };
    let answer = match web.find_page(&page_request) {
        Lookup::Answered(answer) => answer,
        // Refused before a client that expects 100 Continue sends the body (RFC 9110 §10.1.1).
        Lookup::NeedsBody(_) if body.size_hint().lower() > MAX_BODY as u64 => PageResponse::too_large(),
        Lookup::NeedsBody(page) => match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => page.answer(&body.to_bytes()),
            Err(_) => PageResponse::too_large(),
        },
    };
    Ok(respond(answer))
}

fn respond(answer: PageResponse) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.code;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // The page's own address may contain a mail address.
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Some(location) = answer.location.and_then(|to| HeaderValue::try_from(to).ok()) {
        fields.insert(LOCATION, location);
    }
    if let Some(allowed) = answer.allow {
        fields.insert(ALLOW, HeaderValue::from_static(allowed));
    }
    response
}
