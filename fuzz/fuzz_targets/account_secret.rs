//! Password hashes from other programs: parsed or refused, and a parsed hash parses again unchanged.

#![no_main]

use accounts::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Secret::looks_like(text);
    if let Ok(secret) = Secret::parse(text) {
        assert!(text.ends_with(secret.as_str()));
        assert!(Secret::looks_like(text), "a usable hash is never read as a password");
        assert_eq!(Secret::parse(secret.as_str()), Ok(secret));
    }
});
