//! What the authority suggests about renewing the certificate (ARI, RFC 9773), fetched from time to time.

use handover::certificate::chain;
use handover::config::Tls;
use instant_acme::CertificateIdentifier;

use super::current::Current;
use super::directory::Directory;
use super::http::Http;
use super::renewal::{self, Window};

/// The last suggestion, for the certificate that it was made for.
#[derive(Debug, Default)]
pub(super) struct Suggestion {
    fingerprint: String,
    window: Option<Window>,
    explanation: Option<String>,
    check_at: i64,
}

impl Suggestion {
    /// Asks again when it is time. What cannot be had leaves what was known; an authority that suggests nothing leaves
    /// the certificate's own dates.
    pub(super) async fn refresh(
        &mut self,
        held: &Current,
        directory: &str,
        tls: &Tls,
        http: &Http,
        now: i64,
    ) {
        if self.fingerprint != held.fingerprint {
            *self = Self { fingerprint: held.fingerprint.clone(), ..Self::default() };
        }
        // A clock that was set back makes a moment that is too far away.
        if self.check_at > now && self.check_at - now <= renewal::next_check(0, Some(i64::MAX)) {
            return;
        }
        let asked = ask(directory, tls, http).await;
        self.check_at = renewal::next_check(now, http.said().retry_at);
        match asked {
            Ok(Some((window, explanation))) => {
                if self.window != Some(window) {
                    tracing::info!(
                        from = calendar::rfc3339(window.start),
                        to = calendar::rfc3339(window.end),
                        explanation = explanation.as_deref().unwrap_or_default(),
                        "the authority suggests when to renew the certificate"
                    );
                }
                (self.window, self.explanation) = (Some(window), explanation);
            }
            Ok(None) => (self.window, self.explanation) = (None, None),
            Err(why) => tracing::debug!(why, "the authority does not say when to renew the certificate"),
        }
    }

    /// The next look asks again, whatever the authority said.
    pub(super) fn forget_when(&mut self) {
        self.check_at = 0;
    }

    /// When the certificate is due.
    pub(super) fn due(&self, held: &Current) -> i64 {
        let draw = self.window.map_or(0.0, |window| renewal::draw(&held.fingerprint, window));
        renewal::due(&held.facts, self.window, draw)
    }

    /// The page on which the authority explains itself.
    pub(super) fn explanation(&self) -> Option<String> {
        self.explanation.clone()
    }
}

/// Asks. Nothing comes back where the authority makes no suggestions.
async fn ask(directory: &str, tls: &Tls, http: &Http) -> Result<Option<(Window, Option<String>)>, String> {
    let directory = Directory::fetch(http, directory).await.map_err(|(trouble, _)| trouble.reason().why)?;
    let Some(base) = directory.renewal_info else { return Ok(None) };
    let chain = chain(&tls.certificate).map_err(|error| error.to_string())?;
    // One without a mark of its issuer is from an authority that was not asked.
    let Ok(id) = CertificateIdentifier::try_from(&chain[0]) else { return Ok(None) };
    let text =
        http.get(&format!("{}/{id}", base.trim_end_matches('/'))).await.map_err(|error| error.to_string())?;
    Ok(renewal::suggested(&text))
}
