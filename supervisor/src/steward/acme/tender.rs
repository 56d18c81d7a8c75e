//! The task that tends the certificate: looks what is needed, waits, looks whether the world reaches us, orders.
//!
//! ```text
//!        ┌────────────▶ look: is one needed? ──no──▶ sleep (a minute at most)
//!        │                     │ yes                       │ SIGHUP: at once, our own waits left out
//!        │                     ▼                           │
//!        │        waits of the ledger over? ──no──────────▶│
//!        │                     │ yes                       │
//!        │                     ▼                           │
//!        │        probe each name ── choose ──nothing─────▶│
//!        │                     │ names                     │
//!        └──── order ◀─────────┘ ◀─ again without those that were refused
//! ```
//!
//! It sleeps by the clock that does not jump and looks at the one that does: whichever way that one is set, a minute later
//! all is reckoned anew. Nothing is ordered while the authority's clock and ours are more than a day apart.

use std::sync::Arc;
use std::time::Duration;

use handover::notice::{CERTIFICATE, Notifier};
use handover::{Concern, config};
use hickory_resolver::TokioResolver;
use serve::Stop;
use tokio::sync::watch;
use tokio::time::Instant;

use super::board::Board;
use super::challenges::Challenges;
use super::choice::{Candidate, Choice, LeftOut, Rules, choose};
use super::current::{self, Current};
use super::errand::{Errand, Ordered};
use super::http::{self, Http};
use super::ledger::Ledger;
use super::need::{self, Need};
use super::own_names::OwnNames;
use super::reach::{Probe, Reached};
use super::suggestion::Suggestion;
use super::trust;
use super::way::Way;
use crate::certificate::wanted_names;
use crate::dns::resolver;
use crate::steward::web::{Live, Open};

/// No sleep is longer, so that a clock that was set is noticed.
const LOOK: Duration = Duration::from_secs(60);
/// The waits between two looks whether a name has come to reach us: whoever sets up DNS wants to see it work, and who
/// has left a name out for good costs one look an hour.
const PROBES: [u64; 7] = [20, 40, 60, 2 * 60, 5 * 60, 15 * 60, 60 * 60];

/// Names that are looked at at one time.
const PROBED_AT_ONCE: usize = 4;

/// What the task works by; it changes with a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::steward) struct Settings {
    pub(in crate::steward) renewal: config::Renewal,
    pub(in crate::steward) web: config::Web,
    pub(in crate::steward) tls: config::Tls,
    pub(in crate::steward) dns_servers: Vec<std::net::SocketAddr>,
}

/// The task.
pub(in crate::steward) struct Tender {
    pub(in crate::steward) settings: watch::Receiver<Settings>,
    pub(in crate::steward) live: Arc<Live>,
    pub(in crate::steward) challenges: Arc<Challenges>,
    pub(in crate::steward) open: Open,
    pub(in crate::steward) notifier: Arc<Notifier>,
    pub(in crate::steward) board: Board,
}

/// What is remembered between two looks.
struct Memory {
    ledger: Ledger,
    suggestion: Suggestion,
    own_names: OwnNames,
    /// When the names are to be probed again, and how often nothing had changed.
    probe_at: Instant,
    probes: usize,
    left_out: Vec<LeftOut>,
    /// An issued certificate that could not be written yet.
    unsaved: Option<(String, Vec<String>)>,
}

impl Tender {
    /// Tends the certificate until the steward stops.
    pub(in crate::steward) async fn tend(mut self, mut stop: Stop) {
        let folder = self.settings.borrow().renewal.folder.clone();
        let mut memory = Memory {
            ledger: Ledger::open(&folder, http::now()),
            suggestion: Suggestion::default(),
            own_names: OwnNames::default(),
            probe_at: Instant::now(),
            probes: 0,
            left_out: Vec::new(),
            unsaved: None,
        };
        let mut is_asked = false;
        loop {
            let settings = self.settings.borrow_and_update().clone();
            if is_asked {
                memory.probe_at = Instant::now();
                memory.probes = 0;
                memory.suggestion.forget_when();
                memory.own_names.forget_when();
            }
            let pause = tokio::select! {
                biased;
                () = stop.requested() => return,
                pause = self.look(&settings, &mut memory, is_asked) => pause,
            };
            self.board.publish(&settings);
            tokio::select! {
                biased;
                () = stop.requested() => return,
                changed = self.settings.changed() => match changed {
                    Ok(()) => is_asked = true,
                    Err(_) => return,
                },
                () = tokio::time::sleep(pause) => is_asked = false,
            }
        }
    }

    /// One look, with all that follows from it. Comes back with the time until the next.
    async fn look(&self, settings: &Settings, memory: &mut Memory, is_asked: bool) -> Duration {
        if let Some((pem, names)) = memory.unsaved.take() {
            self.install(settings, memory, pem, names);
        }
        let resolver = match resolver::of(&resolver::servers(&settings.dns_servers)) {
            Ok(resolver) => resolver,
            Err(error) => return self.hindered(format!("DNS cannot be asked: {error}")),
        };
        let http = match trust::client(settings.renewal.authority.ca_file.as_deref()) {
            Ok(tls) => Http::new(resolver.clone(), tls),
            Err(error) => return self.hindered(error.to_string()),
        };
        let now = http::now();
        let held = Current::load(&settings.tls);
        if let Some(held) = &held {
            let directory = &settings.renewal.authority.directory;
            memory.suggestion.refresh(held, directory, &settings.tls, &http, now).await;
        }
        let renew_at = held.as_ref().map(|held| memory.suggestion.due(held));
        let wanted = wanted(settings, memory, &resolver).await;
        self.board.found(held.as_ref(), renew_at, &memory.suggestion, &memory.left_out, now);
        let current = held.as_ref().zip(renew_at);
        let directory = &settings.renewal.authority.directory;
        let is_anothers = memory.ledger.last_issuer().is_some_and(|issuer| issuer != directory);
        let Some(needed) = need::need(current, &wanted, is_anothers, now) else {
            memory.left_out.clear();
            self.board.rests(renew_at);
            return renew_at.map_or(LOOK, |at| pause(at, now));
        };

        let errand = Errand {
            settings,
            http: &http,
            resolver: &resolver,
            challenges: &self.challenges,
            held: held.as_ref(),
        };
        if let Err(wait) = errand.may_try(&memory.ledger, &wanted, now, is_asked) {
            if needed != Need::Names {
                self.board.waits(&wait);
            }
            return pause(wait.until, now);
        }
        if memory.probe_at > Instant::now() {
            return (memory.probe_at - Instant::now()).min(LOOK);
        }
        let mut choice = self.choose(settings, memory, &errand, &wanted, is_asked).await;
        let wanted = without_unreached(&memory.own_names, wanted, &mut choice);
        let before = std::mem::replace(&mut memory.left_out, choice.left_out);
        let orders = memory.ledger.at(&settings.renewal.authority.directory);
        let worth = need::is_worth(needed, &choice.names, held.as_ref(), &wanted, &orders, now);
        if worth.is_err() {
            let missing = choice.names.iter().map(|(name, _)| name);
            let missing = missing.filter(|name| held.as_ref().is_none_or(|held| !held.covers(name)));
            memory.left_out.extend(missing.map(|name| put_off(name, &before)));
        }
        self.board.found(held.as_ref(), renew_at, &memory.suggestion, &memory.left_out, now);
        if let Err(why) = worth {
            let wait = Duration::from_secs(PROBES[memory.probes.min(PROBES.len() - 1)]);
            memory.probes += 1;
            memory.probe_at = Instant::now() + wait;
            if needed != Need::Names {
                self.board.finds_nothing_to_order(why, http::now(), wait);
            }
            return wait.min(LOOK);
        }
        self.board.tries(http::now());
        match errand.run(&mut memory.ledger, choice.names, &wanted, is_asked).await {
            Ordered::Issued { pem, names, refused } => {
                memory.left_out.extend(refused);
                self.install(settings, memory, pem, names);
                memory.probes = 0;
                memory.probe_at = Instant::now();
                Duration::ZERO
            }
            Ordered::Failed { why, next, refused } => {
                memory.left_out.extend(refused);
                self.board.found(held.as_ref(), renew_at, &memory.suggestion, &memory.left_out, now);
                self.board.failed(why, next);
                pause(next, http::now())
            }
        }
    }

    async fn choose(
        &self,
        settings: &Settings,
        memory: &Memory,
        errand: &Errand<'_>,
        wanted: &[String],
        is_asked: bool,
    ) -> Choice {
        let renewal = &settings.renewal;
        let rules =
            Rules { challenge: renewal.authority.challenge, has_dns_update: renewal.dns_update.is_some() };
        let probe = Probe {
            resolver: errand.resolver,
            challenges: &self.challenges,
            ports: renewal.reach,
            http: self.open.http && Way::Http.is_chosen(rules.challenge),
            tls: self.open.https && Way::TlsAlpn.is_chosen(rules.challenge),
        };
        // Where a record in DNS is the only way, nobody need reach us.
        let is_dns_only = rules.challenge == config::Challenge::Dns01;
        let mut candidates = Vec::new();
        // A few at one time: each look connects to our own doors, which let in only so many from one address.
        for some in wanted.chunks(PROBED_AT_ONCE) {
            let looks = some.iter().map(async |name| {
                let reached =
                    if is_dns_only { Reached { http: None, tls: None } } else { probe.look(name).await };
                Candidate { name: name.clone(), reached }
            });
            candidates.extend(futures_util::future::join_all(looks).await);
        }
        let orders = memory.ledger.at(&renewal.authority.directory);
        choose(candidates, rules, &orders, http::now(), is_asked)
    }

    /// Writes a certificate, shows it and tells process 1. One that cannot be written is kept: it was paid for with an
    /// order, and the disk may have room a minute later.
    fn install(&self, settings: &Settings, memory: &mut Memory, pem: String, names: Vec<String>) {
        let installed =
            current::key(&settings.tls).map_err(current::InstallError::Unreadable).and_then(|key| {
                tokio::task::block_in_place(|| current::install(&settings.tls, &pem, &names, &key))
            });
        match installed {
            Ok(()) => {
                if let Err(error) = self.live.load(&settings.tls) {
                    tracing::error!(%error, "the new certificate cannot be shown");
                }
                if let Some(current) = Current::load(&settings.tls) {
                    self.notifier.fact(CERTIFICATE, &current.fingerprint);
                }
                tracing::info!(names = names.join(","), "there is a new certificate");
                self.board.succeeded();
            }
            Err(error @ (current::InstallError::Write(_) | current::InstallError::Unreadable(_))) => {
                self.board
                    .failed(format!("the new certificate cannot be put on disk: {error}"), http::now() + 60);
                memory.unsaved = Some((pem, names));
            }
            Err(error) => self.board.failed(error.to_string(), http::now() + 3600),
        }
    }

    fn hindered(&self, why: String) -> Duration {
        self.board.failed(why, http::now() + 60);
        LOOK
    }
}

/// The names that are wanted now. A domain's own name that has come to lead here is probed at once.
async fn wanted(settings: &Settings, memory: &mut Memory, resolver: &TokioResolver) -> Vec<String> {
    if memory.own_names.refresh(resolver, &settings.web).await {
        memory.probe_at = Instant::now();
        memory.probes = 0;
    }
    wanted_names(&settings.web.hostname, &settings.web.domains, memory.own_names.here())
}

/// Without the domains' own names under which something else answers at our address, a web server beside us: they are its
/// affair, and keep no other name out of the certificate. Those that an authority refused stay, for a person to see.
fn without_unreached(own_names: &OwnNames, mut wanted: Vec<String>, choice: &mut Choice) -> Vec<String> {
    choice.left_out.retain(|left_out| left_out.until.is_some() || !own_names.contains(&left_out.name));
    wanted.retain(|name| {
        let is_chosen = choice.names.iter().any(|(chosen, _)| chosen == name);
        is_chosen || !own_names.contains(name)
    });
    wanted
}

/// A name that could be ordered and is not, since one more certificate would be too soon: what kept it out before is
/// still what a person wants to know.
fn put_off(name: &str, before: &[LeftOut]) -> LeftOut {
    before.iter().find(|left_out| left_out.name == name).cloned().unwrap_or_else(|| LeftOut {
        name: name.to_owned(),
        why: Concern::constant("it has come to lead here", "it is in the next certificate, within minutes"),
        until: None,
    })
}

/// Until a moment, in steps of a minute at most.
fn pause(until: i64, now: i64) -> Duration {
    let left = u64::try_from(until - now).unwrap_or(0).max(1);
    Duration::from_secs(left).min(LOOK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_name_that_is_not_reached_keeps_no_other_out_and_is_no_fault_unless_it_was_refused() {
        let names =
            ["mail.example.org", "autoconfig.example.org", "example.org", "example.net", "example.com"];
        let wanted: Vec<String> = names.map(str::to_owned).to_vec();
        let own_names = OwnNames::of(&["example.org", "example.net", "example.com"]);
        let left_out = |name: &str, until| LeftOut {
            name: name.to_owned(),
            why: Concern::constant("another server answers", "nothing"),
            until,
        };
        let mut choice = Choice {
            names: vec![("mail.example.org".to_owned(), Way::Http), ("example.com".to_owned(), Way::Http)],
            left_out: vec![
                left_out("autoconfig.example.org", None),
                left_out("example.org", None),
                left_out("example.net", Some(7)),
            ],
        };
        let wanted = without_unreached(&own_names, wanted, &mut choice);
        assert_eq!(wanted, ["mail.example.org", "autoconfig.example.org", "example.com"]);
        let left_out: Vec<&str> = choice.left_out.iter().map(|left_out| left_out.name.as_str()).collect();
        assert_eq!(left_out, ["autoconfig.example.org", "example.net"]);
    }
}
