//! Queries the steward's health page, as the container's health check does.

use std::net::SocketAddr;
use std::path::Path;

use handover::config::{self, Steward};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::super::observed::HealthReason;
use crate::health::{HEALTH_REQUEST, MAX_ANSWER, address_to_query};

#[derive(serde::Deserialize)]
struct Report {
    #[serde(default)]
    reasons: Vec<HealthReason>,
}

/// The reasons why the server is not fully ready, or why the steward did not answer.
pub(super) async fn query(configuration: &Path, end: Instant) -> Result<Vec<HealthReason>, String> {
    let steward: Steward = config::load(configuration).map_err(|error| error.to_string())?;
    let address = steward.health;
    let answer = timeout_at(end, fetch(address_to_query(address), HEALTH_REQUEST)).await;
    let answer = answer.map_err(|_| format!("{address} does not answer in time"))?;
    let answer = answer.map_err(|error| format!("no answer on {address}: {error}"))?;
    let text = String::from_utf8_lossy(&answer);
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
    let report = body.and_then(|body| serde_json::from_str::<Report>(body).ok());
    report.map(|report| report.reasons).ok_or_else(|| format!("the server on {address} is not the steward"))
}

/// The steward's raw response.
pub(super) async fn fetch(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(answer)
}
