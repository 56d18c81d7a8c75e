//! Runs a transcript against the daemons of a site.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use transcript::{Captures, Expectations, Pattern, Script, Step};

use super::facts;
use crate::site::Site;
use crate::wire::Wire;

/// Runs the script; `service` is the name of the transcript's folder. An error names its line.
pub fn run(script: &Script, service: &str, site: &Site) -> Result<(), String> {
    let mut runner = Runner::new(script, service, site);
    runner.wire(1).map_err(|error| format!("connecting: {error}"))?;
    for (line, step) in &script.steps {
        runner.step(step).map_err(|reason| format!("line {line}: {reason}"))?;
    }
    Ok(())
}

struct Runner<'s> {
    site: &'s Site,
    service: &'s str,
    over_tls: bool,
    captures: Captures,
    connections: BTreeMap<u8, Connection>,
    /// The messages that existed before, by user.
    before: BTreeMap<String, BTreeSet<String>>,
}

struct Connection {
    wire: Wire,
    expectations: Expectations,
}

impl<'s> Runner<'s> {
    fn new(script: &Script, service: &'s str, site: &'s Site) -> Self {
        let before = script
            .steps
            .iter()
            .filter_map(|(_, step)| match step {
                Step::Delivered { user, .. } | Step::Holds { user, .. } => Some(user),
                _ => None,
            })
            .map(|user| (user.clone(), identities(&facts::messages(site.mail(), user))))
            .collect();
        Self {
            site,
            service,
            over_tls: script.requirements.over_tls,
            captures: Captures::new(),
            connections: BTreeMap::new(),
            before,
        }
    }

    /// The connection with this number, opened at its first use.
    fn wire(&mut self, number: u8) -> io::Result<&mut Connection> {
        if !self.connections.contains_key(&number) {
            let wire = self.open()?;
            self.connections.insert(number, Connection { wire, expectations: Expectations::default() });
        }
        self.connections.get_mut(&number).ok_or_else(|| io::Error::other("there is no such connection"))
    }

    fn open(&self) -> io::Result<Wire> {
        let services = &self.site.services;
        if self.service == "lmtp" {
            return Wire::connect_unix(&services.lmtp);
        }
        if !self.over_tls {
            return Wire::connect(services.address(self.service));
        }
        let secure = match self.service {
            "imap" => "imaps",
            _ => "submissions",
        };
        let mut wire = Wire::connect(services.address(secure))?;
        wire.secure(services.tls_config(), &services.hostname)?;
        Ok(wire)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Send(number, texts) => self.send(*number, texts),
            Step::Next(number, pattern) => self.next(*number, pattern),
            Step::Among(number, pattern) => {
                self.wire(*number).map_err(error_text)?.expectations.expect(pattern);
                Ok(())
            }
            Step::Never(number, pattern) => {
                self.wire(*number).map_err(error_text)?.expectations.forbid(pattern);
                Ok(())
            }
            Step::Until(number, pattern) => self.until(*number, pattern),
            Step::Secure(number) => {
                let (trust, name) = (self.site.services.tls_config(), self.site.services.hostname.clone());
                self.wire(*number).map_err(error_text)?.wire.secure(trust, &name).map_err(error_text)
            }
            Step::Closed(number) => self.closed(*number),
            Step::HangUp(number) => {
                self.connections.remove(number);
                Ok(())
            }
            Step::Delivered { user, count } => {
                let found = self.delivered(user).len();
                if found == *count { Ok(()) } else { Err(format!("{found} messages came to {user}")) }
            }
            Step::Holds { user, text, expected } => self.holds(user, text, *expected),
        }
    }

    fn send(&mut self, number: u8, texts: &[Pattern]) -> Result<(), String> {
        let mut octets = Vec::new();
        for text in texts {
            octets.extend(text.octets(&self.captures)?);
        }
        self.wire(number).map_err(error_text)?.wire.send(&octets).map_err(error_text)
    }

    fn line(&mut self, number: u8) -> Result<Vec<u8>, String> {
        let line = self.wire(number).map_err(error_text)?.wire.line().map_err(error_text)?;
        line.ok_or_else(|| "the server has closed the connection".into())
    }

    fn next(&mut self, number: u8, pattern: &Pattern) -> Result<(), String> {
        let line = self.line(number)?;
        if pattern.matches(&line, &mut self.captures) {
            Ok(())
        } else {
            Err(format!("unexpected line {}", shown(&line)))
        }
    }

    fn until(&mut self, number: u8, pattern: &Pattern) -> Result<(), String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line(number).map_err(|reason| format!("{reason}, after{}", listed(&lines)))?;
            lines.push(line);
            if lines.last().is_some_and(|line| pattern.matches(line, &mut self.captures)) {
                break;
            }
        }
        let expectations = std::mem::take(&mut self.wire(number).map_err(error_text)?.expectations);
        expectations.check(&lines, &mut self.captures)
    }

    fn closed(&mut self, number: u8) -> Result<(), String> {
        match self.wire(number).map_err(error_text)?.wire.line() {
            Ok(None) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Ok(Some(line)) => Err(format!("unexpected line {} instead of the end", shown(&line))),
            Err(error) => Err(format!("instead of the end: {error}")),
        }
    }

    /// The user's messages that did not exist before.
    fn delivered(&self, user: &str) -> BTreeSet<PathBuf> {
        let before = &self.before[user];
        facts::messages(self.site.mail(), user)
            .into_iter()
            .filter(|message| !before.contains(&facts::identity(message)))
            .collect()
    }

    fn holds(&self, user: &str, text: &Pattern, expected: bool) -> Result<(), String> {
        let text = text.octets(&self.captures)?;
        let message =
            facts::newest(&self.delivered(user)).ok_or_else(|| format!("nothing came to {user}"))?;
        let found = message.windows(text.len().max(1)).any(|window| window == text);
        if found == expected {
            Ok(())
        } else {
            Err(format!("the message is\n{}", String::from_utf8_lossy(&message)))
        }
    }
}

fn identities(messages: &BTreeSet<PathBuf>) -> BTreeSet<String> {
    messages.iter().map(|message| facts::identity(message)).collect()
}

fn error_text(error: io::Error) -> String {
    error.to_string()
}

fn shown(line: &[u8]) -> String {
    format!("\"{}\"", line.escape_ascii())
}

fn listed(lines: &[Vec<u8>]) -> String {
    lines.iter().map(|line| format!("\n  {}", shown(line))).collect()
}
