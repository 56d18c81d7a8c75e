//! The preparations before the first daemon runs, in their order.

use std::net::SocketAddr;
use std::path::PathBuf;

use handover::Concern;
use handover::config::{DkimKey, Presence, Tls};
use handover::sockets;

use super::background::Abandon;
use super::role::Role;
use super::undo::Undo;
use super::unit::Moment;
use crate::certificate::{self, CertificateOwner, CertificateState, SelfMadeError, fingerprint};
use crate::certificate::{external, trust};
use crate::exit::Exit;
use crate::generation::{self, AccountsError, GenerationError, OwnAddresses};
use crate::plan::AppliedSettings;
use crate::ports::{self, Bound, Listening, PortError, Unbound};
use crate::presence::presence;
use crate::settings::Certificates;
use crate::signing_keys::{self, SigningKeyError};
use crate::site::{Purpose, Site};
use crate::volume::{self, FormatError, LayoutError, VolumeInUseError, VolumeLock};

/// An error that keeps the daemons from being started.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Another server uses the volume.
    #[error(transparent)]
    VolumeInUse(#[from] VolumeInUseError),
    /// The folders could not be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The volume's format cannot be used.
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
    /// A file could not be saved before its replacement.
    #[error("cannot back up {}: {source}", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Process 1 stops, and nothing is written any more.
    #[error("abandoned: Mailstead is stopping")]
    Abandoned,
}

fn lines(errors: &[PortError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl PrepareError {
    /// The exit status for the error.
    pub fn exit(&self) -> Exit {
        match self {
            Self::VolumeInUse(_) => Exit::VolumeInUse,
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

/// The result of the preparations.
#[derive(Debug)]
pub struct Prepared {
    /// Exclusive use of the volume until this is dropped.
    pub lock: VolumeLock,
    /// The sockets, bound.
    pub listening: Vec<Listening>,
    /// Concerns that the operator has to resolve.
    pub concerns: Vec<Concern>,
    /// Ports that another program holds, and without which mail is still served.
    pub unbound: Vec<Unbound>,
    /// The fingerprint of the certificate that the daemons will read.
    pub certificate: Option<String>,
}

/// Prepares everything. Repeated, or after an interruption at any point, it has the same result.
pub fn prepare(site: &Site, abandon: &Abandon) -> Result<Prepared, PrepareError> {
    volume::refuse_foreign_format(&site.folders)?;
    let lock = volume::lock(&site.folders, site.owners.as_ref())?;
    check_abandoned(abandon)?;
    volume::lay_out(&site.folders, site.owners.as_ref())?;
    volume::check_format(&site.folders)?;
    check_abandoned(abandon)?;
    let Bound { listening, unbound } = ports::bind(site).map_err(PrepareError::Ports)?;
    generation::write_steward(site, own_ports(&listening))?;
    let names = site.certificate_names();
    let found =
        certificate::ensure(&site.folders.tls(), &names, Moment::now().wall, certificate_owner(site))?;
    match found {
        CertificateState::Good | CertificateState::Created => {}
        CertificateState::OfAuthority { wrong } => tracing::warn!(wrong, "unsuitable certificate"),
        // The daemons try to load it themselves, and again when they are restarted.
        CertificateState::Unread { wrong } => {
            tracing::error!(wrong, "cannot read the certificate, nothing was replaced")
        }
    }
    check_abandoned(abandon)?;
    let concerns = refresh(site, abandon)?;
    let certificate = fingerprint(&site.tls().certificate).ok();
    Ok(Prepared { lock, listening, unbound, concerns, certificate })
}

/// Ends the work when process 1 stops.
fn check_abandoned(abandon: &Abandon) -> Result<(), PrepareError> {
    if abandon.is_requested() { Err(PrepareError::Abandoned) } else { Ok(()) }
}

/// Updates what may change while it runs: the accounts, and with a user in a new domain the keys and the configurations
/// too. Returns the concerns that the operator has to resolve.
///
/// All or nothing: first everything is read, validated and put together, and only then written. If a write fails, the
/// files written before it are restored. A key for a new domain may be left, which no configuration uses.
pub fn refresh(site: &Site, abandon: &Abandon) -> Result<Vec<Concern>, PrepareError> {
    // Locked until all is done: a restore must not undo a command's change.
    let accounts = generation::merge_accounts(site)?;
    check_abandoned(abandon)?;
    let keys = dkim(site)?;
    let presence = presence(site, &keys)?;
    check_abandoned(abandon)?;
    let mut undo = Undo::default();
    // On a full disk, a file that does not change must not prevent the start.
    let changed = accounts.is_changed().then(|| site.folders.accounts());
    for path in changed.into_iter().chain(replaced(site)) {
        undo.save(&path).map_err(|source| PrepareError::Backup { path, source })?;
    }
    let mut concerns = site.concerns(accounts.merged());
    concerns.extend(trust::copy_anchors(site));
    concerns.extend(copy_external_certificate(site));
    generation::write_presence(site, &presence_with_certificate(site, presence))?;
    generation::write_mail_daemons(site, keys)?;
    generation::rewrite_steward(site)?;
    accounts.store()?;
    undo.commit();
    external::remove_unused(&site.folders.external_certificate());
    for Concern { problem, fix } in site.likely_mistakes(accounts.merged()) {
        tracing::warn!(%problem, %fix, "questionable setting");
    }
    // Only a plan would miss it.
    if let Err(error) = AppliedSettings::write(site) {
        tracing::warn!(%error, "cannot write settings.toml for `mailstead plan`");
    }
    Ok(concerns)
}

/// The files in the runtime folder that [`refresh`] replaces.
fn replaced(site: &Site) -> Vec<PathBuf> {
    let folders = &site.folders;
    let configurations = Role::START_ORDER.map(|role| folders.configuration(role.name()));
    let others = [
        folders.presence(),
        folders.authority_ca(),
        folders.relay_ca(),
        external::current_link(&folders.external_certificate()),
    ];
    configurations.into_iter().chain(others).collect()
}

/// Sets the certificate that is served, which may have changed since the presence was made.
fn presence_with_certificate(site: &Site, presence: Presence) -> Presence {
    Presence { certificate: site.tls().certificate, ..presence }
}

/// The addresses at which this host reaches itself: a service on all addresses also listens on the loopback.
fn own_ports(listening: &[Listening]) -> OwnAddresses {
    let at = |name| {
        let listener = listening.iter().find(|listening| listening.socket.name == name);
        let address = listener.and_then(|listening| listening.address);
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        address.map_or(loopback, |address| match address.ip().is_unspecified() {
            true => SocketAddr::new(loopback.ip(), address.port()),
            false => address,
        })
    };
    OwnAddresses { health: at(sockets::HEALTH), smtp: at("smtp"), imaps: at("imaps") }
}

/// Copies the external certificate, if there is one.
fn copy_external_certificate(site: &Site) -> Option<Concern> {
    let Certificates::External { certificate, key } = &site.settings.certificates else { return None };
    if site.purpose == Purpose::Demo {
        return None;
    }
    let from = Tls { certificate: certificate.clone(), key: key.clone() };
    let now = i64::try_from(Moment::now().wall).unwrap_or(i64::MAX);
    let owner = certificate_owner(site);
    external::install(
        &from,
        &site.folders.external_certificate(),
        site.settings.hostname.as_str(),
        now,
        owner,
    )
}

/// The owner of certificates and keys.
fn certificate_owner(site: &Site) -> Option<CertificateOwner> {
    site.owners.map(|owners| CertificateOwner { user: owners.steward.user, group: owners.shared })
}

fn dkim(site: &Site) -> Result<Vec<DkimKey>, PrepareError> {
    let group = site.owners.as_ref().map(|owners| owners.mta.group);
    let mut keys = Vec::new();
    for domain in &site.settings.domains {
        keys.extend(signing_keys::ensure(&site.folders.dkim(), domain, group)?);
    }
    Ok(keys)
}
