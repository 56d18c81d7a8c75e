//! Delivery of a received message to each recipient, with one reply for each.

use std::collections::BTreeMap;

use smtp_proto::{Reply, replies};
use tokio::task::JoinSet;

use super::arrival::{self, Arrival};
use super::commands::Envelope;
use super::reply;
use crate::mailbox::{Incoming, Store, StoreError};

/// Number of copies that are written before they are committed to disk together.
const COPIES_PER_COMMIT: usize = 16;

/// Delivers a message to all recipients of its envelope. The replies are in their order; each 250 means that the
/// message is on disk.
pub(super) async fn deliver(store: &Store, envelope: &Envelope, mut arrival: Arrival) -> Vec<Reply> {
    arrival.finish().await;
    let Arrival { first, incoming, fields, .. } = arrival;
    let written = match incoming {
        Ok(written) => written,
        Err(error) => {
            tracing::error!(id = %envelope.id, %error, "cannot write a message");
            return vec![reply::for_store_error(&error); envelope.recipients.len()];
        }
    };
    let mut outcomes = BTreeMap::new();
    let others: Vec<usize> = (0..envelope.recipients.len()).filter(|index| *index != first).collect();
    for batch in others.chunks(COPIES_PER_COMMIT) {
        let mut copies = Vec::with_capacity(batch.len());
        for index in batch {
            copies.push((*index, copy(store, envelope, *index, &written, fields).await));
        }
        outcomes.extend(commit(&envelope.id, copies).await);
    }
    // Last, since the others are copied from it.
    outcomes.extend(commit(&envelope.id, vec![(first, Ok(written))]).await);
    let answers = envelope.recipients.iter().enumerate().map(|(index, recipient)| {
        let (id, user, sender) = (&envelope.id, &recipient.user, &envelope.sender);
        match outcomes.remove(&index).unwrap_or(Err(StoreError::Interrupted)) {
            Ok(file) => {
                if recipient.is_heartbeat {
                    tracing::debug!(%id, file, "heartbeat delivered");
                } else {
                    let mailbox = &envelope.mailbox;
                    tracing::info!(%id, %user, %sender, %mailbox, file, "delivered");
                }
                replies::DELIVERED
            }
            Err(error) => {
                let reply = reply::for_store_error(&error);
                if let StoreError::OverQuota { .. } = error {
                    tracing::info!(%id, %user, %sender, %error, %reply, "not delivered");
                    return reply;
                }
                tracing::error!(%id, %user, %sender, %error, %reply, "not delivered");
                reply
            }
        }
    });
    answers.collect()
}

async fn copy(
    store: &Store,
    envelope: &Envelope,
    index: usize,
    written: &Incoming,
    fields: u64,
) -> Result<Incoming, StoreError> {
    let recipient = envelope.recipients.get(index).ok_or(StoreError::Interrupted)?;
    let (mut incoming, _) = arrival::begin(store, envelope, recipient).await?;
    written.continue_into(fields, &mut incoming).await?;
    Ok(incoming)
}

/// Commits copies to disk concurrently: copies that wait together share the disk's work.
async fn commit(
    id: &str,
    copies: Vec<(usize, Result<Incoming, StoreError>)>,
) -> Vec<(usize, Result<String, StoreError>)> {
    let mut outcomes = Vec::with_capacity(copies.len());
    let mut commits = JoinSet::new();
    for (index, copy) in copies {
        match copy {
            Ok(mut incoming) => {
                let id = id.to_owned();
                commits.spawn(async move {
                    let delivered = match incoming.reserve(None).await {
                        Ok(()) => incoming.deliver(&id).await,
                        Err(error) => Err(error),
                    };
                    (index, delivered)
                });
            }
            Err(error) => outcomes.push((index, Err(error))),
        }
    }
    while let Some(ended) = commits.join_next().await {
        // A task that panicked has no outcome, which is answered as a failure.
        outcomes.extend(ended.ok());
    }
    outcomes
}
