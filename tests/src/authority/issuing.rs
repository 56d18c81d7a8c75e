//! Issues certificates.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, IsCa, Issuer, KeyPair,
    SanType, SerialNumber,
};
use rustls::pki_types::CertificateSigningRequestDer;

use super::Chain;

pub(super) struct Issuing {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

/// A chain, and the identifier of its leaf in renewal info (RFC 9773 §4.1).
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) serial: String,
    pub(super) names: Vec<String>,
}

impl Issuing {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "Tests' authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let root = authority.self_signed(&key).expect("a certificate can be made").pem();
        Self { issuer: Issuer::new(authority, key), root }
    }

    /// Signs a request, with the number `count` for a serial number, valid from `now`, in seconds since 1970.
    pub(super) fn sign(
        &self,
        request: &[u8],
        count: usize,
        now: i64,
        lifetime: Duration,
        kind: Chain,
    ) -> Option<Issued> {
        let request = CertificateSigningRequestDer::from(request.to_vec());
        let mut request = CertificateSigningRequestParams::from_der(&request).ok()?;
        let names = request.params.subject_alt_names.iter().map(|name| match name {
            SanType::DnsName(name) => Some(name.to_string()),
            _ => None,
        });
        let names: Vec<String> = names.collect::<Option<_>>()?;
        let serial = vec![0x5e, u8::try_from(count / 256).ok()?, u8::try_from(count % 256).ok()?];
        let begin = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(now).ok()?);
        request.params.not_before = begin;
        request.params.not_after = begin + lifetime;
        request.params.serial_number = Some(SerialNumber::from_slice(&serial));
        request.params.use_authority_key_identifier_extension = true;
        if kind == Chain::WithoutAName {
            request.params.subject_alt_names.pop();
        }
        let leaf = match kind {
            Chain::OfAnotherKey => {
                let other = KeyPair::generate().ok()?;
                request.params.signed_by(&other, &self.issuer).ok()?.pem()
            }
            _ => request.signed_by(&self.issuer).ok()?.pem(),
        };
        let chain = match kind {
            Chain::Reversed => format!("{}{leaf}", self.root),
            Chain::Joined => format!("{}{}", leaf.trim_end(), self.root),
            _ => format!("{leaf}{}", self.root),
        };
        Some(Issued { chain, serial: URL_SAFE_NO_PAD.encode(serial), names })
    }
}
