//! The settings written back as the operator would type them, to compare and to show.

use address::Domain;
use handover::Confidential;
use handover::config::{Challenge, Format, Level, Relay, RelaySecurity};
use ipnet::IpNet;

use super::variables::{self, Variable};
use super::{Certificates, Quotas, Settings, refine};

/// The present value of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingLine {
    /// The variable.
    pub variable: &'static Variable,
    /// The part that can be shown, defaults included.
    pub shown: String,
    /// The secret part.
    pub secret: Option<Confidential>,
}

/// Every setting but the users and aliases, for which the accounts are more exact.
pub fn lines(settings: &Settings) -> Vec<SettingLine> {
    let line = |variable, shown| SettingLine { variable, shown, secret: None };
    let (acme, external) = match &settings.certificates {
        Certificates::Acme(acme) => (Some(acme), None),
        Certificates::External { certificate, key } => (None, Some((certificate, key))),
        Certificates::SelfMade => (None, None),
    };
    let binding = acme.and_then(|acme| acme.account_binding.as_ref());
    let update = settings.dns_update.as_ref();
    let key = update.and_then(|update| update.key.as_ref());
    let relay = settings.relay.as_ref();
    vec![
        line(&variables::DOMAIN, list(&settings.domains)),
        line(&variables::HOSTNAME, settings.hostname.to_string()),
        line(&variables::QUOTA, quotas(&settings.quotas)),
        SettingLine {
            variable: &variables::RELAY_URL,
            shown: or_none(relay.map(url)),
            secret: relay.and_then(|relay| Some(relay.credentials.as_ref()?.password.clone())),
        },
        line(
            &variables::RELAY_CA_FILE,
            or_none(relay.and_then(|relay| relay.authorities.as_ref()).map(|path| path.display())),
        ),
        line(&variables::MESSAGE_SIZE, size(settings.message_size)),
        line(&variables::ACME_DIRECTORY, or_none(acme.map(|acme| acme.directory.clone()))),
        line(
            &variables::ACME_CA_FILE,
            or_none(acme.and_then(|acme| acme.ca_file.as_ref()).map(|path| path.display())),
        ),
        line(&variables::ACME_CONTACT, or_none(acme.and_then(|acme| acme.contact.as_ref()))),
        line(&variables::ACME_CHALLENGE, or_none(acme.map(|acme| challenge(acme.challenge)))),
        line(&variables::ACME_EAB_KEY_ID, or_none(binding.map(|binding| &binding.key_id))),
        SettingLine {
            variable: &variables::ACME_EAB_KEY,
            shown: or_none(binding.map(|_| "a key")),
            secret: binding.map(|binding| binding.key.clone()),
        },
        line(&variables::TLS_CERT_FILE, or_none(external.map(|(certificate, _)| certificate.display()))),
        line(&variables::TLS_KEY_FILE, or_none(external.map(|(_, key)| key.display()))),
        line(
            &variables::DNS_SERVERS,
            if settings.dns_servers.is_empty() {
                "those of the system".into()
            } else {
                list(&settings.dns_servers)
            },
        ),
        line(&variables::DNS_UPDATE_SERVER, or_none(update.map(|update| update.server))),
        SettingLine {
            variable: &variables::DNS_UPDATE_KEY,
            shown: or_none(key.map(|key| &key.name)),
            secret: key.map(|key| Confidential::new(format!("{:?} {}", key.algorithm, key.secret.reveal()))),
        },
        line(&variables::HTTP_PORT, or_none(settings.http_port)),
        line(&variables::HTTPS_PORT, or_none(settings.https_port)),
        line(
            &variables::OPERATOR,
            if settings.operator.is_empty() { "none".to_owned() } else { settings.operator.join("; ") },
        ),
        line(&variables::POLICY, refine::written_policy(&settings.policy)),
        line(&variables::POLICY_BLOCKLISTS, zones(&settings.policy.blocklists)),
        line(&variables::CHECK_BLOCKLISTS, zones(&settings.check_blocklists)),
        line(&variables::CHECK_SMTP_HOST, or_none(settings.check_smtp_host.as_ref())),
        line(&variables::PROXY_TRUSTED, networks(&settings.trusted_proxies)),
        line(&variables::LOG, level(settings.log.level).to_owned()),
        line(&variables::LOG_FORMAT, format(settings.log.format).to_owned()),
    ]
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn list(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn networks(networks: &[IpNet]) -> String {
    if networks.is_empty() { "none".to_owned() } else { list(networks) }
}

fn zones(zones: &[Domain]) -> String {
    if zones.is_empty() { "none".to_owned() } else { list(zones) }
}

fn quotas(quotas: &Quotas) -> String {
    let bound = |octets: Option<u64>| or_none(octets.map(size));
    let named = quotas.users.iter().map(|(user, octets)| format!("{user}:{}", bound(*octets)));
    std::iter::once(bound(quotas.default)).chain(named).collect::<Vec<_>>().join(",")
}

fn url(relay: &Relay) -> String {
    let scheme = match relay.security {
        RelaySecurity::Opportunistic => "smtp",
        RelaySecurity::StartTls => "submission",
        RelaySecurity::ImplicitTls => "submissions",
    };
    match &relay.credentials {
        Some(credentials) => format!("{scheme}://{} (as {})", relay, credentials.user),
        None => format!("{scheme}://{relay}"),
    }
}

/// A size in the largest unit that leaves no remainder.
fn size(octets: u64) -> String {
    [("G", 30), ("M", 20), ("K", 10)]
        .into_iter()
        .find(|(_, shift)| octets != 0 && octets.trailing_zeros() >= *shift)
        .map_or_else(|| octets.to_string(), |(unit, shift)| format!("{}{unit}", octets >> shift))
}

fn challenge(challenge: Challenge) -> &'static str {
    match challenge {
        Challenge::Auto => "auto",
        Challenge::Http01 => "http-01",
        Challenge::TlsAlpn01 => "tls-alpn-01",
        Challenge::Dns01 => "dns-01",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

fn format(format: Format) -> &'static str {
    match format {
        Format::Text => "text",
        Format::Json => "json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_has_its_line_but_those_of_the_accounts() {
        let set = [("MAIL_DOMAIN".into(), "example.org".into())];
        let lines = lines(&Settings::read(set.into_iter()).unwrap());
        let names: Vec<&str> = lines.iter().map(|line| line.variable.name).collect();
        let accounts = [variables::USERS.name, variables::ALIASES.name];
        let declared: Vec<&str> = variables::ALL
            .iter()
            .map(|variable| variable.name)
            .filter(|name| !accounts.contains(name))
            .collect();
        assert_eq!(names, declared);
    }

    #[test]
    fn a_size_is_written_as_it_would_be_typed() {
        for (octets, written) in [
            (0, "0"),
            (1000, "1000"),
            (64 << 10, "64K"),
            (50 << 20, "50M"),
            (1 << 30, "1G"),
            (1536 << 20, "1536M"),
        ] {
            assert_eq!(size(octets), written);
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let set = [
            ("MAIL_DOMAIN", "example.org"),
            ("MAIL_RELAY_URL", "submission://ann:swordfish@smarthost.example.net"),
            ("MAIL_DNS_UPDATE_SERVER", "192.0.2.53"),
            ("MAIL_DNS_UPDATE_KEY", "k:hmac-sha256:c3dvcmRmaXNo"),
        ];
        let settings =
            Settings::read(set.into_iter().map(|(name, value)| (name.into(), value.into()))).unwrap();
        let shown = format!("{:?}", lines(&settings));
        assert!(shown.contains("submission://smarthost.example.net:587 (as ann)"), "{shown}");
        assert!(!shown.contains("swordfish") && !shown.contains("c3dvcmRmaXNo"), "{shown}");
    }
}
