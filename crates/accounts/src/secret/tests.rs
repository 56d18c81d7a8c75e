use super::*;

/// Hashes made by other programs; their origin is noted in the file.
const VECTORS: &str = include_str!("../../vectors/hashes.tsv");

fn vectors() -> impl Iterator<Item = (&'static str, &'static str)> {
    VECTORS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('\t').expect("a password, a tab and a hash"))
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

#[test]
fn hashes_of_other_programs_match_only_their_passwords() {
    assert!(vectors().count() > 15);
    for (right, hash) in vectors() {
        let secret = Secret::parse(hash).unwrap_or_else(|error| panic!("{hash}: {error}"));
        assert!(secret.verifies(&password(right)), "{hash}");
        for wrong in [format!("{right}x"), right[1..].to_owned()] {
            assert!(!secret.verifies(&password(&wrong)), "{hash} accepted {wrong}");
        }
    }
}

/// RFC 8265 §4.2: the same text is the same password, whatever octets a keyboard makes of it.
#[test]
fn composed_and_decomposed_passwords_match_hashes_of_either_form() {
    let (composed, decomposed) = (password("\u{e9}clair pass"), password("e\u{301}clair\u{a0}pass"));
    for hashed in [&composed, &decomposed] {
        let secret = Secret::hash(hashed);
        assert!(secret.verifies(&composed) && secret.verifies(&decomposed));
        assert!(!secret.verifies(&password("eclair pass")));
    }
    // As other programs hash it: the octets as received.
    for octets in ["\u{e9}clair", "e\u{301}clair"] {
        let secret = Secret::parse(&bcrypt::hash(octets, 4).unwrap()).unwrap();
        for typed in ["\u{e9}clair", "e\u{301}clair"] {
            assert!(secret.verifies(&password(typed)), "{octets:?} against {typed:?}");
        }
        assert!(!secret.verifies(&password("\u{e8}clair")));
    }
    let latin1 = Secret::parse(&bcrypt::hash(b"\xe9clair", 4).unwrap()).unwrap();
    assert!(latin1.verifies(&Password::new(&b"\xe9clair"[..]).unwrap()));
}

#[test]
fn a_secret_is_stored_without_braces_where_possible() {
    for (_, hash) in vectors() {
        let secret = Secret::parse(hash).unwrap();
        assert!(secret.as_str().starts_with('$') || secret.as_str().starts_with("{SSHA"));
        assert!(hash.ends_with(secret.as_str()));
        assert_eq!(Secret::parse(secret.as_str()), Ok(secret));
    }
}

#[test]
fn a_password_too_long_for_bcrypt_is_refused_not_truncated() {
    let seventy_two = "a".repeat(72);
    let hash = vectors().find(|(password, _)| *password == seventy_two).unwrap().1;
    assert!(bcrypt::verify(format!("{seventy_two}b"), hash.strip_prefix("{BLF-CRYPT}").unwrap()).unwrap());
    assert!(!Secret::parse(hash).unwrap().verifies(&password(&format!("{seventy_two}b"))));
}

#[test]
fn our_own_hashes_are_argon2id_with_a_salt_of_their_own() {
    let (one, other) = (Secret::hash(&password("p")), Secret::hash(&password("p")));
    assert!(one.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.as_str());
    assert_ne!(one, other);
    assert!(one.verifies(&password("p")) && other.verifies(&password("p")));
    assert!(!one.verifies(&password("q")));
    assert_eq!(one.memory(), 19);
}

#[test]
fn a_damaged_hash_is_refused_when_it_is_parsed() {
    for (_, hash) in vectors() {
        let (cut, _) = hash.split_at(hash.len() - if hash.contains("argon2") { 30 } else { 1 });
        assert!(Secret::parse(cut).is_err(), "{cut}");
        if hash.contains("argon2") {
            continue; // It may have any length from 16 octets on.
        }
        let longer = format!("{hash}x");
        assert!(Secret::parse(&longer).is_err(), "{longer}");
    }
}

#[test]
fn unsupported_and_costly_hashes_are_refused_with_a_reason() {
    let argon2 = |params: &str| format!("$argon2id$v=19${params}$c29tZXNhbHQ$u1eU6mZFG4/OOoTdAtM5SQ");
    let sha = |params: &str| format!("$6${params}salt${}", "a".repeat(86));
    let bcrypt = |cost: &str| format!("$2y${cost}$dUblMAKJdsXEokkLLmYaiu59qwlkxTHT9ihk3sEoTTa41QuxKRxqu");
    for (text, said) in [
        ("secret".to_owned(), "not a hash"),
        (String::new(), "not a hash"),
        ("$1$MBnunJ37$3g7OCPNPl2JdJNsPMk1T6/".to_owned(), "not a hash in a supported scheme"),
        ("$y$j9T$sy8Gc6M2QIFk6$MdEt".to_owned(), "supported are {ARGON2ID}"),
        ("{SSHA}abc".to_owned(), "not supported"),
        ("{ARGON2ID".to_owned(), "only the beginning"),
        ("{ARGON2IDx".to_owned(), "is not closed"),
        ("{ARGON2ID}$6$salt$x".to_owned(), "after {ARGON2ID} must begin with $argon2id$"),
        ("{BLF-CRYPT}".to_owned(), "after {BLF-CRYPT} must begin with $2a$ or $2b$ or $2y$"),
        ("{CRYPT}$1$a$b".to_owned(), "must begin with $6$ or $5$ or"),
        ("{SSHA512}".to_owned(), "damaged"),
        ("{SSHA512}no base64".to_owned(), "damaged"),
        (format!("{{SSHA256}}{}", "A".repeat(400)), "damaged"),
        ("$2y$05$short".to_owned(), "damaged"),
        ("$argon2id$v=19$m=65536,t=3,p=1".to_owned(), "damaged"),
        (argon2("m=1048576,t=1,p=1"), "more than 256 MiB"),
        (argon2("m=262144,t=100,p=1"), "too many passes"),
        (sha("rounds=3000000$"), "two million"),
        (sha("rounds=10$"), "damaged"),
        (sha("rounds=$"), "damaged"),
        (bcrypt("31"), "cost above 15"),
    ] {
        let error = Secret::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn no_text_makes_the_parser_panic() {
    for (_, hash) in vectors() {
        for (at, _) in hash.char_indices() {
            let _ = Secret::parse(&hash[..at]);
            let _ = Secret::parse(&hash[at..]);
            let _ = Secret::parse(&format!("{}é{}", &hash[..at], &hash[at..]));
        }
    }
}

#[test]
fn a_text_that_names_a_scheme_is_a_hash_and_any_other_a_password() {
    for (_, hash) in vectors() {
        assert!(Secret::looks_like(hash), "{hash}");
    }
    for hash in ["$1$a$b", "$y$j9T$a$b", "{SSHA}abc", "$argon2id$", "{SCRAM-SHA-256}x", "{sha512-crypt}x"] {
        assert!(Secret::looks_like(hash), "{hash}");
    }
    for password in [
        "$ecret",
        "$5 is a price",
        "$5.99-for-beer",
        "{x",
        "{smile}",
        "a$6$b",
        "$$$",
        "$100$200",
        "{}",
        "",
        "=19",
        "=x=1",
        "$6horses",
        "{argon",
        "'tis a secret'",
    ] {
        assert!(!Secret::looks_like(password), "{password}");
    }
}

/// The result of compose's interpolation of an unquoted value: `$$` is a dollar, and `$` with a name after it becomes
/// empty, since no variable has that name (compose-spec, interpolation).
fn interpolated(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        rest = match behind.chars().next() {
            Some('$') => {
                out.push('$');
                &behind[1..]
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => behind.trim_start_matches(is_name),
            _ => {
                out.push('$');
                behind
            }
        };
    }
    out + rest
}

#[test]
fn the_rest_of_a_hash_after_compose_is_never_a_password() {
    assert_eq!(interpolated("$6$reTX.$of1w/x"), "$6./x");
    for (_, hash) in vectors() {
        let left = interpolated(hash);
        if left != hash {
            assert!(Secret::looks_like(&left) && Secret::parse(&left).is_err(), "{hash} became {left}");
        }
        assert_eq!(interpolated(&hash.replace('$', "$$")), hash);
    }
}

#[test]
fn a_truncated_hash_with_its_scheme_is_refused_as_a_hash() {
    for (_, hash) in vectors() {
        // From the end of the scheme's name to one digit less than the whole; Argon2 may end from 16 octets on.
        let named = match hash.strip_prefix('{') {
            Some(rest) => rest.find('}').unwrap() + 1,
            None => hash[1..].find('$').unwrap() + 1,
        };
        let end = if hash.contains("argon2") { hash.len() - 30 } else { hash.len() };
        for beginning in (named..end).map(|at| &hash[..at]) {
            assert!(Secret::looks_like(beginning) && Secret::parse(beginning).is_err(), "{beginning}");
        }
    }
    for (text, wrong) in [
        ("$6", SecretError::Truncated),
        ("$2y", SecretError::Truncated),
        ("$argon2id", SecretError::Truncated),
        ("{BLF-CRYPT", SecretError::Truncated),
        ("'$6$salt$hash'", SecretError::Quoted),
        ("\"$6", SecretError::Quoted),
    ] {
        assert!(Secret::looks_like(text), "{text}");
        assert_eq!(Secret::parse(text).unwrap_err(), wrong, "{text}");
    }
    assert!(Secret::looks_like(" $6$salt "));
}

#[test]
fn the_shape_of_a_hash_shows_its_scheme_and_nothing_of_it() {
    for (text, shape) in [
        ("$6", "$6$…"),
        ("$6.x/y", "$6$…"),
        ("$2b$05$abc", "$2b$…"),
        ("$argon2i", "$argon2i$…"),
        ("=19=65536,t=3,p=1", "$argon2id$…"),
        ("{blf-crypt}", "{BLF-CRYPT}$2a$…"),
        ("{SSHA512}abc", "{SSHA512}…"),
        ("'$5$salt'", "$5$…"),
        ("$y$j9T$a", "$6$…"),
        ("swordfish", "$6$…"),
    ] {
        assert_eq!(Secret::shape(text), shape, "{text}");
    }
}

/// Found by fuzzing: such a hash was read as a hash, but as a password where both are accepted.
#[test]
fn a_scheme_in_lower_case_still_marks_a_hash() {
    let hash = vectors().find_map(|(_, hash)| hash.strip_prefix("{ARGON2ID}")).unwrap();
    let text = format!("{{argon2Id}}{hash}");
    assert!(Secret::parse(&text).is_ok() && Secret::looks_like(&text));
}

#[test]
fn a_secret_is_never_shown() {
    let secret = Secret::hash(&password("p"));
    assert_eq!(format!("{secret:?}"), "Secret(Argon2 { memory: 19 })");
}
