//! The heartbeat: every few minutes a signed message passes through the whole server, as one from another host would.
//!
//! ```text
//!  test_message.rs ──▶ smtp.rs: port 25, STARTTLS ──▶ checks ──▶ LMTP ──▶ mailbox.rs: port 993, LOGIN, FETCH ──▶ test_message.rs
//!  signed with a key that                                                   found, then removed with        verified
//!  exists only in this process                                              all other messages there
//! ```
//!
//! It shows what no daemon can report about itself: that mail flows. Its mailbox is in no accounts file, accepts mail
//! from this machine only, and is emptied by every beat. The message has a null sender, so it never bounces; if the
//! mailbox cannot accept it, the MTA refuses it, so it is never queued. A failed beat reports the step, the reply and
//! the fix.

mod mailbox;
mod results;
mod served_certificates;
mod smtp;
mod step;
mod test_message;

use std::sync::Arc;
use std::time::{Duration, Instant};

use handover::config::{Heartbeat, Steward};
use handover::status::{DaemonState, Status};
use serve::StopSignal;
use serve::tls::Connector;
use tokio::sync::watch;
use tokio::time::timeout;

pub(super) use results::{Beat, BeatResults, BeatSnapshot};
pub(super) use step::{BeatFailure, Step};

use super::findings::{Findings, Source};
use served_certificates::ServedCertificates;
use test_message::Signer;

/// The wait after a failed beat: a daemon that was restarting is up by then.
const RETRY: Duration = Duration::from_secs(30);
/// The interval of checks for ready daemons, and the longest wait of the first beat for them.
const READY_INTERVAL: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of a beat. The message checks may wait eight seconds for DNS, and a slow disk needs some more.
const BEAT: Duration = Duration::from_secs(60);
/// The daemons and the steward are notified of a reload one after the other, and the daemons may be quicker.
const SETTLING: Duration = Duration::from_secs(2);
/// Limit of consecutive beats that fail because of a reload; more are reported.
const MAX_SWAPS: usize = 3;

/// Runs beats until the daemon stops. Each beat uses the configuration at its start.
pub(super) async fn run(
    mut steward: watch::Receiver<Arc<Steward>>,
    results: BeatResults,
    findings: Findings,
    mut stop: StopSignal,
) {
    let beating = async {
        let signer = Signer::new();
        let mut served = ServedCertificates::default();
        let mut swaps = 0;
        wait_until_up(&steward).await;
        loop {
            let now = steward.borrow_and_update().clone();
            let every = match &now.heartbeat {
                Some(heartbeat) if !is_stopping(&now) => {
                    let beat = beat(&now, heartbeat, &signer, &mut served).await;
                    if !beat.is_success() && swaps < MAX_SWAPS && is_reloaded(&mut steward).await {
                        swaps += 1;
                        continue;
                    }
                    swaps = 0;
                    beat.log();
                    findings.replace(Source::Heartbeat, beat.findings());
                    let every = Duration::from_secs(heartbeat.every_seconds);
                    // Soon after a swap, the next beat accepts only the new certificate.
                    let is_settled = beat.is_success() && !served.is_being_swapped(Instant::now());
                    let wait = if is_settled { every } else { every.min(RETRY) };
                    results.note(beat);
                    wait
                }
                _ => RETRY,
            };
            // A new configuration is a good reason to check again that mail flows.
            let _ = timeout(every, steward.changed()).await;
        }
    };
    tokio::select! {
        () = stop.requested() => {}
        () = beating => {}
    }
}

/// Returns true if there is a new configuration, or will be at once. A beat that fails in the middle of a swap proves
/// nothing, and the next one uses the new configuration.
async fn is_reloaded(steward: &mut watch::Receiver<Arc<Steward>>) -> bool {
    matches!(timeout(SETTLING, steward.changed()).await, Ok(Ok(())))
}

/// Runs one beat, from the connection to the emptied mailbox.
async fn beat(
    steward: &Steward,
    heartbeat: &Heartbeat,
    signer: &Signer,
    served: &mut ServedCertificates,
) -> Beat {
    let begin = Instant::now();
    let ended = timeout(BEAT, run_steps(steward, heartbeat, signer, served)).await;
    let outcome = ended.unwrap_or_else(|_| Err(BeatFailure::new(Step::Whole, "it took more than a minute")));
    Beat::new(outcome, begin.elapsed())
}

async fn run_steps(
    steward: &Steward,
    heartbeat: &Heartbeat,
    signer: &Signer,
    served: &mut ServedCertificates,
) -> Result<(), BeatFailure> {
    let trusted = trusted(steward, served).await?;
    let message = signer.write(heartbeat);
    smtp::send(heartbeat, &trusted, &message).await?;
    let mut mailbox = mailbox::Mailbox::open(heartbeat, &trusted).await?;
    let arrived = mailbox.fetch(&message.message_id).await;
    let verified = arrived.and_then(|arrived| signer.verify(&arrived, heartbeat));
    // Emptied after a failure too: otherwise the messages would stay forever.
    let emptied = mailbox.empty().await;
    verified.and(emptied)
}

/// Trusts the server that holds the key of the certificate on disk, whatever its name. While the daemons swap
/// certificates, the holder of the previous key is trusted too.
async fn trusted(steward: &Steward, served: &mut ServedCertificates) -> Result<Connector, BeatFailure> {
    let tls = steward.tls.clone();
    let failed = |reason: String| BeatFailure::new(Step::Certificate, reason);
    let leaf = tokio::task::spawn_blocking(move || handover::certificate::leaf(&tls.certificate)).await;
    let leaf = leaf.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    let leaves = served.now(leaf, Instant::now());
    Connector::pinned_to_any(&leaves).map_err(|error| failed(error.to_string()))
}

/// Waits for the daemons before the first beat, so that a start is not reported as a failure.
async fn wait_until_up(steward: &watch::Receiver<Arc<Steward>>) {
    let up = async {
        while !is_up(&steward.borrow().clone()) {
            tokio::time::sleep(READY_INTERVAL).await;
        }
    };
    let _ = timeout(TIMEOUT, up).await;
}

fn is_up(steward: &Steward) -> bool {
    Status::load(&steward.status).is_ok_and(|status| {
        !status.processes.is_empty()
            && status.processes.iter().all(|process| process.state == DaemonState::Ready)
    })
}

/// Returns true if the daemons are stopping. They stop one after the other, which is not a failure either.
fn is_stopping(steward: &Steward) -> bool {
    Status::load(&steward.status).is_ok_and(|status| {
        status
            .processes
            .iter()
            .any(|process| matches!(process.state, DaemonState::Stopping | DaemonState::Stopped))
    })
}

#[cfg(test)]
mod tests;
