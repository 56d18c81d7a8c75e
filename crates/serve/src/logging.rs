//! The log: lines on standard error, for a person or as JSON, from one level up.

use std::panic;

use handover::config::{Format, Level, Log};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Libraries whose own business nobody asked for; their failures come back to us as errors.
const CHATTY: [&str; 5] = ["rustls", "tokio_rustls", "hickory_proto", "hickory_resolver", "hyper"];

/// Starts the log of this process. Only the first call has an effect.
///
/// A reader that goes away costs log lines and nothing else. Panics are logged with their place.
pub fn start(log: &Log) {
    let level = match log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let chatty = CHATTY.map(|name| (name, level.min(LevelFilter::WARN)));
    let filter = Targets::new().with_default(level).with_targets(chatty);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    let lines = match log.format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    let started = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().is_ok();
    if started {
        panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            let fault = panic.payload_as_str().unwrap_or("not told");
            tracing::error!(place, fault, "panicked");
        }));
    }
}
