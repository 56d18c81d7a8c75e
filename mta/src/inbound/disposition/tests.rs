use address::{Address, ForwardPath};
use serve::MailId;
use smtp_proto::command::Command;

use super::*;
use crate::inbound::recipient::Destinations;
use crate::outcome::Status;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn envelope(local: &[&str], remote: &[&str]) -> InboundEnvelope {
    let Ok(Command::Mail(command)) = Command::parse(b"MAIL FROM:<eve@example.net>") else { panic!() };
    let mut envelope = InboundEnvelope::new(MailId::new(), &command);
    let destinations = Destinations {
        local: local.iter().copied().map(address).collect(),
        remote: remote.iter().copied().map(address).collect(),
        alias: None,
    };
    envelope.add(ForwardPath::Postmaster, destinations);
    envelope
}

fn deferred() -> Outcome {
    Outcome::deferred(Status::new(4, 3, 0), "later")
}

fn failed() -> Outcome {
    Outcome::failed(Status::new(5, 1, 1), "never")
}

fn queued(addresses: &[&str]) -> Disposition {
    Disposition::Queued(addresses.iter().copied().map(address).collect())
}

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";
const FAR: &str = "far@example.com";

#[test]
fn a_message_delivered_to_every_recipient_is_accepted() {
    let envelope = envelope(&[ANN, BOB], &[]);
    for logged_in in [false, true] {
        let outcomes = vec![Outcome::Delivered, Outcome::Delivered];
        assert_eq!(decide(&envelope, outcomes, logged_in), Disposition::Delivered);
    }
}

#[test]
fn a_message_that_fails_for_every_recipient_is_refused_permanently() {
    let envelope = envelope(&[ANN, BOB], &[]);
    for logged_in in [false, true] {
        let disposition = decide(&envelope, vec![failed(), failed()], logged_in);
        assert_eq!(disposition, Disposition::Refused(replies::UNKNOWN_RECIPIENT));
    }
}

#[test]
fn a_message_deferred_for_every_recipient_is_refused_to_a_peer_and_queued_for_a_user() {
    let envelope = envelope(&[ANN, BOB], &[]);
    for outcomes in [vec![deferred(), deferred()], vec![failed(), deferred()]] {
        let disposition = decide(&envelope, outcomes.clone(), false);
        assert_eq!(disposition, Disposition::Refused(replies::STORE_UNAVAILABLE));
        assert_eq!(decide(&envelope, outcomes, true), queued(&[ANN, BOB]));
    }
}

#[test]
fn a_message_delivered_to_one_recipient_is_never_refused() {
    let envelope = envelope(&[ANN, BOB], &[]);
    for outcome in [deferred(), failed()] {
        for logged_in in [false, true] {
            let outcomes = vec![Outcome::Delivered, outcome.clone()];
            assert_eq!(decide(&envelope, outcomes, logged_in), queued(&[BOB]));
        }
    }
}

#[test]
fn remote_recipients_are_queued_whatever_the_local_outcomes() {
    let both = envelope(&[ANN], &[FAR]);
    assert_eq!(decide(&both, vec![Outcome::Delivered], false), queued(&[FAR]));
    assert_eq!(decide(&both, vec![deferred()], false), queued(&[ANN, FAR]));
    assert_eq!(decide(&envelope(&[], &[FAR]), Vec::new(), true), queued(&[FAR]));
}

#[test]
fn a_full_disk_and_a_full_mailbox_have_their_own_replies() {
    let envelope = envelope(&[ANN], &[]);
    for (status, reply) in [
        (Status::new(4, 3, 1), replies::SYSTEM_FULL),
        (Status::new(4, 2, 2), replies::MAILBOX_FULL),
        (Status::new(4, 4, 1), replies::STORE_UNAVAILABLE),
    ] {
        let outcome = Outcome::deferred(status, "the store's own words");
        assert_eq!(decide(&envelope, vec![outcome], false), Disposition::Refused(reply));
    }
    for (status, reply) in [
        (Status::new(5, 2, 2), replies::MAILBOX_FULL_PERMANENT),
        (Status::new(5, 3, 4), replies::MESSAGE_TOO_BIG),
        (Status::new(5, 7, 1), replies::REFUSED_BY_STORE),
    ] {
        let outcome = Outcome::failed(status, "the store's own words");
        assert_eq!(decide(&envelope, vec![outcome], false), Disposition::Refused(reply));
    }
}
