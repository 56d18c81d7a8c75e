//! Selects the names of an order and the challenge type for each, from what was observed, the settings and the ledger.

use handover::Concern;
use handover::config::Challenge;

use super::backoff;
use super::challenge_type::ChallengeKind;
use super::error::Reason;
use super::ledger::Entry;
use super::self_check::{Reachability, SelfCheckResult};

/// A wanted name, with the result of the reachability check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) reached: SelfCheckResult,
}

/// A name that is left out of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) name: String,
    pub(super) why: Concern,
    /// The time of its next attempt, if known.
    pub(super) until: Option<i64>,
}

/// The names that are ordered and those that are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) names: Vec<(String, ChallengeKind)>,
    pub(super) left_out: Vec<LeftOut>,
}

/// The challenge types that are allowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) challenge: Challenge,
    /// Set if a server that accepts DNS updates is configured.
    pub(super) has_dns_update: bool,
}

/// The fix for a name that the authority has refused for a reason of its own.
pub(super) const FIX_OF_REFUSED: &str =
    "fix what the authority reports, then: docker compose kill -s HUP mail";

/// Selects the names to order.
pub(super) fn select(
    candidates: Vec<Candidate>,
    rules: Rules,
    orders: &[Entry],
    now: i64,
    is_requested: bool,
) -> Selection {
    let mut selection = Selection::default();
    for Candidate { name, reached } in candidates {
        match select_challenge(&name, &reached, rules, orders) {
            Err(why) => selection.left_out.push(LeftOut { name, why, until: None }),
            Ok(kind) => {
                // A challenge type that has not been tried yet may succeed where another was refused.
                let is_new = backoff::refused(orders, &name, kind) == 0;
                match backoff::may_order_name(orders, &name, now, is_requested || is_new) {
                    Ok(()) => selection.names.push((name, kind)),
                    Err(wait) => {
                        let Reason { why, fix } = wait.reason;
                        let why = format!("the authority refused it: {why}");
                        let why = Concern::new(why, fix.unwrap_or_else(|| FIX_OF_REFUSED.to_owned()));
                        selection.left_out.push(LeftOut { name, why, until: Some(wait.until) });
                    }
                }
            }
        }
    }
    selection
}

/// The best challenge type: the one refused least often, then one that surely reaches us, then the order that `auto`
/// prefers.
fn select_challenge(
    name: &str,
    reached: &SelfCheckResult,
    rules: Rules,
    orders: &[Entry],
) -> Result<ChallengeKind, Concern> {
    let results: Vec<(ChallengeKind, Reachability)> = ChallengeKind::ALL
        .into_iter()
        .filter(|kind| kind.is_allowed(rules.challenge))
        .filter_map(|kind| Some((kind, self_check_result(kind, reached, rules)?)))
        .collect();
    let usable = results.iter().filter(|(_, result)| !matches!(result, Reachability::Unreachable(_)));
    let best = usable.min_by_key(|(kind, result)| {
        (backoff::refused(orders, name, *kind), matches!(result, Reachability::Unknown(_)), *kind)
    });
    match (best, results.first()) {
        (Some((kind, _)), _) => Ok(*kind),
        (None, Some((_, Reachability::Unreachable(why) | Reachability::Unknown(why)))) => Err(why.clone()),
        (None, _) => Err(no_challenge(rules.challenge)),
    }
}

/// The report that no challenge type is possible.
fn no_challenge(challenge: Challenge) -> Concern {
    match challenge {
        Challenge::Dns01 => Concern::constant(
            "dns-01 needs a name server that accepts updates, and none is set",
            "set MAIL_DNS_UPDATE_SERVER",
        ),
        Challenge::Http01 => {
            Concern::constant("http-01 needs port 80, which this server does not have", "see MAIL_HTTP_PORT")
        }
        Challenge::TlsAlpn01 => Concern::constant(
            "tls-alpn-01 needs port 443, which this server does not have",
            "see MAIL_HTTPS_PORT",
        ),
        Challenge::Auto => Concern::constant(
            "this server has neither port 80 nor 443, and no name server that accepts updates is set",
            "see MAIL_HTTP_PORT and MAIL_DNS_UPDATE_SERVER",
        ),
    }
}

fn self_check_result(kind: ChallengeKind, reached: &SelfCheckResult, rules: Rules) -> Option<Reachability> {
    match kind {
        ChallengeKind::Http => reached.http.clone(),
        ChallengeKind::TlsAlpn => reached.tls.clone(),
        ChallengeKind::Dns => rules.has_dns_update.then_some(Reachability::Reachable),
    }
}

#[cfg(test)]
mod tests;
