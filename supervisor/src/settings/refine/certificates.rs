//! The source of the certificate: external, an authority, or self-made.

use std::path::PathBuf;

use address::Address;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handover::Confidential;
use handover::config::{AccountBinding, Acme, Challenge};

use super::listening::Ports;
use super::{is_none, path};
use crate::settings::Certificates;
use crate::settings::fault::SettingFault;
use crate::settings::host_and_port::HostAndPort;
use crate::settings::raw::{Raw, RawValue};
use crate::settings::variables;

pub(super) const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Refines all settings of certificates.
pub(super) fn certificates(
    raw: &mut Raw,
    can_update_dns: bool,
    ports: Ports,
    faults: &mut Vec<SettingFault>,
) -> Certificates {
    let directory = raw.take(&variables::ACME_DIRECTORY);
    let acme = Acme {
        directory: directory.as_ref().map_or(LETS_ENCRYPT, RawValue::trimmed).to_owned(),
        ca_file: path(raw, &variables::ACME_CA_FILE, faults),
        contact: contact(raw, faults),
        challenge: challenge(raw, can_update_dns, ports, faults),
        account_binding: account_binding(raw, faults),
    };
    let is_off = directory.as_ref().is_some_and(|typed| is_none(&typed.text));
    if let Some(typed) = directory.as_ref().filter(|typed| !is_off && !is_https(typed.trimmed())) {
        faults.push(typed.fault(format!(
            "is {:?}, which is neither an address that begins with https:// nor `none`",
            typed.text
        )));
    }
    let external = external(raw, faults);
    if let (Some(_), Some(typed), false) = (&external, &directory, is_off) {
        faults.push(typed.fault("is set, and so is MAIL_TLS_CERT_FILE; set one of the two"));
    }
    match external {
        Some((certificate, key)) => Certificates::External { certificate, key },
        None if is_off => Certificates::SelfMade,
        None => Certificates::Acme(acme),
    }
}

/// `https-URI` with a host, as far as the text alone shows.
fn is_https(text: &str) -> bool {
    let rest =
        text.split_at_checked("https://".len()).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("https://"));
    let Some((_, rest)) = rest else { return false };
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    HostAndPort::parse_with(host, 443).is_some() && path.chars().all(|c| c.is_ascii_graphic() && c != '#')
}

fn external(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Option<(PathBuf, PathBuf)> {
    let certificate = path(raw, &variables::TLS_CERT_FILE, faults);
    let key = path(raw, &variables::TLS_KEY_FILE, faults);
    let missing = match (&certificate, &key) {
        (Some(_), None) => {
            (&variables::TLS_KEY_FILE, "is not set, but MAIL_TLS_CERT_FILE is; one needs the other")
        }
        (None, Some(_)) => {
            (&variables::TLS_CERT_FILE, "is not set, but MAIL_TLS_KEY_FILE is; one needs the other")
        }
        _ => return certificate.zip(key),
    };
    if !faults.iter().any(|fault| fault.variable == missing.0.name) {
        faults.push(SettingFault::of(missing.0, missing.1));
    }
    None
}

fn contact(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Option<Address> {
    let typed = raw.take(&variables::ACME_CONTACT)?;
    let text = typed.trimmed();
    let address = Address::parse(text.strip_prefix("mailto:").unwrap_or(text));
    if let Err(error) = &address {
        faults.push(typed.fault(format!("is {text:?}, which is not a mail address: {error}")));
    }
    address.ok()
}

const NO_HTTP: &str = "MAIL_HTTP_PORT is `none`; set a port there, or another challenge here";
const NO_HTTPS: &str = "MAIL_HTTPS_PORT is `none`; set a port there, or another challenge here";
const NO_UPDATE: &str = "MAIL_DNS_UPDATE_SERVER is not set; set it, or another challenge here";

fn challenge(raw: &mut Raw, can_update_dns: bool, ports: Ports, faults: &mut Vec<SettingFault>) -> Challenge {
    let Some(typed) = raw.take(&variables::ACME_CHALLENGE) else { return Challenge::Auto };
    let (challenge, missing) = match typed.trimmed().to_ascii_lowercase().as_str() {
        "auto" => (Challenge::Auto, None),
        "http-01" => (Challenge::Http01, ports.http.is_none().then_some(NO_HTTP)),
        "tls-alpn-01" => (Challenge::TlsAlpn01, ports.https.is_none().then_some(NO_HTTPS)),
        "dns-01" => (Challenge::Dns01, (!can_update_dns).then_some(NO_UPDATE)),
        _ => {
            let wrong =
                format!("is {:?}, which is not one of auto, http-01, tls-alpn-01 and dns-01", typed.text);
            faults.push(typed.fault(wrong));
            return Challenge::Auto;
        }
    };
    if let Some(missing) = missing {
        faults.push(typed.fault(format!("is {}, but {missing}", typed.trimmed())).with_example("auto"));
    }
    challenge
}

fn account_binding(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Option<AccountBinding> {
    let key_id = raw.take(&variables::ACME_EAB_KEY_ID);
    let key = raw.take(&variables::ACME_EAB_KEY);
    if let Some(typed) = &key {
        let text = typed.trimmed().trim_end_matches('=');
        if text.is_empty() || URL_SAFE_NO_PAD.decode(text).is_err() {
            faults.push(typed.fault("is not a key in base64url"));
        }
    }
    match (key_id, key) {
        (Some(key_id), Some(key)) => {
            let key = Confidential::new(key.trimmed().trim_end_matches('='));
            Some(AccountBinding { key_id: key_id.trimmed().to_owned(), key })
        }
        (Some(_), None) => {
            let wrong = "is not set, but MAIL_ACME_EAB_KEY_ID is; one needs the other";
            faults.push(SettingFault::of(&variables::ACME_EAB_KEY, wrong));
            None
        }
        (None, Some(_)) => {
            let wrong = "is not set, but MAIL_ACME_EAB_KEY is; one needs the other";
            faults.push(SettingFault::of(&variables::ACME_EAB_KEY_ID, wrong));
            None
        }
        (None, None) => None,
    }
}
