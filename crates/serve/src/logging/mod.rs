//! The log: lines on standard error, for a person or as JSON, from one level up.
//!
//! The message of an event is a constant of ours; everything else is a field. Fields are escaped where lines are made
//! (`value.rs`), so that text from a client cannot pass for a line or a field. Events that clients cause at will
//! declare the field `suppressed = tracing::field::Empty` and are counted after the first few (`flood.rs`).

mod flood;
mod line;
mod value;
mod writer;

use std::io::{self, Write};
use std::panic;

use handover::config::{Level, Log};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Libraries whose own events are noise; their failures are returned to us as errors.
const CHATTY: [&str; 6] =
    ["rustls", "tokio_rustls", "hickory_net", "hickory_proto", "hickory_resolver", "hyper"];

pub use writer::LogWriter;

/// Starts the log of this process, on standard error. Only the first call has an effect. Each line has the name of the
/// process in its field `process`.
///
/// A slow or closed reader costs log lines and nothing else. Panics are logged with their location. The returned value
/// has to be flushed at the end.
pub fn start(process: &'static str, log: &Log) -> LogWriter {
    start_to(process, log, io::stderr())
}

/// The same, to another target.
pub fn start_to(process: &'static str, log: &Log, target: impl Write + Send + 'static) -> LogWriter {
    let writer = LogWriter::new(target, process, log.format);
    let level = match log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let chatty = CHATTY.map(|name| (name, level.min(LevelFilter::WARN)));
    let filter = Targets::new().with_default(level).with_targets(chatty);
    let lines = writer.clone().with_filter(filter);
    let started = tracing_subscriber::registry().with(lines).try_init().is_ok();
    if started {
        let writer = writer.clone();
        panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string);
            let fault = panic.payload_as_str().unwrap_or("unknown");
            tracing::error!(place, fault, "panicked");
            // The process may end here.
            writer.flush();
        }));
    }
    writer
}
