//! All decisions before the first file is written: the operator's settings, the folders, the users of the daemons, and
//! the purpose, the appliance or its demonstration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use accounts::declaration::VerificationCache;
use accounts::{Accounts, Password, RESERVED_NAME, Secret};
use address::{Address, LocalPart};
use handover::config::{Relay, Tls};
use handover::{Concern, Confidential};

use crate::certificate;
use crate::settings::{Certificates, Settings};
use crate::volume::{Folders, Owners};

/// The decisions from which everything else is derived.
#[derive(Debug, Clone)]
pub struct Site {
    /// The operator's settings.
    pub settings: Settings,
    /// The folders.
    pub folders: Folders,
    /// The users of the daemons; `None` if we are not root.
    pub owners: Option<Owners>,
    /// The purpose.
    pub purpose: Purpose,
    /// The password of the heartbeat's mailbox for the steward; `None` if no daemon is started.
    pub heartbeat_password: Option<HeartbeatPassword>,
    /// The passwords and hashes of the settings that are known to belong together.
    pub proofs: VerificationCache,
}

/// The purpose of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To serve mail on the standard ports.
    Appliance,
    /// To be tried out on one machine: loopback, free ports, one person with many connections.
    Demo,
}

/// The password of the heartbeat's mailbox: generated at each start of process 1 and known only to the steward.
#[derive(Debug, Clone)]
pub struct HeartbeatPassword {
    /// The password, for the steward.
    pub password: Confidential,
    /// Its hash, for the daemons that verify it.
    pub secret: Secret,
}

impl HeartbeatPassword {
    /// A new one.
    pub fn new() -> Self {
        let text = accounts::generate_password();
        let password = Password::new(text.as_bytes()).expect("letters are a password");
        Self { password: Confidential::new(text.as_str()), secret: Secret::hash(&password) }
    }
}

impl Default for HeartbeatPassword {
    fn default() -> Self {
        Self::new()
    }
}

/// The concern when there are no users.
pub const NO_USERS: Concern = Concern::constant(
    "no user has a mailbox, so all mail is refused, also to postmaster@ and abuse@",
    "add a user with `mailstead user add ann`, or set MAIL_USERS, for example MAIL_USERS=ann:a-long-password, and start \
     again",
);

/// Without root we cannot switch users.
const NOT_ROOT: Concern = Concern::constant(
    "not started as root: all daemons run as the same user and could read each other's files",
    "start the container without `user:`",
);

/// The most names that a concern lists.
const MAX_NAMED: usize = 5;

/// The concern that mail for aliases is refused, because all of their users are disabled or no longer declared.
pub fn aliases_of_disabled(accounts: &Accounts) -> Option<Concern> {
    let aliases = accounts.aliases_of_disabled();
    let mut names: Vec<String> = aliases.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    if aliases.len() > MAX_NAMED {
        names.push(format!("{} more", aliases.len() - MAX_NAMED));
    }
    let names = names.join(", ");
    (!aliases.is_empty()).then(|| {
        Concern::new(
            format!("mail for {names} is refused: only users who are disabled or no longer declared would get it"),
            "let the alias reach another user, or remove it: in MAIL_ALIASES where it is declared there, else with \
             `mailstead alias delete` and `mailstead alias add`",
        )
    })
}

/// The concern if there are no users in these accounts.
pub fn no_users(accounts: &Accounts) -> Option<Concern> {
    (!accounts.users.iter().any(|account| account.enabled)).then_some(NO_USERS)
}

impl Site {
    /// The appliance's site for a command that only reads, or writes a file or two: nothing is started, and written
    /// files get no particular owner.
    pub fn unstarted(settings: Settings, folders: Folders) -> Self {
        let (purpose, proofs) = (Purpose::Appliance, VerificationCache::default());
        Self { settings, folders, owners: None, purpose, heartbeat_password: None, proofs }
    }

    /// The heartbeat's mailbox, in the first domain.
    pub fn heartbeat_address(&self) -> Option<Address> {
        let local = LocalPart::parse(RESERVED_NAME).ok()?;
        Some(Address::new(local, self.settings.domains.first()?.clone()))
    }

    /// The names and addresses of the certificate.
    pub fn certificate_names(&self) -> Vec<String> {
        let mut names = vec![self.settings.hostname.to_string()];
        if self.purpose == Purpose::Demo {
            names.push("localhost".to_owned());
            let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            names.extend(loopback.map(|address| address.to_string()));
        }
        names
    }

    /// The certificate and key that every daemon presents.
    pub fn tls(&self) -> Tls {
        let external = match self.settings.certificates {
            Certificates::External { .. } => {
                certificate::external::current(&self.folders.external_certificate())
            }
            _ => None,
        };
        external.unwrap_or_else(|| certificate::files(&self.folders.tls()))
    }

    /// The relay in the MTA's configuration: its CA file is our copy, once there is a valid one.
    pub fn relay(&self) -> Option<Relay> {
        let relay = self.settings.relay.clone()?;
        let copy = relay.authorities.as_ref().map(|_| self.folders.relay_ca());
        Some(Relay { authorities: copy.filter(|copy| copy.exists()), ..relay })
    }

    /// True if any user has a mailbox, declared or added. Accounts that cannot be read are reported elsewhere.
    pub fn has_users(&self) -> bool {
        let accounts = Accounts::load(&self.folders.accounts());
        accounts.map_or(true, |accounts| no_users(&accounts).is_none())
    }

    /// Allowed settings that are probably mistakes: they are reported in the plan and in the log, and do not degrade
    /// health.
    pub fn likely_mistakes(&self, accounts: &Accounts) -> Vec<Concern> {
        let unused = self.settings.quotas.users.iter().filter(|(user, _)| accounts.user(user).is_none());
        let unused = unused.map(|(user, _)| {
            Concern::new(
                format!("{user} has a quota but is not a user"),
                "remove it from MAIL_QUOTA, or add the user",
            )
        });
        let undeclared = self.settings.undeclared.iter().map(|domain| {
            Concern::new(
                format!("mail for {domain} arrives here too: a declared user is in it, and MAIL_DOMAIN does not list it"),
                format!("add {domain} to MAIL_DOMAIN, or correct the user in MAIL_USERS where it is mistyped"),
            )
        });
        unused.chain(undeclared).collect()
    }

    /// Missing or wrong settings, none of which prevents the start.
    pub fn concerns(&self, accounts: &Accounts) -> Vec<Concern> {
        let is_not_root = self.owners.is_none() && self.purpose == Purpose::Appliance;
        let of_accounts = no_users(accounts).into_iter().chain(aliases_of_disabled(accounts));
        of_accounts.chain(is_not_root.then_some(NOT_ROOT)).collect()
    }
}
