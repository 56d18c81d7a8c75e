//! Mail of a peer that an alias forwards to another host, and the delivery reports that come back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use tests::mail_exchange::Exchange;
use tests::site::Site;
use tests::smtp::{Smtp, message};

/// A site whose alias forwards to `far.example`. One exchange serves that domain and the sender's.
struct Scene {
    site: Site,
    exchange: Exchange,
}

impl Scene {
    fn start() -> Self {
        let exchange = Exchange::start("mx.example.net");
        let site = Site::start_with(|plan| {
            plan.mta.outbound.port = exchange.address().port();
            plan.aliases.push(("list@example.org".to_owned(), vec!["ann@far.example".to_owned()]));
        });
        site.dns.host("mx.example.net", exchange.address().ip());
        for domain in ["far.example", "example.net"] {
            site.dns.mx(domain, 10, "mx.example.net");
        }
        Self { site, exchange }
    }

    fn peer(&self) -> Smtp {
        let mut peer = Smtp::connect(self.site.services.address("smtp")).unwrap();
        peer.hello().unwrap();
        peer
    }

    /// Sends a message from a peer to the alias; returns the return path with which it is forwarded.
    fn forward(&self, sender: &str, words: &str) -> String {
        let letter = message("eve@example.net", "list@example.org", words);
        self.peer().mail(sender, &["list@example.org"], &letter).unwrap().expect(250);
        let accepted = self.exchange.await_message(words);
        assert_eq!(accepted.to, ["ann@far.example"]);
        accepted.from
    }

    /// The reply to RCPT of a report's recipient.
    fn rcpt(&self, sender: &str, recipient: &str) -> String {
        let mut peer = self.peer();
        peer.command(&format!("MAIL FROM:<{sender}>")).unwrap().expect(250);
        let reply = peer.command(&format!("RCPT TO:<{recipient}>")).unwrap();
        format!("{} {}", reply.code, reply.lines.join(" "))
    }
}

#[test]
fn forwarded_mail_has_a_return_path_here_and_a_report_reaches_the_sender() {
    let scene = Scene::start();
    let path = scene.forward("eve@example.net", "to-be-returned");
    assert!(path.starts_with("SRS0=") && path.ends_with("=example.net=eve@mail.example.org"), "{path}");

    let report = message("postmaster@far.example", &path, "it-bounced");
    scene.peer().mail("", &[&path], &report).unwrap().expect(250);
    let returned = scene.exchange.await_message("it-bounced");
    assert_eq!((returned.from.as_str(), returned.to), ("", vec!["eve@example.net".to_owned()]));
}

#[test]
fn a_report_to_a_chain_of_forwarders_goes_to_the_first() {
    let scene = Scene::start();
    let path = scene.forward("SRS0=abcd=xy=example.com=eve@example.net", "from-a-forwarder");
    assert!(
        path.starts_with("SRS1=") && path.ends_with("=example.net==abcd=xy=example.com=eve@mail.example.org"),
        "{path}"
    );
    scene
        .peer()
        .mail("", &[&path], &message("postmaster@far.example", &path, "back-a-hop"))
        .unwrap()
        .expect(250);
    assert_eq!(scene.exchange.await_message("back-a-hop").to, ["SRS0=abcd=xy=example.com=eve@example.net"]);
}

#[test]
fn a_return_path_is_no_relay() {
    let scene = Scene::start();
    let path = scene.forward("eve@example.net", "once");
    for recipient in [
        path.replace("=eve@", "=bob@"),
        path.replace("example.net", "far.example"),
        "SRS0=aaaaaa=aa=example.net=eve@mail.example.org".to_owned(),
        "SRS1=aaaaaa=example.net==aaaaaa=aa=example.com=eve@mail.example.org".to_owned(),
    ] {
        let reply = scene.rcpt("", &recipient);
        assert!(reply.starts_with("550 5.1.1 This return path was altered"), "{recipient}: {reply}");
    }
    // Mail other than a report.
    let reply = scene.rcpt("bob@example.com", &path);
    assert!(reply.starts_with("550 5.7.1"), "{reply}");
    assert_eq!(scene.exchange.accepted().len(), 1, "only the forwarded message");
}

#[test]
fn the_null_sender_stays_and_a_sender_of_this_site_is_rewritten_too() {
    let scene = Scene::start();
    assert_eq!(scene.forward("", "a-report"), "");
    let path = scene.forward("bob@example.org", "from-a-colleague");
    assert!(path.ends_with("=example.org=bob@mail.example.org"), "{path}");
    let report = message("postmaster@far.example", &path, "back-to-bob");
    scene.peer().mail("", &[&path], &report).unwrap().expect(250);
    scene.site.services.await_message(1, "back-to-bob");
}

#[test]
fn a_forged_author_of_this_site_is_not_forwarded() {
    let scene = Scene::start();
    scene.site.dns.text("_dmarc.example.org", "v=DMARC1; p=reject");
    for author in ["ann@example.org", "ann@mail.example.org", "x@sub.example.org"] {
        let forged = message(author, "list@example.org", "forged");
        for sender in ["eve@example.net", "bob@example.org", ""] {
            let reply = scene.peer().mail(sender, &["list@example.org"], &forged).unwrap();
            assert_eq!((reply.code, reply.enhanced()), (550, Some("5.7.1")), "{author} {sender}: {reply:?}");
        }
    }
    // A From field that destinations may read in another way.
    let unreadable = message("ann@example.org> <eve@example.net", "list@example.org", "unreadable");
    let reply = scene.peer().mail("eve@example.net", &["list@example.org"], &unreadable).unwrap();
    assert!((500..600).contains(&reply.code), "{reply:?}");
    // To mailboxes here it is delivered, with the result in its header.
    let local = message("ann@example.org", "bob@example.org", "to-bob");
    scene.peer().mail("eve@example.net", &["bob@example.org"], &local).unwrap().expect(250);
    assert_eq!(scene.exchange.accepted().len(), 0);
}

#[test]
fn return_paths_outlive_a_restart_and_a_damaged_key_file_stops_no_mail() {
    let mut scene = Scene::start();
    let path = scene.forward("eve@example.net", "before");
    scene.site.mta().stop();
    scene.site.start_mta();
    assert!(scene.rcpt("", &path).starts_with("250"), "{path}");

    let file = scene.site.queue().join("srs-keys.toml");
    let keys = fs::read(&file).unwrap();
    scene.site.mta().stop();
    fs::write(&file, "damaged").unwrap();
    scene.site.start_mta();
    assert_eq!(scene.forward("eve@example.net", "without-keys"), "eve@example.net");
    let reply = scene.rcpt("", &path);
    assert!(reply.starts_with("451 4.3.0"), "a report is not lost: {reply}");
    assert_eq!(fs::read(&file).unwrap(), b"damaged", "it is left to the operator");

    scene.site.mta().stop();
    fs::write(&file, keys).unwrap();
    scene.site.start_mta();
    assert!(scene.rcpt("", &path).starts_with("250"));
}

/// A scene whose alias reaches bob too, and whose destination refuses the forwarded mail.
fn refusing_scene() -> Scene {
    let exchange = Exchange::start("mx.example.net");
    exchange.script(|script| {
        script.recipients.insert("ann@far.example".into(), "550 5.1.1 no such person here".into());
    });
    let site = Site::start_with(|plan| {
        plan.mta.outbound.port = exchange.address().port();
        let targets = ["ann@far.example", "bob@example.org"].map(str::to_owned);
        plan.aliases.push(("list@example.org".to_owned(), targets.into()));
    });
    site.dns.host("mx.example.net", exchange.address().ip());
    for domain in ["far.example", "example.net"] {
        site.dns.mx(domain, 10, "mx.example.net");
    }
    Scene { site, exchange }
}

#[test]
fn a_refused_forward_is_reported_to_an_authenticated_sender() {
    let scene = refusing_scene();
    scene.site.dns.text("example.net", "v=spf1 ip4:127.0.0.0/8 -all");
    let letter = message("eve@example.net", "list@example.org", "honest");
    scene.peer().mail("eve@example.net", &["list@example.org"], &letter).unwrap().expect(250);
    let report = scene.exchange.await_message("multipart/report");
    assert_eq!((report.from.as_str(), &report.to), ("", &vec!["eve@example.net".to_owned()]));
    for words in ["Original-Recipient: rfc822; list@example.org", "550 5.1.1 no such person here", "honest"] {
        assert!(report.text().contains(words), "{words:?} is missing in {}", report.text());
    }
}

#[test]
fn a_refused_forward_of_a_forged_sender_is_noted_to_the_user_of_the_alias() {
    let scene = refusing_scene();
    scene.site.dns.text("example.net", "v=spf1 -all");
    let letter = message("eve@example.net", "list@example.org", "perhaps-forged");
    scene.peer().mail("eve@example.net", &["list@example.org"], &letter).unwrap().expect(250);
    let note = scene.site.services.await_message(1, "multipart/report");
    for words in ["list@example.org", "ann@far.example", "550 5.1.1 no such person here", "What to do:"] {
        assert!(note.contains(words), "{words:?} is missing in {note}");
    }
    let queue = scene.site.queue().join("envelopes");
    tests::wait::until_true("the queue is empty", || fs::read_dir(&queue).unwrap().count() == 0);
    assert_eq!(scene.exchange.accepted().len(), 0, "the sender gets nothing");
    assert_eq!(fs::read_dir(scene.site.queue().join("dead")).unwrap().count(), 0);
}
