//! One worker's round: the messages of one lane, one after the other.

use std::sync::Arc;

use serve::Stop;

use super::agenda::Lane;
use super::parcel::{self, Parcel};
use super::{MailId, Queue};
use crate::local;
use crate::outbound::{Connection, Destination};
use crate::outcome::Outcome;
use crate::site::Site;

/// Messages on one connection, after which a host may expect to be left in peace for a moment.
const MOST_MESSAGES: usize = 100;

/// A worker's place in its lane; given back however the worker ends.
struct Place {
    queue: Queue,
    lane: Lane,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queue.finish(&self.lane);
    }
}

/// Delivers the lane's messages, beginning with `first`, until none is ready or the daemon stops.
pub(super) async fn work(site: Arc<Site>, lane: Lane, first: MailId, stop: Stop) {
    let place = Place { queue: site.queue.clone(), lane };
    match &place.lane {
        Lane::Local => to_the_store(&site, &place.lane, first, &stop).await,
        Lane::Remote(destination) => to_a_host(&site, &place.lane, destination, first, &stop).await,
    }
}

async fn to_the_store(site: &Arc<Site>, lane: &Lane, first: MailId, stop: &Stop) {
    let mut next = Some(first);
    while let Some(id) = next {
        if let Some(parcel) = parcel::take_up(site, lane, id).await {
            let outcomes = match parcel.content().await {
                Ok(content) => {
                    let config = &site.settings().config;
                    let (socket, recipients) = (&config.lmtp, &parcel.recipients);
                    local::deliver(socket, &config.hostname, id, &parcel.sender, recipients, &content).await
                }
                Err(outcome) => vec![outcome; parcel.recipients.len()],
            };
            parcel.end(&outcomes).await;
        }
        next = site.queue.next(lane).filter(|_| !stop.is_requested());
    }
}

async fn to_a_host(site: &Arc<Site>, lane: &Lane, destination: &Destination, first: MailId, stop: &Stop) {
    let mut line = Held::default();
    let mut next = Some(first);
    while let Some(id) = next {
        if let Some(parcel) = parcel::take_up(site, lane, id).await {
            let sent = line.send(site, destination, &parcel).await;
            match sent {
                Ok(outcomes) => parcel.end(&outcomes).await,
                Err(outcome) => {
                    end_all(parcel, &outcome).await;
                    // What keeps us from the host keeps all that is ready for it.
                    for id in site.queue.next_all(lane) {
                        if let Some(parcel) = parcel::take_up(site, lane, id).await {
                            end_all(parcel, &outcome).await;
                        }
                    }
                }
            }
        }
        next = if stop.is_requested() { None } else { site.queue.next(lane) };
    }
    line.quit().await;
}

async fn end_all(parcel: Parcel, outcome: &Outcome) {
    let outcomes = vec![outcome.clone(); parcel.recipients.len()];
    parcel.end(&outcomes).await;
}

/// The connection that a worker holds, and how many messages it has carried.
#[derive(Default)]
struct Held {
    connection: Option<Connection>,
    messages: usize,
}

impl Held {
    /// Sends a message over the connection there is, or a new one. The error is that no host can be reached.
    async fn send(
        &mut self,
        site: &Arc<Site>,
        destination: &Destination,
        parcel: &Parcel,
    ) -> Result<Vec<Outcome>, Outcome> {
        let content = match parcel.content().await {
            Ok(content) => content,
            Err(outcome) => return Ok(vec![outcome; parcel.recipients.len()]),
        };
        loop {
            let used = self.messages;
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => connect(site, destination, parcel).await?,
            };
            let outcomes = connection
                .send(parcel.id, &parcel.sender, &parcel.recipients, parcel.body.into(), &content)
                .await;
            if connection.is_ready() && used + 1 < MOST_MESSAGES {
                (self.connection, self.messages) = (Some(connection), used + 1);
            } else {
                self.messages = 0;
                tokio::spawn(connection.quit());
            }
            // A host may close a connection that it finds used enough; the message has nothing to do with that.
            let closed = self.connection.is_none() && outcomes.iter().all(is_goodbye);
            if used == 0 || !closed {
                return Ok(outcomes);
            }
        }
    }

    async fn quit(self) {
        if let Some(connection) = self.connection {
            connection.quit().await;
        }
    }
}

/// A new connection, by the settings that are in force when it is made. What failed by others that were exchanged meanwhile
/// says nothing about those.
async fn connect(site: &Site, destination: &Destination, parcel: &Parcel) -> Result<Connection, Outcome> {
    loop {
        let settings = site.settings();
        let connected = settings.departure.connect(parcel.id, destination).await;
        if connected.is_err() && !Arc::ptr_eq(&settings, &site.settings()) {
            continue;
        }
        if let Destination::Relay(relay) = destination {
            site.note_relay(relay, &connected);
        }
        return connected;
    }
}

/// Whether an outcome says no more than that the connection ended: it broke, or the host said 421 (RFC 5321 §3.8).
fn is_goodbye(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Deferred(reason) => reason.remote.is_none() || reason.text.starts_with("421"),
        Outcome::Delivered | Outcome::Failed(_) => false,
    }
}
