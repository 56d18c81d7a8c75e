//! Puts up what the authority will look for, and takes it down again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{Name, RData};
use hickory_resolver::TokioResolver;
use instant_acme::KeyAuthorization;

use super::alpn;
use super::challenges::{Answered, Challenges};
use super::way::Way;
use crate::dns::alias;
use crate::dns::update::{UpdateError, Updater};

/// How long the servers of a zone may take to show a record that their primary has.
const SPREADING: Duration = Duration::from_secs(150);
/// The record is gone minutes later; nobody is to remember it.
const LIFETIME: u32 = 60;

/// Answers by every way that there is.
pub(super) struct Answerer {
    pub(super) challenges: Arc<Challenges>,
    pub(super) updater: Option<Updater>,
    pub(super) resolver: TokioResolver,
}

/// An answer that is up until it is withdrawn. Those on our own ports go with this value; a record in DNS that is not
/// withdrawn (a crash) is replaced by the next one, or stays beside it at the end of an alias, which is not ours alone.
#[must_use]
pub(super) struct Held {
    _answered: Option<Answered>,
    record: Option<(Updater, Name, RData)>,
}

/// The answers of an order, by name. They stay up as long as it is open: an authority may look at any time.
#[derive(Default)]
pub(super) struct Answers(BTreeMap<String, Held>);

impl Answers {
    /// Whether the answer for that name is up.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Keeps the answer for a name.
    pub(super) fn keep(&mut self, name: &str, answer: Held) {
        self.0.insert(name.to_owned(), answer);
    }

    /// Takes all of them down.
    pub(super) async fn withdraw(&mut self) {
        for answer in std::mem::take(&mut self.0).into_values() {
            answer.withdraw().await;
        }
    }
}

impl Answerer {
    /// Puts up the answer for a name, and comes back when the world can see it; else says why not.
    pub(super) async fn answer(
        &self,
        name: &str,
        way: Way,
        token: &str,
        authorization: &KeyAuthorization,
    ) -> Result<Held, String> {
        match way {
            Way::Http => {
                let answered = self.challenges.answer_token(token, authorization.as_str().to_owned());
                Ok(Held { _answered: Some(answered), record: None })
            }
            Way::TlsAlpn => {
                let certificate = alpn::certificate(name, authorization.digest().as_ref())
                    .map_err(|error| error.to_string())?;
                let answered = self.challenges.answer_name(name, certificate);
                Ok(Held { _answered: Some(answered), record: None })
            }
            Way::Dns => self.publish(name, &authorization.dns_value()).await,
        }
    }

    /// RFC 8555 §8.4: `_acme-challenge.<name>` has the digest of the key authorization. Where that name is an alias, the
    /// one at its end has it: so the proofs of a zone that takes no changes can lie in one that does.
    async fn publish(&self, name: &str, digest: &str) -> Result<Held, String> {
        let updater = self.updater.clone().ok_or("MAIL_DNS_UPDATE_SERVER is not set")?;
        let challenge =
            Name::from_ascii(format!("_acme-challenge.{name}.")).map_err(|error| error.to_string())?;
        let end = alias::end_of(&self.resolver, &challenge).await.map_err(|error| error.to_string())?;
        let is_alias = end != challenge;
        let said = |error: UpdateError| match is_alias {
            true => format!("{challenge} leads to {end}: {error}"),
            false => error.to_string(),
        };
        let text = RData::TXT(TXT::new(vec![digest.to_owned()]));
        // Several names may lead to one end, and each has to be proved there at the same time.
        let published = match is_alias {
            true => updater.add(&end, LIFETIME, text.clone()).await,
            false => updater.replace(&end, LIFETIME, vec![text.clone()]).await,
        };
        published.map_err(said)?;
        let held = Held { _answered: None, record: Some((updater.clone(), end.clone(), text)) };
        match updater.wait_until_shown(&self.resolver, &end, digest, SPREADING).await {
            Ok(()) => Ok(held),
            Err(error) => {
                held.withdraw().await;
                Err(said(error))
            }
        }
    }
}

impl Held {
    /// Takes the answer down.
    pub(super) async fn withdraw(self) {
        if let Some((updater, name, text)) = self.record
            && let Err(error) = updater.remove(&name, text).await
        {
            tracing::warn!(%name, %error, "the record of a challenge stays in DNS");
        }
    }
}
