//! Delivery to local mailboxes: LMTP (RFC 2033) to the MDA over its socket.

use std::path::Path;
use std::sync::Arc;

use address::{Address, Domain, ForwardPath, ReversePath};
use smtp_proto::Dialect;
use smtp_proto::client::{self, Envelope, Settings, Tls};
use smtp_proto::command::BodyKind;
use tokio::net::UnixStream;

use crate::content::Content;
use crate::conversation::{Conversation, Patience, Unusable};
use crate::outcome::{Outcome, Status};

/// Delivers a message to local recipients, one transaction for all. The outcomes are in their order.
///
/// An outcome of [`Outcome::Delivered`] means that the MDA answered 250 after the message: it is on its disk.
pub async fn deliver(
    socket: &Path,
    hostname: &Domain,
    sender: &ReversePath,
    recipients: &[Address],
    content: &Content,
) -> Vec<Outcome> {
    let all = |outcome: Outcome| vec![outcome; recipients.len()];
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::error!(%error, socket = %socket.display(), "the MDA cannot be reached");
            return all(Outcome::deferred(UNREACHABLE, "the mail store cannot be reached"));
        }
    };
    let settings = Settings {
        dialect: Dialect::Lmtp,
        hello_name: hostname.clone().into(),
        tls: Tls::Never,
        login: None,
    };
    let opened = Conversation::open(stream.into(), Arc::new(settings), None, Patience::LOCAL).await;
    let mut conversation = match opened {
        Ok(conversation) => conversation,
        Err(Unusable::Reply(reply)) => {
            tracing::error!(%reply, "the MDA takes no mail");
            return all(Outcome::deferred(UNREACHABLE, reply.to_string()));
        }
        Err(Unusable::Handshake(error)) => return all(Outcome::deferred(UNREACHABLE, error.to_string())),
    };
    let envelope = Envelope {
        sender: sender.clone(),
        recipients: recipients.iter().cloned().map(ForwardPath::Address).collect(),
        size: content.len(),
        // Our own MDA takes any octets.
        body: BodyKind::EightBitMime,
    };
    let outcomes = conversation.send(envelope, content).await;
    conversation.quit().await;
    outcomes.into_iter().map(outcome).collect()
}

/// The store is another system that does not answer (RFC 3463 §3.5).
const UNREACHABLE: Status = Status::new(4, 4, 1);

fn outcome(outcome: client::Outcome) -> Outcome {
    let words = |reply: &smtp_proto::Reply| {
        let status = Status::parse(&reply.status_code()).unwrap_or(Status::new(4, 0, 0));
        (status, reply.to_string())
    };
    match &outcome {
        client::Outcome::Delivered(_) => Outcome::Delivered,
        client::Outcome::Deferred(reply) => {
            let (status, text) = words(reply);
            Outcome::deferred(status, text)
        }
        client::Outcome::Failed(reply) => {
            let (status, text) = words(reply);
            Outcome::failed(status, text)
        }
    }
}
