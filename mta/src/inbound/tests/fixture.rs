use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use accounts::Directory;
use address::Domain;
use handover::config::{self, Dns, MtaLimits};
use rustls_pki_types::ServerName;
use serve::tls::{Connector, Tls};
use serve::{Connection, Drain, Stream};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::doubles::name_server::NameServer;
use crate::doubles::store::{Replies, Store};
use crate::inbound::{ServiceKind, serve_connection};
use crate::outbound::OwnAddresses;
use crate::queue::{Queue, Routes};
use crate::sign::tests::Keys;
use crate::site::{Settings, Site};
use crate::srs;

pub(in crate::inbound) const MAX_RECIPIENTS: usize = 5;

/// `ann@example.org` with the password `correct horse`, bob, an alias that reaches ann and a remote address, and one that
/// reaches that address only.
const ACCOUNTS: &str = r#"
domains = ["example.org"]

[[users]]
address = "ann@example.org"
secret = "$6$mailstead$4RIRxdUATZX2IvHQRNVkMLa4z0b2Lz1QRsRfqIHpy3H0bShwXQtO0HX3GJPIg.wg1nve.ro9TrA4VhXQSTF0V1"

[[users]]
address = "bob@example.org"
secret = "$6$mailstead$4RIRxdUATZX2IvHQRNVkMLa4z0b2Lz1QRsRfqIHpy3H0bShwXQtO0HX3GJPIg.wg1nve.ro9TrA4VhXQSTF0V1"

[[aliases]]
address = "team@example.org"
targets = ["ann@example.org", "far@example.com"]

[[aliases]]
address = "away@example.org"
targets = ["far@example.com"]
"#;

/// The address that many clients share: the gateway of a container.
pub(in crate::inbound) const GATEWAY: &str = "172.18.0.1/32";

/// The hash of the same password.
const HEARTBEAT: &str =
    "$6$mailstead$4RIRxdUATZX2IvHQRNVkMLa4z0b2Lz1QRsRfqIHpy3H0bShwXQtO0HX3GJPIg.wg1nve.ro9TrA4VhXQSTF0V1";

/// A server with everything that it needs.
pub(in crate::inbound) struct Fixture {
    folder: tempfile::TempDir,
    _keys: Keys,
    site: Arc<Site>,
    tls: Tls,
    pub(in crate::inbound) store: Store,
    pub(in crate::inbound) drain: Drain,
}

impl Fixture {
    /// A server that answers mail from any host by its recipients alone.
    pub(in crate::inbound) async fn new(replies: Replies) -> Self {
        let policy = config::Policy::uniform(config::PolicyAction::Off);
        Self::with_policy(replies, policy, NameServer::new()).await
    }

    /// A server with a policy, and a name server with the records that it looks up.
    pub(in crate::inbound) async fn with_policy(
        replies: Replies,
        policy: config::Policy,
        names: NameServer,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let store = Store::start(folder.path(), replies);
        std::fs::write(path("accounts.toml"), ACCOUNTS).unwrap();
        let certificate = rcgen::generate_simple_self_signed(["mail.example.org".to_owned()]).unwrap();
        std::fs::write(path("certificate.pem"), certificate.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
        let keys = Keys::make("example.org");
        let config = config::Mta {
            hostname: Domain::parse("mail.example.org").unwrap(),
            accounts: path("accounts.toml"),
            queue: path("queue"),
            lmtp: store.socket.clone(),
            relay: None,
            quotas: config::Quotas::default(),
            listen: config::MtaListen::default(),
            tls: config::Tls { certificate: path("certificate.pem"), key: path("key.pem") },
            limits: MtaLimits { recipients: MAX_RECIPIENTS, ..MtaLimits::default() },
            login: config::Login {
                shared_networks: vec![GATEWAY.parse().unwrap()],
                ..config::Login::default()
            },
            policy,
            dns: Dns { servers: vec![names.serve().await], budget_ms: 5_000 },
            outbound: config::Outbound::default(),
            log: config::Log::default(),
            heartbeat: Some(config::HeartbeatMailbox {
                address: "beat@example.org".parse().unwrap(),
                secret: HEARTBEAT.to_owned(),
            }),
            dkim: keys.config.clone(),
        };
        let tls = Tls::load(&config.tls).unwrap();
        let mailbox = config.heartbeat.as_ref().unwrap();
        let internal_mailbox = accounts::InternalMailbox::new(&mailbox.address, &mailbox.secret).unwrap();
        let accounts = accounts::Accounts::load(&config.accounts).unwrap();
        let directory = Arc::new(Directory::at_host(&accounts, Some(internal_mailbox), &config.hostname));
        std::fs::create_dir(&config.queue).unwrap();
        let queue = Queue::open(&config.queue, Routes::new(directory.clone(), None)).unwrap();
        let return_path_keys = srs::Keys::open(&config.queue).unwrap();
        let settings = Settings::new(config, OwnAddresses::new([])).unwrap();
        let site = Arc::new(Site::new(settings, directory, queue, Some(Arc::new(return_path_keys))));
        Self { folder, _keys: keys, site, tls, store, drain: Drain::new() }
    }

    /// Connects a client to a service.
    pub(in crate::inbound) async fn connect(&self, service: ServiceKind) -> TestClient {
        self.connect_from(None, service).await
    }

    /// Connects from another host.
    pub(in crate::inbound) async fn connect_from(
        &self,
        host: Option<SocketAddr>,
        service: ServiceKind,
    ) -> TestClient {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, peer) = server.unwrap();
        let connection = Connection {
            stream: stream.into(),
            peer: host.unwrap_or(peer).into(),
            local: Some(address),
            stop: self.drain.stop(),
        };
        tokio::spawn(serve_connection(self.site.clone(), self.tls.clone(), service, connection));
        let client = TestClient { stream: client.unwrap().into(), unread: Vec::new() };
        if service == ServiceKind::Submissions { client.secure().await } else { client }
    }

    /// The messages in the queue.
    pub(in crate::inbound) fn queued_messages(&self) -> Vec<String> {
        let messages = std::fs::read_dir(self.folder.path().join("queue/messages")).unwrap();
        messages.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }

    /// The recipients in the queue.
    pub(in crate::inbound) fn queued(&self) -> Vec<String> {
        let envelopes = std::fs::read_dir(self.folder.path().join("queue/envelopes")).unwrap();
        let texts = envelopes.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        let addresses = |text: String| -> Vec<String> {
            let line = |line: &str| {
                line.strip_prefix("address = \"").map(|rest| rest.trim_end_matches('"').to_owned())
            };
            text.lines().filter_map(line).collect()
        };
        texts.flat_map(addresses).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// A client's side of a connection.
pub(in crate::inbound) struct TestClient {
    stream: Stream,
    unread: Vec<u8>,
}

impl TestClient {
    pub(in crate::inbound) async fn secure(self) -> Self {
        let connector = Connector::opportunistic().unwrap();
        let name = ServerName::try_from("mail.example.org").unwrap();
        Self {
            stream: self.stream.secure_to(&connector, name, &self.unread).await.unwrap(),
            unread: Vec::new(),
        }
    }

    pub(in crate::inbound) async fn write(&mut self, octets: &str) {
        self.stream.send(octets.as_bytes()).await.unwrap();
    }

    /// The last line of the next reply; empty when the server has closed.
    pub(in crate::inbound) async fn read_reply(&mut self) -> String {
        loop {
            while let Some(end) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line = String::from_utf8(self.unread.drain(..end + 2).collect()).unwrap();
                if line.as_bytes().get(3) != Some(&b'-') {
                    return line.trim_end().to_owned();
                }
            }
            let mut octets = [0; 4096];
            match self.stream.read(&mut octets).await {
                Ok(0) | Err(_) => return String::new(),
                Ok(count) => self.unread.extend_from_slice(&octets[..count]),
            }
        }
    }

    pub(in crate::inbound) async fn expect(&mut self, beginning: &str) {
        let reply = self.read_reply().await;
        assert!(reply.starts_with(beginning), "{reply:?} instead of {beginning:?}");
    }

    pub(in crate::inbound) async fn command(&mut self, command: &str, beginning: &str) {
        self.write(&format!("{command}\r\n")).await;
        let reply = self.read_reply().await;
        assert!(reply.starts_with(beginning), "{reply:?} to {command:?} instead of {beginning:?}");
    }
}
