//! The settings as they were typed: one field a variable, nothing interpreted yet.

use std::ffi::OsString;

use super::fault::Fault;
use super::suggestion::nearest;
use super::variables::{self, Variable};

/// What each variable was set to. An empty value counts as not set: a compose file that passes `${MAIL_HOSTNAME:-}`
/// on has no other way to leave it out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Raw {
    pub(super) domain: Option<String>,
    pub(super) hostname: Option<String>,
    pub(super) users: Option<String>,
    pub(super) users_file: Option<String>,
    pub(super) message_size: Option<String>,
    pub(super) dns_servers: Option<String>,
    pub(super) relay_to: Option<String>,
    pub(super) log: Option<String>,
}

impl Raw {
    /// Takes what begins with `MAIL_` out of the environment. What is not ours, or not text, is added to `faults`.
    pub(super) fn read(
        environment: impl Iterator<Item = (OsString, OsString)>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut raw = Self::default();
        for (name, value) in environment {
            let Some(name) = name.to_str().filter(|name| name.starts_with("MAIL_")) else { continue };
            let Some(variable) = variables::ALL.iter().find(|variable| variable.name == name) else {
                let meant = nearest(name, variables::ALL.iter().map(|variable| variable.name));
                faults.push(Fault::unknown(name, meant));
                continue;
            };
            match value.into_string() {
                Ok(value) if value.trim().is_empty() => {}
                Ok(value) => *raw.field(variable) = Some(value),
                Err(_) => faults.push(Fault::of(variable, "is not UTF-8 text")),
            }
        }
        // The environment has no order of its own; a report that changes from start to start is hard to read.
        faults.sort_by(|one, other| one.variable.cmp(&other.variable));
        raw
    }

    fn field(&mut self, variable: &Variable) -> &mut Option<String> {
        match variable.name {
            name if name == variables::DOMAIN.name => &mut self.domain,
            name if name == variables::HOSTNAME.name => &mut self.hostname,
            name if name == variables::USERS.name => &mut self.users,
            name if name == variables::USERS_FILE.name => &mut self.users_file,
            name if name == variables::MESSAGE_SIZE.name => &mut self.message_size,
            name if name == variables::DNS_SERVERS.name => &mut self.dns_servers,
            name if name == variables::RELAY_TO.name => &mut self.relay_to,
            name if name == variables::LOG.name => &mut self.log,
            name => unreachable!("{name} is declared and has a field; the test below sets each"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_variable_has_a_field() {
        for variable in variables::ALL {
            let mut faults = Vec::new();
            let set = [(variable.name.into(), "x".into())];
            assert_ne!(Raw::read(set.into_iter(), &mut faults), Raw::default(), "{}", variable.name);
            assert_eq!(faults, []);
        }
    }

    #[test]
    fn an_empty_value_is_as_good_as_none_and_others_variables_are_not_ours() {
        let mut faults = Vec::new();
        let set = [("MAIL_HOSTNAME".into(), " ".into()), ("PATH".into(), "/bin".into())];
        assert_eq!(Raw::read(set.into_iter(), &mut faults), Raw::default());
        assert_eq!(faults, []);
    }
}
