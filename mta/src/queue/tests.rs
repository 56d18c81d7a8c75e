//! The whole queue, between an exchange and a store that follow a script.

mod next_attempt;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use accounts::Directory;
use address::Domain;
use handover::config;
use serve::Drain;

use super::*;
use crate::doubles::exchange::{Exchange, Reaction, Received, Script};
use crate::doubles::name_server::NameServer;
use crate::local::TargetMailbox;
use crate::outbound::OwnAddresses;
use crate::site::{Settings, Site};
use crate::srs;

const ACCOUNTS: &str = r#"
domains = ["example.org"]

[[users]]
address = "ann@example.org"
secret = "$6$mailstead$4RIRxdUATZX2IvHQRNVkMLa4z0b2Lz1QRsRfqIHpy3H0bShwXQtO0HX3GJPIg.wg1nve.ro9TrA4VhXQSTF0V1"

[[aliases]]
address = "team@example.org"
targets = ["ann@example.org"]
"#;

const MESSAGE: &[u8] = b"From: ann@example.org\r\nSubject: plans\r\n\r\nhello\r\n";

struct Fixture {
    folder: tempfile::TempDir,
    config: config::Mta,
    exchange: Exchange,
    store: watch::Receiver<Received>,
}

/// A running queue.
struct RunningQueue {
    site: Arc<Site>,
    drain: Drain,
}

impl Fixture {
    async fn new(exchange: Script, store: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("accounts.toml"), ACCOUNTS).unwrap();
        let exchange = exchange.serve().await;
        let store = store.serve_store(&path("lmtp.sock"));
        let names = NameServer::new().address("example.net", IpAddr::V4(Ipv4Addr::LOCALHOST));
        let outbound = config::Outbound { port: exchange.address.port(), ..config::Outbound::default() };
        let config = config::Mta {
            hostname: Domain::parse("mail.example.org").unwrap(),
            accounts: path("accounts.toml"),
            queue: path("queue"),
            lmtp: path("lmtp.sock"),
            relay: None,
            quotas: config::Quotas::default(),
            listen: config::MtaListen::default(),
            tls: config::Tls { certificate: path("unused"), key: path("unused") },
            limits: config::MtaLimits::default(),
            policy: config::Policy::default(),
            login: config::Login::default(),
            dns: config::Dns { servers: vec![names.serve().await], budget_ms: 5_000 },
            outbound,
            log: config::Log::default(),
            heartbeat: None,
            dkim: Vec::new(),
        };
        Self { folder, config, exchange, store }
    }

    /// The queue as a process that starts now finds it, not running yet.
    fn open(&self) -> RunningQueue {
        self.open_with(WorkerSettings::default())
    }

    fn open_with(&self, settings: WorkerSettings) -> RunningQueue {
        let directory = Arc::new(Directory::open(&self.config.accounts).unwrap());
        let routes = Routes::new(directory.clone(), self.config.relay.as_ref());
        let queue = Queue::open_with(&self.config.queue, routes, settings).unwrap();
        let settings = Settings::new(self.config.clone(), OwnAddresses::default()).unwrap();
        let return_path_keys = Arc::new(srs::Keys::open(&self.config.queue).unwrap());
        let site = Site::new(settings, directory, queue, Some(return_path_keys));
        RunningQueue { site: Arc::new(site), drain: Drain::new() }
    }

    fn start(&self) -> RunningQueue {
        let running = self.open();
        running.start();
        running
    }

    fn path(&self, folder: &str) -> std::path::PathBuf {
        self.folder.path().join("queue").join(folder)
    }

    /// The numbers of files in the folders of messages, envelopes and given-up messages.
    fn files(&self) -> [usize; 3] {
        ["messages", "envelopes", "dead"].map(|folder| std::fs::read_dir(self.path(folder)).unwrap().count())
    }

    /// The envelope of the one message in the queue.
    fn envelope(&self) -> Envelope {
        let mut envelopes = std::fs::read_dir(self.path("envelopes")).unwrap();
        let text = std::fs::read_to_string(envelopes.next().unwrap().unwrap().path()).unwrap();
        assert!(envelopes.next().is_none());
        Envelope::from_toml(&text).unwrap()
    }

    /// Changes the envelope of the one message in the queue, as time or another process would have.
    fn rewrite(&self, change: impl FnOnce(&mut Envelope)) {
        let mut envelope = self.envelope();
        change(&mut envelope);
        std::fs::write(self.path("envelopes").join(format!("{}.toml", envelope.id)), envelope.to_toml())
            .unwrap();
    }
}

impl RunningQueue {
    fn start(&self) {
        self.drain.spawn(run(self.site.clone(), self.drain.stop()));
    }

    async fn enqueue(&self, login: Option<&str>, sender: &str, recipients: &[&str]) -> MailId {
        let recipients = recipients.iter().map(|text| Address::parse(text).unwrap().into()).collect();
        self.enqueue_from(login, Origin::Unauthenticated, sender, recipients).await
    }

    /// Enqueues a message of a peer to an address elsewhere, through the alias `team`.
    async fn forward(&self, origin: Origin, sender: &str, to: &str) -> MailId {
        let (address, alias) = (Address::parse(to).unwrap(), Address::parse("team@example.org").unwrap());
        self.enqueue_from(None, origin, sender, vec![NewRecipient { address, alias: Some(alias) }]).await
    }

    async fn enqueue_from(
        &self,
        login: Option<&str>,
        origin: Origin,
        sender: &str,
        recipients: Vec<NewRecipient>,
    ) -> MailId {
        let entry = NewEntry {
            login: login.map(|login| Address::parse(login).unwrap()),
            origin,
            sender: ReversePath::parse(&format!("<{sender}>")).unwrap(),
            body: BodyKind::SevenBit,
            mailbox: TargetMailbox::Inbox,
            smtputf8: false,
            requires_tls: false,
            recipients,
        };
        let content = Content::from_octets(MESSAGE.to_vec());
        self.site.queue.stage(MailId::new(), &content).await.unwrap().commit(entry).await.unwrap()
    }

    /// Waits until the queue is empty.
    async fn until_empty(&self) {
        self.site.queue.length().wait_for(|length| *length == 0).await.unwrap();
        self.stop().await;
    }

    /// Stops as at SIGTERM: deliveries that are under way end and are written to disk.
    async fn stop(&self) {
        self.drain.finish(Duration::MAX).await;
    }
}

async fn until(received: &watch::Receiver<Received>, is_so: impl FnMut(&Received) -> bool) -> Received {
    received.clone().wait_for(is_so).await.unwrap().clone()
}

fn has_line(beginning: &'static str) -> impl FnMut(&Received) -> bool {
    move |received| received.lines.iter().any(|line| line.starts_with(beginning))
}

#[tokio::test]
async fn a_delivered_message_is_removed_from_the_queue() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    let running = fixture.start();
    running
        .enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net", "carl@example.net"])
        .await;
    running.until_empty().await;
    let received = fixture.exchange.received.borrow();
    assert_eq!(received.messages, [String::from_utf8(MESSAGE.to_vec()).unwrap()]);
    // One transaction for both.
    assert_eq!(received.lines.iter().filter(|line| line.starts_with("RCPT")).count(), 2);
    assert_eq!(fixture.files(), [0; 3]);
}

#[tokio::test]
async fn a_message_committed_before_a_crash_is_delivered_after_it() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    // Opened but never run, and then gone.
    fixture.open().enqueue(None, "eve@example.net", &["ann@example.org", "bob@example.net"]).await;
    let running = fixture.start();
    running.until_empty().await;
    assert_eq!(
        (fixture.exchange.received.borrow().messages.len(), fixture.store.borrow().messages.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn a_deferred_recipient_waits_on_disk_and_a_delivered_one_is_not_retried() {
    let exchange = Script::new().once("RCPT TO:<later", Reaction::Reply("450 4.2.1 not now"));
    let fixture = Fixture::new(exchange, Script::new()).await;
    let running = fixture.start();
    running
        .enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net", "later@example.net"])
        .await;
    until(&fixture.exchange.received, |received| !received.messages.is_empty()).await;
    running.stop().await;
    let envelope = fixture.envelope();
    let [bob, later] = &envelope.recipients[..] else { panic!("{envelope:?}") };
    assert_eq!(
        (bob.state, later.state, later.attempts),
        (RecipientState::Delivered, RecipientState::Waiting, 1)
    );
    assert!(later.next > envelope.created.after(Duration::from_secs(200)));
    assert_eq!(later.error.as_ref().map(|error| error.text.as_str()), Some("450 4.2.1 not now"));
    // Time passes while the queue does not run.
    fixture.rewrite(|envelope| envelope.recipients[1].next = envelope.created);
    fixture.start().until_empty().await;
    let received = fixture.exchange.received.borrow();
    assert_eq!(received.messages.len(), 2);
    assert_eq!(received.lines.iter().filter(|line| line.starts_with("RCPT TO:<bob")).count(), 1);
}

#[tokio::test]
async fn a_user_gets_a_report_about_failed_recipients_only() {
    let exchange = Script::new().on("RCPT TO:<never", Reaction::Reply("550 5.1.1 unknown"));
    let fixture = Fixture::new(exchange, Script::new()).await;
    let running = fixture.start();
    running
        .enqueue(Some("ann@example.org"), "team@example.org", &["bob@example.net", "never@example.net"])
        .await;
    running.until_empty().await;
    let store = fixture.store.borrow();
    let [report] = &store.messages[..] else { panic!("{store:?}") };
    assert!(report.contains("Final-Recipient: rfc822; never@example.net"), "{report}");
    assert!(report.contains("Subject: plans") && !report.contains("bob@example.net"), "{report}");
    // It goes to the user that the sender's alias reaches, and has the null sender.
    assert!(store.lines.contains(&"RCPT TO:<ann@example.org>".to_owned()), "{:?}", store.lines);
    assert!(store.lines.iter().any(|line| line.starts_with("MAIL FROM:<>")), "{:?}", store.lines);
    assert_eq!(fixture.files(), [0; 3]);
}

#[tokio::test]
async fn a_message_that_expires_is_reported() {
    let exchange = Script::new().on("MAIL", Reaction::Reply("451 4.3.0 later"));
    let fixture = Fixture::new(exchange, Script::new()).await;
    fixture.open().enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net"]).await;
    fixture.rewrite(|envelope| {
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(6 * 24 * 3600);
        envelope.created = Timestamp::new(long_ago);
        envelope.recipients[0].attempts = 40;
    });
    fixture.start().until_empty().await;
    let store = fixture.store.borrow();
    assert!(store.messages[0].contains("Status: 5.4.7"), "{:?}", store.messages);
    assert!(store.messages[0].contains("451 4.3.0 later"), "{:?}", store.messages);
}

fn refusing(beginning: &'static str) -> Script {
    Script::new().on(beginning, Reaction::Reply("550 5.1.1 unknown"))
}

#[tokio::test]
async fn a_failure_of_unauthenticated_mail_is_noted_here_and_never_bounced() {
    for sender in ["eve@example.net", "ann@example.org", ""] {
        let fixture = Fixture::new(refusing("RCPT TO:<far"), refusing("RCPT TO:<gone")).await;
        let running = fixture.start();
        running.enqueue(None, sender, &["gone@example.org"]).await;
        running.forward(Origin::Unauthenticated, sender, "far@example.net").await;
        running.until_empty().await;
        let (exchange, store) = (fixture.exchange.received.borrow(), fixture.store.borrow());
        assert_eq!((exchange.messages.len(), store.messages.len()), (0, 2), "{exchange:?} {store:?}");
        let note = |words: &str| store.messages.iter().any(|note| note.contains(words));
        assert!(note("Subject: Incoming mail could not be delivered") && note("<gone@example.org>"));
        assert!(note("Subject: Mail to team@example.org cannot be forwarded") && note("<far@example.net>"));
        assert_eq!(store.lines.iter().filter(|line| *line == "RCPT TO:<ann@example.org>").count(), 2);
        assert_eq!(fixture.files(), [0; 3]);
    }
}

#[tokio::test]
async fn a_failed_forward_is_noted_once_a_day() {
    let fixture = Fixture::new(refusing("RCPT TO:<far"), Script::new()).await;
    let running = fixture.start();
    for to in ["far@example.net", "far@example.net", "far-off@example.net"] {
        running.forward(Origin::Unauthenticated, "eve@example.net", to).await;
        running.site.queue.length().wait_for(|length| *length == 0).await.unwrap();
    }
    running.stop().await;
    let store = fixture.store.borrow();
    assert_eq!(store.messages.len(), 2, "{store:?}");
    assert!(store.messages[1].contains("far-off@example.net"), "{store:?}");
}

#[tokio::test]
async fn a_message_that_no_user_has_or_learns_of_is_kept() {
    let fixture = Fixture::new(refusing("RCPT TO:<far"), Script::new()).await;
    let running = fixture.start();
    for _ in 0..2 {
        // The alias reaches only the other host.
        let address = Address::parse("far@example.net").unwrap();
        let alias = Some(Address::parse("away@example.org").unwrap());
        let recipients = vec![NewRecipient { address, alias }];
        running.enqueue_from(None, Origin::Unauthenticated, "eve@example.net", recipients).await;
        running.site.queue.length().wait_for(|length| *length == 0).await.unwrap();
    }
    running.stop().await;
    assert_eq!(fixture.store.borrow().messages.len(), 1);
    // The second one, with its envelope.
    assert_eq!(fixture.files(), [0, 0, 2]);
}

#[tokio::test]
async fn a_failed_forward_of_an_authenticated_sender_is_reported_to_it() {
    let fixture = Fixture::new(refusing("RCPT TO:<far"), Script::new()).await;
    let running = fixture.start();
    running.forward(Origin::Authenticated, "eve@example.net", "far@example.net").await;
    running.until_empty().await;
    let exchange = fixture.exchange.received.borrow();
    let [report] = &exchange.messages[..] else { panic!("{exchange:?}") };
    assert!(report.contains("Original-Recipient: rfc822; team@example.org"), "{report}");
    assert!(report.contains("Final-Recipient: rfc822; far@example.net"), "{report}");
    assert!(exchange.lines.iter().any(|line| line == "RCPT TO:<eve@example.net>"), "{exchange:?}");
    assert_eq!((fixture.store.borrow().messages.len(), fixture.files()), (0, [0; 3]));
}

#[tokio::test]
async fn no_report_is_about_a_report() {
    // Neither about our own, nor about one that comes back to a sender elsewhere.
    let fixture = Fixture::new(refusing("RCPT"), Script::new()).await;
    let running = fixture.start();
    running.forward(Origin::Authenticated, "eve@example.net", "far@example.net").await;
    running.enqueue(None, "", &["bob@example.net"]).await;
    running.until_empty().await;
    assert_eq!(fixture.exchange.received.borrow().messages.len(), 0);
    assert_eq!((fixture.store.borrow().messages.len(), fixture.files()), (0, [0; 3]));
}

#[tokio::test]
async fn a_note_that_fails_is_set_aside_for_the_operator() {
    let fixture = Fixture::new(refusing("RCPT"), refusing("RCPT")).await;
    let running = fixture.start();
    running.forward(Origin::Unauthenticated, "eve@example.net", "far@example.net").await;
    running.until_empty().await;
    assert_eq!((fixture.store.borrow().messages.len(), fixture.files()), (0, [0, 0, 2]));
}

#[tokio::test]
async fn a_failure_that_was_not_reported_before_a_crash_is_reported_after_it() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    fixture.open().enqueue(Some("ann@example.org"), "ann@example.org", &["never@example.net"]).await;
    fixture.rewrite(|envelope| envelope.recipients[0].state = RecipientState::Failed);
    fixture.start().until_empty().await;
    assert_eq!(fixture.store.borrow().messages.len(), 1);
    assert_eq!(fixture.exchange.received.borrow().connections, 0);
}

#[tokio::test]
async fn messages_to_one_destination_share_few_connections() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    let running = fixture.open();
    for _ in 0..20 {
        running.enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net"]).await;
    }
    running.start();
    running.until_empty().await;
    let received = fixture.exchange.received.borrow();
    assert_eq!(received.messages.len(), 20);
    assert!(received.connections <= 3, "{}", received.connections);
}

#[tokio::test]
async fn an_unreachable_destination_is_tried_once_for_all_its_messages() {
    let fixture = Fixture::new(Script::new().on("", Reaction::Reply("554 go away")), Script::new()).await;
    let running = fixture.open();
    for _ in 0..20 {
        running.enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net"]).await;
    }
    running.start();
    until(&fixture.exchange.received, |received| received.connections >= 1).await;
    running.stop().await;
    assert!(fixture.exchange.received.borrow().connections <= 3);
    assert_eq!(fixture.files(), [20, 20, 0]);
}

#[tokio::test]
async fn a_stop_waits_for_deliveries_under_way() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    let running = fixture.start();
    running.enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net"]).await;
    until(&fixture.exchange.received, has_line("EHLO")).await;
    running.stop().await;
    assert_eq!(fixture.exchange.received.borrow().messages.len(), 1);
    assert_eq!(fixture.files(), [0; 3]);
}

#[tokio::test]
async fn state_that_a_full_disk_refused_is_written_at_the_stop() {
    let exchange = Script::new().once("RCPT TO:<later", Reaction::Reply("450 4.2.1 not now"));
    let fixture = Fixture::new(exchange, Script::new()).await;
    let running = fixture.open();
    let recipients = ["bob@example.net", "later@example.net"];
    let id = running.enqueue(Some("ann@example.org"), "ann@example.org", &recipients).await;
    std::fs::remove_dir(fixture.path("tmp")).unwrap();
    running.start();
    let entry = running.site.queue.entry(id).unwrap();
    while entry.lock().await.settle_at.0.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.envelope().recipients[0].state, RecipientState::Waiting);
    std::fs::create_dir(fixture.path("tmp")).unwrap();
    running.stop().await;
    assert_eq!(fixture.envelope().recipients[0].state, RecipientState::Delivered);
}

#[tokio::test]
async fn local_mail_waits_while_the_mail_store_is_unavailable() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    std::fs::remove_file(&fixture.config.lmtp).unwrap();
    fixture.open().enqueue(None, "eve@example.net", &["ann@example.org"]).await;
    let running = fixture.start();
    // The worker ends by itself: the socket is gone at once.
    let entry = running.site.queue.entry(running.site.queue.ids()[0]).unwrap();
    while entry.lock().await.recipients[0].attempts == 0 {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    assert_eq!(fixture.envelope().recipients[0].state, RecipientState::Waiting);
}
