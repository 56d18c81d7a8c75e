//! The policy for mail from other hosts, in stages. Each check is a file with its refusal; [`SessionPolicy`] runs them
//! in the order of a session.
//!
//! | stage      | checks            | begins at       | decides at  |
//! |------------|-------------------|-----------------|-------------|
//! | connection | `rdns`, `fcrdns`, `blocklist` | the first hello | RCPT        |
//! | hello      | `helo`            | hello           | RCPT        |
//! | sender     | `sender`          | MAIL            | RCPT        |
//! | body       | `spf`, `dmarc`    | the end of the message | there |
//!
//! The lookups of a connection run while the session goes on, and are made once for all its messages. Nothing is decided
//! before RCPT, so that mail for the postmaster and for abuse@ is exempt: these are the addresses at which a refused
//! host asks for help (RFC 5321 §4.5.1, RFC 2142). An action of the settings applies to each check; one that is `off`
//! is still made and recorded.

mod blocklist;
mod check;
mod dmarc;
mod hello;
mod judgement;
mod lookup;
mod reverse_name;
mod sender;
mod spf;

use std::net::IpAddr;
use std::sync::Arc;

use accounts::Directory;
use address::{ForwardPath, ReversePath};
use tokio::time::Instant;

use self::blocklist::Listing;
use self::check::CheckResult;
use self::lookup::Lookup;
use crate::checks::{self, AuthenticationResults, Finding, ReverseName};
use crate::site::Settings;

pub(super) use self::judgement::{Judgement, Verdict};

/// The policy in one session with another host.
pub(super) struct SessionPolicy {
    settings: Arc<Settings>,
    ip: IpAddr,
    connection: Lookup<Connection>,
    hello: Option<CheckResult>,
    /// Of the present transaction.
    sender: Lookup<CheckResult>,
}

/// The facts about the peer's address.
struct Connection {
    reverse_name: ReverseName,
    listings: Vec<Listing>,
}

impl SessionPolicy {
    /// The policy for a peer. A peer without a public address is a host of the operator, or its address is not known: it
    /// is not judged.
    pub(super) fn new(settings: Arc<Settings>, ip: Option<IpAddr>) -> Option<Self> {
        let ip = ip.map(|ip| ip.to_canonical()).filter(|ip| checks::is_public(*ip))?;
        Some(Self { settings, ip, connection: Lookup::default(), hello: None, sender: Lookup::default() })
    }

    /// Checks the name that the peer has given, and begins the lookups of its address.
    pub(super) fn hello(&mut self, directory: &Directory, name: &str) {
        self.hello = Some(hello::check(&self.settings.config.hostname, directory, self.ip, name));
        let (settings, ip) = (self.settings.clone(), self.ip);
        self.connection.begin(async move {
            let resolver = &settings.resolver;
            let end = Instant::now() + resolver.budget();
            let inner = resolver.inner();
            let (reverse_name, listings) = tokio::join!(
                ReverseName::look_up(&inner, ip, end),
                blocklist::look_up(&inner, &settings.config.policy.blocklists, ip, end),
            );
            if matches!(reverse_name, ReverseName::Unknown(_)) {
                resolver.request_check();
            }
            Connection { reverse_name, listings }
        });
    }

    /// Begins the lookup of a sender: a new transaction.
    pub(super) fn mail(&mut self, sender: &ReversePath) {
        let (settings, sender) = (self.settings.clone(), sender.clone());
        self.sender = Lookup::default();
        self.sender.begin(async move {
            let end = Instant::now() + settings.resolver.budget();
            sender::check(&settings.resolver.inner(), &sender, end).await
        });
    }

    /// The judgement of the envelope so far: of the connection, the hello and the sender.
    pub(super) async fn judge_envelope(&mut self) -> Judgement {
        let results = self.envelope_results().await;
        Judgement::new(&self.settings, results)
    }

    /// The judgement of a message with this header section.
    pub(super) async fn judge_message(&mut self, checks: &AuthenticationResults, header: &[u8]) -> Judgement {
        let mut results = self.envelope_results().await;
        results.extend([spf::check(checks), dmarc::check(checks, header)]);
        Judgement::new(&self.settings, results)
    }

    async fn envelope_results(&mut self) -> Vec<CheckResult> {
        let mut results = Vec::new();
        if let Some(connection) = self.connection.result().await {
            results.extend(reverse_name::check(&connection.reverse_name, self.ip));
            results.extend(blocklist::check(&connection.listings, self.ip));
        }
        results.extend(self.hello.clone());
        results.extend(self.sender.result().await.cloned());
        results
    }

    /// The findings before the message arrived, for `Authentication-Results`.
    pub(super) async fn findings(&mut self) -> Vec<Finding> {
        let ip = self.ip;
        let connection = self.connection.result().await;
        let iprev = connection.map(|connection| connection.reverse_name.finding(ip));
        let results = self.envelope_results().await;
        iprev.into_iter().chain(results.iter().filter_map(CheckResult::finding)).collect()
    }

    /// The peer's name, if its address confirms it.
    pub(super) async fn confirmed_name(&mut self) -> Option<&str> {
        self.connection.result().await.and_then(|connection| connection.reverse_name.confirmed())
    }
}

/// True for an address at which a refused host asks for help: mail to it is accepted whatever the checks say.
pub(super) fn is_exempt(directory: &Directory, recipient: &ForwardPath) -> bool {
    match recipient {
        ForwardPath::Postmaster => true,
        ForwardPath::Address(address) => {
            let is_role = ["postmaster", "abuse"].contains(&address.local.to_lower_case().as_str());
            is_role && address.domain().is_some_and(|domain| directory.is_local(domain))
        }
    }
}

#[cfg(test)]
mod tests;
