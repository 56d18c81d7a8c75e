//! All that must be there before the first daemon runs, in its order.

use std::net::SocketAddr;

use handover::Concern;
use handover::config::{DkimKey, Tls};
use handover::sockets;

use super::unit::Moment;
use crate::certificate::{self, Found, Keeper, SelfMadeError, fingerprint};
use crate::certificate::{brought, trust};
use crate::exit::Exit;
use crate::generation::{self, AccountsError, GenerationError, OwnPorts};
use crate::plan::Applied;
use crate::ports::{self, Bound, Listening, PortError, Unbound};
use crate::presence::presence;
use crate::settings::Certificates;
use crate::signing_keys::{self, SigningKeyError};
use crate::site::{Purpose, Site};
use crate::volume::{self, FormatError, HeldError, Hold, LayoutError};

/// Why the daemons cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Another server works with the volume.
    #[error(transparent)]
    Held(#[from] HeldError),
    /// The folders are not there.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The volume is not ours to use.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Ports could not be bound.
    #[error("{}", lines(.0))]
    Ports(Vec<PortError>),
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] SelfMadeError),
    /// There are no signing keys.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeyError),
    /// The accounts are not up to date.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The daemons' configuration could not be written.
    #[error(transparent)]
    Generation(#[from] GenerationError),
}

fn lines(errors: &[PortError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl PrepareError {
    /// How the program ends by it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Held(_) => Exit::VolumeInUse,
            Self::Layout(error) if error.is_not_writable() => Exit::VolumeNotWritable,
            Self::Format(FormatError::Newer { .. }) => Exit::VolumeTooNew,
            Self::Ports(_) => Exit::PortTaken,
            Self::Certificate(SelfMadeError::Make { .. }) | Self::SigningKeys(SigningKeyError::Make(_)) => {
                Exit::System
            }
            Self::Accounts(AccountsError::Contradiction(_)) => Exit::Usage,
            _ => Exit::VolumeFault,
        }
    }
}

/// What was prepared.
#[derive(Debug)]
pub struct Prepared {
    /// The volume, which is ours alone while this lives.
    pub held: Hold,
    /// The sockets, bound.
    pub listening: Vec<Listening>,
    /// What is left to be put right by a person.
    pub concerns: Vec<Concern>,
    /// Ports that another program holds, and without which mail is served.
    pub missing: Vec<Unbound>,
    /// The fingerprint of the certificate that the daemons will read.
    pub certificate: Option<String>,
}

/// Prepares everything. Done twice, or after having been cut off anywhere, it comes to the same.
pub fn prepare(site: &Site) -> Result<Prepared, PrepareError> {
    volume::refuse_foreign_format(&site.folders)?;
    let held = volume::hold(&site.folders, site.owners.as_ref())?;
    volume::lay_out(&site.folders, site.owners.as_ref())?;
    volume::check_format(&site.folders)?;
    let Bound { listening, missing } = ports::bind(site).map_err(PrepareError::Ports)?;
    generation::write_steward(site, own_ports(&listening))?;
    let names = site.certificate_names();
    let found = certificate::ensure(&site.folders.tls(), &names, Moment::now().wall, keeper(site))?;
    if let Found::Foreign { wrong } = found {
        tracing::warn!(wrong, "the certificate is not what it should be");
    }
    let concerns = refresh(site)?;
    let certificate = fingerprint(&site.tls().certificate).ok();
    Ok(Prepared { held, listening, missing, concerns, certificate })
}

/// Brings up to date what may change while it runs: the accounts, and with a user in a new domain
/// the keys and the configurations too. What is left to be put right by a person comes back.
pub fn refresh(site: &Site) -> Result<Vec<Concern>, PrepareError> {
    let accounts = generation::write_accounts(site)?;
    for Concern { problem, fix } in site.slips(&accounts) {
        tracing::warn!(%problem, %fix, "a setting has no effect");
    }
    let mut concerns = site.concerns(&accounts);
    concerns.extend(trust::hand_on(site));
    concerns.extend(bring(site));
    let keys = dkim(site)?;
    generation::write_presence(site, &presence(site, &keys)?)?;
    generation::write_mail_daemons(site, keys)?;
    generation::rewrite_steward(site)?;
    // Only a plan would miss it.
    if let Err(error) = Applied::write(site) {
        tracing::warn!(%error, "what is in force could not be written down for `mailstead plan`");
    }
    Ok(concerns)
}

/// Where this host reaches itself: whatever listens on all addresses does so on the loopback.
fn own_ports(listening: &[Listening]) -> OwnPorts {
    let at = |name| {
        let listener = listening.iter().find(|listening| listening.socket.name == name);
        let address = listener.and_then(|listening| listening.address);
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        address.map_or(loopback, |address| match address.ip().is_unspecified() {
            true => SocketAddr::new(loopback.ip(), address.port()),
            false => address,
        })
    };
    OwnPorts { health: at(sockets::HEALTH), smtp: at("smtp"), imaps: at("imaps") }
}

/// Takes over the certificate that somebody else brings, where that is so.
fn bring(site: &Site) -> Option<Concern> {
    let Certificates::Brought { certificate, key } = &site.settings.certificates else { return None };
    if site.purpose == Purpose::Demo {
        return None;
    }
    let from = Tls { certificate: certificate.clone(), key: key.clone() };
    let now = i64::try_from(Moment::now().wall).unwrap_or(i64::MAX);
    let keeper = keeper(site);
    brought::bring(&from, &site.folders.brought(), site.settings.hostname.as_str(), now, keeper)
}

/// Whose certificates and keys are.
fn keeper(site: &Site) -> Option<Keeper> {
    site.owners.map(|owners| Keeper { user: owners.steward.user, group: owners.shared })
}

fn dkim(site: &Site) -> Result<Vec<DkimKey>, PrepareError> {
    let group = site.owners.as_ref().map(|owners| owners.mta.group);
    let mut keys = Vec::new();
    for domain in &site.settings.domains {
        keys.extend(signing_keys::ensure(&site.folders.dkim(), domain, group)?);
    }
    Ok(keys)
}
