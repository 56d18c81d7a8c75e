use serve::MailId;

use super::*;
use crate::doubles::exchange::{Reaction, Script};

async fn deliver_to(script: Script, recipients: &[&str]) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lmtp.sock");
    script.serve_store(&socket);
    deliver_over(&socket, recipients).await
}

async fn deliver_over(socket: &Path, recipients: &[&str]) -> Vec<Outcome> {
    let recipients: Vec<_> = recipients.iter().map(|text| Address::parse(text).unwrap()).collect();
    let content = Content::from_octets(b"Subject: hi\r\n\r\nhello\r\n".to_vec());
    deliver(
        socket,
        &Domain::parse("mail.example.org").unwrap(),
        MailId::new(),
        &ReversePath::Null,
        &recipients,
        TargetMailbox::Inbox,
        &content,
    )
    .await
}

fn statuses(outcomes: &[Outcome]) -> Vec<String> {
    let status = |outcome: &Outcome| {
        outcome.reason().map_or("delivered".to_owned(), |reason| reason.status.to_string())
    };
    outcomes.iter().map(status).collect()
}

#[tokio::test]
async fn each_recipient_has_its_own_outcome() {
    let script = Script::new()
        .on("RCPT TO:<unknown", Reaction::Reply("550 5.1.1 unknown"))
        // RFC 2033 §4.2: one reply for each recipient that was accepted, in their order.
        .once(".", Reaction::Reply("452 4.2.2 full"));
    let outcomes = deliver_to(script, &["ann@example.org", "unknown@example.org", "bob@example.org"]).await;
    assert_eq!(statuses(&outcomes), ["4.2.2", "5.1.1", "delivered"]);
}

#[tokio::test]
async fn an_unavailable_store_defers_all_recipients() {
    let folder = tempfile::tempdir().unwrap();
    let absent =
        deliver_over(&folder.path().join("nothing.sock"), &["ann@example.org", "bob@example.org"]).await;
    assert!(matches!(&absent[..], [Outcome::Deferred(_), Outcome::Deferred(_)]), "{absent:?}");
    for script in [
        Script::new().on("", Reaction::Reply("421 later")),
        Script::new().on("", Reaction::Drop),
        Script::new().on("LHLO", Reaction::Reply("500 what?")),
        Script::new().on("MAIL", Reaction::Drop),
        Script::new().on(".", Reaction::Drop),
    ] {
        let outcomes = deliver_to(script, &["ann@example.org"]).await;
        assert!(matches!(&outcomes[..], [Outcome::Deferred(_)]), "{outcomes:?}");
    }
}
