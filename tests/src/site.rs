//! A site: the MTA and the MDA started directly, each with a configuration that the test may change, beside a name
//! server of its own. The test holds the listening sockets, as process 1 does, so no port is chosen before it is bound,
//! and connections to a killed daemon wait.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use accounts::{Accounts, Alias, AliasName, Password, Secret, User as AccountUser, UserAccount};
use address::{Address, Domain};
use command_fds::{CommandFdExt as _, FdMapping};
use handover::config::{self, Mda, MdaListen, Mta, MtaListen, Tls};
use handover::sockets;
use nix::sys::signal::Signal;
use serde::Serialize;
use tempfile::TempDir;

use crate::certificate;
use crate::dns::NameServer;
use crate::keys;
use crate::process::Process;
use crate::program;
use crate::services::{Services, User};

/// The domain of every site.
pub const DOMAIN: &str = "example.org";

/// The name of its host.
pub const HOSTNAME: &str = "mail.example.org";

/// A running site; it ends when this value is dropped.
pub struct Site {
    mta: Option<Process>,
    mda: Option<Process>,
    sockets: BTreeMap<&'static str, OwnedFd>,
    /// The services of the site.
    pub services: Services,
    /// The name server that it uses. All records of its own domain are published there.
    pub dns: NameServer,
    mail: PathBuf,
    queue: PathBuf,
    /// Dropped last, after the daemons have ended.
    folder: TempDir,
}

/// Both daemons' configuration, before they are started.
pub struct Plan {
    /// `mta.toml`.
    pub mta: Mta,
    /// `mda.toml`.
    pub mda: Mda,
    /// Targets of aliases, by the alias's address.
    pub aliases: Vec<(String, Vec<String>)>,
}

impl Site {
    /// Starts a site with the default settings.
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// Starts a site with settings changed by `change`.
    pub fn start_with(change: impl FnOnce(&mut Plan)) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder can be made"), change)
    }

    /// Starts a site whose mail and queue are in `folder`.
    pub fn start_in(folder: TempDir, change: impl FnOnce(&mut Plan)) -> Self {
        let root = folder.path();
        let dns = NameServer::start();
        dns.host(HOSTNAME, Ipv4Addr::LOCALHOST.into()).mx(DOMAIN, 10, HOSTNAME);
        let tls = certificate::write(HOSTNAME, root);
        let mut plan = plan(root, &dns, tls);
        plan.mta.dkim = keys::write(DOMAIN, root, &dns);
        change(&mut plan);
        fs::write(root.join("accounts.toml"), accounts(&plan.aliases)).expect("the accounts can be written");
        write(&root.join("mta.toml"), &plan.mta);
        write(&root.join("mda.toml"), &plan.mda);

        let mut sockets = BTreeMap::new();
        let mut addresses = BTreeMap::new();
        for service in ["smtp", "submission", "submissions", "imap", "imaps"] {
            let listener =
                sockets::bind_tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
            addresses
                .insert(service.to_owned(), listener.local_addr().expect("a bound socket has an address"));
            sockets.insert(service, OwnedFd::from(listener));
        }
        let lmtp = sockets::bind_unix(&plan.mta.lmtp).expect("the path is short");
        sockets.insert(sockets::LMTP, OwnedFd::from(lmtp));

        let services = Services {
            addresses,
            lmtp: plan.mta.lmtp,
            hostname: HOSTNAME.to_owned(),
            tls_config: certificate::trusting(&plan.mta.tls.certificate),
            users: users(),
        };
        let (mail, queue) = (plan.mda.mail, plan.mta.queue);
        let mut site = Self { mta: None, mda: None, sockets, services, dns, mail, queue, folder };
        site.start_mda();
        site.start_mta();
        site
    }

    /// Starts the MTA, again if it ran before.
    pub fn start_mta(&mut self) {
        self.mta = Some(self.launch("mta", &["smtp", "submission", "submissions"]));
    }

    /// Starts the MDA, again if it ran before.
    pub fn start_mda(&mut self) {
        self.mda = Some(self.launch("mda", &["imap", "imaps", sockets::LMTP]));
    }

    /// The MTA.
    pub fn mta(&mut self) -> &mut Process {
        self.mta.as_mut().expect("the MTA was started")
    }

    /// The MDA.
    pub fn mda(&mut self) -> &mut Process {
        self.mda.as_mut().expect("the MDA was started")
    }

    /// The folder of all files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes the MTA's configuration and reloads it.
    pub fn reconfigure_mta(&mut self, change: impl FnOnce(&mut Mta)) {
        let file = self.folder.path().join("mta.toml");
        let mut config: Mta = config::load(&file).expect("we wrote it");
        change(&mut config);
        write(&file, &config);
        self.mta().signal(Signal::SIGHUP);
    }

    /// The folder of all mail.
    pub fn mail(&self) -> &Path {
        &self.mail
    }

    /// The folder of the queue.
    pub fn queue(&self) -> &Path {
        &self.queue
    }

    fn launch(&self, role: &str, names: &[&str]) -> Process {
        let mut command = Command::new(program::mailstead());
        command.arg(role).arg("--config").arg(self.folder.path().join(format!("{role}.toml")));
        // Without LISTEN_PID, which cannot be known before the process exists.
        command.envs(sockets::environment(names)).env_remove("LISTEN_PID");
        let mappings = (3..).zip(names).map(|(child_fd, name)| {
            let parent_fd = self.sockets[name].try_clone().expect("a socket can be shared");
            FdMapping { parent_fd, child_fd }
        });
        command.fd_mappings(mappings.collect()).expect("the numbers differ");
        Process::start(role, command, self.folder.path())
    }
}

fn plan(root: &Path, dns: &NameServer, tls: Tls) -> Plan {
    let hostname = Domain::parse(HOSTNAME).expect("it is a domain");
    let (accounts, lmtp) = (root.join("accounts.toml"), root.join("lmtp.sock"));
    let limits = config::MtaLimits { connections_per_address: 0, ..config::MtaLimits::default() };
    let mta = Mta {
        hostname: hostname.clone(),
        accounts: accounts.clone(),
        queue: root.join("queue"),
        lmtp,
        relay: None,
        quotas: config::Quotas::default(),
        listen: MtaListen::default(),
        tls: tls.clone(),
        limits,
        login: config::Login::default(),
        policy: config::Policy::default(),
        dns: config::Dns { servers: vec![dns.address()], ..config::Dns::default() },
        outbound: config::Outbound { retry_seconds: 1, ..config::Outbound::default() },
        log: config::Log::default(),
        heartbeat: None,
        dkim: Vec::new(),
    };
    let mda = Mda {
        hostname,
        accounts,
        mail: root.join("mail"),
        index: root.join("index"),
        listen: MdaListen::default(),
        quotas: config::Quotas::default(),
        tls,
        limits: config::MdaLimits { connections_per_address: 0, ..config::MdaLimits::default() },
        login: config::Login::default(),
        log: config::Log::default(),
        heartbeat: None,
    };
    Plan { mta, mda, aliases: Vec::new() }
}

fn write(path: &Path, config: &impl Serialize) {
    let text = toml::to_string(config).expect("a configuration can be written");
    fs::write(path, text).expect("the folder can be written");
}

fn users() -> Vec<User> {
    [("ann@example.org", "correct horse"), ("bob@example.org", "battery staple")]
        .map(|(address, password)| User { address: address.to_owned(), password: password.to_owned() })
        .into()
}

fn accounts(aliases: &[(String, Vec<String>)]) -> String {
    let address = |text: &str| Address::parse(text).expect("it is an address");
    let accounts = Accounts {
        domains: vec![Domain::parse(DOMAIN).expect("it is a domain")],
        users: hashed().to_vec(),
        aliases: aliases
            .iter()
            .map(|(alias, targets)| Alias {
                name: AliasName::parse(alias).expect("it is an alias's name"),
                targets: targets.iter().map(|target| address(target)).collect(),
                declared: false,
            })
            .collect(),
    };
    accounts.to_toml()
}

/// The users with their hashes, which are computed once: they are slow on purpose.
fn hashed() -> &'static [UserAccount] {
    static HASHED: OnceLock<Vec<UserAccount>> = OnceLock::new();
    HASHED.get_or_init(|| {
        let account = |user: User| {
            let name = AccountUser::new(&Address::parse(&user.address).expect("it is an address"));
            let password = Password::new(user.password).expect("it is a password");
            UserAccount::new(name.expect("it names a folder"), Secret::hash(&password))
        };
        users().into_iter().map(account).collect()
    })
}
