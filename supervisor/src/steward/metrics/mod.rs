//! `/metrics`: the numbers of all processes, put together whenever somebody asks.
//!
//! ```text
//!   mta ──run/mta-metrics.sock──┐
//!   mda ──run/mda-metrics.sock──┼──▶ Exposition ──▶ Prometheus' text, or OpenMetrics where that is asked for
//!   what was observed ──────────┘
//! ```
//!
//! A daemon that does not answer costs its own lines and nothing else. The steward keeps no numbers but those of its own
//! work.

mod daemons;
mod exposition;
mod own;

use handover::config::Steward;
use serve::metrics::Metrics;

use exposition::Exposition;
pub(super) use exposition::Format;

use super::observation::Observation;

/// What the daemons tell of themselves, as they tell it.
#[derive(Debug)]
pub(super) struct Told {
    daemons: Vec<(String, Option<String>)>,
    /// The steward's own connections.
    web: String,
}

impl Told {
    /// Nobody was asked.
    pub(super) fn nothing() -> Self {
        Self { daemons: Vec::new(), web: String::new() }
    }

    /// Asks all daemons at once. Takes no longer than one of them is given.
    pub(super) async fn ask(steward: &Steward, web: Option<&Metrics>) -> Self {
        let web = web.map(Metrics::counted).unwrap_or_default();
        Self { daemons: daemons::ask(&steward.metrics).await, web }
    }
}

/// Everything in one text.
pub(super) fn text(observation: &Observation, told: &Told, format: Format) -> String {
    let mut exposition = Exposition::default();
    let answered: Vec<(&str, bool)> =
        told.daemons.iter().map(|(process, text)| (process.as_str(), text.is_some())).collect();
    exposition.add(&own::text(observation, &answered));
    for text in told.daemons.iter().filter_map(|(_, text)| text.as_deref()) {
        exposition.add(text);
    }
    exposition.add(&told.web);
    exposition.write(format)
}

#[cfg(test)]
mod tests;
