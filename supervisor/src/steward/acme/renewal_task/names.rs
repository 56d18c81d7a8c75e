//! The wanted names, the names of an order, and the reasons for missing ones.

use super::*;

/// The names wanted now. A domain's own name that has started to resolve to this machine is checked at once.
pub(super) async fn wanted(
    settings: &RenewalSettings,
    state: &mut TaskState,
    resolver: &TokioResolver,
) -> WantedNames {
    if state.own_names.refresh(resolver, &settings.web).await {
        state.probe_at_once();
    }
    wanted_names(&settings.web.hostname, &settings.web.domains, state.own_names.here())
}

impl RenewalTask {
    /// Checks that each name reaches us, and selects the names of an order.
    pub(super) async fn select(
        &self,
        settings: &RenewalSettings,
        state: &TaskState,
        issuance: &Issuance<'_>,
        wanted: &[String],
        is_requested: bool,
    ) -> Selection {
        let renewal = &settings.renewal;
        let rules =
            Rules { challenge: renewal.authority.challenge, has_dns_update: renewal.dns_update.is_some() };
        let probe = SelfCheck {
            resolver: issuance.resolver,
            challenges: &self.challenges,
            ports: renewal.challenge_ports,
            http: self.open.http && ChallengeKind::Http.is_allowed(rules.challenge),
            tls: self.open.https && ChallengeKind::TlsAlpn.is_allowed(rules.challenge),
        };
        // With DNS-01 alone, the name need not reach us.
        let is_dns_only = rules.challenge == config::Challenge::Dns01;
        let mut candidates = Vec::new();
        // In small batches: each check connects to our own services, which limit connections per address.
        for some in wanted.chunks(PROBED_AT_ONCE) {
            let checks = some.iter().map(async |name| {
                let reached = if is_dns_only {
                    SelfCheckResult { http: None, tls: None }
                } else {
                    probe.check(name).await
                };
                Candidate { name: name.clone(), reached }
            });
            candidates.extend(futures_util::future::join_all(checks).await);
        }
        let orders = state.ledger.at(&renewal.authority.directory);
        select(candidates, rules, &orders, http::now(), is_requested)
    }

    /// The conclusion if nothing can be ordered, with the reasons of the names.
    pub(super) fn unproven(
        &self,
        state: &TaskState,
        check: &RenewalCheck<'_>,
        why: Option<String>,
        wait: Duration,
    ) -> CheckOutcome {
        let host = check.wanted.names.first().map_or("", String::as_str);
        let is_refused =
            state.left_out.iter().any(|left_out| left_out.name == host && left_out.until.is_some());
        let why = why.unwrap_or_else(|| match is_refused || check.issuance.current.is_some() {
            true => format!("{host} cannot be validated now"),
            false => "none of the names reaches this machine yet".to_owned(),
        });
        let until = http::now() + i64::try_from(wait.as_secs()).unwrap_or(0);
        without_fault(check.needed, CheckOutcome::Unproven { why, until })
    }
}

/// Removes the domains' own names under which another server answers at our address, such as a web server beside us:
/// they are its business, and keep no other name out of the certificate. Names that an authority refused stay, so that
/// the operator sees them.
pub(super) fn without_unreached(
    own_names: &OwnNames,
    mut wanted: Vec<String>,
    selection: &mut Selection,
) -> Vec<String> {
    selection.left_out.retain(|left_out| left_out.until.is_some() || !own_names.contains(&left_out.name));
    wanted.retain(|name| {
        let is_chosen = selection.names.iter().any(|(chosen, _)| chosen == name);
        is_chosen || !own_names.contains(name)
    });
    wanted
}

/// A name that could be obtained but is not ordered now, with its known reason, or with the note that it takes a while.
pub(super) fn deferred(name: &str, before: &[LeftOut]) -> LeftOut {
    before.iter().find(|left_out| left_out.name == name).cloned().unwrap_or_else(|| LeftOut {
        name: name.to_owned(),
        why: Concern::constant(
            "it leads here only now",
            "wait: it will be in the next certificate, within minutes",
        ),
        until: None,
    })
}

/// A name that does not fit into a certificate.
pub(super) fn without_room(name: &str) -> LeftOut {
    LeftOut {
        name: name.to_owned(),
        why: Concern::new(
            format!("a certificate has room for {MAX_NAMES} names, and these do not fit"),
            "mail works without them; for their pages (MTA-STS, settings of mail programs), serve some of the domains \
             from another server, or provide a certificate with all names (MAIL_TLS_CERT_FILE)",
        ),
        until: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_name_that_leads_elsewhere_is_dropped_without_a_finding_unless_it_was_refused() {
        let names =
            ["mail.example.org", "autoconfig.example.org", "example.org", "example.net", "example.com"];
        let wanted: Vec<String> = names.map(str::to_owned).to_vec();
        let own_names = OwnNames::of(&["example.org", "example.net", "example.com"]);
        let left_out = |name: &str, until| LeftOut {
            name: name.to_owned(),
            why: Concern::constant("another server answers", "nothing"),
            until,
        };
        let mut selection = Selection {
            names: vec![
                ("mail.example.org".to_owned(), ChallengeKind::Http),
                ("example.com".to_owned(), ChallengeKind::Http),
            ],
            left_out: vec![
                left_out("autoconfig.example.org", None),
                left_out("example.org", None),
                left_out("example.net", Some(7)),
            ],
        };
        let wanted = without_unreached(&own_names, wanted, &mut selection);
        assert_eq!(wanted, ["mail.example.org", "autoconfig.example.org", "example.com"]);
        let left_out: Vec<&str> = selection.left_out.iter().map(|left_out| left_out.name.as_str()).collect();
        assert_eq!(left_out, ["autoconfig.example.org", "example.net"]);
    }
}
