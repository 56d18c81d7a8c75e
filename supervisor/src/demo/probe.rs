//! Connects to every port and reads its greeting, as a client would: only then does it answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::addresses::DemoAddresses;

/// The time limit for one port.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest greeting line.
const MAX_LEN: u64 = 1024;

/// Checks every service; returns the first that does not answer, with the reason.
pub(super) fn all(contact: &DemoAddresses) -> Result<(), String> {
    let ports = &contact.ports;
    let named = |name: &'static str| move |error: io::Error| format!("{name} does not answer: {error}");
    plain(ports.smtp, "220").map_err(named("smtp"))?;
    plain(ports.submission, "220").map_err(named("submission"))?;
    plain(ports.imap, "* OK").map_err(named("imap"))?;
    tls(ports.submissions, &contact.ca_file, "220").map_err(named("submissions"))?;
    tls(ports.imaps, &contact.ca_file, "* OK").map_err(named("imaps"))?;
    lmtp(&ports.lmtp).map_err(named("lmtp"))?;
    health(ports.health).map_err(named("health"))
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let address = SocketAddr::from((IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

fn plain(port: u16, expected: &str) -> io::Result<()> {
    greeting(connect(port)?, expected)
}

fn tls(port: u16, authority: &Path, expected: &str) -> io::Result<()> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(authority).map_err(io::Error::other)?;
    roots.add(authority).map_err(io::Error::other)?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    greeting(StreamOwned::new(connection, connect(port)?), expected)
}

fn lmtp(path: &Path) -> io::Result<()> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    greeting(stream, "220")
}

fn health(port: u16) -> io::Result<()> {
    let mut stream = connect(port)?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    greeting(stream, "HTTP/1.1 200")
}

fn greeting(stream: impl Read, expected: &str) -> io::Result<()> {
    let mut line = Vec::new();
    BufReader::new(stream.take(MAX_LEN)).read_until(b'\n', &mut line)?;
    if line.starts_with(expected.as_bytes()) {
        return Ok(());
    }
    let line = String::from_utf8_lossy(&line);
    Err(io::Error::other(format!("{:?} where {expected} was expected", line.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_expected_greeting_is_accepted() {
        assert!(greeting(&b"220 mail.demo.test\r\n"[..], "220").is_ok());
        assert!(greeting(&b"* OK"[..], "* OK").is_ok());
        assert!(greeting(&b""[..], "220").is_err());
        assert!(greeting(&b"421 later\r\n"[..], "220").unwrap_err().to_string().contains("421 later"));
        assert!(greeting(io::repeat(b'x'), "220").is_err());
    }
}
