//! The certificate, and whether clients trust it: by the public authorities (Mozilla's list), or by those in the file
//! of `MAIL_ACME_CA_FILE`, which an operator with a private authority also installs on the clients.

use std::path::Path;
use std::time::Duration;

use handover::certificate::{CertificateFacts, chain, facts};
use handover::config::Presence;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::observed::{ChainTrust, Distrust};

/// Reads the certificate, and checks if clients trust it. `now` is in seconds since 1970.
pub(super) fn observe(presence: &Presence, now: u64) -> Result<(CertificateFacts, ChainTrust), String> {
    let path = &presence.certificate;
    let facts = facts(path).map_err(|error| error.to_string())?;
    let chain = chain(path).map_err(|error| error.to_string())?;
    // The leaf's validity period is checked elsewhere: the chain is verified at a time at which the leaf is valid.
    let day = |seconds: i64| u64::try_from(seconds).unwrap_or(0);
    let at = now.min(day(facts.not_after)).max(day(facts.not_before));
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
    let chain = match verify(&chain, &roots(presence.authorities.as_deref()), at) {
        Ok(()) => ChainTrust::Trusted,
        Err(_) if is_self_signed(&chain[0]) => ChainTrust::Distrusted(Distrust::Unknown),
        Err(_) if !is_whole(&chain) => ChainTrust::Broken,
        Err(why) => ChainTrust::Distrusted(why),
    };
    Ok((facts, chain))
}

fn is_self_signed(leaf: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(leaf).is_ok_and(|(_, leaf)| leaf.issuer() == leaf.subject())
}

/// Returns true if each certificate is issued by the next one.
fn is_whole(chain: &[CertificateDer<'_>]) -> bool {
    let parsed = chain.iter().filter_map(|der| X509Certificate::from_der(der).ok());
    let parsed: Vec<X509Certificate<'_>> = parsed.map(|(_, parsed)| parsed).collect();
    let is_linked = |pair: &[X509Certificate<'_>]| pair[0].issuer() == pair[1].subject();
    parsed.len() > 1 && parsed.len() == chain.len() && parsed.windows(2).all(is_linked)
}

/// The trust anchors of clients. An unusable file adds none; process 1, which copies it, reports that.
pub(super) fn roots(also: Option<&Path>) -> RootCertStore {
    also.and_then(|path| serve::tls::authorities_with(path).ok()).unwrap_or_else(serve::tls::authorities)
}

/// Verifies the chain, leaf first, for any names.
fn verify(chain: &[CertificateDer<'_>], roots: &RootCertStore, at: UnixTime) -> Result<(), Distrust> {
    let Some((leaf, others)) = chain.split_first() else { return Err(Distrust::Unknown) };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    ParsedCertificate::try_from(leaf)
        .and_then(|leaf| verify_server_cert_signed_by_trust_anchor(&leaf, roots, others, at, algorithms))
        .map_err(|error| distrust(&error))
}

/// Converts an error of the library.
pub(super) fn distrust(error: &rustls::Error) -> Distrust {
    let rustls::Error::InvalidCertificate(wrong) = error else { return Distrust::Other(error.to_string()) };
    match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Ended,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Distrust::Early,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Distrust::Name,
        CertificateError::UnknownIssuer => Distrust::Unknown,
        other => Distrust::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

    use super::*;
    use crate::dns::records::tests::facts as site;

    const NOW: u64 = 1_795_834_800;

    fn named(name: &str, until: i32) -> CertificateParams {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(until, 1, 1);
        parameters
    }

    fn authority(name: &str, until: i32) -> CertificateParams {
        let mut parameters = named(name, until);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
    }

    /// A leaf, its issuer and the root, each valid until the beginning of a year.
    fn chain_until(leaf: i32, between: i32) -> [String; 3] {
        let key = || KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(authority("root", 3000), key()).unwrap();
        let issuer = CertifiedIssuer::signed_by(authority("between", between), key(), &root).unwrap();
        let leaf = named("mail.example.org", leaf).signed_by(&key(), &issuer).unwrap();
        [leaf.pem(), issuer.pem(), root.pem()]
    }

    fn verified(presented: &str, trusted: Option<&str>) -> ChainTrust {
        let folder = tempfile::tempdir().unwrap();
        let mut presence = site().presence;
        presence.certificate = folder.path().join("certificate.pem");
        std::fs::write(&presence.certificate, presented).unwrap();
        presence.authorities = trusted.map(|trusted| {
            let path = folder.path().join("authorities.pem");
            std::fs::write(&path, trusted).unwrap();
            path
        });
        observe(&presence, NOW).unwrap().1
    }

    #[test]
    fn a_certificate_is_trusted_because_of_an_authority_that_clients_know() {
        let [leaf, between, root] = chain_until(3000, 3000);
        let whole = format!("{leaf}{between}");
        assert_eq!(verified(&whole, Some(&root)), ChainTrust::Trusted);
        assert_eq!(verified(&leaf, Some(&between)), ChainTrust::Trusted, "no intermediate is needed");
        assert_eq!(verified(&leaf, Some(&root)), ChainTrust::Broken);
        assert_eq!(verified(&whole, None), ChainTrust::Distrusted(Distrust::Unknown));
        assert_eq!(verified(&whole, Some("nonsense")), ChainTrust::Distrusted(Distrust::Unknown));
        assert_eq!(verified(&root, None), ChainTrust::Distrusted(Distrust::Unknown), "it is self-signed");
        let [leaf, between, root] = chain_until(2021, 3000);
        assert_eq!(
            verified(&format!("{leaf}{between}"), Some(&root)),
            ChainTrust::Trusted,
            "the leaf's own dates are checked elsewhere"
        );
        let [leaf, between, root] = chain_until(3000, 2021);
        let found = verified(&format!("{leaf}{between}"), Some(&root));
        assert_eq!(found, ChainTrust::Distrusted(Distrust::Ended));
    }
}
