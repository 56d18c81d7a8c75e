//! Password hashes from other programs: each is parsed or refused, and the text of a parsed hash parses to the same
//! hash.

#![no_main]

use accounts::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Secret::looks_like(text);
    if let Ok(secret) = Secret::parse(text) {
        assert!(text.ends_with(secret.as_str()));
        assert!(Secret::looks_like(text), "a valid hash is never taken for a password");
        assert_eq!(Secret::parse(secret.as_str()), Ok(secret));
    }
});
