//! Whole sessions over a socket, into Maildirs on disk.

use std::path::PathBuf;

use accounts::{Accounts, Password, Secret, User, UserAccount};
use address::Address;
use serve::{Connection, Drain, Peer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::*;

/// A server over a scratch folder, and a client connected to it.
struct TestConnection {
    folder: tempfile::TempDir,
    client: BufReader<UnixStream>,
    _drain: Drain,
}

fn directory() -> Directory {
    let secret = Secret::hash(&Password::new("unused password").unwrap());
    let user = |address: &str| {
        UserAccount::new(User::new(&Address::parse(address).unwrap()).unwrap(), secret.clone())
    };
    let accounts = Accounts {
        domains: vec![Domain::parse("example.org").unwrap()],
        users: vec![user("ann@example.org"), user("bob@example.org")],
        aliases: Vec::new(),
    };
    Directory::at_host(&accounts, None, &Domain::parse("mail.example.org").unwrap())
}

impl TestConnection {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server {
            hostname: Domain::parse("mail.example.org").unwrap(),
            store: Store::new(folder.path().join("mail"), folder.path().join("index"), "host"),
            directory: Arc::new(directory()),
            message_size: 1 << 20,
        };
        let (client, ours) = UnixStream::pair().unwrap();
        let drain = Drain::new();
        let connection =
            Connection { stream: ours.into(), peer: Peer::Unix, local: None, stop: drain.stop() };
        tokio::spawn(serve(connection, Arc::new(server)));
        let mut connection = Self { folder, client: BufReader::new(client), _drain: drain };
        assert!(connection.read_reply().await.starts_with("220 mail.example.org LMTP"));
        connection.command("LHLO mta", "250").await;
        connection
    }

    async fn read_reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.client.read_line(&mut line).await.unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn send(&mut self, text: &str) {
        self.client.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn command(&mut self, command: &str, expected: &str) {
        self.send(&format!("{command}\r\n")).await;
        let reply = self.read_reply().await;
        assert!(reply.starts_with(expected), "{command}: {reply}");
    }

    async fn junk_envelope(&mut self, recipient: &str) {
        self.command("MAIL FROM:<eve@example.net> XVERDICT=JUNK", "250").await;
        self.command(&format!("RCPT TO:<{recipient}>"), "250 2.1.5").await;
        self.command("DATA", "354").await;
    }

    async fn envelope(&mut self, recipients: &[&str]) {
        self.command("MAIL FROM:<eve@example.net>", "250").await;
        for recipient in recipients {
            self.command(&format!("RCPT TO:<{recipient}>"), "250 2.1.5").await;
        }
        self.command("DATA", "354").await;
    }

    fn maildir(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail/example.org").join(user).join("Maildir")
    }

    /// The messages in a user's INBOX.
    fn delivered(&self, user: &str) -> Vec<String> {
        let files = std::fs::read_dir(self.maildir(user).join("new")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

#[tokio::test]
async fn a_message_is_delivered_with_the_fields_of_final_delivery_on_top() {
    let mut connection = TestConnection::new().await;
    connection.envelope(&["Ann+lists@example.org"]).await;
    connection.send("Subject: one\r\n\r\n..dot\r\n.\r\n").await;
    assert_eq!(connection.read_reply().await, "250 2.1.5 Delivered");
    assert_eq!(
        connection.delivered("ann"),
        [
            "Return-Path: <eve@example.net>\r\nDelivered-To: Ann+lists@example.org\r\nSubject: one\r\n\r\n.dot\r\n"
        ]
    );
    connection.command("MAIL FROM:<>", "250").await;
    connection.command("RCPT TO:<ann@example.org>", "250").await;
    connection.command("QUIT", "221").await;
}

#[tokio::test]
async fn junk_goes_to_the_junk_mailbox_which_is_created_if_it_is_gone() {
    let mut connection = TestConnection::new().await;
    let junk = connection.maildir("ann").join(".Junk");
    for count in 1..=2 {
        connection.junk_envelope("ann@example.org").await;
        connection.send("Subject: buy\r\n\r\nnow\r\n.\r\n").await;
        assert_eq!(connection.read_reply().await, "250 2.1.5 Delivered");
        assert_eq!(std::fs::read_dir(junk.join("new")).unwrap().count(), count);
        if count == 1 {
            // Another program has removed the mailbox and its message.
            std::fs::remove_dir_all(&junk).unwrap();
            connection.junk_envelope("ann@example.org").await;
            connection.send("Subject: buy\r\n\r\nnow\r\n.\r\n").await;
            assert_eq!(connection.read_reply().await, "250 2.1.5 Delivered");
        }
    }
    assert_eq!(connection.delivered("ann"), Vec::<String>::new());
    connection.command("MAIL FROM:<eve@example.net> XVERDICT=SPAM", "501").await;
}

/// The MTA repairs header sections; messages from another program must not continue our fields either.
#[tokio::test]
async fn an_empty_line_is_inserted_where_the_fields_end() {
    let mut connection = TestConnection::new().await;
    for (message, delivered) in [
        ("please call me back\r\nhost7\r\n", "\r\nplease call me back\r\nhost7\r\n"),
        ("Subject: alert\r\nnode7 is down\r\n", "Subject: alert\r\n\r\nnode7 is down\r\n"),
        (" continues nothing\r\n", "\r\n continues nothing\r\n"),
        ("From x Mon Jan  5 10:00:00 2026\r\nSubject: a\r\n", "Subject: a\r\n"),
    ] {
        connection.envelope(&["ann@example.org", "bob@example.org"]).await;
        for piece in message.as_bytes().chunks(5) {
            connection.send(std::str::from_utf8(piece).unwrap()).await;
        }
        connection.send(".\r\n").await;
        for user in ["ann", "bob"] {
            assert_eq!(connection.read_reply().await, "250 2.1.5 Delivered");
            let top = format!("Return-Path: <eve@example.net>\r\nDelivered-To: {user}@example.org\r\n");
            assert!(
                connection.delivered(user).contains(&format!("{top}{delivered}")),
                "{message:?}: {:?}",
                connection.delivered(user)
            );
        }
    }
}

#[tokio::test]
async fn the_postmaster_is_reached_at_the_hosts_name_too() {
    let mut connection = TestConnection::new().await;
    connection.envelope(&["postmaster@mail.example.org"]).await;
    connection.send("\r\n.\r\n").await;
    assert_eq!(connection.read_reply().await, "250 2.1.5 Delivered");
    assert_eq!(connection.delivered("ann").len(), 1);
}

#[tokio::test]
async fn every_recipient_has_its_own_copy_and_reply() {
    for size in [10, 300_000] {
        let mut connection = TestConnection::new().await;
        let body = format!("{}\r\n", "x".repeat(98)).repeat(size / 100 + 1);
        connection.envelope(&["bob@example.org", "ann@example.org", "bob+again@example.org"]).await;
        connection.send(&format!("\r\n{body}.\r\n")).await;
        for _ in 0..3 {
            assert_eq!(connection.read_reply().await, "250 2.1.5 Delivered");
        }
        let top = "Return-Path: <eve@example.net>\r\nDelivered-To:";
        assert_eq!(connection.delivered("ann"), [format!("{top} ann@example.org\r\n\r\n{body}")]);
        let mut bobs = connection.delivered("bob");
        bobs.sort();
        assert_eq!(
            bobs,
            [
                format!("{top} bob+again@example.org\r\n\r\n{body}"),
                format!("{top} bob@example.org\r\n\r\n{body}")
            ]
        );
    }
}

#[tokio::test]
async fn an_unknown_recipient_does_not_affect_the_others() {
    let mut connection = TestConnection::new().await;
    connection.command("MAIL FROM:<eve@example.net>", "250").await;
    connection.command("RCPT TO:<unknown@example.org>", "550 5.1.1").await;
    connection.command("RCPT TO:<ann@example.net>", "550 5.1.1").await;
    connection.command("RCPT TO:<ann@example.org>", "250").await;
    connection.command("DATA", "354").await;
    connection.send("\r\n.\r\n").await;
    assert_eq!(connection.read_reply().await, "250 2.1.5 Delivered");
}

#[tokio::test]
async fn an_unwritable_mailbox_does_not_affect_other_recipients() {
    let mut connection = TestConnection::new().await;
    connection.envelope(&["ann@example.org", "bob@example.org"]).await;
    connection.send("\r\n.\r\n").await;
    connection.read_reply().await;
    connection.read_reply().await;
    // A file blocks the folder where Ann's messages are written.
    let tmp = connection.maildir("ann").join("tmp");
    std::fs::remove_dir(&tmp).unwrap();
    std::fs::write(&tmp, "").unwrap();
    for recipients in [["ann@example.org", "bob@example.org"], ["bob@example.org", "ann@example.org"]] {
        connection.envelope(&recipients).await;
        connection.send("\r\n.\r\n").await;
        for recipient in recipients {
            let expected = if recipient.starts_with("ann") { "451 4.3.0" } else { "250 2.1.5" };
            let reply = connection.read_reply().await;
            assert!(reply.starts_with(expected), "{recipient}: {reply}");
        }
    }
    assert_eq!((connection.delivered("ann").len(), connection.delivered("bob").len()), (1, 3));
}

#[tokio::test]
async fn a_refused_or_interrupted_message_leaves_no_files() {
    let mut refused = TestConnection::new().await;
    refused.envelope(&["ann@example.org"]).await;
    refused.send("bare\nline\r\n.\r\nNOOP\r\n").await;
    assert!(refused.read_reply().await.starts_with("554 5.6.11"));
    assert_eq!(refused.read_reply().await, "", "nothing behind such a message is read as a command");
    let mut cut = TestConnection::new().await;
    cut.envelope(&["ann@example.org"]).await;
    cut.send(&"x".repeat(200_000)).await;
    cut.client.get_mut().shutdown().await.unwrap();
    assert_eq!(cut.read_reply().await, "", "the session ends without an answer");
    for connection in [refused, cut] {
        for folder in ["new", "cur", "tmp"] {
            let left: Vec<_> = std::fs::read_dir(connection.maildir("ann").join(folder)).unwrap().collect();
            assert!(left.is_empty(), "{folder}: {left:?}");
        }
    }
}

#[test]
fn a_full_disk_and_a_full_mailbox_have_different_temporary_replies() {
    use crate::mailbox::StoreError;
    let full = StoreError::DiskFull { step: "write", path: "tmp".into() };
    assert_eq!(
        reply::for_store_error(&full).to_string(),
        "452 4.3.1 Insufficient system storage, try again later"
    );
    assert!(
        reply::for_store_error(&StoreError::NoUidsLeft("list".into())).to_string().starts_with("452 4.2.2")
    );
    assert!(reply::for_store_error(&StoreError::Interrupted).to_string().starts_with("451 4.3.0"));
}
