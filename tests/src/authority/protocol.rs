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

pub(super) fn answer(request: &Request, shared: &Shared, manners: &Behaviour) -> Response {
    let base = format!("https://localhost:{}", shared.address.port());
    let mut book = locked(&shared.records);
    let answer = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/directory") if manners.has_moved => Response {
            code: 301,
            kind: "text/html",
            fields: vec![("Location", "/moved/directory".to_owned())],
            body: String::new(),
        },
        ("GET", "/directory" | "/moved/directory") => directory(&base, manners),
        ("HEAD" | "GET", "/nonce") => Response::json(200, &json!({})),
        ("GET", path) if path.starts_with("/renewal/") => {
            renewal(path.trim_start_matches("/renewal/"), &book, manners)
        }
        ("POST", path) => match signed(request, &base, &mut book, manners) {
            Ok(signed) => post(path, &signed, &base, shared, &mut book, manners),
            Err(problem) => problem,
        },
        _ => Response::problem(404, "malformed", "no such page"),
    };
    book.given += 1;
    let nonce = URL_SAFE_NO_PAD.encode(format!("nonce {}", book.given));
    book.nonces.insert(nonce.clone());
    answer.with("Replay-Nonce", nonce)
}

fn directory(base: &str, manners: &Behaviour) -> Response {
    let mut directory = json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/new-account"),
        "newOrder": format!("{base}/new-order"),
        "revokeCert": format!("{base}/revoke"),
        "keyChange": format!("{base}/key-change"),
    });
    if manners.renewal_window.is_some() {
        directory["renewalInfo"] = json!(format!("{base}/renewal"));
    }
    Response::json(200, &directory)
}

/// Parses the request's envelope (RFC 8555 §6.2) and uses up its nonce (§6.5).
fn signed(
    request: &Request,
    base: &str,
    book: &mut Records,
    manners: &Behaviour,
) -> Result<Signed, Response> {
    let malformed = || Response::problem(400, "malformed", "malformed signed request");
    let decode = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str()?).ok();
    let envelope = web::json(&request.body).ok_or_else(malformed)?;
    let head = decode(&envelope["protected"]).and_then(|octets| web::json(&octets)).ok_or_else(malformed)?;
    let payload = decode(&envelope["payload"]).ok_or_else(malformed)?;
    let nonce = head["nonce"].as_str().unwrap_or_default();
    let is_good = book.nonces.remove(nonce);
    if !is_good || (manners.refuses_nonces && !book.given.is_multiple_of(3)) {
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
    book: &mut Records,
    manners: &Behaviour,
) -> Response {
    if path == "/new-account" {
        return new_account(signed, base, book, manners);
    }
    let number = signed.account.as_deref().and_then(|id| id.rsplit('/').next()?.parse::<usize>().ok());
    let Some(account) = number.filter(|number| *number < book.accounts.len()) else {
        return Response::problem(400, "accountDoesNotExist", "no such account");
    };
    if book.deactivated.contains(&account) {
        return Response::problem(403, "unauthorized", "the account has the status deactivated");
    }
    let mut parts = path.trim_start_matches('/').split('/');
    let page = parts.next().unwrap_or_default();
    let numbers: Vec<usize> = parts.filter_map(|part| part.parse().ok()).collect();
    match (page, numbers.as_slice()) {
        ("account", _) => Response::json(200, &json!({ "status": "valid" })),
        ("new-order", _) => new_order(signed, account, base, book, manners),
        ("order", [order]) if *order < book.orders.len() => {
            if book.orders[*order].chain.is_some() {
                book.orders[*order].polls += 1;
            }
            order_page(*order, base, book, manners, 200)
        }
        ("authorization", [order, index]) if *order < book.orders.len() => {
            authorization(*order, *index, base, book, manners)
        }
        ("challenge", [order, index]) if *order < book.orders.len() => {
            validate(*order, *index, base, shared, book, manners)
        }
        ("finalize", [order]) if *order < book.orders.len() => {
            finalize(*order, signed, base, shared, book, manners)
        }
        ("certificate", [order]) if *order < book.orders.len() => {
            if book.orders[*order].certificate_polls < manners.polls_without_certificate {
                book.orders[*order].certificate_polls += 1;
                return Response::problem(404, "malformed", "no such certificate yet");
            }
            let chain = book.orders[*order].chain.clone().unwrap_or_default();
            Response { code: 200, kind: "application/pem-certificate-chain", fields: Vec::new(), body: chain }
        }
        _ => Response::problem(404, "malformed", "no such page"),
    }
}

fn new_account(signed: &Signed, base: &str, book: &mut Records, manners: &Behaviour) -> Response {
    let Some(key) = signed.key.clone() else {
        return Response::problem(400, "malformed", "the request has no key");
    };
    let binding = &signed.payload["externalAccountBinding"];
    if manners.requires_binding && !binding.is_object() {
        return Response::problem(403, "externalAccountRequired", "create an account on the website first");
    }
    let bound = binding["protected"].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    if let Some(head) = bound.and_then(|octets| web::json(&octets)) {
        book.bindings.push(head["kid"].as_str().unwrap_or_default().to_owned());
    }
    book.accounts.push(key);
    Response::json(201, &json!({ "status": "valid" }))
        .with("Location", format!("{base}/account/{}", book.accounts.len() - 1))
}

fn new_order(
    signed: &Signed,
    account: usize,
    base: &str,
    book: &mut Records,
    manners: &Behaviour,
) -> Response {
    let names: Vec<String> = signed.payload["identifiers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|identifier| identifier["value"].as_str().map(str::to_owned))
        .collect();
    let replaces = signed.payload["replaces"].as_str().map(str::to_owned);
    book.ordered.push(Ordered { at: Instant::now(), names: names.clone(), replaces: replaces.clone() });
    let (limited, seconds) = manners.rate_limits;
    if book.ordered.len() <= limited {
        return Response::problem(429, "rateLimited", "too many orders lately")
            .with("Retry-After", seconds.to_string());
    }
    let unwanted: Vec<Value> = names
        .iter()
        .filter(|name| manners.refused_names.contains(*name))
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
    let number = book.orders.len();
    let proof =
        |index: usize| Challenge { token: format!("token-{number}-{index}"), state: ChallengeState::Pending };
    let proofs = (0..names.len()).map(proof).collect();
    let (looks, misses, early) = (0, 0, 0);
    book.orders.push(Order {
        account,
        names,
        challenges: proofs,
        replaces,
        chain: None,
        polls: looks,
        certificate_polls: misses,
        early,
    });
    order_page(number, base, book, manners, 201).with("Location", format!("{base}/order/{number}"))
}

fn order_page(number: usize, base: &str, book: &Records, manners: &Behaviour, code: u16) -> Response {
    let order = &book.orders[number];
    let is_invalid = order.challenges.iter().any(|proof| matches!(proof.state, ChallengeState::Invalid(_)));
    let is_proved = order.challenges.iter().all(|proof| proof.state == ChallengeState::Valid);
    let status = match (&order.chain, is_invalid, is_proved) {
        (Some(chain), ..) if chain.is_empty() || order.polls < manners.polls_in_processing => "processing",
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
        "identifiers": order.names.iter().map(|name| identifier(name, manners)).collect::<Vec<_>>(),
    });
    if status == "valid" {
        page["certificate"] = json!(format!("{base}/certificate/{number}"));
    }
    if let Some(replaces) = &order.replaces {
        page["replaces"] = json!(replaces);
    }
    Response::json(code, &page)
}

fn identifier(name: &str, manners: &Behaviour) -> Value {
    let name = if manners.writes_upper_case { name.to_ascii_uppercase() } else { name.to_owned() };
    json!({ "type": "dns", "value": name })
}

fn challenge_page(number: usize, index: usize, base: &str, book: &Records) -> Value {
    let proof = &book.orders[number].challenges[index];
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

fn authorization(number: usize, index: usize, base: &str, book: &Records, manners: &Behaviour) -> Response {
    let Some(name) = book.orders[number].names.get(index) else {
        return Response::problem(404, "malformed", "no such authorization");
    };
    let challenge = challenge_page(number, index, base, book);
    Response::json(
        200,
        &json!({
            "identifier": identifier(name, manners),
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
    book: &mut Records,
    manners: &Behaviour,
) -> Response {
    let order = &book.orders[number];
    let Some(name) = order.names.get(index).cloned() else {
        return Response::problem(404, "malformed", "no such challenge");
    };
    let token = order.challenges[index].token.clone();
    let expected = format!("{token}.{}", book.accounts[order.account]);
    let state = match web::fetch_challenge(shared.http, &name, &token) {
        _ if manners.failing_names.contains(&name) => {
            ChallengeState::Invalid(format!("{name} looks wrong to me"))
        }
        Ok(found) if found.trim() == expected => ChallengeState::Valid,
        Ok(found) => ChallengeState::Invalid(format!("found {found:?} at {name}")),
        Err(error) => ChallengeState::Invalid(format!("cannot look at {name}: {error}")),
    };
    book.orders[number].challenges[index].state = state;
    // The client is shown `processing`, as by authorities that take their time.
    let mut page = challenge_page(number, index, base, book);
    page["status"] = json!("processing");
    page.as_object_mut().map(|page| page.remove("error"));
    Response::json(200, &page)
}

fn finalize(
    number: usize,
    signed: &Signed,
    base: &str,
    shared: &Shared,
    book: &mut Records,
    manners: &Behaviour,
) -> Response {
    if book.orders[number].challenges.iter().any(|proof| proof.state != ChallengeState::Valid) {
        return Response::problem(403, "orderNotReady", "the names are not validated");
    }
    if book.orders[number].early < manners.early_finalizations {
        book.orders[number].early += 1;
        return Response::problem(403, "orderNotReady", "the order is not ready yet");
    }
    if manners.never_signs {
        book.orders[number].chain = Some(String::new());
        return order_page(number, base, book, manners, 200);
    }
    let request = signed.payload["csr"].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let issued = request
        .and_then(|request| shared.issuing.sign(&request, number, now(), manners.lifetime, manners.chain));
    let Some(issued) = issued else {
        return Response::problem(400, "badCSR", "the request cannot be signed");
    };
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    if sorted(&issued.names) != sorted(&book.orders[number].names) {
        return Response::problem(400, "badCSR", "the names are not those of the order");
    }
    book.issued.insert(issued.serial, now());
    book.orders[number].chain = Some(issued.chain);
    order_page(number, base, book, manners, 200)
}

/// RFC 9773 §4: the certificate is identified by its issuer's key identifier and its serial number.
fn renewal(id: &str, book: &Records, manners: &Behaviour) -> Response {
    let Some((from, to)) = manners.renewal_window else {
        return Response::problem(404, "malformed", "no suggestions");
    };
    let serial = id.split_once('.').map_or("", |(_, serial)| serial);
    let Some(begin) = book.issued.get(serial) else {
        return Response::problem(404, "malformed", "unknown certificate");
    };
    let (from, to) = if book.revoked.contains(serial) { (-7200, -3600) } else { (from, to) };
    let window = json!({ "start": calendar::rfc3339(begin + from), "end": calendar::rfc3339(begin + to) });
    let body = json!({ "suggestedWindow": window, "explanationURL": "https://authority.example/why" });
    Response::json(200, &body).with("Retry-After", "21600".to_owned())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(since.as_secs()).expect("it is before the end of time")
}
