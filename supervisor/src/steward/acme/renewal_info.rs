//! The authority's renewal info for the certificate (ARI, RFC 9773), fetched periodically.

use handover::certificate::chain;
use handover::config::Tls;
use instant_acme::CertificateIdentifier;

use super::directory::Directory;
use super::http::Http;
use super::issued_certificate::IssuedCertificate;
use super::renewal::{self, Window};

/// The last renewal info, with its certificate.
#[derive(Debug, Default)]
pub(super) struct CachedRenewalInfo {
    fingerprint: String,
    window: Option<Window>,
    explanation: Option<String>,
    check_at: i64,
}

impl CachedRenewalInfo {
    /// Fetches renewal info when it is due. On failure the last result is kept; without renewal info, the certificate's
    /// own dates apply.
    pub(super) async fn refresh(
        &mut self,
        held: &IssuedCertificate,
        directory: &str,
        tls: &Tls,
        http: &Http,
        now: i64,
    ) {
        if self.fingerprint != held.fingerprint {
            *self = Self { fingerprint: held.fingerprint.clone(), ..Self::default() };
        }
        // After the clock was set back, the stored time is too far in the future.
        if self.check_at > now && self.check_at - now <= renewal::next_check(0, Some(i64::MAX)) {
            return;
        }
        let fetched = fetch(directory, tls, http).await;
        self.check_at = renewal::next_check(now, http.metadata().retry_at);
        match fetched {
            Ok(Some((window, explanation))) => {
                if self.window != Some(window) {
                    tracing::info!(
                        from = calendar::rfc3339(window.start),
                        to = calendar::rfc3339(window.end),
                        explanation = explanation.as_deref().unwrap_or_default(),
                        "renewal window received"
                    );
                }
                (self.window, self.explanation) = (Some(window), explanation);
            }
            Ok(None) => (self.window, self.explanation) = (None, None),
            Err(why) => tracing::debug!(why, "cannot fetch renewal info"),
        }
    }

    /// Makes the next check fetch renewal info, whatever time the authority named.
    pub(super) fn expire(&mut self) {
        self.check_at = 0;
    }

    /// The time at which the certificate is due for renewal.
    pub(super) fn due(&self, held: &IssuedCertificate) -> i64 {
        let draw = self.window.map_or(0.0, |window| renewal::draw(&held.fingerprint, window));
        renewal::due(&held.facts, self.window, draw)
    }

    /// The page with the authority's explanation.
    pub(super) fn explanation(&self) -> Option<String> {
        self.explanation.clone()
    }
}

/// Fetches renewal info. `None` if the authority offers none.
async fn fetch(directory: &str, tls: &Tls, http: &Http) -> Result<Option<(Window, Option<String>)>, String> {
    let directory = Directory::fetch(http, directory).await.map_err(|(error, _)| error.reason().why)?;
    let Some(base) = directory.renewal_info else { return Ok(None) };
    let chain = chain(&tls.certificate).map_err(|error| error.to_string())?;
    // A certificate without an authority key identifier is from another authority.
    let Ok(id) = CertificateIdentifier::try_from(&chain[0]) else { return Ok(None) };
    let text =
        http.get(&format!("{}/{id}", base.trim_end_matches('/'))).await.map_err(|error| error.to_string())?;
    Ok(renewal::parse_renewal_info(&text))
}
