//! Password hashes that somebody brought along: read or refused, and what was read is read again as it is.

#![no_main]

use accounts::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Secret::looks_like(text);
    if let Ok(secret) = Secret::parse(text) {
        assert!(text.ends_with(secret.as_str()));
        assert!(Secret::looks_like(text), "what can be used as a hash is not taken for a password");
        assert_eq!(Secret::parse(secret.as_str()), Ok(secret));
    }
});
