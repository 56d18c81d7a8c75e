use std::collections::BTreeMap;
use std::fmt::Write;

/// A text format for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::steward) enum Format {
    /// Prometheus text format, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// The metrics of several processes, grouped by family: a family may have only one header.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    families: BTreeMap<String, Family>,
}

#[derive(Debug, Default)]
struct Family {
    help: String,
    kind: String,
    samples: Vec<String>,
}

impl Format {
    /// Selects the format by the client's `Accept` field. Anything but OpenMetrics by name gets the Prometheus format,
    /// which all scrapers know.
    pub(in crate::steward) fn negotiate(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(in crate::steward) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Exposition {
    /// Adds a text in OpenMetrics format. Lines without a family are dropped.
    pub(super) fn add(&mut self, text: &str) {
        let mut current = None;
        for line in text.lines() {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some("HELP"), Some(name), help) => {
                    let family = self.families.entry(name.to_owned()).or_default();
                    family.help = help.unwrap_or_default().to_owned();
                    current = Some(name.to_owned());
                }
                (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                    self.families.entry(name.to_owned()).or_default().kind = kind.to_owned();
                    current = Some(name.to_owned());
                }
                (Some("#"), ..) => {}
                (Some(sample), Some(_), ..) => {
                    let family = current.as_ref().filter(|name| sample.starts_with(name.as_str()));
                    if let Some(family) = family.and_then(|name| self.families.get_mut(name)) {
                        family.samples.push(line.to_owned());
                    }
                }
                _ => {}
            }
        }
    }

    /// Writes all metrics, sorted by name and then by labels.
    pub(super) fn write(mut self, format: Format) -> String {
        let mut text = String::new();
        for (name, family) in &mut self.families {
            family.samples.sort();
            let Family { help, kind, samples } = family;
            // OpenMetrics names the family, Prometheus the series.
            let (name, kind) = match (format, kind.as_str()) {
                (Format::OpenMetrics, kind) => (name.clone(), kind),
                (Format::Prometheus, "counter") => (format!("{name}_total"), "counter"),
                (Format::Prometheus, "info") => (format!("{name}_info"), "gauge"),
                (Format::Prometheus, kind) => (name.clone(), kind),
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for sample in samples {
                text.push_str(sample);
                text.push('\n');
            }
        }
        if format == Format::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }
}
