use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn completed(step: ExchangeStep) -> Credentials {
    match step {
        ExchangeStep::Complete(credentials) => credentials,
        other => panic!("{other:?}"),
    }
}

fn is_password(credentials: &Credentials, text: &str) -> bool {
    credentials.password.octets() == text.as_bytes()
}

#[test]
fn plain_reads_the_examples_of_rfc_4616_section_4() {
    for (message, login, password) in [
        ("\0tim\0tanstaaftanstaaf", "tim", "tanstaaftanstaaf"),
        ("tim\0tim\0x", "tim", "x"),
        ("\0ann@example.org\0p\u{e9}", "ann@example.org", "p\u{e9}"),
    ] {
        let credentials = completed(Mechanism::Plain.start(Some(STANDARD.encode(message).as_bytes())));
        assert_eq!(credentials.login, login);
        assert!(is_password(&credentials, password));
    }
}

#[test]
fn plain_refuses_malformed_messages() {
    for (message, error) in [
        (&b""[..], SaslError::Malformed),
        (b"tim", SaslError::Malformed),
        (b"\0tim", SaslError::Malformed),
        (b"\0\0x", SaslError::Malformed),
        (b"\0tim\0", SaslError::Malformed),
        (b"\0tim\0a\0b", SaslError::Malformed),
        (b"\0\xff\0x", SaslError::Malformed),
        (b"kurt\0tim\0x", SaslError::AuthzidMismatch),
    ] {
        match Mechanism::Plain.start(Some(STANDARD.encode(message).as_bytes())) {
            ExchangeStep::Failed(failed) => assert_eq!(failed, error, "{message:?}"),
            other => panic!("{message:?}: {other:?}"),
        }
    }
}

#[test]
fn without_an_initial_response_plain_sends_an_empty_challenge() {
    let ExchangeStep::Challenge(challenge, exchange) = Mechanism::Plain.start(None) else { panic!() };
    assert_eq!(challenge, "");
    assert_eq!(completed(exchange.respond(b"AHRpbQB4")).login, "tim");
}

#[test]
fn login_sends_a_challenge_for_the_name_and_one_for_the_password() {
    let ExchangeStep::Challenge(challenge, exchange) = Mechanism::Login.start(None) else { panic!() };
    assert_eq!(STANDARD.decode(challenge).unwrap(), b"Username:");
    let ExchangeStep::Challenge(challenge, exchange) = exchange.respond(STANDARD.encode("ann").as_bytes())
    else {
        panic!()
    };
    assert_eq!(STANDARD.decode(challenge).unwrap(), b"Password:");
    let credentials = completed(exchange.respond(STANDARD.encode("p w").as_bytes()));
    assert_eq!(credentials.login, "ann");
    assert!(is_password(&credentials, "p w"));
}

#[test]
fn login_accepts_the_name_as_an_initial_response() {
    let ExchangeStep::Challenge(challenge, _) = Mechanism::Login.start(Some(b"YW5u")) else { panic!() };
    assert_eq!(STANDARD.decode(challenge).unwrap(), b"Password:");
}

#[test]
fn a_star_cancels_and_invalid_base64_is_an_error_of_its_own() {
    for mechanism in Mechanism::ALL {
        for (line, error) in [
            (&b"*"[..], SaslError::Cancelled),
            (b"!", SaslError::NotBase64),
            (b"AHRpbQB4=", SaslError::NotBase64),
            (b"AHRp bQB4", SaslError::NotBase64),
            (b"\xff\xff", SaslError::NotBase64),
            (b"=", SaslError::NotBase64),
        ] {
            let ExchangeStep::Challenge(_, exchange) = mechanism.start(None) else { panic!() };
            match exchange.respond(line) {
                ExchangeStep::Failed(failed) => assert_eq!(failed, error, "{line:?}"),
                other => panic!("{line:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_equals_sign_is_an_empty_initial_response() {
    assert!(matches!(Mechanism::Plain.start(Some(b"=")), ExchangeStep::Failed(SaslError::Malformed)));
    assert!(matches!(Mechanism::Login.start(Some(b"=")), ExchangeStep::Failed(SaslError::Malformed)));
}

#[test]
fn a_star_cancels_only_after_a_challenge() {
    for mechanism in Mechanism::ALL {
        assert!(matches!(mechanism.start(Some(b"*")), ExchangeStep::Failed(SaslError::NotBase64)));
    }
}

#[test]
fn an_impossible_password_is_wrong_rather_than_malformed() {
    let long = "x".repeat(Password::MAX_LEN + 1);
    let message = STANDARD.encode(format!("\0ann\0{long}"));
    let step = Mechanism::Plain.start(Some(message.as_bytes()));
    assert!(matches!(step, ExchangeStep::Failed(SaslError::InvalidPassword)));
    for password in ["", "a\0b", &long] {
        let ExchangeStep::Challenge(_, exchange) = Mechanism::Login.start(Some(b"YW5u")) else { panic!() };
        let step = exchange.respond(STANDARD.encode(password).as_bytes());
        assert!(matches!(step, ExchangeStep::Failed(SaslError::InvalidPassword)), "{password:?}");
    }
}

#[test]
fn the_response_of_a_client_is_read_by_the_server() {
    let sent = Credentials { login: "ann".to_owned(), password: Password::new("correct horse").unwrap() };
    assert_eq!(*sent.plain_response(), "AGFubgBjb3JyZWN0IGhvcnNl");
    let read = completed(Mechanism::Plain.start(Some(sent.plain_response().as_bytes())));
    assert_eq!(read.login, sent.login);
    assert!(is_password(&read, "correct horse"));
}

#[test]
fn mechanisms_are_found_in_any_case_and_only_those_that_are_offered() {
    assert_eq!(Mechanism::parse("plain"), Some(Mechanism::Plain));
    assert_eq!(Mechanism::parse("Login"), Some(Mechanism::Login));
    assert_eq!(Mechanism::parse("SCRAM-SHA-256"), None);
}
