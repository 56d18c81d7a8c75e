//! Connects to this machine by its public addresses, to check that they lead here: a TLS handshake proves that the peer
//! has the key of this machine's certificate.
//!
//! A connection to an address of an interface stays within the machine, so it proves the machine's own firewall and
//! port mapping, and nothing about a firewall of the provider.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use rustls::pki_types::{CertificateDer, ServerName};
use serve::tls::Connector;
use serve::{Stream, UpgradeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::observed::ConnectionOutcome;

/// Timeout for one connection, with greeting and handshake.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Limit of a line of a greeting or reply (RFC 5321 §4.5.3.1.5).
const MAX_LINE: usize = 1024;
/// Limit of the lines of one reply.
const MAX_LINES: usize = 64;
/// The ports on which every machine serves mail.
pub(super) const MAIL_PORTS: [u16; 5] = [25, 465, 587, 143, 993];
/// Limit of addresses: a name with more is not that of one machine.
const MAX_ADDRESSES: usize = 8;

/// Connects to each address and port.
pub(super) async fn connect_all(
    addresses: &[IpAddr],
    ports: &[u16],
    certificate: &Path,
    host: &str,
    end: Instant,
) -> BTreeMap<(IpAddr, u16), ConnectionOutcome> {
    let leaf = handover::certificate::chain(certificate).ok().and_then(|chain| chain.into_iter().next());
    let pairs =
        addresses.iter().take(MAX_ADDRESSES).flat_map(|ip| ports.iter().map(move |port| (*ip, *port)));
    let pending = pairs.map(async |(ip, port)| {
        let tried = timeout(TIMEOUT, one(ip, port, leaf.as_ref(), host));
        let outcome = match timeout_at(end, tried).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => {
                ConnectionOutcome::Silent(format!("no answer within {} seconds", TIMEOUT.as_secs()))
            }
        };
        ((ip, port), outcome)
    });
    join_all(pending).await.into_iter().collect()
}

async fn one(ip: IpAddr, port: u16, leaf: Option<&CertificateDer<'_>>, host: &str) -> ConnectionOutcome {
    let mut stream = match TcpStream::connect((ip, port)).await {
        Ok(stream) => stream,
        Err(error) => return ConnectionOutcome::Silent(error.to_string()),
    };
    match port {
        25 | 587 => {
            if let Err(failure) = start_tls_of_smtp(&mut stream, host).await {
                return failure;
            }
        }
        143 => {
            if let Err(failure) = start_tls_of_imap(&mut stream).await {
                return failure;
            }
        }
        // This port serves pages without TLS.
        80 => return ConnectionOutcome::Answered,
        _ => {}
    }
    let connector = leaf.map(Connector::pinned_to).unwrap_or_else(Connector::opportunistic);
    let (Ok(connector), Ok(name)) = (connector, ServerName::try_from(host.to_owned())) else {
        return ConnectionOutcome::Answered;
    };
    match Stream::from(stream).secure_to(&connector, name, &[]).await {
        Ok(_) if leaf.is_some() => ConnectionOutcome::Own,
        Ok(_) => ConnectionOutcome::Answered,
        Err(error) => failed(&error),
    }
}

/// Distinguishes a certificate with another key from a connection that ends.
fn failed(error: &UpgradeError) -> ConnectionOutcome {
    let rustls = match error {
        UpgradeError::Handshake(inner) => {
            inner.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
        }
        _ => None,
    };
    match rustls {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::General(_)) => {
            ConnectionOutcome::Other("another certificate than this machine's".to_owned())
        }
        _ => ConnectionOutcome::Silent(error.to_string()),
    }
}

/// Sends `EHLO` and `STARTTLS` (RFC 3207). If a proxy sends a PROXY header, the server refuses the first command.
async fn start_tls_of_smtp(stream: &mut TcpStream, host: &str) -> Result<(), ConnectionOutcome> {
    let greeting = reply(stream).await?;
    let ours = greeting.strip_prefix("220 ").or_else(|| greeting.strip_prefix("220-"));
    let named = ours.and_then(|rest| rest.split_ascii_whitespace().next());
    if !named.is_some_and(|named| named.eq_ignore_ascii_case(host)) {
        return Err(ConnectionOutcome::Other(format!("the greeting {greeting:?}")));
    }
    for command in [format!("EHLO {host}\r\n"), "STARTTLS\r\n".to_owned()] {
        send(stream, command.as_bytes()).await?;
        let answer = reply(stream).await?;
        if !answer.starts_with('2') {
            let command = command.trim_end();
            return Err(ConnectionOutcome::Other(format!("{answer:?} to {command}")));
        }
    }
    Ok(())
}

/// Sends `STARTTLS` of IMAP (RFC 9051 §6.2.1).
async fn start_tls_of_imap(stream: &mut TcpStream) -> Result<(), ConnectionOutcome> {
    let greeting = line(stream).await?;
    if !greeting.starts_with("* OK") {
        return Err(ConnectionOutcome::Other(format!("the greeting {greeting:?}")));
    }
    send(stream, b"a STARTTLS\r\n").await?;
    let answer = line(stream).await?;
    if answer.starts_with("a OK") {
        Ok(())
    } else {
        Err(ConnectionOutcome::Other(format!("{answer:?} to STARTTLS")))
    }
}

async fn send(stream: &mut TcpStream, octets: &[u8]) -> Result<(), ConnectionOutcome> {
    stream.write_all(octets).await.map_err(|error| ConnectionOutcome::Silent(error.to_string()))
}

/// Reads the last line of a reply (RFC 5321 §4.2.1).
async fn reply(stream: &mut TcpStream) -> Result<String, ConnectionOutcome> {
    for _ in 0..MAX_LINES {
        let line = line(stream).await?;
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(line);
        }
    }
    Err(ConnectionOutcome::Other("a reply without an end".to_owned()))
}

/// Reads a line octet by octet, so that nothing of the handshake is consumed.
async fn line(stream: &mut TcpStream) -> Result<String, ConnectionOutcome> {
    let mut line = Vec::new();
    while line.len() < MAX_LINE {
        match stream.read_u8().await {
            Ok(b'\n') => break,
            Ok(octet) => line.push(octet),
            Err(_) if line.is_empty() => {
                return Err(ConnectionOutcome::Other(
                    "a connection that closes without a greeting".to_owned(),
                ));
            }
            Err(error) => return Err(ConnectionOutcome::Silent(error.to_string())),
        }
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// The outcome with a server that sends these lines, one for each line that it reads.
    async fn start_tls_outcome(lines: &'static [&'static str]) -> Result<(), ConnectionOutcome> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            for (index, text) in lines.iter().enumerate() {
                if index > 0 {
                    line(&mut stream).await.unwrap();
                }
                stream.write_all(text.as_bytes()).await.unwrap();
            }
        };
        let client = async move { start_tls_of_smtp(&mut client, "mail.example.org").await };
        tokio::join!(server, client).1
    }

    #[tokio::test]
    async fn a_server_of_that_name_that_starts_tls_is_distinguished_from_a_proxy() {
        let own = start_tls_outcome(&[
            "220 mail.example.org ESMTP\r\n",
            "250-mail.example.org\r\n250 STARTTLS\r\n",
            "220 ready\r\n",
        ]);
        assert_eq!(own.await, Ok(()));
        for (lines, expected) in [
            (&["220 proxy.example.com ESMTP\r\n"] as &'static [&'static str], "proxy.example.com"),
            (&["220 mail.example.org ESMTP\r\n", "500 unknown command\r\n"], "500 unknown command"),
            (&[""], "closes without a greeting"),
        ] {
            let Err(ConnectionOutcome::Other(why)) = start_tls_outcome(lines).await else {
                panic!("{expected} was accepted as ours")
            };
            assert!(why.contains(expected), "{why}");
        }
    }
}
