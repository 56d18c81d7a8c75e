use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use handover::config::Steward;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serve::Connection;
use tokio::time::timeout;

use super::metrics::{DaemonMetrics, Format};
use super::observation::{Observation, SharedState};
use super::pages::{HealthPage, HealthResponse};

/// The response to clients beyond the limit of connections.
pub(super) const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Timeout for the request, which is one short packet.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for the disks; longer than any working disk needs.
const DISK_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for the whole exchange, including the client's reading of the response.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(15);
/// Limit of a request: the least that the library supports, and longer than our requests.
const MAX_REQUEST: usize = 8 * 1024;
const MAX_FIELDS: usize = 32;

/// Reads a request, answers it and closes the connection. The body of a request is never read.
pub(super) async fn serve_connection(connection: Connection, steward: Arc<Steward>, known: SharedState) {
    let service = service_fn(|request| answer(request, Arc::clone(&steward), known.clone()));
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_REQUEST)
        .max_headers(MAX_FIELDS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(connection.stream), service);
    match timeout(EXCHANGE_TIMEOUT, conversation).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(peer = %connection.peer, %error, "health request failed"),
        Err(_) => tracing::debug!(peer = %connection.peer, "health request timed out"),
    }
}

async fn answer(
    request: Request<Incoming>,
    steward: Arc<Steward>,
    known: SharedState,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let page = match HealthPage::parse(request.method(), request.uri().path()) {
        Err(mistake) => mistake,
        Ok(requested) => {
            let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
            let format = Format::negotiate(accept.unwrap_or_default());
            let daemon_metrics = match requested {
                HealthPage::Metrics => DaemonMetrics::fetch(&steward, known.web.as_deref()).await,
                HealthPage::Live | HealthPage::Ready => DaemonMetrics::empty(),
            };
            let observing = tokio::task::spawn_blocking(move || {
                requested.answer(&Observation::take(&steward, &known), &daemon_metrics, format)
            });
            match timeout(DISK_TIMEOUT, observing).await {
                Ok(Ok(page)) => page,
                _ => HealthResponse::too_slow(),
            }
        }
    };
    let mut response = Response::new(Full::from(page.body));
    *response.status_mut() = page.code;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(page.kind));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if page.code == StatusCode::METHOD_NOT_ALLOWED {
        fields.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
