//! The renewal task: checks if a certificate is needed, waits, checks that the names reach us from outside, and orders.
//!
//! ```text
//!        ┌────────────▶ check: is one needed? ──no──▶ sleep (a minute at most)
//!        │                     │ yes                       │ SIGHUP, or DNS has changed: our own waits are skipped
//!        │                     ▼                           │
//!        │        an open order? ──yes, and due──▶ continue that order
//!        │                     │ no                        │
//!        │        waits of the ledger over? ──no──────────▶│
//!        │                     │ yes                       │
//!        │        probe each name ── select ──nothing─────▶│
//!        │                     │ names                     │
//!        └──── order ◀─────────┘ ◀─ again without refused names
//! ```
//!
//! The task sleeps by the monotonic clock and checks the real-time clock: in whichever direction that is set, all waits
//! are computed again within a minute. Nothing is ordered while the authority's clock and ours are more than a day
//! apart. Every check publishes a conclusion on the `RenewalStatus`, which replaces the previous one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handover::notice::{CERTIFICATE, Notifier};
use handover::{Concern, config};
use hickory_resolver::TokioResolver;
use serve::StopSignal;
use tokio::sync::watch;
use tokio::time::Instant;

use super::backoff;
use super::challenge_type::ChallengeKind;
use super::challenges::Challenges;
use super::error::Reason;
use super::http::{self, Http};
use super::issuance::{Issuance, IssuanceOutcome};
use super::issued_certificate::{self, InstallError, IssuedCertificate};
use super::ledger::{Entry, Ledger, Outcome};
use super::need::{self, Need};
use super::own_names::OwnNames;
use super::publication::PublishedAnswers;
use super::records::SeenRecords;
use super::renewal_info::CachedRenewalInfo;
use super::selection::{Candidate, LeftOut, Rules, Selection, select};
use super::self_check::{SelfCheck, SelfCheckResult};
use super::status::{CheckOutcome, RenewalFacts, RenewalStatus};
use super::trust;
use crate::certificate::{MAX_NAMES, WantedNames, wanted_names};
use crate::dns::resolver;
use crate::steward::web::{OpenSockets, ServedCertificate};

/// The longest sleep, so that a changed clock is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(60);
/// The interval between two lookups of a missing name's records.
const RECORDS_INTERVAL: Duration = Duration::from_secs(20);
/// The waits between two reachability checks of missing names. An operator who sets up DNS wants to see it work; a name
/// left out permanently costs one check an hour.
const SELF_CHECK_WAITS: [u64; 7] = [20, 40, 60, 2 * 60, 5 * 60, 15 * 60, 60 * 60];

/// Names checked concurrently.
const PROBED_AT_ONCE: usize = 4;

/// The settings of the task; a reload changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::steward) struct RenewalSettings {
    pub(in crate::steward) renewal: config::Renewal,
    pub(in crate::steward) web: config::Web,
    pub(in crate::steward) tls: config::Tls,
    pub(in crate::steward) dns_servers: Vec<std::net::SocketAddr>,
}

/// The renewal task.
pub(in crate::steward) struct RenewalTask {
    pub(in crate::steward) settings: watch::Receiver<RenewalSettings>,
    pub(in crate::steward) live: Arc<ServedCertificate>,
    pub(in crate::steward) challenges: Arc<Challenges>,
    pub(in crate::steward) open: OpenSockets,
    pub(in crate::steward) notifier: Arc<Notifier>,
    pub(in crate::steward) status: RenewalStatus,
    /// Held while the certificate's files are written.
    pub(in crate::steward) write_lock: Arc<Mutex<()>>,
}

/// The state kept between two checks.
struct TaskState {
    ledger: Ledger,
    renewal_info: CachedRenewalInfo,
    own_names: OwnNames,
    records: SeenRecords,
    /// The published answers of the open order.
    answers: PublishedAnswers,
    /// The time of the next reachability check, and the number of checks without a change.
    probe_at: Instant,
    probes: usize,
    left_out: Vec<LeftOut>,
}

impl TaskState {
    fn of(folder: &std::path::Path) -> Self {
        Self {
            ledger: Ledger::open(folder, http::now()),
            renewal_info: CachedRenewalInfo::default(),
            own_names: OwnNames::default(),
            records: SeenRecords::default(),
            answers: PublishedAnswers::default(),
            probe_at: Instant::now(),
            probes: 0,
            left_out: Vec::new(),
        }
    }

    /// Makes the next check probe the names instead of repeating earlier results.
    fn probe_at_once(&mut self) {
        (self.probe_at, self.probes) = (Instant::now(), 0);
    }
}

/// The inputs of one check.
struct RenewalCheck<'l> {
    issuance: &'l Issuance<'l>,
    needed: Need,
    wanted: WantedNames,
    is_requested: bool,
    now: i64,
}

impl RenewalTask {
    /// Renews the certificate until the steward stops.
    pub(in crate::steward) async fn run(mut self, mut stop: StopSignal) {
        let mut state = TaskState::of(&self.settings.borrow().renewal.folder.clone());
        let mut is_requested = false;
        // A fault from before the start may be fixed: it is not reported until it is seen again.
        let settings = self.settings.borrow().clone();
        self.publish_findings(
            &settings,
            &state,
            IssuedCertificate::load(&settings.tls).as_ref(),
            &WantedNames::default(),
            http::now(),
        );
        self.status.conclude(CheckOutcome::Idle { until: None });
        self.status.publish(&settings);
        loop {
            let settings = self.settings.borrow_and_update().clone();
            if is_requested {
                state.probe_at_once();
                state.renewal_info.expire();
                state.own_names.expire();
            }
            let (conclusion, pause) = tokio::select! {
                biased;
                () = stop.requested() => return,
                ended = self.check(&settings, &mut state, is_requested) => ended,
            };
            self.status.conclude(conclusion);
            self.status.publish(&settings);
            tokio::select! {
                biased;
                () = stop.requested() => return,
                changed = self.settings.changed() => match changed {
                    Ok(()) => is_requested = true,
                    Err(_) => return,
                },
                () = tokio::time::sleep(pause) => is_requested = false,
            }
        }
    }

    /// Makes one check, with all its consequences. Returns the time until the next.
    async fn check(
        &self,
        settings: &RenewalSettings,
        state: &mut TaskState,
        is_requested: bool,
    ) -> (CheckOutcome, Duration) {
        if let Some(error) = state.ledger.read_if_needed(http::now()) {
            let fix = "check the disk (dmesg) and whether the steward may read the file";
            return blocked(Reason::new(format!("the ledger of orders cannot be read: {error}"), fix));
        }
        let resolver = match resolver::of(&resolver::servers(&settings.dns_servers)) {
            Ok(resolver) => resolver,
            Err(error) => return blocked(format!("cannot query DNS: {error}").into()),
        };
        let http = match trust::client(settings.renewal.authority.ca_file.as_deref()) {
            Ok(tls) => Http::new(resolver.clone(), tls),
            Err(error) => {
                let fix = "put the certificate into that file in PEM, then: docker compose kill -s HUP mail";
                return blocked(Reason::new(error.to_string(), fix));
            }
        };
        let now = http::now();
        let held = IssuedCertificate::load(&settings.tls);
        let directory = &settings.renewal.authority.directory;
        if let Some(held) = &held {
            state.renewal_info.refresh(held, directory, &settings.tls, &http, now).await;
        }
        let renew_at = held.as_ref().map(|held| state.renewal_info.due(held));
        let wanted = wanted(settings, state, &resolver).await;
        // A name that is no longer wanted, or is now covered, is not left out.
        state.left_out.retain(|left_out| {
            let is_covered = held.as_ref().is_some_and(|held| held.covers(&left_out.name));
            !is_covered && wanted.names.contains(&left_out.name)
        });
        self.publish_findings(settings, state, held.as_ref(), &wanted, now);
        let current = held.as_ref().zip(renew_at);
        let is_anothers = state.ledger.last_issuer().is_some_and(|issuer| issuer != directory);
        let Some(needed) = need::need(current, &wanted.names, is_anothers, now) else {
            // The certificate of the open order is installed: a crash prevented only the ledger entry.
            if let (Some(held), Some(_)) = (&held, state.ledger.open_order(directory)) {
                let lifetime = Some(held.facts.not_after - held.facts.not_before);
                self.finish(state, Outcome::Issued { lifetime });
            }
            return (CheckOutcome::Idle { until: renew_at }, renew_at.map_or(MAX_SLEEP, |at| pause(at, now)));
        };
        let challenges = &self.challenges;
        let issuance = Issuance { settings, http: &http, resolver: &resolver, challenges, current, needed };
        let check = RenewalCheck { issuance: &issuance, needed, wanted, is_requested, now };
        self.obtain(settings, state, check).await
    }

    /// Continues the open order, or places one if that is allowed and an improvement.
    async fn obtain(
        &self,
        settings: &RenewalSettings,
        state: &mut TaskState,
        mut check: RenewalCheck<'_>,
    ) -> (CheckOutcome, Duration) {
        let RenewalCheck { issuance, needed, now, .. } = check;
        let directory = &settings.renewal.authority.directory;
        let orders = state.ledger.at(directory);
        if let Some(open) = state.ledger.open_order(directory).cloned() {
            let challenge = settings.renewal.authority.challenge;
            let is_wanted = open.names.iter().all(|name| check.wanted.names.contains(name));
            if is_wanted && open.challenges.iter().all(|kind| kind.is_allowed(challenge)) {
                return self.resume(settings, state, &check, &open).await;
            }
            let reason: Reason =
                "the names or their challenge types have changed since the order was placed".into();
            self.finish(state, Outcome::Failed { reason });
            state.answers.withdraw().await;
        }
        let missing: Vec<String> = match issuance.current {
            Some((held, _)) => check.wanted.names.iter().filter(|name| !held.covers(name)).cloned().collect(),
            None => check.wanted.names.clone(),
        };
        if state.records.have_changed(issuance.resolver, &missing, &orders).await {
            tracing::info!("records of a missing name have changed");
            state.probe_at_once();
            state.left_out.clear();
            check.is_requested = true;
        }
        if let Err(wait) = issuance.may_try(&state.ledger, &check.wanted.names, now, check.is_requested) {
            let pause = pause(wait.until, now).min(RECORDS_INTERVAL);
            return (
                without_fault(needed, CheckOutcome::Deferred { reason: wait.reason, until: wait.until }),
                pause,
            );
        }
        if state.probe_at > Instant::now() {
            let left = state.probe_at - Instant::now();
            return (self.unproven(state, &check, None, left), left.min(RECORDS_INTERVAL));
        }
        self.order(settings, state, check).await
    }

    /// Checks the names, selects, and orders if it is an improvement.
    async fn order(
        &self,
        settings: &RenewalSettings,
        state: &mut TaskState,
        check: RenewalCheck<'_>,
    ) -> (CheckOutcome, Duration) {
        let RenewalCheck { issuance, needed, ref wanted, is_requested, now } = check;
        let mut selection = self.select(settings, state, issuance, &wanted.names, is_requested).await;
        let names = without_unreached(&state.own_names, wanted.names.clone(), &mut selection);
        let before = std::mem::replace(&mut state.left_out, selection.left_out);
        let orders = state.ledger.at(&settings.renewal.authority.directory);
        let worth = need::check_improvement(needed, &selection.names, issuance.current, &names, &orders, now);
        if worth.is_err() {
            let covers = |name: &&String| issuance.current.is_some_and(|(held, _)| held.covers(name));
            let missing = selection.names.iter().map(|(name, _)| name).filter(|name| !covers(name));
            state.left_out.extend(missing.map(|name| deferred(name, &before)));
        }
        let held = issuance.current.map(|(held, _)| held);
        self.publish_findings(settings, state, held, wanted, now);
        if let Err(why) = worth {
            let wait = Duration::from_secs(SELF_CHECK_WAITS[state.probes.min(SELF_CHECK_WAITS.len() - 1)]);
            state.probes += 1;
            state.probe_at = Instant::now() + wait;
            return (self.unproven(state, &check, why, wait), wait.min(RECORDS_INTERVAL));
        }
        self.status.record_attempt(http::now());
        let TaskState { ledger, answers, .. } = state;
        let ordered = issuance.run(ledger, answers, selection.names, &names, is_requested).await;
        self.finish_attempt(settings, state, &check, ordered)
    }

    /// Continues the open order at the authority, when it is due.
    async fn resume(
        &self,
        settings: &RenewalSettings,
        state: &mut TaskState,
        check: &RenewalCheck<'_>,
        open: &Entry,
    ) -> (CheckOutcome, Duration) {
        if let Outcome::Pending { next, is_from_authority, reason, .. } = &open.outcome
            && *next > check.now
            && (*is_from_authority || !check.is_requested)
        {
            return (CheckOutcome::Pending { reason: reason.clone(), next: *next }, pause(*next, check.now));
        }
        let reason = match &open.outcome {
            Outcome::Pending { reason, .. } => reason.clone(),
            _ => "it was interrupted and is being continued".into(),
        };
        self.status.conclude(CheckOutcome::Pending { reason, next: check.now });
        self.status.publish(settings);
        tracing::info!(order = open.order, names = open.names.join(", "), "continuing an order");
        self.status.record_attempt(check.now);
        let TaskState { ledger, answers, .. } = state;
        let wanted = &check.wanted.names;
        let ordered =
            check.issuance.run(ledger, answers, open.challenge_kinds(), wanted, check.is_requested).await;
        self.finish_attempt(settings, state, check, ordered)
    }

    /// The consequences of an attempt.
    fn finish_attempt(
        &self,
        settings: &RenewalSettings,
        state: &mut TaskState,
        check: &RenewalCheck<'_>,
        ordered: IssuanceOutcome,
    ) -> (CheckOutcome, Duration) {
        let held = check.issuance.current.map(|(held, _)| held);
        let (conclusion, refused) = match ordered {
            IssuanceOutcome::Obtained { pem, names, refused } => {
                let conclusion = self.install(settings, state, &pem, &names);
                if conclusion == CheckOutcome::Installed {
                    state.left_out.extend(refused);
                    state.probe_at_once();
                    return (conclusion, Duration::ZERO);
                }
                (conclusion, refused)
            }
            IssuanceOutcome::Pending { reason, next, refused } => {
                (CheckOutcome::Pending { reason, next }, refused)
            }
            IssuanceOutcome::Failed { reason, next, refused, is_about_names } => {
                (CheckOutcome::Failed { reason, next, is_about_names }, refused)
            }
        };
        state.left_out.extend(refused);
        self.publish_findings(settings, state, held, &check.wanted, check.now);
        let next = match &conclusion {
            CheckOutcome::Pending { next, .. } | CheckOutcome::Failed { next, .. } => *next,
            _ => http::now(),
        };
        (conclusion, pause(next, http::now()).min(RECORDS_INTERVAL))
    }

    fn publish_findings(
        &self,
        settings: &RenewalSettings,
        state: &TaskState,
        held: Option<&IssuedCertificate>,
        wanted: &WantedNames,
        now: i64,
    ) {
        let surplus = wanted.surplus.iter().map(|name| without_room(name));
        self.status.record_check(&RenewalFacts {
            held,
            renew_at: held.map(|held| state.renewal_info.due(held)),
            host: settings.web.hostname.as_str(),
            explanation: state.renewal_info.explanation(),
            left_out: state.left_out.iter().cloned().chain(surplus).collect(),
            now,
        });
    }
}

mod installation;
mod names;

use names::{deferred, wanted, without_room, without_unreached};

/// Turns a wait for additional names alone into a conclusion without a fault.
fn without_fault(needed: Need, conclusion: CheckOutcome) -> CheckOutcome {
    match conclusion {
        CheckOutcome::Deferred { until, .. } | CheckOutcome::Unproven { until, .. }
            if needed == Need::Names =>
        {
            CheckOutcome::Idle { until: Some(until) }
        }
        conclusion => conclusion,
    }
}

fn blocked(reason: Reason) -> (CheckOutcome, Duration) {
    (CheckOutcome::Failed { reason, next: http::now() + 60, is_about_names: false }, MAX_SLEEP)
}

/// The sleep until a time, in steps of a minute at most.
fn pause(until: i64, now: i64) -> Duration {
    let left = u64::try_from(until - now).unwrap_or(0).max(1);
    Duration::from_secs(left).min(MAX_SLEEP)
}
