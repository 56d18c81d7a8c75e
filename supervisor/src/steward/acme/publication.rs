//! Publishes the answers to challenges, and withdraws them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{Name, RData};
use hickory_resolver::TokioResolver;
use instant_acme::KeyAuthorization;

use super::alpn;
use super::challenge_type::ChallengeKind;
use super::challenges::{Challenges, ServedAnswer};
use crate::dns::alias;
use crate::dns::update::{UpdateError, Updater};

/// Limit for the zone's servers to serve a record that their primary has.
const PROPAGATION: Duration = Duration::from_secs(150);
/// The TTL of the record. It is removed minutes later, so resolvers should not cache it.
const LIFETIME: u32 = 60;

/// Publishes answers for all challenge types.
pub(super) struct Publisher {
    pub(super) challenges: Arc<Challenges>,
    pub(super) updater: Option<Updater>,
    pub(super) resolver: TokioResolver,
}

/// An answer that is published until it is withdrawn. Answers on our own ports are withdrawn when this value is
/// dropped. A record in DNS that was not withdrawn (after a crash) is replaced by the next one; at the end of an alias,
/// which others may share, it stays beside the next one.
#[must_use]
pub(super) struct PublishedAnswer {
    _answered: Option<ServedAnswer>,
    record: Option<(Updater, Name, RData)>,
}

/// The published answers of an order, by name. They stay as long as the order is open, since an authority may check at
/// any time.
#[derive(Default)]
pub(super) struct PublishedAnswers(BTreeMap<String, PublishedAnswer>);

impl PublishedAnswers {
    /// Returns true if the answer for `name` is published.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Keeps the answer for a name.
    pub(super) fn keep(&mut self, name: &str, answer: PublishedAnswer) {
        self.0.insert(name.to_owned(), answer);
    }

    /// Withdraws all answers.
    pub(super) async fn withdraw(&mut self) {
        for answer in std::mem::take(&mut self.0).into_values() {
            answer.withdraw().await;
        }
    }
}

impl Publisher {
    /// Publishes the answer for a name and returns once it is visible from outside; otherwise returns the reason.
    pub(super) async fn answer(
        &self,
        name: &str,
        kind: ChallengeKind,
        token: &str,
        authorization: &KeyAuthorization,
    ) -> Result<PublishedAnswer, String> {
        match kind {
            ChallengeKind::Http => {
                let answered = self.challenges.answer_token(token, authorization.as_str().to_owned());
                Ok(PublishedAnswer { _answered: Some(answered), record: None })
            }
            ChallengeKind::TlsAlpn => {
                let certificate = alpn::certificate(name, authorization.digest().as_ref())
                    .map_err(|error| error.to_string())?;
                let answered = self.challenges.answer_name(name, certificate);
                Ok(PublishedAnswer { _answered: Some(answered), record: None })
            }
            ChallengeKind::Dns => self.publish(name, &authorization.dns_value()).await,
        }
    }

    /// Publishes the digest of the key authorization at `_acme-challenge.<name>` (RFC 8555 §8.4). If that name is an
    /// alias, the record goes to the alias's target: so the proofs for a zone that accepts no updates can be in one
    /// that does.
    async fn publish(&self, name: &str, digest: &str) -> Result<PublishedAnswer, String> {
        let updater = self.updater.clone().ok_or("MAIL_DNS_UPDATE_SERVER is not set")?;
        let challenge =
            Name::from_ascii(format!("_acme-challenge.{name}.")).map_err(|error| error.to_string())?;
        let end = alias::end_of(&self.resolver, &challenge).await.map_err(|error| error.to_string())?;
        let is_alias = end != challenge;
        let reason = |error: UpdateError| match is_alias {
            true => format!("{challenge} leads to {end}: {error}"),
            false => error.to_string(),
        };
        let text = RData::TXT(TXT::new(vec![digest.to_owned()]));
        // Several names may be aliases of one target, and all of them must be provable there at the same time.
        let published = match is_alias {
            true => updater.add(&end, LIFETIME, text.clone()).await,
            false => updater.replace(&end, LIFETIME, vec![text.clone()]).await,
        };
        published.map_err(reason)?;
        let answer = PublishedAnswer { _answered: None, record: Some((updater.clone(), end.clone(), text)) };
        match updater.wait_until_visible(&self.resolver, &end, digest, PROPAGATION).await {
            Ok(()) => Ok(answer),
            Err(error) => {
                answer.withdraw().await;
                Err(reason(error))
            }
        }
    }
}

impl PublishedAnswer {
    /// Withdraws the answer.
    pub(super) async fn withdraw(self) {
        if let Some((updater, name, text)) = self.record
            && let Err(error) = updater.remove(&name, text).await
        {
            tracing::warn!(%name, %error, "cannot remove the record of a challenge");
        }
    }
}
