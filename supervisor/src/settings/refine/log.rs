//! The log's settings.

use handover::config::{Format, Level, Log};

use crate::settings::fault::SettingFault;
use crate::settings::raw::Raw;
use crate::settings::variables;

/// Refines both.
pub(super) fn log(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Log {
    Log { level: level(raw, faults), format: format(raw, faults) }
}

fn level(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Level {
    let Some(typed) = raw.take(&variables::LOG) else { return Level::default() };
    match typed.trimmed().to_ascii_lowercase().as_str() {
        "error" => Level::Error,
        "warn" => Level::Warn,
        "info" => Level::Info,
        "debug" => Level::Debug,
        "trace" => Level::Trace,
        _ => {
            let wrong =
                format!("is {:?}, which is not one of error, warn, info, debug and trace", typed.text);
            faults.push(typed.fault(wrong));
            Level::default()
        }
    }
}

fn format(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Format {
    let Some(typed) = raw.take(&variables::LOG_FORMAT) else { return Format::default() };
    read_format(&typed.text).unwrap_or_else(|| {
        faults.push(typed.fault(format!("is {:?}, which is neither text nor json", typed.text)));
        Format::default()
    })
}

/// `format = "text" / "json"`.
pub(in crate::settings) fn read_format(text: &str) -> Option<Format> {
    match text.trim().to_ascii_lowercase().as_str() {
        "text" => Some(Format::Text),
        "json" => Some(Format::Json),
        _ => None,
    }
}
