//! Obtains a certificate: continues the open order or places a new one, orders again without refused names, and
//! respects the waits.

use std::sync::Arc;

use calendar::rfc3339;
use handover::Concern;
use handover::certificate::chain;
use hickory_resolver::TokioResolver;
use instant_acme::{Account, CertificateIdentifier};
use rcgen::KeyPair;

use super::backoff::{self, Wait};
use super::challenge_type::ChallengeKind;
use super::challenges::Challenges;
use super::directory::Directory;
use super::error::{AcmeError, Reason, Refusal};
use super::http::{self, Http, HttpError};
use super::issued_certificate::{self, IssuedCertificate};
use super::ledger::{Entry, Ledger, Outcome};
use super::need::{self, Need};
use super::order::{self, OrderContext};
use super::publication::{PublishedAnswers, Publisher};
use super::renewal_task::RenewalSettings;
use super::selection::{FIX_OF_REFUSED, LeftOut};
use super::{account, fix, records};
use crate::dns::update::Updater;

/// If the clocks differ by more, one is wrong, and the authority's is assumed to be right.
const MAX_CLOCK_DIFFERENCE: i64 = 24 * 3600;
/// The wait before checking again if a wrong clock was set.
const CLOCK_CHECK: i64 = 2 * 60;
/// The wait before retrying after a local fault.
const LOCAL_FAULT_WAIT: i64 = 5 * 60;

/// The inputs of an attempt.
pub(super) struct Issuance<'e> {
    pub(super) settings: &'e RenewalSettings,
    pub(super) http: &'e Http,
    pub(super) resolver: &'e TokioResolver,
    pub(super) challenges: &'e Arc<Challenges>,
    /// The certificate to be replaced, and when it is due for renewal.
    pub(super) current: Option<(&'e IssuedCertificate, i64)>,
    /// The reason for the order.
    pub(super) needed: Need,
}

/// The end of an attempt.
pub(super) enum IssuanceOutcome {
    /// A certificate for those names was obtained. It is not installed yet; the ledger records it after that.
    Obtained { pem: String, names: Vec<String>, refused: Vec<LeftOut> },
    /// The authority is still processing the order.
    Pending { reason: Reason, next: i64, refused: Vec<LeftOut> },
    /// No certificate was obtained, perhaps because of single names, which are among `refused`.
    Failed { reason: Reason, next: i64, refused: Vec<LeftOut>, is_about_names: bool },
}

/// The state of an attempt.
struct Progress {
    names: Vec<(String, ChallengeKind)>,
    left_out: Vec<LeftOut>,
    replaces: Option<CertificateIdentifier<'static>>,
    has_new_account: bool,
    is_requested: bool,
}

impl Issuance<'_> {
    fn directory(&self) -> &str {
        &self.settings.renewal.authority.directory
    }

    /// Returns an error if the ledger forbids an attempt. Orders dated in the future mean that a wrong clock wrote the
    /// ledger, or that our clock is wrong now: then the authority's clock is compared first, which costs the authority
    /// nothing.
    pub(super) fn may_try(
        &self,
        ledger: &Ledger,
        names: &[String],
        now: i64,
        is_requested: bool,
    ) -> Result<(), Wait> {
        let orders = ledger.at(self.directory());
        if orders.iter().any(|order| order.at > now + MAX_CLOCK_DIFFERENCE) {
            return Ok(());
        }
        backoff::may_order(&orders, names, now, is_requested)
    }

    /// Places orders until there is a certificate or none can be obtained. An open order is continued first; `names` are
    /// then those of that order.
    pub(super) async fn run(
        &self,
        ledger: &mut Ledger,
        answers: &mut PublishedAnswers,
        names: Vec<(String, ChallengeKind)>,
        wanted: &[String],
        is_requested: bool,
    ) -> IssuanceOutcome {
        let replaces = self.replaces();
        let mut progress =
            Progress { names, left_out: Vec::new(), replaces, has_new_account: false, is_requested };
        let directory = match self.compare_clocks(ledger).await {
            Ok(directory) => directory,
            Err((reason, next)) => return failed(reason, next, Vec::new()),
        };
        loop {
            if let Err((reason, next)) = self.record_order(ledger, &progress) {
                return failed(reason, next, progress.left_out);
            }
            let outcome = self.order(ledger, answers, &progress).await;
            if !matches!(outcome, Err(AcmeError::Pending { .. })) {
                answers.withdraw().await;
            }
            let error = match outcome {
                Ok(pem) => {
                    let names = progress.names.into_iter().map(|(name, _)| name).collect();
                    return IssuanceOutcome::Obtained { pem, names, refused: progress.left_out };
                }
                Err(error) => self.add_local_details(error, &directory).await,
            };
            if let Some(ended) = self.next_step(ledger, error, wanted, &mut progress) {
                return ended;
            }
        }
    }

    /// Records in the ledger that an order is about to be placed, unless one is open.
    fn record_order(&self, ledger: &mut Ledger, progress: &Progress) -> Result<(), (Reason, i64)> {
        if ledger.open_order(self.directory()).is_some() {
            return Ok(());
        }
        let Progress { names, is_requested, .. } = progress;
        let plain: Vec<String> = names.iter().map(|(name, _)| name.clone()).collect();
        let now = http::now();
        backoff::may_order(&ledger.at(self.directory()), &plain, now, *is_requested)
            .map_err(|wait| (wait.reason, wait.until))?;
        let entry = Entry::started(now, self.directory(), names);
        tokio::task::block_in_place(|| ledger.begin(entry)).map_err(|error| {
            let why =
                format!("cannot write the ledger of orders, and no order is placed without it: {error}");
            (Reason::new(why, "free space on the volume, or repair it"), now + LOCAL_FAULT_WAIT)
        })?;
        let described: Vec<String> =
            names.iter().map(|(name, kind)| format!("{name} by {}", kind.name())).collect();
        tracing::info!(names = described.join(", "), authority = self.directory(), "ordering a certificate");
        Ok(())
    }

    /// Adds local knowledge to a refusal: the DNS records of the name, and the domains by which CAA records name the
    /// authority.
    async fn add_local_details(&self, error: AcmeError, directory: &Directory) -> AcmeError {
        let AcmeError::Names(mut refusals) = error else { return error };
        for refusal in &mut refusals {
            refusal.records = records::digest_of(self.resolver, &refusal.name).await;
            if refusal.reason.fix.as_deref() == Some(&fix::of_caa(&[])) {
                refusal.reason.fix = Some(fix::of_caa(&directory.caa_identities()));
            }
            let Refusal { name, challenge, reason, .. } = refusal;
            tracing::warn!(name, challenge = challenge.name(), why = reason.why, "authority refused a name");
        }
        AcmeError::Names(refusals)
    }

    /// Decides what follows an order without a certificate. Returns `None` if the next order is placed at once.
    fn next_step(
        &self,
        ledger: &mut Ledger,
        error: AcmeError,
        wanted: &[String],
        progress: &mut Progress,
    ) -> Option<IssuanceOutcome> {
        let now = http::now();
        let outcome = outcome(&error, ledger.open_order(self.directory()), now);
        if let Err(error) = tokio::task::block_in_place(|| ledger.finish(outcome.clone())) {
            tracing::error!(%error, "cannot record the outcome of an order");
        }
        let refused = |progress: &mut Progress| std::mem::take(&mut progress.left_out);
        if let Outcome::Pending { next, reason, .. } = outcome {
            return Some(IssuanceOutcome::Pending { reason, next, refused: refused(progress) });
        }
        let orders = ledger.at(self.directory());
        match error {
            AcmeError::Names(refusals) => {
                progress.names.retain(|(name, _)| !refusals.iter().any(|refusal| refusal.name == *name));
                progress.left_out.extend(refusals.iter().map(|refusal| left_out(refusal, &orders, now)));
                let names = &progress.names;
                need::check_improvement(self.needed, names, self.current, wanted, &orders, now).err()?;
                let until = progress.left_out.iter().filter_map(|name| name.until).min();
                Some(IssuanceOutcome::Failed {
                    reason: AcmeError::Names(refusals).reason(),
                    next: until.unwrap_or(now + LOCAL_FAULT_WAIT),
                    refused: refused(progress),
                    is_about_names: true,
                })
            }
            // Each of these happens once: the next order differs and needs no wait.
            AcmeError::CannotReplace(Reason { why, .. }) if progress.replaces.is_some() => {
                tracing::info!(why, "ordering without `replaces`");
                progress.replaces = None;
                progress.is_requested = true;
                None
            }
            AcmeError::UnknownAccount(Reason { why, .. }) if !progress.has_new_account => {
                tracing::warn!(why, "account not accepted, creating a new one");
                account::forget(&self.settings.renewal.folder, self.directory());
                progress.has_new_account = true;
                progress.is_requested = true;
                None
            }
            error => {
                let plain: Vec<String> = progress.names.iter().map(|(name, _)| name.clone()).collect();
                let next = match backoff::may_order(&orders, &plain, now, false) {
                    Err(wait) => wait.until,
                    Ok(()) => now + LOCAL_FAULT_WAIT,
                };
                Some(failed(error.reason(), next, refused(progress)))
            }
        }
    }

    /// Compares the authority's clock with ours. If our clock is wrong, it must not cause orders or make a valid
    /// certificate look expired; and ledger entries with wrong times must not block us once it is right.
    async fn compare_clocks(&self, ledger: &mut Ledger) -> Result<Directory, (Reason, i64)> {
        let now = http::now();
        let directory = match Directory::fetch(self.http, self.directory()).await {
            Ok(directory) => directory,
            Err((error, Some(HttpError::Untrusted { is_unknown_issuer: false, .. }))) => {
                let Reason { why, fix } = error.reason();
                let why = format!("{why}; this machine's clock shows {}", rfc3339(now));
                return Err((Reason { why, fix }, now + CLOCK_CHECK));
            }
            Err((error, _)) => {
                let open = ledger.open_order(self.directory());
                let (is_open, outcome) = (open.is_some(), outcome(&error, open, now));
                let _ = tokio::task::block_in_place(|| match is_open {
                    true => ledger.finish(outcome),
                    false => ledger.begin(Entry { outcome, ..Entry::started(now, self.directory(), &[]) }),
                });
                let wait = backoff::may_order(&ledger.at(self.directory()), &[], now, false).err();
                return Err((error.reason(), wait.map_or(now + LOCAL_FAULT_WAIT, |wait| wait.until)));
            }
        };
        match self.http.metadata().date {
            Some(theirs) if (theirs - now).abs() > MAX_CLOCK_DIFFERENCE => {
                let (ours, theirs) = (rfc3339(now), rfc3339(theirs));
                let why = format!("this machine's clock shows {ours}, the authority's {theirs}");
                Err((
                    Reason::new(why, "set the clock, best by NTP: timedatectl set-ntp true"),
                    now + CLOCK_CHECK,
                ))
            }
            _ => {
                tokio::task::block_in_place(|| ledger.correct(now));
                Ok(directory)
            }
        }
    }

    /// Continues the open order, or places a new one.
    async fn order(
        &self,
        ledger: &mut Ledger,
        answers: &mut PublishedAnswers,
        progress: &Progress,
    ) -> Result<String, AcmeError> {
        let key = issued_certificate::key(&self.settings.tls)
            .map_err(|error| AcmeError::local(error.to_string()))?;
        let context = self.order_context(&progress.names, &key)?;
        let renewal = &self.settings.renewal;
        let account = account::open(&renewal.folder, &renewal.authority, self.http).await?;
        let open = ledger.open_order(self.directory()).and_then(|entry| entry.order.clone());
        let ordered = match open {
            Some(address) => {
                account.order(address).await.map_err(|error| AcmeError::of_order(error, self.http))
            }
            None => order::place(&account, &context.challenges, progress.replaces.as_ref(), self.http).await,
        };
        let outcome = match ordered {
            Ok(mut order) => {
                if let Err(error) = tokio::task::block_in_place(|| ledger.placed(order.url())) {
                    tracing::error!(%error, "cannot record the address of an order");
                }
                order::complete(&mut order, &context, answers).await
            }
            Err(error) => Err(error),
        };
        match outcome {
            Err(AcmeError::Unauthorized(reason) | AcmeError::Refused(reason)) => {
                Err(self.classify_refusal(&account, reason).await)
            }
            outcome => outcome,
        }
    }

    fn order_context<'m>(
        &'m self,
        names: &[(String, ChallengeKind)],
        key: &'m KeyPair,
    ) -> Result<OrderContext<'m>, AcmeError> {
        let updater = self.settings.renewal.dns_update.as_ref().map(Updater::new).transpose();
        let updater = updater.map_err(|error| AcmeError::local(format!("MAIL_DNS_UPDATE_KEY: {error}")))?;
        let resolver = self.resolver.clone();
        let publisher = Publisher { challenges: Arc::clone(self.challenges), updater, resolver };
        Ok(OrderContext { challenges: order::challenges_by_name(names), key, publisher, http: self.http })
    }

    /// Finds out if the refusal concerns the account or the request, by a request to the account's own page.
    async fn classify_refusal(&self, account: &Account, reason: Reason) -> AcmeError {
        let contact = self.settings.renewal.authority.contact.as_ref();
        match account::is_accepted(account, contact, self.http).await {
            Ok(false) => AcmeError::UnknownAccount(reason),
            Ok(true) | Err(_) => AcmeError::Refused(reason),
        }
    }

    /// The identifier of the certificate on disk for renewal info (RFC 9773 §4.1).
    fn replaces(&self) -> Option<CertificateIdentifier<'static>> {
        self.current?;
        let chain = chain(&self.settings.tls.certificate).ok()?;
        CertificateIdentifier::try_from(&chain[0]).ok().map(CertificateIdentifier::into_owned)
    }
}

fn failed(reason: Reason, next: i64, refused: Vec<LeftOut>) -> IssuanceOutcome {
    IssuanceOutcome::Failed { reason, next, refused, is_about_names: false }
}

fn left_out(refusal: &Refusal, orders: &[Entry], now: i64) -> LeftOut {
    let until = backoff::may_order_name(orders, &refusal.name, now, false).err().map(|wait| wait.until);
    let Reason { why, fix } = refusal.reason.clone();
    let why = format!("the authority refused it ({}): {why}", refusal.challenge.name());
    let why = Concern::new(why, fix.unwrap_or_else(|| FIX_OF_REFUSED.to_owned()));
    LeftOut { name: refusal.name.clone(), why, until }
}

/// The outcome to record in the ledger. `open` is the order if it has not ended.
fn outcome(error: &AcmeError, open: Option<&Entry>, now: i64) -> Outcome {
    let reason = error.reason();
    let pending = |retry_at: Option<i64>, is_gone: bool| {
        let next = open.and_then(|entry| backoff::next_poll(entry, now, retry_at, is_gone))?;
        Some(Outcome::Pending {
            tries: next.0,
            next: next.1,
            is_from_authority: next.2,
            reason: reason.clone(),
        })
    };
    // A failed poll of an order does not mean that the order has failed.
    let still = match error {
        AcmeError::Pending { retry_at, is_gone, .. } => pending(*retry_at, *is_gone),
        AcmeError::Unavailable { retry_at, .. } | AcmeError::RateLimited { retry_at, .. } => {
            pending(*retry_at, false)
        }
        AcmeError::Local(_) => pending(None, false),
        _ => None,
    };
    if let Some(still) = still {
        return still;
    }
    match error {
        AcmeError::Names(refused) => Outcome::Names { refused: refused.clone() },
        AcmeError::RateLimited { retry_at, .. } => Outcome::RateLimited { until: *retry_at, reason },
        AcmeError::Unavailable { retry_at, .. } => Outcome::Unavailable { until: *retry_at, reason },
        AcmeError::Pending { .. }
        | AcmeError::Refused(_)
        | AcmeError::Unauthorized(_)
        | AcmeError::UnknownAccount(_)
        | AcmeError::CannotReplace(_)
        | AcmeError::Local(_) => Outcome::Failed { reason },
    }
}

#[cfg(test)]
mod tests;
