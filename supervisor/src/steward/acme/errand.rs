//! Going to the authority: again without the names that it refuses, and never before it may be.

use std::sync::Arc;

use calendar::rfc3339;
use handover::Concern;
use handover::certificate::chain;
use hickory_resolver::TokioResolver;
use instant_acme::{Account, CertificateIdentifier};

use super::answer::Answerer;
use super::backoff::{self, Wait};
use super::challenges::Challenges;
use super::choice::{LeftOut, REFUSED};
use super::current::{self, Current};
use super::http::{self, Http, HttpError};
use super::ledger::{Entry, Ledger, Outcome};
use super::order::{self, Wanted};
use super::tender::Settings;
use super::trouble::{Refusal, Trouble};
use super::way::Way;
use super::{account, need};
use crate::dns::update::Updater;

/// Clocks that are further apart are wrong, one of them; and the authority's is right.
const CLOCKS_APART: i64 = 24 * 3600;
/// When to look again whether a wrong clock was set.
const CLOCK_CHECK: i64 = 2 * 60;
/// When to try again what something of ours prevented.
const OURS: i64 = 5 * 60;

/// What it takes.
pub(super) struct Errand<'e> {
    pub(super) settings: &'e Settings,
    pub(super) http: &'e Http,
    pub(super) resolver: &'e TokioResolver,
    pub(super) challenges: &'e Arc<Challenges>,
    /// The certificate that is to be replaced.
    pub(super) held: Option<&'e Current>,
}

/// How it ended.
pub(super) enum Ordered {
    /// With a certificate for those names.
    Issued { pem: String, names: Vec<String>, refused: Vec<LeftOut> },
    /// Without.
    Failed { why: String, next: i64, refused: Vec<LeftOut> },
}

impl Errand<'_> {
    fn directory(&self) -> &str {
        &self.settings.renewal.authority.directory
    }

    /// Whether the ledger lets us go at all. One with orders of a time to come may have been written by a wrong clock,
    /// or ours is wrong now: then the authority's is looked at first, which costs it nothing.
    pub(super) fn may_try(
        &self,
        ledger: &Ledger,
        names: &[String],
        now: i64,
        is_asked: bool,
    ) -> Result<(), Wait> {
        let orders = ledger.at(self.directory());
        if orders.iter().any(|order| order.at > now + CLOCKS_APART) {
            return Ok(());
        }
        backoff::order(&orders, names, now, is_asked)
    }

    /// Orders, until there is a certificate or no way to get one.
    pub(super) async fn run(
        &self,
        ledger: &mut Ledger,
        mut names: Vec<(String, Way)>,
        wanted: &[String],
        mut is_asked: bool,
    ) -> Ordered {
        let mut left_out = Vec::new();
        let failed = |why: String, next: i64, refused: Vec<LeftOut>| Ordered::Failed { why, next, refused };
        if let Err((why, next)) = self.compare_clocks(ledger).await {
            return failed(why, next, left_out);
        }
        let mut replaces = self.replaces();
        let mut has_new_account = false;
        loop {
            let plain: Vec<String> = names.iter().map(|(name, _)| name.clone()).collect();
            let now = http::now();
            if let Err(wait) = backoff::order(&ledger.at(self.directory()), &plain, now, is_asked) {
                return failed(wait.why, wait.until, left_out);
            }
            let entry = Entry {
                at: now,
                authority: self.directory().to_owned(),
                names: plain.clone(),
                outcome: Outcome::Begun,
            };
            if let Err(error) = tokio::task::block_in_place(|| ledger.begin(entry)) {
                let why =
                    format!("the ledger of orders cannot be written, and without it none is made: {error}");
                return failed(why, now + OURS, left_out);
            }
            let ways: Vec<String> =
                names.iter().map(|(name, way)| format!("{name} by {}", way.name())).collect();
            tracing::info!(names = ways.join(", "), authority = self.directory(), "ordering a certificate");
            let outcome = self.order(&names, replaces.clone()).await;
            let written = tokio::task::block_in_place(|| ledger.finish(into_outcome(&outcome)));
            if let Err(error) = written {
                tracing::error!(%error, "the outcome of an order is not in the ledger");
            }
            match outcome {
                Ok(pem) => return Ordered::Issued { pem, names: plain, refused: left_out },
                Err(Trouble::Names(refusals)) => {
                    for Refusal { name, way, why } in &refusals {
                        tracing::warn!(name, way = way.name(), why, "the authority refused a name");
                    }
                    names.retain(|(name, _)| !refusals.iter().any(|refusal| refusal.name == *name));
                    let orders = ledger.at(self.directory());
                    left_out.extend(refusals.iter().map(|refusal| refused(refusal, &orders, now)));
                    let needed = need::Need::Renewal;
                    if need::is_worth(needed, &names, self.held, wanted, &orders, now).is_err() {
                        let next = left_out.iter().filter_map(|name| name.until).min().unwrap_or(now + OURS);
                        return failed(Trouble::Names(refusals).why(), next, left_out);
                    }
                }
                // Once each: the next order is another one, without waiting.
                Err(Trouble::CannotReplace(why)) if replaces.is_some() => {
                    tracing::info!(why, "the new certificate replaces none");
                    replaces = None;
                    is_asked = true;
                }
                Err(Trouble::UnknownAccount(why)) if !has_new_account => {
                    tracing::warn!(why, "the authority does not know our account; making a new one");
                    account::forget(&self.settings.renewal.folder, self.directory());
                    has_new_account = true;
                    is_asked = true;
                }
                Err(trouble) => {
                    let orders = ledger.at(self.directory());
                    let next = match backoff::order(&orders, &plain, http::now(), false) {
                        Err(wait) => wait.until,
                        Ok(()) => http::now() + OURS,
                    };
                    return failed(trouble.why(), next, left_out);
                }
            }
        }
    }

    /// Asks the authority what time it is. A wrong clock of ours must not make orders, nor mistake a good certificate
    /// for one that has ended; and what it wrote into the ledger must not hold us up once it is right.
    async fn compare_clocks(&self, ledger: &mut Ledger) -> Result<(), (String, i64)> {
        let now = http::now();
        match self.http.get(self.directory()).await {
            Ok(_) => {}
            Err(error @ HttpError::Untrusted { .. }) => {
                let why = format!("{error}; see whether the clock is right, it says {}", rfc3339(now));
                return Err((why, now + CLOCK_CHECK));
            }
            Err(error) => {
                let trouble = Trouble::of_http(&error, self.http.said().retry_at);
                let entry = Entry {
                    at: now,
                    authority: self.directory().to_owned(),
                    names: Vec::new(),
                    outcome: into_outcome(&Err(trouble.clone())),
                };
                let _ = tokio::task::block_in_place(|| ledger.begin(entry));
                let next = match backoff::order(&ledger.at(self.directory()), &[], now, false) {
                    Err(wait) => wait.until,
                    Ok(()) => now + OURS,
                };
                return Err((trouble.why(), next));
            }
        }
        match self.http.said().date {
            Some(theirs) if (theirs - now).abs() > CLOCKS_APART => Err((
                format!(
                    "this machine's clock says {}, the authority's {}; set the clock, best by NTP",
                    rfc3339(now),
                    rfc3339(theirs)
                ),
                now + CLOCK_CHECK,
            )),
            _ => {
                tokio::task::block_in_place(|| ledger.correct(now));
                Ok(())
            }
        }
    }

    async fn order(
        &self,
        names: &[(String, Way)],
        replaces: Option<CertificateIdentifier<'static>>,
    ) -> Result<String, Trouble> {
        let renewal = &self.settings.renewal;
        let key = current::key(&self.settings.tls).map_err(Trouble::Ours)?;
        let updater = renewal.dns_update.as_ref().map(Updater::new).transpose();
        let updater = updater.map_err(|error| Trouble::Ours(format!("MAIL_DNS_UPDATE_KEY: {error}")))?;
        let answerer =
            Answerer { challenges: Arc::clone(self.challenges), updater, resolver: self.resolver.clone() };
        let account: Account = account::open(&renewal.folder, &renewal.authority, self.http).await?;
        let wanted = Wanted { names, replaces, key: &key };
        match order::obtain(&account, &wanted, &answerer, self.http).await {
            // The library says this of an authority that makes no suggestions and so knows of no replacing.
            Err(Trouble::Away { why, .. }) if wanted.replaces.is_some() && why.contains("ARI") => {
                Err(Trouble::CannotReplace(why))
            }
            outcome => outcome,
        }
    }

    /// What names the certificate on disk to the authority (RFC 9773 §4.1).
    fn replaces(&self) -> Option<CertificateIdentifier<'static>> {
        self.held?;
        let chain = chain(&self.settings.tls.certificate).ok()?;
        CertificateIdentifier::try_from(&chain[0]).ok().map(CertificateIdentifier::into_owned)
    }
}

fn refused(refusal: &Refusal, orders: &[Entry], now: i64) -> LeftOut {
    let until = backoff::name(orders, &refusal.name, now, false).err().map(|wait| wait.until);
    let why = format!("the authority refused it by {}: {}", refusal.way.name(), refusal.why);
    LeftOut { name: refusal.name.clone(), why: Concern::new(why, REFUSED), until }
}

fn into_outcome(outcome: &Result<String, Trouble>) -> Outcome {
    match outcome {
        Ok(_) => Outcome::Issued,
        Err(Trouble::Names(refused)) => Outcome::Names { refused: refused.clone() },
        Err(Trouble::RateLimited { why, retry_at }) => {
            Outcome::RateLimited { until: *retry_at, why: why.clone() }
        }
        Err(Trouble::Away { why, retry_at }) => Outcome::Away { until: *retry_at, why: why.clone() },
        Err(trouble) => Outcome::Failed { why: trouble.why() },
    }
}
