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
mod shown;
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
use shown::Shown;

/// After a beat that failed the next comes so soon: a daemon that was being started is there by then.
const AGAIN: Duration = Duration::from_secs(30);
/// How often it looks whether the daemons have come up, and how long the first beat waits for that at most.
const COMING_UP: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);
/// The checks may wait eight seconds for DNS, and a slow disk some more. What takes longer does not work.
const BEAT: Duration = Duration::from_secs(60);
/// The daemons and we are told of a reload one after the other, and the others may be quicker.
const SETTLING: Duration = Duration::from_secs(2);
/// Reloads that come one after the other, and each time make a beat fail, end in a finding.
const MOST_SWAPS: usize = 3;

/// Beats until the daemon stops. Each beat goes by the configuration of its moment.
pub(super) async fn run(
    mut steward: watch::Receiver<Arc<Steward>>,
    pulse: Pulse,
    findings: Findings,
    mut stop: Stop,
) {
    let beating = async {
        let seal = Seal::new();
        let mut shown = Shown::default();
        let mut swaps = 0;
        wait_until_up(&steward).await;
        loop {
            let now = steward.borrow_and_update().clone();
            let every = match &now.heartbeat {
                Some(heartbeat) if !is_stopping(&now) => {
                    let beat = beat(&now, heartbeat, &seal, &mut shown).await;
                    if !beat.is_success() && swaps < MOST_SWAPS && is_swapped(&mut steward).await {
                        swaps += 1;
                        continue;
                    }
                    swaps = 0;
                    beat.log();
                    findings.replace(Source::Heartbeat, beat.findings());
                    let every = Duration::from_secs(heartbeat.every_seconds);
                    // Soon after a swap, the next one believes the new certificate alone.
                    let is_settled = beat.is_success() && !shown.is_being_swapped(Instant::now());
                    let wait = if is_settled { every } else { every.min(AGAIN) };
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

/// Whether there is a new configuration, or will be at once: a beat that fails in the middle of a swap says nothing, and the
/// next one begins with what holds by then.
async fn is_swapped(steward: &mut watch::Receiver<Arc<Steward>>) -> bool {
    matches!(timeout(SETTLING, steward.changed()).await, Ok(Ok(())))
}

/// One beat, from the connection to the emptied mailbox.
async fn beat(steward: &Steward, heartbeat: &Heartbeat, seal: &Seal, shown: &mut Shown) -> Beat {
    let begin = Instant::now();
    let ended = timeout(BEAT, go_through(steward, heartbeat, seal, shown)).await;
    let outcome = ended.unwrap_or_else(|_| Err(Failure::new(Step::Whole, "it took more than a minute")));
    Beat::new(outcome, begin.elapsed())
}

async fn go_through(
    steward: &Steward,
    heartbeat: &Heartbeat,
    seal: &Seal,
    shown: &mut Shown,
) -> Result<(), Failure> {
    let trusted = trusted(steward, shown).await?;
    let letter = seal.write(heartbeat);
    post::send(heartbeat, &trusted, &letter).await?;
    let mut mailbox = mailbox::Mailbox::open(heartbeat, &trusted).await?;
    let arrived = mailbox.fetch(&letter.message_id).await;
    let verified = arrived.and_then(|arrived| seal.verify(&arrived, heartbeat));
    // Whatever came of it: what lies there would lie there for good.
    let emptied = mailbox.empty().await;
    verified.and(emptied)
}

/// The holder of the key of the certificate on disk is the server that is meant, whatever name it has. While the daemons
/// exchange one certificate for another, the holder of the one before is too.
async fn trusted(steward: &Steward, shown: &mut Shown) -> Result<Connector, Failure> {
    let tls = steward.tls.clone();
    let failed = |said: String| Failure::new(Step::Certificate, said);
    let leaf = tokio::task::spawn_blocking(move || handover::certificate::leaf(&tls.certificate)).await;
    let leaf = leaf.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    let leaves = shown.now(leaf, Instant::now());
    Connector::to_holder_of_any(&leaves).map_err(|error| failed(error.to_string()))
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
