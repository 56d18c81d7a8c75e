//! The client of a connection, as far as it is known.

use std::net::IpAddr;

use accounts::User;
use handover::config::Login;
use serve::metrics::ServiceMetrics;
use serve::{Pace, Peer, Stream};
use smtp_proto::command::HelloVerb;
use smtp_proto::server::Hello;

use super::ServiceKind;

/// The peer of a connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) service: ServiceKind,
    pub(super) peer: Peer,
    /// The metrics of the service.
    pub(super) meter: ServiceMetrics,
    /// The pace of the connection, which is notified of logins and accepted messages.
    pub(super) pace: Pace,
    /// TLS version and cipher suite.
    pub(super) encryption: Option<(String, String)>,
    /// The verb and the name of the last hello; `None` before the first one.
    pub(super) hello: Option<(HelloVerb, String)>,
    /// The authenticated user.
    pub(super) user: Option<User>,
}

impl Client {
    pub(super) fn new(service: ServiceKind, peer: Peer, stream: &Stream) -> Self {
        Self {
            service,
            peer,
            meter: stream.metrics().clone(),
            pace: stream.pace().clone(),
            encryption: stream.encryption(),
            hello: None,
            user: None,
        }
    }

    pub(super) fn set_hello(&mut self, hello: &Hello) {
        self.hello = Some((hello.verb, hello.name.as_str().to_owned()));
    }

    /// TLS begins: the hello in clear text is discarded (RFC 3207 §4.2).
    pub(super) fn tls_started(&mut self, stream: &Stream) {
        self.encryption = stream.encryption();
        self.hello = None;
    }

    /// True for a program on this machine that has not logged in: the steward, most likely.
    pub(super) fn is_unauthenticated_local(&self) -> bool {
        self.service == ServiceKind::Smtp && self.peer.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// The client's address. `None` when it is not known: a local socket, or the gateway of a container, whose address
    /// many clients share, so that DNS records of it say nothing about this one.
    pub(super) fn known_ip(&self, login: &Login) -> Option<IpAddr> {
        self.peer.ip().filter(|ip| !login.is_gateway(*ip))
    }

    /// The name that the client gave in its hello.
    pub(super) fn hello_name(&self) -> &str {
        self.hello.as_ref().map_or("", |(_, name)| name)
    }

    /// The protocol's name in a Received field (RFC 3848; RFC 6531 §4.3 for a message with SMTPUTF8).
    pub(super) fn protocol(&self, smtputf8: bool) -> &'static str {
        let extended = self.hello.as_ref().is_some_and(|(verb, _)| *verb != HelloVerb::Helo);
        if smtputf8 {
            return match (self.encryption.is_some(), self.user.is_some()) {
                (false, false) => "UTF8SMTP",
                (true, false) => "UTF8SMTPS",
                (false, true) => "UTF8SMTPA",
                (true, true) => "UTF8SMTPSA",
            };
        }
        match (extended, self.encryption.is_some(), self.user.is_some()) {
            (false, _, false) => "SMTP",
            (true, false, false) => "ESMTP",
            (true, true, false) => "ESMTPS",
            (_, false, true) => "ESMTPA",
            (_, true, true) => "ESMTPSA",
        }
    }
}
