//! SASL exchanges: a client's lines, to whatever end. Credentials that come out are ones that a client could send.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sasl::{Credentials, ExchangeStep, Mechanism, Password};

fuzz_target!(|octets: &[u8]| {
    for mechanism in Mechanism::ALL {
        let mut lines = octets.split(|octet| *octet == b'\n');
        let mut step = mechanism.start(lines.next().filter(|line| !line.is_empty()));
        let mut challenges = 0;
        while let ExchangeStep::Challenge(_, exchange) = step {
            challenges += 1;
            assert!(challenges <= 2, "it asks for a name and a password, and no more");
            let Some(line) = lines.next() else { return };
            step = exchange.respond(line);
        }
        if let ExchangeStep::Complete(credentials) = step {
            reads_back(&credentials);
        }
    }
});

/// The client side of PLAIN produces what the server side has parsed. A name with a NUL can come by LOGIN only.
fn reads_back(credentials: &Credentials) {
    assert!(!credentials.login.is_empty());
    assert!((1..=Password::MAX_LEN).contains(&credentials.password.octets().len()));
    if credentials.login.contains('\0') {
        return;
    }
    let ExchangeStep::Complete(again) = Mechanism::Plain.start(Some(credentials.plain_response().as_bytes()))
    else {
        panic!("the server refuses what it has understood");
    };
    assert_eq!(again.login, credentials.login);
    assert_eq!(again.password.octets(), credentials.password.octets());
}
