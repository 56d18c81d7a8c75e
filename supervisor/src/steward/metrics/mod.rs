//! `/metrics`: the metrics of all processes, collected at each request.
//!
//! ```text
//!   mta ──run/mta-metrics.sock──┐
//!   mda ──run/mda-metrics.sock──┼──▶ Exposition ──▶ Prometheus text format, or OpenMetrics on request
//!   the observation ────────────┘
//! ```
//!
//! If a daemon does not answer, only its own lines are missing. The steward stores no metrics but those of its own
//! work.

mod daemons;
mod exposition;
mod own;

use handover::config::Steward;
use serve::metrics::Metrics;

use exposition::Exposition;
pub(super) use exposition::Format;

use super::observation::Observation;

/// The metrics of the daemons, as they sent them.
#[derive(Debug)]
pub(super) struct DaemonMetrics {
    daemons: Vec<(String, Option<String>)>,
    /// The metrics of the steward's own connections.
    web: String,
}

impl DaemonMetrics {
    /// Metrics without any daemon's.
    pub(super) fn empty() -> Self {
        Self { daemons: Vec::new(), web: String::new() }
    }

    /// Queries all daemons concurrently, within one daemon's timeout.
    pub(super) async fn fetch(steward: &Steward, web: Option<&Metrics>) -> Self {
        let web = web.map(Metrics::counted).unwrap_or_default();
        Self { daemons: daemons::fetch(&steward.metrics).await, web }
    }
}

/// All metrics as one text.
pub(super) fn text(observation: &Observation, daemon_metrics: &DaemonMetrics, format: Format) -> String {
    let mut exposition = Exposition::default();
    let answered: Vec<(&str, bool)> =
        daemon_metrics.daemons.iter().map(|(process, text)| (process.as_str(), text.is_some())).collect();
    exposition.add(&own::text(observation, &answered));
    for text in daemon_metrics.daemons.iter().filter_map(|(_, text)| text.as_deref()) {
        exposition.add(text);
    }
    exposition.add(&daemon_metrics.web);
    exposition.write(format)
}

#[cfg(test)]
mod tests;
