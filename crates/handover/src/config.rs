//! The daemons' configuration files: serde structs, written by the supervisor and read by the daemons.
//!
//! Keys that are not known are refused: a file of another version is a fault to be told, not to be guessed at.
//! A daemon reads no environment.

mod acme;
mod dns_update;
mod heartbeat;
mod login;
mod presence;
mod quotas;
mod relay;
mod renewal;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use address::Domain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use acme::{AccountBinding, Acme, Challenge};
pub use dns_update::{DnsUpdate, TsigAlgorithm, TsigKey};
pub use heartbeat::{Heartbeat, HeartbeatMailbox};
pub use login::Login;
pub use presence::{Presence, PublicSignature};
pub use quotas::{Quotas, UserQuota};
pub use relay::{Relay, RelayCredentials, RelaySecurity};
pub use renewal::{Reach, Renewal};

/// `mta.toml`: what `mailstead mta` needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mta {
    /// The name under which this host speaks: in greetings, EHLO and trace fields.
    pub hostname: Domain,
    /// The accounts file (`accounts.toml`).
    pub accounts: PathBuf,
    /// The queue's folder.
    pub queue: PathBuf,
    /// The MDA's LMTP socket.
    pub lmtp: PathBuf,
    /// Where all outgoing mail goes instead of to its MX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
    /// How much mail each user may keep: whoever has a bound is asked about before mail is taken.
    #[serde(default)]
    pub quotas: Quotas,
    /// Where to listen when no sockets were handed over.
    #[serde(default)]
    pub listen: MtaListen,
    /// The certificate and its key.
    pub tls: Tls,
    /// Bounds on what a peer may ask for.
    #[serde(default)]
    pub limits: MtaLimits,
    /// How logins are judged.
    #[serde(default)]
    pub login: Login,
    /// How DNS is asked.
    #[serde(default)]
    pub dns: Dns,
    /// How mail leaves.
    #[serde(default)]
    pub outbound: Outbound,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
    /// The mailbox of the heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatMailbox>,
    /// The keys that sign outgoing mail.
    #[serde(default)]
    pub dkim: Vec<DkimKey>,
}

/// The MTA's own listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MtaListen {
    /// SMTP from other hosts, port 25.
    pub smtp: Vec<SocketAddr>,
    /// Submission with STARTTLS, port 587 (RFC 6409).
    pub submission: Vec<SocketAddr>,
    /// Submission over implicit TLS, port 465 (RFC 8314).
    pub submissions: Vec<SocketAddr>,
    /// Where the numbers are told, a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<PathBuf>,
}

/// Bounds on what a peer may ask the MTA for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MtaLimits {
    /// The largest message, in octets, announced by SIZE (RFC 1870).
    pub message_size: u64,
    /// Recipients of one transaction; RFC 5321 §4.5.3.1.8 asks for at least 100.
    pub recipients: usize,
    /// Connections at one time: so many from other hosts, and so many from users.
    pub connections: usize,
    /// Connections at one time from one address, counted in the same way; 0 is no limit.
    pub connections_per_address: usize,
}

impl Default for MtaLimits {
    fn default() -> Self {
        Self { message_size: 50 << 20, recipients: 200, connections: 500, connections_per_address: 20 }
    }
}

/// How DNS is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dns {
    /// The servers; when there are none, those of `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// How long all the questions about one incoming message may take together, in milliseconds.
    pub budget_ms: u64,
}

impl Default for Dns {
    fn default() -> Self {
        Self { servers: Vec::new(), budget_ms: 8_000 }
    }
}

/// How mail leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// The port of other hosts' SMTP servers.
    pub port: u16,
    /// How long delivery is tried before the sender is told, in seconds; RFC 5321 §4.5.4.1 asks for 4 to 5 days.
    pub expire_seconds: u64,
    /// The wait after the first failed try, in seconds; it grows with each.
    pub retry_seconds: u64,
}

impl Default for Outbound {
    fn default() -> Self {
        Self { port: 25, expire_seconds: 5 * 24 * 3600, retry_seconds: 5 * 60 }
    }
}

/// One signing key of one domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimKey {
    /// The domain whose mail it signs.
    pub domain: Domain,
    /// The selector: the record's name is `<selector>._domainkey.<domain>` (RFC 6376 §3.1).
    pub selector: String,
    /// The private key, PKCS#8 in PEM; its kind (RSA or Ed25519) is in it.
    pub key: PathBuf,
}

/// The certificate chain and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The leaf's private key.
    pub key: PathBuf,
}

/// What is logged and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least level.
    pub level: Level,
    /// How a line is written.
    pub format: Format,
}

/// The levels of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What somebody must do something about.
    Error,
    /// What may become that.
    Warn,
    /// What happened to each message and session.
    #[default]
    Info,
    /// How it happened.
    Debug,
    /// Every step.
    Trace,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For a person.
    #[default]
    Text,
    /// For a program: one JSON object a line.
    Json,
}

/// `mda.toml`: what `mailstead mda` needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mda {
    /// The name under which this host speaks: in greetings and in the names of messages' files.
    pub hostname: Domain,
    /// The accounts file (`accounts.toml`).
    pub accounts: PathBuf,
    /// The folder of all mail: `<mail>/<domain>/<user>/Maildir`.
    pub mail: PathBuf,
    /// The folder of the indexes, which are caches.
    pub index: PathBuf,
    /// Where to listen when no sockets were handed over.
    #[serde(default)]
    pub listen: MdaListen,
    /// The certificate and its key.
    pub tls: Tls,
    /// How much mail each user may keep.
    #[serde(default)]
    pub quotas: Quotas,
    /// Bounds on what a client may ask for.
    #[serde(default)]
    pub limits: MdaLimits,
    /// How logins are judged.
    #[serde(default)]
    pub login: Login,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
    /// The mailbox of the heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatMailbox>,
}

/// The MDA's own listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MdaListen {
    /// IMAP with STARTTLS, port 143.
    pub imap: Vec<SocketAddr>,
    /// IMAP over implicit TLS, port 993 (RFC 8314).
    pub imaps: Vec<SocketAddr>,
    /// LMTP from the MTA, a path (RFC 2033).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lmtp: Option<PathBuf>,
    /// Where the numbers are told, a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<PathBuf>,
}

/// Bounds on what a client may ask the MDA for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MdaLimits {
    /// The largest message that is stored, in octets.
    pub message_size: u64,
    /// IMAP connections at one time.
    pub connections: usize,
    /// IMAP connections at one time from one address; 0 is no limit.
    pub connections_per_address: usize,
}

impl Default for MdaLimits {
    fn default() -> Self {
        // Trace fields come on top of a message of the MTA's largest size.
        Self { message_size: (50 << 20) + (64 << 10), connections: 1000, connections_per_address: 50 }
    }
}

/// `steward.toml`: what `mailstead steward` needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steward {
    /// Where health is asked for, also by `mailstead health`.
    pub health: SocketAddr,
    /// The file in which process 1 writes the state of the whole.
    pub status: PathBuf,
    /// The certificate and its key.
    pub tls: Tls,
    /// The volume, whose free space is watched.
    pub volume: PathBuf,
    /// Where each daemon tells its numbers.
    #[serde(default)]
    pub metrics: BTreeMap<String, PathBuf>,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
    /// The message that the steward sends itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// What is served to the web.
    pub web: Web,
    /// The name servers to ask; when there are none, those of `/etc/resolv.conf`.
    #[serde(default)]
    pub dns_servers: Vec<SocketAddr>,
    /// How the certificate is obtained and renewed, where that is the steward's business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
}

/// What the steward serves on ports 80 and 443.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// The mail host's name, which the pages send clients to.
    pub hostname: Domain,
    /// The domains whose pages are served.
    pub domains: Vec<Domain>,
    /// Where to listen when no sockets were handed over.
    #[serde(default)]
    pub listen: WebListen,
}

/// The steward's own listeners for the web.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebListen {
    /// HTTP, port 80.
    pub http: Vec<SocketAddr>,
    /// HTTPS, port 443.
    pub https: Vec<SocketAddr>,
}

/// Why a configuration file could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is no TOML, or not of the expected form.
    #[error("the configuration {} is not of the form that this version writes: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
}

/// Reads a configuration file.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text =
        fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confidential;

    const SMALLEST: &str = r#"
        hostname = "mail.example.org"
        accounts = "/data/accounts.toml"
        queue = "/data/queue"
        lmtp = "/run/mailstead/lmtp.sock"
        [tls]
        certificate = "/data/tls/certificate.pem"
        key = "/data/tls/key.pem"
    "#;

    #[test]
    fn what_is_not_said_has_its_default_and_what_is_written_reads_as_the_same() {
        let mut mta: Mta = toml::from_str(SMALLEST).unwrap();
        assert_eq!(mta.limits, MtaLimits::default());
        assert_eq!(mta.outbound.port, 25);
        mta.relay = Some(Relay {
            host: "smarthost.example.net".parse::<Domain>().unwrap().into(),
            port: 587,
            security: RelaySecurity::StartTls,
            credentials: Some(RelayCredentials {
                user: "ann".into(),
                password: Confidential::new("swordfish"),
            }),
            authorities: Some("/data/authorities.pem".into()),
        });
        mta.listen.smtp = vec!["[::]:25".parse().unwrap()];
        mta.dkim = vec![DkimKey {
            domain: Domain::parse("example.org").unwrap(),
            selector: "one".into(),
            key: "/data/dkim/example.org/one.pem".into(),
        }];
        let written = toml::to_string(&mta).unwrap();
        assert_eq!(toml::from_str::<Mta>(&written).unwrap(), mta);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let text = format!("colour = 1\n{SMALLEST}");
        let error = toml::from_str::<Mta>(&text).unwrap_err();
        assert!(error.to_string().contains("colour"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load::<Mta>(Path::new("/nowhere/mta.toml")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/mta.toml"), "{error}");
    }
}
