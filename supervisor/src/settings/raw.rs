//! The settings as they were typed: a text for each variable, nothing interpreted yet.
//!
//! A value comes from the variable itself or from the file that its `_FILE` form names; later steps treat both alike.
//! An empty value counts as not set: a compose file that passes `${MAIL_HOSTNAME:-}` on has no other way to leave it
//! out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::SettingFault;
use super::suggestion::nearest;
use super::variables::{self, FileForm, Variable};

/// Reads a file that a setting names.
pub(super) type ReadFile<'f> = &'f dyn Fn(&Path) -> io::Result<String>;

/// The values of the variables.
#[derive(Default)]
pub(super) struct Raw {
    typed: BTreeMap<&'static str, RawValue>,
}

/// The value of one variable. It may be a secret, so it cannot be shown.
pub(super) struct RawValue {
    /// The value. Its lines end in LF, whatever they ended in; a byte order mark in front and, of a file, line breaks
    /// at the end are removed.
    pub(super) text: String,
    /// The file that it was read from.
    pub(super) file: Option<PathBuf>,
    variable: &'static Variable,
}

impl RawValue {
    /// A fault of the value, reported for the variable that was set.
    pub(super) fn fault(&self, wrong: impl std::fmt::Display) -> SettingFault {
        let fault = SettingFault::of(self.variable, wrong);
        match (&self.file, self.variable.file) {
            (Some(path), Some(form)) => {
                let example = format!("{}, and in it {}", example(form), self.variable.example);
                SettingFault {
                    variable: form.name.to_owned(),
                    file: Some(path.clone()),
                    example: Some(example),
                    ..fault
                }
            }
            _ => fault,
        }
    }

    /// The value without surrounding blanks.
    pub(super) fn trimmed(&self) -> &str {
        self.text.trim()
    }
}

fn example(form: &FileForm) -> String {
    format!("{}={}", form.name, form.example)
}

/// The text as it was meant, on a system that ends lines in CR LF or in CR, and that marks UTF-8 in front.
fn quirk_line_ends(text: &str) -> String {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A variable of ours.
#[derive(Clone, Copy)]
enum Named {
    Value(&'static Variable),
    File(&'static Variable, &'static FileForm),
}

fn find(name: &str) -> Option<Named> {
    variables::ALL.iter().find_map(|variable| match variable.file {
        _ if variable.name == name => Some(Named::Value(variable)),
        Some(form) if form.name == name => Some(Named::File(variable, form)),
        _ => None,
    })
}

/// True for a variable that an orchestrator adds for a service called `mail` or `mail-…`, to every container that can
/// reach it: Kubernetes (`enableServiceLinks`) `MAIL_SERVICE_HOST`, `MAIL_SERVICE_PORT`, `MAIL_SERVICE_PORT_SMTP`, and, as
/// Docker's links do, `MAIL_PORT=tcp://…`, `MAIL_PORT_25_TCP`, `MAIL_PORT_25_TCP_ADDR`, and links alone `MAIL_NAME=/…`.
fn is_service_link(name: &str, value: &OsString) -> bool {
    let value = value.to_string_lossy();
    let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_of_port = name.rsplit_once("_PORT_").is_some_and(|(_, tail)| is_tail_of_port(tail));
    is_of_port
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.ends_with("_PORT") && is_address
        || name == "MAIL_NAME" && value.starts_with('/')
}

/// `1*DIGIT "_" ( "TCP" / "UDP" / "SCTP" ) [ "_" ( "PROTO" / "PORT" / "ADDR" ) ]`.
fn is_tail_of_port(tail: &str) -> bool {
    let mut parts = tail.split('_');
    let is_number =
        parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|o| o.is_ascii_digit()));
    let is_protocol = parts.next().is_some_and(|part| ["TCP", "UDP", "SCTP"].contains(&part));
    let is_fact = parts.next().is_none_or(|part| ["PROTO", "PORT", "ADDR"].contains(&part));
    is_number && is_protocol && is_fact && parts.next().is_none()
}

fn names() -> impl Iterator<Item = &'static str> {
    let of = |variable: &&'static Variable| {
        std::iter::once(variable.name).chain(variable.file.map(|form| form.name))
    };
    variables::ALL.iter().flat_map(of)
}

impl Raw {
    /// Reads the variables that begin with `MAIL_`, and the files that they name. Variables that are unknown, not text,
    /// not readable, or set twice are added to `faults`.
    pub(super) fn read(
        environment: impl Iterator<Item = (OsString, OsString)>,
        read_file: ReadFile<'_>,
        faults: &mut Vec<SettingFault>,
    ) -> Self {
        let mut raw = Self::default();
        let mut files = Vec::new();
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with("MAIL_")) else { continue };
            // Before our own names: `MAIL_HTTP_PORT=tcp://…` comes with a service called `mail-http`.
            if is_service_link(name, &value) {
                continue;
            }
            if let Some((_, present)) = variables::RENAMED.iter().find(|(former, _)| *former == name) {
                // A compose file of the previous version passes it on although it is not set.
                if !value.to_string_lossy().trim().is_empty() {
                    faults.push(SettingFault::renamed(name, present));
                }
                continue;
            }
            let Some(named) = find(name) else {
                faults.push(SettingFault::unknown(name, nearest(name, names())));
                continue;
            };
            let (Named::Value(variable) | Named::File(variable, _)) = named;
            match (value.into_string(), named) {
                (Ok(value), _) if value.trim().is_empty() => {}
                (Ok(text), Named::Value(_)) => {
                    let text = quirk_line_ends(&text);
                    raw.typed.insert(variable.name, RawValue { text, file: None, variable });
                }
                (Ok(path), Named::File(_, form)) => {
                    files.push((variable, form, PathBuf::from(path.trim())));
                }
                (Err(_), _) => {
                    faults.push(SettingFault {
                        variable: name.to_owned(),
                        ..SettingFault::of(variable, "is not UTF-8 text")
                    });
                }
            }
        }
        for (variable, form, path) in files {
            raw.read_form(variable, form, path, read_file, faults);
        }
        raw
    }

    fn read_form(
        &mut self,
        variable: &'static Variable,
        form: &'static FileForm,
        path: PathBuf,
        read_file: ReadFile<'_>,
        faults: &mut Vec<SettingFault>,
    ) {
        let fault = |wrong: String| SettingFault {
            variable: form.name.to_owned(),
            file: None,
            wrong,
            example: Some(example(form)),
        };
        if self.typed.remove(variable.name).is_some() {
            faults.push(fault(format!("is set, and so is {}; set one of the two", variable.name)));
            return;
        }
        match read_file(&path) {
            Ok(text) => {
                let text = quirk_line_ends(&text).trim_end_matches('\n').to_owned();
                self.typed.insert(variable.name, RawValue { text, file: Some(path), variable });
            }
            Err(error) => {
                faults.push(fault(format!("names {path:?}, which cannot be read: {error}")));
            }
        }
    }

    /// Removes and returns the value of a variable, which is refined once.
    pub(super) fn take(&mut self, variable: &Variable) -> Option<RawValue> {
        self.typed.remove(variable.name)
    }

    /// The variables that were not used.
    #[cfg(test)]
    pub(super) fn rest(&self) -> Vec<&'static str> {
        self.typed.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> (Raw, Vec<SettingFault>) {
        let mut faults = Vec::new();
        let environment = set.iter().map(|(name, value)| (name.into(), value.into()));
        let read_file = |path: &Path| match path.to_str() {
            Some("/there") => Ok("of the file\r\n\n".to_owned()),
            Some("/of-windows") => Ok("\u{FEFF}of the file\r\n".to_owned()),
            Some("/of-an-old-mac") => Ok("one\rtwo\r\rthree\r".to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        let raw = Raw::read(environment, &read_file, &mut faults);
        (raw, faults)
    }

    #[test]
    fn every_secret_can_be_in_a_file() {
        for variable in variables::ALL.iter().filter(|variable| variable.file.is_some()) {
            let form = variable.file.unwrap();
            let (mut raw, faults) = read(&[(form.name, "/there")]);
            assert_eq!(faults, [], "{}", form.name);
            assert_eq!(raw.take(variable).unwrap().text, "of the file", "{}", form.name);

            let (mut raw, _) = read(&[(form.name, "/of-windows")]);
            assert_eq!(raw.take(variable).unwrap().text, "of the file", "{}", form.name);

            for path in ["/there\r", " /there ", "\t/there\r\n"] {
                let (mut raw, faults) = read(&[(form.name, path)]);
                assert_eq!(faults, [], "{path:?}");
                assert_eq!(raw.take(variable).unwrap().text, "of the file", "{path:?}");
            }

            let (mut raw, faults) = read(&[(form.name, "/there"), (variable.name, "x")]);
            assert!(raw.take(variable).is_none());
            assert_eq!(faults.len(), 1);
            assert!(faults[0].to_string().contains("set one of the two"), "{}", faults[0]);

            let (_, faults) = read(&[(form.name, "/gone")]);
            let message = faults[0].to_string();
            let expected = format!("{} names \"/gone\", which cannot be read: ", form.name);
            assert!(message.starts_with(&expected), "{message}");
            let (_, faults) = read(&[(form.name, "/there\r/in")]);
            assert!(faults[0].to_string().contains("names \"/there\\r/in\","), "{}", faults[0]);
        }
    }

    #[test]
    fn every_systems_line_endings_are_accepted() {
        let taken = |name, value: &str| read(&[(name, value)]).0.take(&variables::USERS).unwrap().text;
        assert_eq!(taken("MAIL_USERS_FILE", "/of-an-old-mac"), "one\ntwo\n\nthree");
        assert_eq!(taken("MAIL_USERS", "\u{FEFF}one\r\ntwo\r"), "one\ntwo\n");
    }

    #[test]
    fn an_empty_value_is_not_set_and_foreign_variables_are_ignored() {
        let (raw, faults) = read(&[("MAIL_HOSTNAME", " "), ("MAIL_USERS_FILE", ""), ("PATH", "/bin")]);
        assert_eq!((raw.rest(), faults), (vec![], vec![]));
    }

    #[test]
    fn service_variables_of_an_orchestrator_are_ignored() {
        let links = [
            ("MAIL_SERVICE_HOST", "10.96.0.7"),
            ("MAIL_SERVICE_PORT", "25"),
            ("MAIL_SERVICE_PORT_SMTP", "25"),
            ("MAIL_PORT", "tcp://10.96.0.7:25"),
            ("MAIL_PORT_25_TCP", "tcp://10.96.0.7:25"),
            ("MAIL_PORT_25_TCP_PROTO", "tcp"),
            ("MAIL_PORT_25_TCP_PORT", "25"),
            ("MAIL_PORT_53_UDP_ADDR", "10.96.0.7"),
            ("MAIL_WEB_SERVICE_HOST", "10.96.0.8"),
            ("MAIL_WEB_PORT_80_TCP_ADDR", "10.96.0.8"),
            ("MAIL_NAME", "/web/mail"),
            ("MAIL_HTTP_PORT", "tcp://10.96.0.9:80"),
        ];
        for link in links {
            let (raw, faults) = read(&[link]);
            assert_eq!((raw.rest(), faults), (vec![], vec![]), "{link:?}");
        }
        let slips = [
            ("MAIL_PORT", "25"),
            ("MAIL_HTTTP_PORT", "80"),
            ("MAIL_PORT_SMTP_TCP", "25"),
            ("MAIL_PORT_25", "25"),
            ("MAIL_PORT_25_TCP_HOST", "10.96.0.7"),
            ("MAIL_SERVICE", "smtp"),
            ("MAIL_NAME", "example.org"),
        ];
        for slip in slips {
            assert_eq!(read(&[slip]).1.len(), 1, "{slip:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_utf8_is_a_fault_of_its_variable() {
        use std::os::unix::ffi::OsStringExt;
        let mut faults = Vec::new();
        for name in ["MAIL_LOG", "MAIL_USERS_FILE"] {
            let set = [(name.into(), OsString::from_vec(vec![b'a', 0xFF]))];
            Raw::read(set.into_iter(), &|_| unreachable!("there is no path"), &mut faults);
            let fault = faults.pop().unwrap();
            assert_eq!((fault.variable.as_str(), fault.wrong.as_str()), (name, "is not UTF-8 text"));
        }
    }
}
