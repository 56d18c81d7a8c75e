//! The heartbeat: a signed message that goes the whole way every few minutes, as a stranger's would.
//!
//! ```text
//!  letter.rs ──▶ post.rs: port 25, STARTTLS ──▶ checks ──▶ LMTP ──▶ mailbox.rs: port 993, LOGIN, FETCH ──▶ letter.rs
//!  signed by a key that                                                     seen, then removed with all      verified
//!  only this process knows                                                  that lies beside it
//! ```
//!
//! It shows what no daemon can say of itself: that mail goes through. Its mailbox is in no file of accounts, takes
//! mail from this machine only, and is emptied by every beat. It has no sender, so nothing of it ever bounces; a mailbox
//! that cannot take it makes the MTA refuse it, so nothing of it is ever queued. A beat that fails says at which step,
//! what was said there, and what to do.

mod letter;
mod mailbox;
mod post;
mod pulse;
mod step;

use std::sync::Arc;
use std::time::{Duration, Instant};

use handover::config::{Heartbeat, Steward};
use handover::status::{State, Status};
use serve::Stop;
use serve::tls::Connector;
use tokio::sync::watch;
use tokio::time::timeout;

pub(super) use pulse::{Beat, Beats, Pulse};
pub(super) use step::{Failure, Step};

use super::findings::{Findings, Source};
use letter::Seal;

/// After a beat that failed the next comes so soon: a daemon that was being started is there by then.
const AGAIN: Duration = Duration::from_secs(30);
/// How often it looks whether the daemons have come up, and how long the first beat waits for that at most.
const COMING_UP: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);
/// The checks may wait eight seconds for DNS, and a slow disk some more. What takes longer does not work.
const BEAT: Duration = Duration::from_secs(60);

/// Beats until the daemon stops. Each beat goes by the configuration of its moment.
pub(super) async fn run(
    mut steward: watch::Receiver<Arc<Steward>>,
    pulse: Pulse,
    findings: Findings,
    mut stop: Stop,
) {
    let beating = async {
        let seal = Seal::new();
        wait_until_up(&steward).await;
        loop {
            let now = steward.borrow_and_update().clone();
            let every = match &now.heartbeat {
                Some(heartbeat) if !is_stopping(&now) => {
                    let beat = beat(&now, heartbeat, &seal).await;
                    findings.replace(Source::Heartbeat, beat.findings());
                    let every = Duration::from_secs(heartbeat.every_seconds);
                    let wait = if beat.is_success() { every } else { every.min(AGAIN) };
                    pulse.note(beat);
                    wait
                }
                _ => AGAIN,
            };
            // A new configuration is a good reason to look whether mail still goes through.
            let _ = timeout(every, steward.changed()).await;
        }
    };
    tokio::select! {
        () = stop.requested() => {}
        () = beating => {}
    }
}

/// One beat, from the connection to the emptied mailbox.
async fn beat(steward: &Steward, heartbeat: &Heartbeat, seal: &Seal) -> Beat {
    let begin = Instant::now();
    let ended = timeout(BEAT, go_through(steward, heartbeat, seal)).await;
    let outcome = ended.unwrap_or_else(|_| Err(Failure::new(Step::Whole, "it took more than a minute")));
    match &outcome {
        Ok(()) => tracing::debug!(milliseconds = begin.elapsed().as_millis(), "heartbeat"),
        Err(failure) => tracing::warn!(step = %failure.step, said = failure.said, "heartbeat failed"),
    }
    Beat::new(outcome, begin.elapsed())
}

async fn go_through(steward: &Steward, heartbeat: &Heartbeat, seal: &Seal) -> Result<(), Failure> {
    let trusted = trusted(steward).await?;
    let letter = seal.write(heartbeat);
    post::send(heartbeat, &trusted, &letter).await?;
    let mut mailbox = mailbox::Mailbox::open(heartbeat, &trusted).await?;
    let arrived = mailbox.fetch(&letter.message_id).await;
    let verified = arrived.and_then(|arrived| seal.verify(&arrived, heartbeat));
    // Whatever came of it: what lies there would lie there for good.
    let emptied = mailbox.empty().await;
    verified.and(emptied)
}

/// Whoever has the key of the certificate on disk is the server that is meant, whatever name it has.
async fn trusted(steward: &Steward) -> Result<Connector, Failure> {
    let tls = steward.tls.clone();
    let failed = |said: String| Failure::new(Step::Certificate, said);
    let leaf = tokio::task::spawn_blocking(move || handover::certificate::leaf(&tls.certificate)).await;
    let leaf = leaf.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    Connector::to_holder_of(&leaf).map_err(|error| failed(error.to_string()))
}

/// The first beat of a life waits for the daemons, so that a start is not a fault.
async fn wait_until_up(steward: &watch::Receiver<Arc<Steward>>) {
    let up = async {
        while !is_up(&steward.borrow().clone()) {
            tokio::time::sleep(COMING_UP).await;
        }
    };
    let _ = timeout(PATIENCE, up).await;
}

fn is_up(steward: &Steward) -> bool {
    Status::load(&steward.status).is_ok_and(|status| {
        !status.processes.is_empty() && status.processes.iter().all(|process| process.state == State::Ready)
    })
}

/// The daemons stop one after the other, which is no fault either.
fn is_stopping(steward: &Steward) -> bool {
    Status::load(&steward.status).is_ok_and(|status| {
        status.processes.iter().any(|process| matches!(process.state, State::Stopping | State::Stopped))
    })
}

#[cfg(test)]
mod tests;
