//! The daemons' configuration files: serde structs, written by the supervisor and read by the daemons.
//!
//! Unknown keys are refused: a file of another version is a fault to report, not to guess at. A daemon reads no
//! environment variables.

mod acme;
mod dns_update;
mod heartbeat;
mod log;
mod login;
mod mda;
mod mta;
mod policy;
mod presence;
mod quotas;
mod relay;
mod renewal;
mod session_timeouts;
mod steward;
mod tls;

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// The largest file that is read, in octets: a configuration with thousands of domains has a few hundred thousand.
const MAX_SIZE: u64 = 16 << 20;

pub use acme::{AccountBinding, Acme, Challenge};
pub use dns_update::{DnsUpdate, TsigAlgorithm, TsigKey};
pub use heartbeat::{Heartbeat, HeartbeatMailbox};
pub use log::{Format, Level, Log};
pub use login::Login;
pub use mda::{Mda, MdaLimits, MdaListen};
pub use mta::{DkimKey, Dns, Mta, MtaLimits, MtaListen, Outbound};
pub use policy::{Policy, PolicyAction, PolicyCheck};
pub use presence::{Presence, PublicSignature};
pub use quotas::{Quotas, UserQuota};
pub use relay::{Relay, RelayCredentials, RelaySecurity};
pub use renewal::{ChallengePorts, Renewal};
pub use session_timeouts::SessionTimeouts;
pub use steward::{Steward, Web, WebListen};
pub use tls::Tls;

/// An error that keeps a configuration file from being loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file is not TOML, or not of the expected form. The line itself is not shown: there are secrets in these
    /// files.
    #[error("the configuration {} does not have the form that this version writes: {}", path.display(), source.message())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The parser's error, with its position.
        source: Box<toml::de::Error>,
    },
}

/// Reads a configuration file.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = durable::read_text_limited(path, MAX_SIZE)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use address::Domain;

    use super::*;
    use crate::Confidential;

    const MINIMAL: &str = r#"
        hostname = "mail.example.org"
        accounts = "/data/accounts.toml"
        queue = "/data/queue"
        lmtp = "/run/mailstead/lmtp.sock"
        [tls]
        certificate = "/data/tls/certificate.pem"
        key = "/data/tls/key.pem"
    "#;

    #[test]
    fn missing_keys_have_defaults_and_a_written_file_reads_back() {
        let mut mta: Mta = toml::from_str(MINIMAL).unwrap();
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
        let text = format!("colour = 1\n{MINIMAL}");
        let error = toml::from_str::<Mta>(&text).unwrap_err();
        assert!(error.to_string().contains("colour"), "{error}");
    }

    #[test]
    fn a_damaged_file_is_named_and_none_of_its_lines_is_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret = \"$6$salt$digits").unwrap();
        let error_text = load::<Mta>(file.path()).unwrap_err().to_string();
        assert!(
            error_text.contains("does not have the form") && !error_text.contains("digits"),
            "{error_text}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load::<Mta>(Path::new("/nowhere/mta.toml")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/mta.toml"), "{error}");
    }
}
