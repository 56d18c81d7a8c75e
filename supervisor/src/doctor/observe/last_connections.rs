//! The last connections from outside. The daemons count them, and the steward has their metrics.

use std::collections::BTreeMap;
use std::path::Path;

use handover::config::{self, Steward};
use tokio::time::{Instant, timeout_at};

use super::health::fetch;
use crate::health::address_to_query;
use crate::ports;

const REQUEST: &[u8] = b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
/// The metric family, in seconds since 1970; 0 means never.
const FAMILY: &str = "mailstead_last_outside_connection_timestamp_seconds{";

/// The last connection of each public port; `None` if the steward does not answer.
pub(super) async fn query(configuration: &Path, end: Instant) -> Option<BTreeMap<u16, u64>> {
    let steward: Steward = config::load(configuration).ok()?;
    let answer = timeout_at(end, fetch(address_to_query(steward.health), REQUEST)).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&answer);
    text.starts_with("HTTP/1.").then(|| read(&text))
}

fn read(text: &str) -> BTreeMap<u16, u64> {
    let last_connection = |line: &str| {
        let (labels, value) = line.strip_prefix(FAMILY)?.split_once('}')?;
        let service = labels.split("service=\"").nth(1)?.split('"').next()?;
        let port = ports::ALL.iter().find(|port| port.is_public && port.name == service)?;
        let at: f64 = value.trim().parse().ok()?;
        (at >= 1.0).then_some((port.number, at as u64))
    };
    text.lines().filter_map(last_connection).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_of_the_daemons_are_read_by_port() {
        let text = format!(
            "HTTP/1.0 200 OK\r\n\r\n# HELP x\n{FAMILY}service=\"smtp\"}} 1795834800\n{FAMILY}service=\"imaps\"}} 0\n\
             {FAMILY}service=\"nonsense\"}} 5\nmailstead_sessions{{service=\"imap\"}} 3\n"
        );
        assert_eq!(read(&text), [(25, 1_795_834_800)].into());
    }
}
