use super::*;

fn http() -> Http {
    let server = "127.0.0.1:1".parse().unwrap();
    let resolver = crate::dns::resolver::of(&[server]).unwrap();
    Http::new(resolver, super::super::trust::client(None).unwrap())
}

fn ours() -> ChallengesByName {
    challenges_by_name(&[
        ("mail.example.org".to_owned(), ChallengeKind::Http),
        ("autoconfig.example.org".to_owned(), ChallengeKind::Dns),
    ])
}

fn problem(json: &str) -> Problem {
    serde_json::from_str(json).unwrap()
}

#[test]
fn names_that_a_problem_lists_or_mentions_are_found_in_any_case() {
    let listed = problem(
        r#"{"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "no", "subproblems": [
            {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA forbids",
             "identifier": {"type": "dns", "value": "AutoConfig.Example.org"}}]}"#,
    );
    let refused = named(&listed, &ours(), &http());
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (refused[0].name.as_str(), refused[0].challenge),
        ("autoconfig.example.org", ChallengeKind::Dns)
    );
    assert_eq!(refused[0].reason.why, "CAA forbids");
    assert!(refused[0].reason.fix.as_ref().unwrap().contains("CAA 0 issue"), "{refused:?}");
    let mentioned = problem(r#"{"detail": "Cannot issue for \"MAIL.example.org\": policy"}"#);
    assert_eq!(named(&mentioned, &ours(), &http())[0].name, "mail.example.org");
    let of_others = problem(r#"{"detail": "Cannot issue for \"webmail.example.org\" or \"example.org\""}"#);
    assert_eq!(named(&of_others, &ours(), &http()), []);
}

#[test]
fn each_problem_has_the_fix_that_names_our_setting() {
    let http = http();
    for (kind, words) in [
        ("externalAccountRequired", "MAIL_ACME_EAB_KEY_ID"),
        ("userActionRequired", "terms"),
        ("caa", "CAA 0 issue"),
        ("dns", "mailstead dns"),
        ("connection", "80 and 443"),
        ("tls", "MAIL_ACME_CHALLENGE"),
        ("rejectedIdentifier", "MAIL_ACME_DIRECTORY"),
        ("invalidContact", "MAIL_ACME_CONTACT"),
    ] {
        let json = format!(r#"{{"type": "urn:ietf:params:acme:error:{kind}", "detail": "no"}}"#);
        let reason = AcmeError::of(Error::Api(problem(&json)), &http).reason();
        let fix = reason.fix.unwrap_or_default();
        assert!(fix.contains(words) && fix.contains("docker compose"), "{kind}: {fix}");
        assert_eq!(reason.why, "no");
    }
    let other = problem(r#"{"type": "urn:ietf:params:acme:error:compound", "detail": "no"}"#);
    assert_eq!(AcmeError::of(Error::Api(other), &http).reason().fix, None);
}

#[test]
fn a_placed_order_survives_temporary_errors_and_ends_with_a_refusal() {
    let http = http();
    let api = |json: &str| Error::Api(problem(json));
    let is_pending = |error: Error| matches!(AcmeError::of_order(error, &http), AcmeError::Pending { .. });
    assert!(is_pending(Error::Timeout(None)));
    assert!(is_pending(Error::Str("no certificate URL found")));
    for kind in ["serverInternal", "orderNotReady", "badNonce", "rateLimited"] {
        assert!(is_pending(api(&format!(r#"{{"type": "urn:ietf:params:acme:error:{kind}"}}"#))), "{kind}");
    }
    let gone = api(r#"{"type": "urn:ietf:params:acme:error:malformed", "status": 404}"#);
    assert!(matches!(AcmeError::of_order(gone, &http), AcmeError::Pending { is_gone: true, .. }));
    for kind in ["badCSR", "caa", "rejectedIdentifier"] {
        assert!(!is_pending(api(&format!(r#"{{"type": "urn:ietf:params:acme:error:{kind}"}}"#))), "{kind}");
    }
}
