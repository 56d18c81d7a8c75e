//! The facts that are published about this machine, from the settings and the keys.

use handover::config::{DkimKey, Presence, PublicSignature};

use crate::settings::Certificates;
use crate::signing_keys::{self, SigningKeyError};
use crate::site::{Purpose, Site};

/// Collects them. They contain only the public halves of the signing keys, and no secrets.
pub fn presence(site: &Site, keys: &[DkimKey]) -> Result<Presence, SigningKeyError> {
    let settings = &site.settings;
    let acme = match &settings.certificates {
        Certificates::Acme(acme) => Some(acme),
        Certificates::External { .. } | Certificates::SelfMade => None,
    };
    let signature = |key: &DkimKey| {
        let public = signing_keys::public_key(key)?;
        let (domain, selector, kind) = (key.domain.clone(), public.selector, public.kind.to_owned());
        Ok(PublicSignature { domain, selector, kind, base64: public.base64 })
    };
    Ok(Presence {
        hostname: settings.hostname.clone(),
        domains: settings.domains.clone(),
        serves_web: settings.https_port.is_some(),
        is_attested: settings.certificates != Certificates::SelfMade,
        is_local: site.purpose == Purpose::Demo,
        is_relayed: settings.relay.is_some(),
        certificate: site.tls().certificate,
        authorities: acme.and_then(|acme| acme.ca_file.as_ref()).map(|_| site.folders.authority_ca()),
        volume: site.folders.volume.clone(),
        acme_directory: acme.map(|acme| acme.directory.clone()),
        dns_servers: settings.dns_servers.clone(),
        blocklists: settings.check_blocklists.clone(),
        smtp_host: settings.check_smtp_host.as_ref().map(ToString::to_string),
        signatures: keys.iter().map(signature).collect::<Result<_, SigningKeyError>>()?,
    })
}
