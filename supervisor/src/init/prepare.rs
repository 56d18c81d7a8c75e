//! All that must be there before the first daemon runs, in its order.

use std::net::SocketAddr;

use handover::config::DkimKey;

use super::unit::Moment;
use crate::certificate::{self, Found, SelfMadeError};
use crate::exit::Exit;
use crate::generation::{self, AccountsFileError, GenerationError};
use crate::ports::{self, Listening, PortError};
use crate::signing_keys::{self, SigningKeyError};
use crate::site::Site;
use crate::volume::{self, FormatError, LayoutError};

/// Why the daemons cannot be started.
#[derive(Debug)]
pub enum PrepareError {
    /// The folders are not there.
    Layout(LayoutError),
    /// The volume is not ours to use.
    Format(FormatError),
    /// Ports could not be bound.
    Ports(Vec<PortError>),
    /// There is no certificate.
    Certificate(SelfMadeError),
    /// There are no signing keys.
    SigningKeys(SigningKeyError),
    /// The accounts are not up to date.
    Accounts(AccountsFileError),
    /// The daemons' configuration could not be written.
    Generation(GenerationError),
}

impl std::fmt::Display for PrepareError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Layout(error) => write!(f, "{error}"),
            Self::Format(error) => write!(f, "{error}"),
            Self::Ports(errors) => {
                let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::Certificate(error) => write!(f, "{error}"),
            Self::SigningKeys(error) => write!(f, "{error}"),
            Self::Accounts(error) => write!(f, "{error}"),
            Self::Generation(error) => write!(f, "{error}"),
        }
    }
}

impl PrepareError {
    /// How the program ends by it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Layout(error) if error.is_not_writable() => Exit::VolumeNotWritable,
            Self::Format(FormatError::Newer { .. }) => Exit::VolumeTooNew,
            Self::Ports(_) => Exit::PortTaken,
            Self::Certificate(SelfMadeError::Make { .. }) | Self::SigningKeys(SigningKeyError::Make(_)) => {
                Exit::System
            }
            _ => Exit::VolumeFault,
        }
    }
}

/// What was prepared.
#[derive(Debug)]
pub struct Prepared {
    /// The sockets, bound.
    pub listening: Vec<Listening>,
    /// What is left to be put right by a person.
    pub concerns: Vec<String>,
}

/// Prepares everything. Done twice, or after having been cut off anywhere, it comes to the same.
pub fn prepare(site: &Site) -> Result<Prepared, PrepareError> {
    volume::lay_out(&site.folders, site.owners.as_ref()).map_err(PrepareError::Layout)?;
    volume::check_format(&site.folders).map_err(PrepareError::Format)?;
    let listening = ports::bind(site).map_err(PrepareError::Ports)?;
    let http = listening.iter().find(|listening| listening.socket.name == "http");
    let http =
        http.and_then(|listening| listening.address).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    generation::write_steward(site, http).map_err(PrepareError::Generation)?;
    let concerns = refresh(site)?;
    Ok(Prepared { listening, concerns })
}

/// Brings up to date what may change while it runs: the certificate, the accounts, and with a user in a new domain
/// the keys and the configurations too. What is left to be put right by a person comes back.
pub fn refresh(site: &Site) -> Result<Vec<String>, PrepareError> {
    let mut concerns = site.concerns();
    let key_group = site.owners.as_ref().map(|owners| owners.shared);
    let names = site.certificate_names();
    let found = certificate::ensure(&site.folders.tls(), &names, Moment::now().wall, key_group)
        .map_err(PrepareError::Certificate)?;
    if let Found::Foreign { wrong } = found {
        let folder = site.folders.tls();
        concerns.push(format!(
            "the certificate in {} needs attention: {wrong}; replace it, or move it away to have one made",
            folder.display()
        ));
    }
    generation::write_accounts(site).map_err(PrepareError::Accounts)?;
    generation::write_mail_daemons(site, dkim(site)?).map_err(PrepareError::Generation)?;
    Ok(concerns)
}

fn dkim(site: &Site) -> Result<Vec<DkimKey>, PrepareError> {
    let group = site.owners.as_ref().map(|owners| owners.mta.group);
    let mut keys = Vec::new();
    for domain in site.settings.domains() {
        keys.extend(
            signing_keys::ensure(&site.folders.dkim(), &domain, group).map_err(PrepareError::SigningKeys)?,
        );
    }
    Ok(keys)
}
