//! The replies of each resource of the authority (RFC 8555 §7).

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::web::{self, Request};
use super::{Behaviour, Challenge, ChallengeState, Order, Ordered, Records, Shared};
use crate::test_server::locked;

pub(super) struct Response {
    pub(super) code: u16,
    pub(super) kind: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Response {
    fn json(code: u16, body: &Value) -> Self {
        Self { code, kind: "application/json", fields: Vec::new(), body: body.to_string() }
    }

    fn problem(code: u16, kind: &str, detail: &str) -> Self {
        let body =
            json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail, "status": code });
        Self { kind: "application/problem+json", ..Self::json(code, &body) }
    }

    fn with(mut self, field: &'static str, value: String) -> Self {
        self.fields.push((field, value));
        self
    }
}

/// The signer of a request, and its payload.
struct Signed {
    /// The thumbprint of the key in the request, or `None` if it names an account.
    key: Option<String>,
    account: Option<String>,
    payload: Value,
}

pub(super) fn answer(request: &Request, shared: &Shared, behaviour: &Behaviour) -> Response {
    let base = format!("https://localhost:{}", shared.address.port());
    let mut records = locked(&shared.records);
    let answer = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/directory") if behaviour.has_moved => Response {
            code: 301,
            kind: "text/html",
            fields: vec![("Location", "/moved/directory".to_owned())],
            body: String::new(),
        },
        ("GET", "/directory" | "/moved/directory") => directory(&base, behaviour),
        ("HEAD" | "GET", "/nonce") => Response::json(200, &json!({})),
        ("GET", path) if path.starts_with("/renewal/") => {
            renewal(path.trim_start_matches("/renewal/"), &records, behaviour)
        }
        ("POST", path) => match signed(request, &base, &mut records, behaviour) {
            Ok(signed) => post(path, &signed, &base, shared, &mut records, behaviour),
            Err(problem) => problem,
        },
        _ => Response::problem(404, "malformed", "no such page"),
    };
    records.given += 1;
    let nonce = URL_SAFE_NO_PAD.encode(format!("nonce {}", records.given));
    records.nonces.insert(nonce.clone());
    answer.with("Replay-Nonce", nonce)
}

fn directory(base: &str, behaviour: &Behaviour) -> Response {
    let mut directory = json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/new-account"),
        "newOrder": format!("{base}/new-order"),
        "revokeCert": format!("{base}/revoke"),
        "keyChange": format!("{base}/key-change"),
    });
    if behaviour.renewal_window.is_some() {
        directory["renewalInfo"] = json!(format!("{base}/renewal"));
    }
    Response::json(200, &directory)
}

/// Parses the request's envelope (RFC 8555 §6.2) and uses up its nonce (§6.5).
fn signed(
    request: &Request,
    base: &str,
    records: &mut Records,
    behaviour: &Behaviour,
) -> Result<Signed, Response> {
    let malformed = || Response::problem(400, "malformed", "malformed signed request");
    let decode = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str()?).ok();
    let envelope = web::json(&request.body).ok_or_else(malformed)?;
    let head = decode(&envelope["protected"]).and_then(|octets| web::json(&octets)).ok_or_else(malformed)?;
    let payload = decode(&envelope["payload"]).ok_or_else(malformed)?;
    let nonce = head["nonce"].as_str().unwrap_or_default();
    let is_good = records.nonces.remove(nonce);
    if !is_good || (behaviour.refuses_nonces && !records.given.is_multiple_of(3)) {
        return Err(Response::problem(400, "badNonce", "the nonce is not valid"));
    }
    if head["url"] != json!(format!("{base}{}", request.path)) {
        return Err(Response::problem(401, "unauthorized", "signed for another page"));
    }
    let key = head["jwk"].is_object().then(|| thumbprint(&head["jwk"]));
    let payload = web::json(&payload).unwrap_or(Value::Null);
    Ok(Signed { key, account: head["kid"].as_str().map(str::to_owned), payload })
}

/// RFC 7638 §3, for keys of elliptic curves.
fn thumbprint(key: &Value) -> String {
    let field = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
    let text = format!(
        r#"{{"crv":"{}","kty":"{}","x":"{}","y":"{}"}}"#,
        field("crv"),
        field("kty"),
        field("x"),
        field("y")
    );
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn post(
    path: &str,
    signed: &Signed,
    base: &str,
    shared: &Shared,
    records: &mut Records,
    behaviour: &Behaviour,
) -> Response {
    if path == "/new-account" {
        return new_account(signed, base, records, behaviour);
    }
    let number = signed.account.as_deref().and_then(|id| id.rsplit('/').next()?.parse::<usize>().ok());
    let Some(account) = number.filter(|number| *number < records.accounts.len()) else {
        return Response::problem(400, "accountDoesNotExist", "no such account");
    };
    if records.deactivated.contains(&account) {
        return Response::problem(403, "unauthorized", "the account has the status deactivated");
    }
    let mut parts = path.trim_start_matches('/').split('/');
    let page = parts.next().unwrap_or_default();
    let numbers: Vec<usize> = parts.filter_map(|part| part.parse().ok()).collect();
    match (page, numbers.as_slice()) {
        ("account", _) => Response::json(200, &json!({ "status": "valid" })),
        ("new-order", _) => new_order(signed, account, base, records, behaviour),
        ("order", [order]) if *order < records.orders.len() => {
            if records.orders[*order].chain.is_some() {
                records.orders[*order].polls += 1;
            }
            order_page(*order, base, records, behaviour, 200)
        }
        ("authorization", [order, index]) if *order < records.orders.len() => {
            authorization(*order, *index, base, records, behaviour)
        }
        ("challenge", [order, index]) if *order < records.orders.len() => {
            validate(*order, *index, base, shared, records, behaviour)
        }
        ("finalize", [order]) if *order < records.orders.len() => {
            finalize(*order, signed, base, shared, records, behaviour)
        }
        ("certificate", [order]) if *order < records.orders.len() => {
            if records.orders[*order].certificate_polls < behaviour.polls_without_certificate {
                records.orders[*order].certificate_polls += 1;
                return Response::problem(404, "malformed", "no such certificate yet");
            }
            let chain = records.orders[*order].chain.clone().unwrap_or_default();
            Response { code: 200, kind: "application/pem-certificate-chain", fields: Vec::new(), body: chain }
        }
        _ => Response::problem(404, "malformed", "no such page"),
    }
}

fn new_account(signed: &Signed, base: &str, records: &mut Records, behaviour: &Behaviour) -> Response {
    let Some(key) = signed.key.clone() else {
        return Response::problem(400, "malformed", "the request has no key");
    };
    let binding = &signed.payload["externalAccountBinding"];
    if behaviour.requires_binding && !binding.is_object() {
        return Response::problem(403, "externalAccountRequired", "create an account on the website first");
    }
    let bound = binding["protected"].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    if let Some(head) = bound.and_then(|octets| web::json(&octets)) {
        records.bindings.push(head["kid"].as_str().unwrap_or_default().to_owned());
    }
    records.accounts.push(key);
    Response::json(201, &json!({ "status": "valid" }))
        .with("Location", format!("{base}/account/{}", records.accounts.len() - 1))
}

fn new_order(
    signed: &Signed,
    account: usize,
    base: &str,
    records: &mut Records,
    behaviour: &Behaviour,
) -> Response {
    let names: Vec<String> = signed.payload["identifiers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|identifier| identifier["value"].as_str().map(str::to_owned))
        .collect();
    let replaces = signed.payload["replaces"].as_str().map(str::to_owned);
    records.ordered.push(Ordered { at: Instant::now(), names: names.clone(), replaces: replaces.clone() });
    let (limited, seconds) = behaviour.rate_limits;
    if records.ordered.len() <= limited {
        return Response::problem(429, "rateLimited", "too many orders lately")
            .with("Retry-After", seconds.to_string());
    }
    let unwanted: Vec<Value> = names
        .iter()
        .filter(|name| behaviour.refused_names.contains(*name))
        .map(|name| {
            json!({ "type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "not on my watch",
                    "identifier": { "type": "dns", "value": name } })
        })
        .collect();
    if !unwanted.is_empty() {
        let body = json!({ "type": "urn:ietf:params:acme:error:rejectedIdentifier",
            "detail": "some names are refused", "subproblems": unwanted, "status": 400 });
        return Response { kind: "application/problem+json", ..Response::json(400, &body) };
    }
    let number = records.orders.len();
    let challenge =
        |index: usize| Challenge { token: format!("token-{number}-{index}"), state: ChallengeState::Pending };
    let challenges = (0..names.len()).map(challenge).collect();
    records.orders.push(Order {
        account,
        names,
        challenges,
        replaces,
        chain: None,
        polls: 0,
        certificate_polls: 0,
        early: 0,
    });
    order_page(number, base, records, behaviour, 201).with("Location", format!("{base}/order/{number}"))
}

fn order_page(number: usize, base: &str, records: &Records, behaviour: &Behaviour, code: u16) -> Response {
    let order = &records.orders[number];
    let is_invalid = order.challenges.iter().any(|proof| matches!(proof.state, ChallengeState::Invalid(_)));
    let is_proved = order.challenges.iter().all(|proof| proof.state == ChallengeState::Valid);
    let status = match (&order.chain, is_invalid, is_proved) {
        (Some(chain), ..) if chain.is_empty() || order.polls < behaviour.polls_in_processing => "processing",
        (Some(_), ..) => "valid",
        (None, true, _) => "invalid",
        (None, false, true) => "ready",
        (None, false, false) => "pending",
    };
    let authorizations: Vec<String> =
        (0..order.names.len()).map(|index| format!("{base}/authorization/{number}/{index}")).collect();
    let mut page = json!({
        "status": status,
        "authorizations": authorizations,
        "finalize": format!("{base}/finalize/{number}"),
        "identifiers": order.names.iter().map(|name| identifier(name, behaviour)).collect::<Vec<_>>(),
    });
    if status == "valid" {
        page["certificate"] = json!(format!("{base}/certificate/{number}"));
    }
    if let Some(replaces) = &order.replaces {
        page["replaces"] = json!(replaces);
    }
    Response::json(code, &page)
}

fn identifier(name: &str, behaviour: &Behaviour) -> Value {
    let name = if behaviour.writes_upper_case { name.to_ascii_uppercase() } else { name.to_owned() };
    json!({ "type": "dns", "value": name })
}

fn challenge_page(number: usize, index: usize, base: &str, records: &Records) -> Value {
    let proof = &records.orders[number].challenges[index];
    let mut page = json!({
        "type": "http-01",
        "url": format!("{base}/challenge/{number}/{index}"),
        "token": proof.token,
        "status": match proof.state { ChallengeState::Pending => "pending", ChallengeState::Valid => "valid", ChallengeState::Invalid(_) => "invalid" },
    });
    if let ChallengeState::Invalid(why) = &proof.state {
        page["error"] = json!({ "type": "urn:ietf:params:acme:error:unauthorized", "detail": why });
    }
    page
}

fn authorization(
    number: usize,
    index: usize,
    base: &str,
    records: &Records,
    behaviour: &Behaviour,
) -> Response {
    let Some(name) = records.orders[number].names.get(index) else {
        return Response::problem(404, "malformed", "no such authorization");
    };
    let challenge = challenge_page(number, index, base, records);
    Response::json(
        200,
        &json!({
            "identifier": identifier(name, behaviour),
            "status": challenge["status"],
            "challenges": [challenge],
        }),
    )
}

/// Validates at once, before the client gets its reply; so a later request finds the result.
fn validate(
    number: usize,
    index: usize,
    base: &str,
    shared: &Shared,
    records: &mut Records,
    behaviour: &Behaviour,
) -> Response {
    let order = &records.orders[number];
    let Some(name) = order.names.get(index).cloned() else {
        return Response::problem(404, "malformed", "no such challenge");
    };
    let token = order.challenges[index].token.clone();
    let expected = format!("{token}.{}", records.accounts[order.account]);
    let state = match web::fetch_challenge(shared.http, &name, &token) {
        _ if behaviour.failing_names.contains(&name) => {
            ChallengeState::Invalid(format!("{name} looks wrong to me"))
        }
        Ok(found) if found.trim() == expected => ChallengeState::Valid,
        Ok(found) => ChallengeState::Invalid(format!("found {found:?} at {name}")),
        Err(error) => ChallengeState::Invalid(format!("cannot look at {name}: {error}")),
    };
    records.orders[number].challenges[index].state = state;
    // The client is shown `processing`, as by authorities that take their time.
    let mut page = challenge_page(number, index, base, records);
    page["status"] = json!("processing");
    page.as_object_mut().map(|page| page.remove("error"));
    Response::json(200, &page)
}

fn finalize(
    number: usize,
    signed: &Signed,
    base: &str,
    shared: &Shared,
    records: &mut Records,
    behaviour: &Behaviour,
) -> Response {
    if records.orders[number].challenges.iter().any(|proof| proof.state != ChallengeState::Valid) {
        return Response::problem(403, "orderNotReady", "the names are not validated");
    }
    if records.orders[number].early < behaviour.early_finalizations {
        records.orders[number].early += 1;
        return Response::problem(403, "orderNotReady", "the order is not ready yet");
    }
    if behaviour.never_signs {
        records.orders[number].chain = Some(String::new());
        return order_page(number, base, records, behaviour, 200);
    }
    let request = signed.payload["csr"].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let issued = request.and_then(|request| {
        shared.issuing.sign(&request, number, now(), behaviour.lifetime, behaviour.chain)
    });
    let Some(issued) = issued else {
        return Response::problem(400, "badCSR", "the request cannot be signed");
    };
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    if sorted(&issued.names) != sorted(&records.orders[number].names) {
        return Response::problem(400, "badCSR", "the names are not those of the order");
    }
    records.issued.insert(issued.serial, now());
    records.orders[number].chain = Some(issued.chain);
    order_page(number, base, records, behaviour, 200)
}

/// RFC 9773 §4: the certificate is identified by its issuer's key identifier and its serial number.
fn renewal(id: &str, records: &Records, behaviour: &Behaviour) -> Response {
    let Some((from, to)) = behaviour.renewal_window else {
        return Response::problem(404, "malformed", "no suggestions");
    };
    let serial = id.split_once('.').map_or("", |(_, serial)| serial);
    let Some(begin) = records.issued.get(serial) else {
        return Response::problem(404, "malformed", "unknown certificate");
    };
    let (from, to) = if records.revoked.contains(serial) { (-7200, -3600) } else { (from, to) };
    let window = json!({ "start": calendar::rfc3339(begin + from), "end": calendar::rfc3339(begin + to) });
    let body = json!({ "suggestedWindow": window, "explanationURL": "https://authority.example/why" });
    Response::json(200, &body).with("Retry-After", "21600".to_owned())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(since.as_secs()).expect("it is before the end of time")
}
