//! Reports of a daemon's concerns to process 1.

use std::sync::Arc;
use std::time::Duration;

use handover::Concern;
use handover::notice::Notifier;
use tokio::sync::watch;

use crate::StopSignal;

/// The time after which an unchanged state is reported again: a notice may be lost.
const REPORT_AGAIN: Duration = Duration::from_secs(60);

/// Reports the concerns that follow from a state, each under its topic: now, at each change, and at intervals.
pub async fn report_concerns<T>(
    notifier: Arc<Notifier>,
    mut state: watch::Receiver<T>,
    mut concerns: impl FnMut(&T) -> Vec<(&'static str, Option<Concern>)>,
    mut stop: StopSignal,
) {
    loop {
        let now = concerns(&state.borrow_and_update());
        for (topic, concern) in &now {
            notifier.report_concern(topic, concern.as_ref());
        }
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(REPORT_AGAIN) => {}
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}
