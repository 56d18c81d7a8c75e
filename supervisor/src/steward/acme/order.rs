//! One order, from the names to the certificate (RFC 8555 §7.4).
//!
//! ```text
//! new order ─▶ each authorization: answer put up, authority told ─▶ ready ─▶ request signed with our key ─▶ chain
//!                  │ valid already: nothing to do                     │
//!                  └──────────── refused names ◀──────────────────────┘ invalid
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error,
    Identifier, NewOrder, Order, OrderStatus, Problem, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use super::answer::{Answerer, Held};
use super::http::Http;
use super::trouble::{Refusal, Trouble, detail, plain};
use super::way::Way;

/// How long the authority may take to look at everything, and then to sign. It says itself how often to ask.
const POLLING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .backoff(1.5)
    .timeout(Duration::from_secs(120));

/// What is ordered.
pub(super) struct Wanted<'o> {
    /// The names, and how each is proved.
    pub(super) names: &'o [(String, Way)],
    /// The certificate that this one takes the place of, for an authority that wants to know (RFC 9773 §5).
    pub(super) replaces: Option<CertificateIdentifier<'o>>,
    /// The key that it is for.
    pub(super) key: &'o KeyPair,
}

/// Orders, and comes back with the chain in PEM.
pub(super) async fn obtain(
    account: &Account,
    wanted: &Wanted<'_>,
    answerer: &Answerer,
    http: &Http,
) -> Result<String, Trouble> {
    let identifiers: Vec<Identifier> =
        wanted.names.iter().map(|(name, _)| Identifier::Dns(name.clone())).collect();
    let mut new = NewOrder::new(&identifiers);
    if let Some(replaced) = &wanted.replaces {
        new = new.replaces(replaced.clone());
    }
    let ways: BTreeMap<&str, Way> = wanted.names.iter().map(|(name, way)| (name.as_str(), *way)).collect();
    let sorted = |error| sorted(error, &ways, http);
    let mut order = account.new_order(&new).await.map_err(sorted)?;
    let mut held = Vec::new();
    let outcome = prove_and_sign(&mut order, &ways, wanted.key, answerer, http, &mut held).await;
    for answer in held {
        answer.withdraw().await;
    }
    outcome
}

async fn prove_and_sign(
    order: &mut Order,
    ways: &BTreeMap<&str, Way>,
    key: &KeyPair,
    answerer: &Answerer,
    http: &Http,
    held: &mut Vec<Held>,
) -> Result<String, Trouble> {
    if order.state().status == OrderStatus::Pending {
        prove(order, ways, answerer, http, held).await?;
    }
    let request = request(ways.keys().copied(), key)?;
    order.finalize_csr(&request).await.map_err(|error| sorted(error, ways, http))?;
    order.poll_certificate(&POLLING).await.map_err(|error| sorted(error, ways, http))
}

/// Answers for every name that the authority has not seen lately, and waits until it has looked.
async fn prove(
    order: &mut Order,
    ways: &BTreeMap<&str, Way>,
    answerer: &Answerer,
    http: &Http,
    held: &mut Vec<Held>,
) -> Result<(), Trouble> {
    let mut refused = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization.map_err(|error| Trouble::of(error, http))?;
        let name = authorization.identifier().to_string();
        let Some(way) = ways.get(name.as_str()).copied() else {
            return Err(Trouble::Refused(format!(
                "the authority wants {name} to be proved, which we did not ask for"
            )));
        };
        match authorization.status {
            // It has seen it in an order before this one.
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            _ => {
                let why =
                    "the authority does not let it be proved any more; it will in the next order".to_owned();
                refused.push(Refusal { name, way, why });
                continue;
            }
        }
        match offer(authorization, way, answerer, http).await {
            Ok(answer) => held.push(answer),
            Err(Offer::Name(why)) => refused.push(Refusal { name, way, why }),
            Err(Offer::All(trouble)) => return Err(trouble),
        }
    }
    if !refused.is_empty() {
        return Err(Trouble::Names(refused));
    }
    match order.poll_ready(&POLLING).await {
        Ok(OrderStatus::Ready) => Ok(()),
        Ok(_) | Err(Error::Api(_)) => Err(find_refused(order, ways, http).await),
        Err(error) => Err(Trouble::of(error, http)),
    }
}

/// What kept a name from being offered.
enum Offer {
    /// This name alone.
    Name(String),
    /// All of them.
    All(Trouble),
}

/// Puts up the answer for one name and tells the authority to look.
async fn offer(
    authorization: AuthorizationHandle<'_>,
    way: Way,
    answerer: &Answerer,
    http: &Http,
) -> Result<Held, Offer> {
    let name = authorization.identifier().to_string();
    // A challenge borrows its authorization for as long as that lives.
    let mut authorization = authorization;
    let kind = match way {
        Way::Http => ChallengeType::Http01,
        Way::TlsAlpn => ChallengeType::TlsAlpn01,
        Way::Dns => ChallengeType::Dns01,
    };
    let Some(mut challenge) = authorization.challenge(kind) else {
        return Err(Offer::Name(format!("the authority does not offer {} for it", way.name())));
    };
    let answer = answerer
        .answer(&name, way, &challenge.token, &challenge.key_authorization())
        .await
        .map_err(Offer::Name)?;
    match challenge.set_ready().await {
        Ok(()) => Ok(answer),
        Err(error) => {
            answer.withdraw().await;
            match Trouble::of(error, http) {
                Trouble::Refused(why) => Err(Offer::Name(why)),
                trouble => Err(Offer::All(trouble)),
            }
        }
    }
}

/// Which names made the order invalid. Those that the authority has not looked at when the first one failed are not
/// among them.
async fn find_refused(order: &mut Order, ways: &BTreeMap<&str, Way>, http: &Http) -> Trouble {
    let mut refused = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = match authorization {
            Ok(authorization) => authorization,
            Err(error) => return Trouble::of(error, http),
        };
        let name = authorization.identifier().to_string();
        let Some(way) = ways.get(name.as_str()).copied() else { continue };
        if let Err(error) = authorization.refresh().await {
            return Trouble::of(error, http);
        }
        if authorization.status == AuthorizationStatus::Invalid {
            let said = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
            let why = said.map_or_else(|| "the authority does not say why".to_owned(), detail);
            refused.push(Refusal { name, way, why });
        }
    }
    if refused.is_empty() {
        let said = order.state().error.as_ref().map(detail);
        return Trouble::Refused(
            said.unwrap_or_else(|| "the order became invalid, the authority does not say why".to_owned()),
        );
    }
    Trouble::Names(refused)
}

/// Sorts an error that may be about single names: the authority lists them (RFC 8555 §6.7.1) or mentions them.
fn sorted(error: Error, ways: &BTreeMap<&str, Way>, http: &Http) -> Trouble {
    let problem = match &error {
        Error::Api(problem) => problem.clone(),
        _ => return Trouble::of(error, http),
    };
    match Trouble::of(error, http) {
        Trouble::Refused(why) => {
            let refused = named(&problem, ways);
            if refused.is_empty() || refused.len() == ways.len() {
                Trouble::Refused(why)
            } else {
                Trouble::Names(refused)
            }
        }
        trouble => trouble,
    }
}

fn named(problem: &Problem, ways: &BTreeMap<&str, Way>) -> Vec<Refusal> {
    let listed = problem.subproblems.iter().filter_map(|part| {
        let Some(Identifier::Dns(name)) = &part.identifier else { return None };
        let (name, way) = ways.get_key_value(name.as_str())?;
        let why = part.detail.as_deref().map_or_else(|| detail(problem), plain);
        Some(Refusal { name: (*name).to_owned(), way: *way, why })
    });
    let listed: Vec<Refusal> = listed.collect();
    if !listed.is_empty() {
        return listed;
    }
    let text = problem.detail.as_deref().unwrap_or_default();
    let words: Vec<&str> =
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*'))).collect();
    let is_mentioned =
        |name: &str| words.iter().any(|word| word.trim_matches('.').eq_ignore_ascii_case(name));
    ways.iter()
        .filter(|(name, _)| is_mentioned(name))
        .map(|(name, way)| Refusal { name: (*name).to_owned(), way: *way, why: detail(problem) })
        .collect()
}

/// The certificate signing request (RFC 8555 §7.4: the same names as the order's).
fn request<'n>(names: impl Iterator<Item = &'n str>, key: &KeyPair) -> Result<Vec<u8>, Trouble> {
    let made = || {
        let mut parameters = CertificateParams::new(names.map(str::to_owned).collect::<Vec<_>>())?;
        parameters.distinguished_name = DistinguishedName::new();
        Ok(parameters.serialize_request(key)?.der().to_vec())
    };
    made().map_err(|error: rcgen::Error| Trouble::Ours(format!("the request cannot be made: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_problem_lists_or_mentions_are_found() {
        let ways = BTreeMap::from([("mail.example.org", Way::Http), ("autoconfig.example.org", Way::Dns)]);
        let problem = |json: &str| serde_json::from_str::<Problem>(json).unwrap();
        let listed = problem(
            r#"{"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "no", "subproblems": [
                {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids",
                 "identifier": {"type": "dns", "value": "autoconfig.example.org"}}]}"#,
        );
        let refused = named(&listed, &ways);
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].name.as_str(), refused[0].way), ("autoconfig.example.org", Way::Dns));
        assert_eq!(refused[0].why, "CAA forbids");
        let mentioned = problem(r#"{"detail": "Cannot issue for \"mail.example.org\": policy"}"#);
        assert_eq!(named(&mentioned, &ways)[0].name, "mail.example.org");
        let of_others =
            problem(r#"{"detail": "Cannot issue for \"webmail.example.org\" or \"example.org\""}"#);
        assert_eq!(named(&of_others, &ways), []);
    }
}
