//! A port that could not be bound: its concern, and its retry.

use std::fmt;
use std::io;

use handover::Concern;
use handover::sockets::SocketError;

use super::{Listening, Port, listen};
use crate::site::Purpose;

/// A port that could not be bound.
#[derive(Debug)]
pub struct Unbound {
    pub(super) port: Port,
    pub(super) purpose: Purpose,
    pub(super) source: SocketError,
}

impl Unbound {
    /// The name of its socket.
    pub fn name(&self) -> &'static str {
        self.port.name
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.port.number
    }

    /// Retries.
    pub fn bind(&self) -> Result<Listening, Self> {
        listen(self.port, self.purpose)
    }

    /// The concern about it, with its fix.
    pub fn concern(&self) -> Concern {
        let Port { number, about, is_vital, .. } = self.port;
        match kind(&self.source) {
            io::ErrorKind::AddrInUse => Concern::new(
                format!("port {number} ({about}) is taken by another program, {}", self.likely_holder()),
                match is_vital {
                    true => format!("find it with `ss -ltnp 'sport = :{number}'` and stop it"),
                    false => format!(
                        "find it with `ss -ltnp 'sport = :{number}'` and stop it: the server binds the port within a minute"
                    ),
                },
            ),
            io::ErrorKind::PermissionDenied => Concern::new(
                format!("port {number} ({about}) may not be bound"),
                "the container needs `cap_add: [NET_BIND_SERVICE]`, or try `mailstead demo`, which needs no rights",
            ),
            _ => Concern::new(
                format!("port {number} ({about}) cannot be bound: {}", self.source),
                "check that the machine's network is up",
            ),
        }
    }

    /// The program that probably holds it.
    fn likely_holder(&self) -> &'static str {
        match self.port {
            Port { number: 25 | 465 | 587, .. } => {
                "perhaps a mail server that came with the system (Postfix, Exim, Sendmail)"
            }
            Port { number: 143 | 993, .. } => "perhaps another IMAP server (Dovecot, Courier)",
            Port { is_vital: false, .. } => "perhaps a web server (nginx, Apache, Caddy)",
            _ => "perhaps a second Mailstead",
        }
    }
}

impl fmt::Display for Unbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.concern().fmt(f)
    }
}

pub(super) fn kind(error: &SocketError) -> io::ErrorKind {
    match error {
        SocketError::Bind { source, .. } | SocketError::Inherited { source, .. } => source.kind(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::ALL;
    use super::*;

    /// The port of that name, held by another program.
    pub(crate) fn taken(name: &str) -> Unbound {
        let port = ALL.into_iter().find(|port| port.name == name).unwrap();
        let address = format!("[::]:{}", port.number);
        let source = SocketError::Bind { address, source: io::ErrorKind::AddrInUse.into() };
        Unbound { port, purpose: Purpose::Appliance, source }
    }

    #[test]
    fn a_taken_port_is_reported_with_its_likely_holder_and_the_fix() {
        for (name, holder) in
            [("smtp", "Postfix"), ("imaps", "Dovecot"), ("http", "nginx"), ("health", "second Mailstead")]
        {
            let port = taken(name);
            let line = port.to_string();
            assert!(line.starts_with(&format!("port {} ", port.number())), "{line}");
            assert!(line.contains(holder) && line.contains("ss -ltnp") && !line.contains('\n'), "{line}");
            let is_tried_again = port.concern().fix.contains("within a minute");
            assert_eq!(is_tried_again, name == "http", "a start without a vital port has failed: {line}");
        }
    }
}
