//! An event of the program as one line of the log, for a person or as JSON.

use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

use handover::config::Format;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use super::value::{self, MAX_LEN, MAX_MESSAGE};

/// A line without its time and its line end.
#[derive(Debug, Clone)]
pub(super) struct Line {
    format: Format,
    level: Level,
    target: &'static str,
    message: String,
    /// The fields as they are written, each with the separator before it.
    fields: String,
    /// The address in the field `peer`.
    pub(super) peer: Option<IpAddr>,
}

impl Line {
    pub(super) fn of(event: &Event<'_>, format: Format) -> Self {
        let metadata = event.metadata();
        let mut line = Self::new(format, *metadata.level(), metadata.target(), String::new());
        event.record(&mut line);
        line
    }

    /// A line with a constant message.
    pub(super) fn new(format: Format, level: Level, target: &'static str, message: String) -> Self {
        Self { format, level, target, message, fields: String::new(), peer: None }
    }

    /// Adds a number.
    pub(super) fn number(&mut self, name: &str, number: impl fmt::Display) {
        self.begin(name);
        let _ = write!(self.fields, "{number}");
    }

    /// Adds a text of any origin.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.begin(name);
        match self.format {
            Format::Text => value::quote(text, &mut self.fields),
            Format::Json => value::json(text, &mut self.fields),
        }
    }

    /// Adds the text of a value that is not a string, such as an address. It is quoted unless it is a plain word.
    fn shown(&mut self, name: &str, text: &str) {
        if self.format == Format::Text && value::is_plain(text) {
            self.begin(name);
            self.fields.push_str(text);
        } else {
            self.text(name, text);
        }
    }

    fn begin(&mut self, name: &str) {
        // Names are identifiers in the code.
        let _ = match self.format {
            Format::Text => write!(self.fields, " {name}="),
            Format::Json => write!(self.fields, ",\"{name}\":"),
        };
    }

    /// The complete line with the current time and the name of the process, since the lines of all processes meet in
    /// one log.
    pub(super) fn render(mut self, process: &str) -> Vec<u8> {
        self.text("process", process);
        let mut time = String::new();
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        let Self { level, target, message, fields, .. } = self;
        let mut line = String::with_capacity(96 + message.len() + fields.len());
        match self.format {
            Format::Text => {
                let _ = write!(line, "{time} {level:>5} {target}: ");
                value::message(&message, &mut line);
                line.push_str(&fields);
            }
            Format::Json => {
                let _ = write!(
                    line,
                    "{{\"timestamp\":\"{time}\",\"level\":\"{level}\",\"target\":\"{target}\",\"message\":"
                );
                value::json(&message, &mut line);
                line.push_str(&fields);
                line.push('}');
            }
        }
        line.push('\n');
        line.into_bytes()
    }
}

impl Visit for Line {
    fn record_i64(&mut self, field: &Field, number: i64) {
        self.number(field.name(), number);
    }

    fn record_u64(&mut self, field: &Field, number: u64) {
        self.number(field.name(), number);
    }

    fn record_i128(&mut self, field: &Field, number: i128) {
        self.number(field.name(), number);
    }

    fn record_u128(&mut self, field: &Field, number: u128) {
        self.number(field.name(), number);
    }

    fn record_bool(&mut self, field: &Field, flag: bool) {
        self.number(field.name(), flag);
    }

    fn record_f64(&mut self, field: &Field, number: f64) {
        // JSON cannot represent numbers that are not finite.
        match number.is_finite() {
            true => self.number(field.name(), number),
            false => self.shown(field.name(), &number.to_string()),
        }
    }

    fn record_str(&mut self, field: &Field, text: &str) {
        self.text(field.name(), &value::beginning(&format_args!("{text}"), MAX_LEN));
    }

    fn record_debug(&mut self, field: &Field, shown: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = value::beginning(shown, MAX_MESSAGE);
            return;
        }
        let text = value::beginning(shown, MAX_LEN);
        if field.name() == "peer" {
            self.peer = address(&text);
        }
        self.shown(field.name(), &text);
    }
}

/// The address of a peer, which may have a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    text.parse().or_else(|_| with_port()).ok().map(|address: IpAddr| address.to_canonical())
}
