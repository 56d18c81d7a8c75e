//! `mailstead health`: queries the steward, as the container's health check does.
//!
//! Prints the steward's report in lines for a person, or with `--json` unchanged, or the reason for its absence. Exit
//! status 0 when mail is served, else 1: the only two that a health check knows.

mod report;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use handover::config::{self, Steward};

/// A healthy steward answers in milliseconds; a health check that hangs would be killed without output.
const TIMEOUT: Duration = Duration::from_secs(8);
/// The request to the steward.
pub(crate) const HEALTH_REQUEST: &[u8] = b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n";
/// Our own report has a few kilobytes.
pub(crate) const MAX_ANSWER: u64 = 256 * 1024;

/// An error that leaves us without a reply.
#[derive(Debug, thiserror::Error)]
enum HealthError {
    #[error("{0}; is Mailstead running here?")]
    Config(#[from] config::ConfigError),
    #[error("no answer on {address}: {source}; read the log, in a container with `docker compose logs`")]
    Ask { address: SocketAddr, source: io::Error },
    #[error("the server on {0} is not Mailstead's steward")]
    NotTheSteward(SocketAddr),
}

/// The reply: the health, and the report.
#[derive(Debug, PartialEq, Eq)]
struct HealthReply {
    is_serving: bool,
    report: String,
}

/// Queries the steward whose configuration, `steward.toml` in the runtime folder, is at `config`.
pub fn run(config: &Path, as_json: bool) -> ExitCode {
    let answer =
        config::load::<Steward>(config).map_err(HealthError::from).and_then(|steward| query(steward.health));
    match answer {
        Ok(HealthReply { is_serving, report }) => {
            // A report of another version is shown unchanged.
            let lines = if as_json { None } else { report::lines(&report, is_serving) };
            // A reader that has gone away has seen enough; the status still shows the result.
            let _ = writeln!(io::stdout(), "{}", lines.as_deref().unwrap_or(&report).trim_end());
            if is_serving { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("mailstead health: {error}");
            ExitCode::FAILURE
        }
    }
}

fn query(listening: SocketAddr) -> Result<HealthReply, HealthError> {
    let address = address_to_query(listening);
    let failed = |source| HealthError::Ask { address, source };
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(failed)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    stream.set_write_timeout(Some(TIMEOUT)).map_err(failed)?;
    stream.write_all(HEALTH_REQUEST).map_err(failed)?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).map_err(failed)?;
    read(&answer).ok_or(HealthError::NotTheSteward(address))
}

/// The address to query: the loopback for a service on all addresses.
pub(crate) fn address_to_query(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// `HTTP-version SP status-code SP …`, fields, an empty line, the report (RFC 9112 §2.1, §4).
fn read(answer: &[u8]) -> Option<HealthReply> {
    let text = str::from_utf8(answer).ok()?;
    let (head, report) = text.split_once("\r\n\r\n")?;
    let (version, rest) = head.split_once(' ')?;
    let is_serving = match rest.split(' ').next()? {
        "200" => true,
        "503" => false,
        _ => return None,
    };
    let is_ours = version.starts_with("HTTP/1.") && report.starts_with('{');
    is_ours.then(|| HealthReply { is_serving, report: report.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_healthy_or_unhealthy_or_not_the_stewards() {
        let answer = |is_serving| Some(HealthReply { is_serving, report: "{}\n".to_owned() });
        for (text, expected) in [
            ("HTTP/1.0 200 OK\r\na: b\r\n\r\n{}\n", answer(true)),
            ("HTTP/1.1 503 Service Unavailable\r\na: b\r\n\r\n{}\n", answer(false)),
            ("HTTP/1.1 404 Not Found\r\na: b\r\n\r\n{}\n", None),
            ("HTTP/1.1 200 OK\r\na: b\r\n\r\n<html>", None),
            ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", None),
            ("220 mail.example.org ESMTP\r\n", None),
            ("", None),
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_server_on_all_addresses_is_queried_on_the_loopback() {
        for (listening, queried) in [
            ("0.0.0.0:8025", "127.0.0.1:8025"),
            ("[::]:8025", "[::1]:8025"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(address_to_query(listening.parse().unwrap()), queried.parse().unwrap());
        }
    }

    #[test]
    fn a_missing_answer_is_reported_with_the_address() {
        let address = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let error = query(address).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
