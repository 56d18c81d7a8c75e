//! The steward alone: the real process, whose listening sockets the test holds, beside a name server of the test's own
//! in which every name resolves to it, and an authority.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use address::Domain;
use command_fds::{CommandFdExt as _, FdMapping};
use handover::certificate::{CertificateFacts, facts};
use handover::config::{
    self, Acme, Challenge, ChallengePorts, Renewal, Steward as Configuration, Tls, Web, WebListen,
};
use handover::notice::{MAX_LEN, Notice};
use handover::sockets;
use nix::sys::signal::Signal;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::authority::{Authority, Behaviour};
use crate::dns::NameServer;
use crate::process::Process;
use crate::program;
use crate::wait;

/// The domain whose certificate it renews.
pub const DOMAIN: &str = "example.org";
/// The names that the certificate should have.
pub const NAMES: [&str; 4] =
    ["mail.example.org", "mta-sts.example.org", "autoconfig.example.org", "autodiscover.example.org"];

/// A steward that has not been started, and its authority.
pub fn with_authority(behaviour: impl FnOnce(&mut Behaviour)) -> (Steward, Authority) {
    let mut steward = Steward::prepare("", Path::new(""));
    let authority = Authority::start(steward.address(sockets::HTTP).port());
    authority.behave(behaviour);
    steward.dns.host("localhost", Ipv4Addr::LOCALHOST.into());
    steward.authority(|settings| {
        settings.directory = authority.directory();
        settings.ca_file = Some(authority.trust());
    });
    (steward, authority)
}

/// Waits until the last error contains these words.
#[track_caller]
pub fn await_error(steward: &Steward, words: &str) {
    wait::until_true(&format!("the state contains {words:?}"), || {
        steward.state()["last_error"].as_str().unwrap_or_default().contains(words)
    });
}

/// The outcomes of the orders in the ledger, the oldest first.
pub fn outcomes(steward: &Steward) -> Vec<String> {
    let outcome = |order: &serde_json::Value| order["outcome"].as_str().unwrap_or_default().to_owned();
    steward.ledger().iter().map(outcome).collect()
}

/// A running steward; it ends when this value is dropped.
pub struct Steward {
    process: Option<Process>,
    sockets: BTreeMap<&'static str, OwnedFd>,
    addresses: BTreeMap<&'static str, SocketAddr>,
    notices: UnixDatagram,
    /// Its configuration, as it was last written.
    pub config: Configuration,
    /// The name server that it uses.
    pub dns: NameServer,
    folder: TempDir,
}

impl Steward {
    /// Prepares a steward that uses the authority at `directory`, whose web server is trusted by the certificate in
    /// `trust`. It is started by [`Steward::start`].
    pub fn prepare(directory: &str, trust: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = folder.path();
        let dns = NameServer::start();
        for name in NAMES {
            dns.host(name, Ipv4Addr::LOCALHOST.into());
        }
        let mut sockets = BTreeMap::new();
        let mut addresses = BTreeMap::new();
        for name in [sockets::HTTP, sockets::HTTPS, sockets::HEALTH] {
            let listener = sockets::bind_tcp((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free");
            addresses.insert(name, listener.local_addr().expect("a bound socket has an address"));
            sockets.insert(name, OwnedFd::from(listener));
        }
        for folder in ["tls", "acme"] {
            fs::create_dir(root.join(folder)).expect("the folder is empty");
        }
        let domain = |name| Domain::parse(name).expect("it is a domain");
        let config = Configuration {
            health: addresses[sockets::HEALTH],
            status: root.join("status.json"),
            tls: self_made(&root.join("tls")),
            volume: root.to_owned(),
            metrics: BTreeMap::new(),
            log: config::Log::default(),
            heartbeat: None,
            web: Web {
                hostname: domain(NAMES[0]),
                domains: vec![domain(DOMAIN)],
                operator: Vec::new(),
                listen: WebListen::default(),
            },
            dns_servers: vec![dns.address()],
            renewal: Some(Renewal {
                folder: root.join("acme"),
                authority: Acme {
                    directory: directory.to_owned(),
                    ca_file: Some(trust.to_owned()),
                    contact: None,
                    challenge: Challenge::Auto,
                    account_binding: None,
                },
                dns_update: None,
                challenge_ports: ChallengePorts {
                    http: addresses[sockets::HTTP].port(),
                    https: addresses[sockets::HTTPS].port(),
                },
            }),
        };
        let notices = UnixDatagram::bind(root.join("notify.sock")).expect("the path is short");
        Self { process: None, sockets, addresses, notices, config, dns, folder }
    }

    /// Changes the authority's settings.
    pub fn authority(&mut self, change: impl FnOnce(&mut Acme)) {
        change(&mut self.config.renewal.as_mut().expect("it was set").authority);
    }

    /// Gives it another self-made certificate, which is valid from that moment on, in seconds since 1970.
    pub fn self_made_from(&mut self, begin: i64) {
        self.config.tls = self_made_from(&self.folder.path().join("tls"), Some(begin));
    }

    /// Starts it, again if it ran before, and waits until it answers.
    pub fn start(&mut self) {
        let path = self.folder.path().join("steward.toml");
        fs::write(&path, toml::to_string(&self.config).expect("it can be written"))
            .expect("the folder can be written");
        let mut command = Command::new(program::mailstead());
        command.arg("steward").arg("--config").arg(path);
        let names: Vec<&str> = self.sockets.keys().copied().collect();
        // Without LISTEN_PID, which cannot be known before the process exists.
        command.envs(sockets::environment(&names)).env_remove("LISTEN_PID");
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify.sock"));
        let mappings = (3..).zip(&names).map(|(child_fd, name)| {
            let parent_fd = self.sockets[name].try_clone().expect("a socket can be shared");
            FdMapping { parent_fd, child_fd }
        });
        command.fd_mappings(mappings.collect()).expect("the numbers differ");
        self.process = Some(Process::start("steward", command, self.folder.path()));
        // A process that answers has installed its signal handlers; before that a signal would end it.
        self.get(sockets::HEALTH, "localhost", "/health/live");
    }

    /// Makes it reload its configuration and check the certificate at once.
    pub fn reload(&mut self) {
        let path = self.folder.path().join("steward.toml");
        fs::write(path, toml::to_string(&self.config).expect("it can be written"))
            .expect("the folder can be written");
        self.process().signal(Signal::SIGHUP);
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("it was started")
    }

    /// The address of one of its sockets.
    pub fn address(&self, socket: &str) -> SocketAddr {
        self.addresses[socket]
    }

    /// The certificate's files.
    pub fn tls(&self) -> &Tls {
        &self.config.tls
    }

    /// The facts in the certificate on disk.
    pub fn facts(&self) -> CertificateFacts {
        facts(&self.config.tls.certificate).expect("there is always one")
    }

    /// The certificate's file.
    pub fn certificate(&self) -> Vec<u8> {
        fs::read(&self.config.tls.certificate).expect("there is always one")
    }

    /// The folder of the account and the ledger.
    pub fn acme(&self) -> PathBuf {
        self.folder.path().join("acme")
    }

    /// The lines of the ledger.
    pub fn ledger(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.acme().join("ledger.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("each line is an order")).collect()
    }

    /// The content of `acme/state.json`.
    pub fn state(&self) -> serde_json::Value {
        let text = fs::read(self.acme().join("state.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Waits until the certificate on disk is for exactly these names.
    #[track_caller]
    pub fn await_certificate(&self, names: &[&str]) -> CertificateFacts {
        let mut wanted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        wanted.sort();
        wait::until(&format!("there is a certificate for {names:?}"), || {
            let facts = self.facts();
            let mut found = facts.names.clone();
            found.sort();
            (found == wanted && !facts.issuer.contains("self-made")).then_some(facts)
        })
    }

    /// The fingerprints that were reported to process 1 since the last call.
    pub fn reported_certificates(&self) -> Vec<String> {
        self.notices.set_nonblocking(true).expect("a socket can be set not to block");
        let mut fingerprints = Vec::new();
        let mut datagram = [0; MAX_LEN];
        while let Ok(length) = self.notices.recv(&mut datagram) {
            fingerprints.extend(Notice::parse(&datagram[..length]).facts.remove("X_CERTIFICATE"));
        }
        fingerprints
    }

    /// Requests a page over HTTP.
    pub fn get(&self, socket: &str, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address(socket)).expect("the socket is held");
        stream.set_read_timeout(Some(wait::READ_TIMEOUT)).expect("a socket has timeouts");
        let question = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes()).expect("it is short");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }
}

/// A certificate of the kind that process 1 generates, whose issuer shows the steward that it is self-signed.
fn self_made(folder: &Path) -> Tls {
    self_made_from(folder, None)
}

fn self_made_from(folder: &Path, begin: Option<i64>) -> Tls {
    let key = || KeyPair::generate().expect("a key can be made");
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Mailstead self-made authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(authority, key());
    let mut leaf = CertificateParams::new([NAMES[0].to_owned()]).expect("it is a name");
    if let Some(begin) = begin {
        let seconds = u64::try_from(begin).expect("it is after 1970");
        leaf.not_before = rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(seconds);
    }
    let own = key();
    let leaf = leaf.signed_by(&own, &issuer).expect("a certificate can be made");
    let tls = Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    fs::write(&tls.certificate, leaf.pem()).expect("the folder can be written");
    fs::write(&tls.key, own.serialize_pem()).expect("the folder can be written");
    tls
}
