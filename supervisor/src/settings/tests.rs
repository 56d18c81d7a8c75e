use std::collections::HashMap;
use std::io;

use accounts::declaration::DeclaredSecret;
use accounts::{Password, Secret};

use super::variables::Variable;
use super::*;

fn settings(set: &[(&str, &str)]) -> Result<Settings, SettingFaults> {
    with_files(set, &HashMap::new())
}

fn with_files(set: &[(&str, &str)], files: &HashMap<&str, &str>) -> Result<Settings, SettingFaults> {
    let environment = set.iter().map(|(name, value)| (name.into(), value.into()));
    Settings::read_with(environment, Some(&Accounts::default()), &|path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    })
}

/// Asserts that the users are these, each with this password or hash.
fn assert_users(settings: &Settings, expected: &[(&str, &str)]) {
    let names: Vec<String> = settings.users.iter().map(|declared| declared.user.to_string()).collect();
    assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (declared, (name, secret)) in settings.users.iter().zip(expected) {
        let is_same = match &declared.secret {
            DeclaredSecret::Hash(hash) => hash.as_str() == *secret,
            // A password is never shown, only compared.
            DeclaredSecret::Plain(password) => {
                Secret::hash(password.password()).verifies(&Password::new(*secret).unwrap())
            }
        };
        assert!(is_same, "{name} has another secret");
    }
}

#[test]
fn a_domain_is_enough() {
    let settings = settings(&[("MAIL_DOMAIN", "example.org")]).unwrap();
    assert_eq!(settings.hostname.as_str(), "mail.example.org");
    assert_eq!(settings.message_size, 50 << 20);
    assert_eq!((settings.users.len(), settings.relay, settings.log), (0, None, Log::default()));
}

/// The other variables that must be set for a variable to make sense.
fn required_with(variable: &Variable) -> &'static [&'static Variable] {
    match variable {
        _ if *variable == variables::TLS_CERT_FILE => &[&variables::TLS_KEY_FILE],
        _ if *variable == variables::TLS_KEY_FILE => &[&variables::TLS_CERT_FILE],
        _ if *variable == variables::ACME_EAB_KEY => &[&variables::ACME_EAB_KEY_ID],
        _ if *variable == variables::ACME_EAB_KEY_ID => &[&variables::ACME_EAB_KEY],
        _ if *variable == variables::RELAY_CA_FILE => &[&variables::RELAY_URL],
        _ if *variable == variables::ALIASES => &[&variables::USERS],
        _ if *variable == variables::DNS_UPDATE_KEY => &[&variables::DNS_UPDATE_SERVER],
        _ => &[],
    }
}

#[test]
fn the_examples_of_the_reference_are_accepted() {
    for variable in variables::ALL {
        let mut set = vec![(variables::DOMAIN.name, variables::DOMAIN.example)];
        set.extend(required_with(variable).iter().map(|other| (other.name, other.example)));
        let by_value = [&set[..], &[(variable.name, variable.example)]].concat();
        settings(&by_value).unwrap_or_else(|faults| panic!("{faults}"));
        if let Some(form) = variable.file {
            let content = variable.example.replace(',', "\n") + "\n";
            let files = HashMap::from([(form.example, content.as_str())]);
            set.push((form.name, form.example));
            with_files(&set, &files).unwrap_or_else(|faults| panic!("{faults}"));
        }
    }
}

#[test]
fn every_fault_is_reported_at_once_with_the_name_what_is_wrong_and_an_example() {
    let faults = settings(&[
        ("MAIL_DOMIAN", "example.org"),
        ("MAIL_HOSTNAME", "localhost"),
        ("MAIL_USERS", "ann,bob:"),
        ("MAIL_MESSAGE_SIZE", "fifty"),
        ("MAIL_DNS_SERVERS", "127.0.0.1,resolver"),
        ("MAIL_RELAY_URL", "smarthost"),
        ("MAIL_LOG", "loud"),
        ("MAIL_COLOUR", "green"),
    ])
    .unwrap_err();
    let report = faults.to_string();
    let expected = [
        "9 settings are wrong:",
        "MAIL_COLOUR is not a setting; remove it, or see docs/settings.md",
        "MAIL_DOMIAN is not a setting; did you mean MAIL_DOMAIN?",
        "MAIL_DOMAIN is not set",
        "for example: MAIL_DOMAIN=example.org",
        "MAIL_HOSTNAME is \"localhost\", which is not a full domain name",
        "for example: MAIL_HOSTNAME=mail.example.org",
        "MAIL_USERS entry 1 has no colon",
        "MAIL_USERS entry 2: bob@domain.invalid has no secret",
        "MAIL_RELAY_URL does not begin with smtp://, submission:// or submissions://",
        "MAIL_MESSAGE_SIZE is \"fifty\", which is not a number of octets",
        "MAIL_DNS_SERVERS has \"resolver\" in it",
        "MAIL_LOG is \"loud\"",
    ];
    let mut rest = report.as_str();
    for line in expected {
        let found = rest.find(line).unwrap_or_else(|| panic!("{line:?} is not next in\n{report}"));
        rest = &rest[found + line.len()..];
    }
}

#[test]
fn what_is_not_a_mail_domain_is_refused() {
    for (typed, expected) in [
        ("localhost", "not a full domain name"),
        ("ann@example.org", "after the @"),
        ("https://example.org", "a URL"),
        ("192.0.2.1", "not a full domain name"),
        ("exa mple.org", "not a label"),
    ] {
        let faults = settings(&[("MAIL_DOMAIN", typed)]).unwrap_err();
        assert_eq!(faults.0.len(), 1, "{faults}");
        assert!(faults.to_string().contains(expected), "{faults}");
    }
}

#[test]
fn users_are_separated_by_commas_and_line_breaks_and_folded() {
    let set = [
        ("MAIL_DOMAIN", "example.org"),
        ("MAIL_USERS", "Ann:one three, bob@Example.NET:two words\n\ncy:a:b and c\rdora:old mac's,\n"),
    ];
    let settings = settings(&set).unwrap();
    let expected = [
        ("ann@example.org", "one three"),
        ("bob@example.net", "two words"),
        ("cy@example.org", "a:b and c"),
        ("dora@example.org", "old mac's"),
    ];
    assert_users(&settings, &expected);
    let domains: Vec<String> = settings.domains.iter().map(Domain::to_string).collect();
    assert_eq!(domains, ["example.org", "example.net"]);
}

#[test]
fn the_commas_of_a_hash_belong_to_it_and_those_of_a_password_are_a_fault() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                RdescudvJCsgt3ub+b4dWRWJTmaaJObGEXkQpZ2Lq2U";
    let users = format!("ann:{hash},bob:two words");
    let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", users.as_str())];
    let settings = settings(&set).unwrap();
    assert_users(&settings, &[("ann@example.org", hash), ("bob@example.org", "two words")]);

    let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", "ann:sword-of,dfish")];
    let faults = super::tests::settings(&set).unwrap_err().to_string();
    assert!(faults.contains("entry 2 has no colon") && faults.contains("MAIL_USERS_FILE"), "{faults}");
    assert!(!faults.contains("sword-of") && !faults.contains("dfish"), "a secret was shown: {faults}");
}

#[test]
fn in_a_file_the_secret_is_all_after_the_first_colon() {
    let files =
        HashMap::from([("/users", "# people\nann:a,b:c$d #e\n\n  # more\r\nbob@example.net: x and y\r\n")]);
    let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS_FILE", "/users")];
    let settings = with_files(&set, &files).unwrap();
    assert_users(&settings, &[("ann@example.org", "a,b:c$d #e"), ("bob@example.net", " x and y")]);
}

#[test]
fn faults_of_users_are_reported_without_their_secrets() {
    for (users, expected) in [
        (":swordfish", "not a user's name"),
        ("a/b:swordfish", "not a user's name"),
        ("../x:swordfish", "not a user's name"),
        ("ann+tag:swordfish", "not a user's name"),
        ("ann@exa mple:swordfish", "not a label"),
        ("ann:swordfish,Ann:swordfish", "declared before"),
        ("ann:,Ann:swordfish", "entry 2: ann@example.org was declared before"),
        ("ann:{BLF-CRYPT}swordfish,Ann:swordfish", "entry 2: ann@example.org was declared before"),
        ("ann:$6$swordfish", "SHA512-CRYPT hash is cut off or damaged"),
        ("ann:{BLF-CRYPT}swordfish", "after {BLF-CRYPT} must begin with"),
        ("ann:swordfish\tswordfish", "control character"),
        ("ann:$6/swordfish", "only the beginning of a hash"),
        ("ann:'$6$salt$swordfish'", "in quotation marks"),
    ] {
        let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", users)];
        let faults = settings(&set).unwrap_err().to_string();
        assert!(faults.contains(expected), "{users}: {faults}");
        assert!(!faults.contains("swordfish"), "a secret was shown: {faults}");
    }
}

#[test]
fn a_secret_cut_by_compose_is_a_fault_with_the_line_to_write() {
    let whole = "MAIL_USERS='ann@example.org:a-long-password' in .env, or";
    for (secret, expected, line) in [
        (
            "$6",
            "only the beginning",
            "MAIL_USERS='ann@example.org:$6$…' in .env, or MAIL_USERS: 'ann@example.org:$$6$$…'",
        ),
        ("$6.x/y", "only the beginning", "'ann@example.org:$6$…'"),
        (
            "$2y$05",
            "cut off or damaged",
            "'ann@example.org:$2y$…' in .env, or MAIL_USERS: 'ann@example.org:$$2y$$…'",
        ),
        ("$2y$05/x", "cut off or damaged", "'ann@example.org:$2y$…'"),
        ("=19=65536,t=3,p=1", "only the beginning", "'ann@example.org:$argon2id$…'"),
        (
            "{ARGON2ID}=19=65536,t=3,p=1",
            "must begin with $argon2id$",
            "'ann@example.org:{ARGON2ID}$argon2id$…'",
        ),
        ("{ARGON2ID}", "must begin with $argon2id$", "'ann@example.org:{ARGON2ID}$argon2id$…'"),
        ("pa", "has 2 characters; at least 8 are needed", whole),
        ("short12", "has 7 characters", whole),
        ("short\u{e9}\u{e9}", "has 7 characters", whole),
    ] {
        let users = format!("ann:{secret},bob:{secret}");
        let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", users.as_str())];
        let faults = settings(&set).unwrap_err();
        let report = faults.to_string();
        assert_eq!(faults.0.len(), 2, "every fault in one report: {report}");
        assert!(report.contains(expected) && report.contains(line), "{secret}: {report}");
        assert!(report.contains("removes each $"), "{report}");

        let file = users.replace(",bob:", "\nbob:");
        let files = HashMap::from([("/users", file.as_str())]);
        let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS_FILE", "/users")];
        let report = with_files(&set, &files).unwrap_err().to_string();
        assert!(report.contains(expected) && report.contains("MAIL_USERS_FILE (\"/users\")"), "{report}");
        assert!(!report.contains("compose"), "{report}");
    }
}

#[test]
fn a_users_file_without_a_user_is_refused() {
    let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS_FILE", "/users")];
    for empty in ["", "\n\n", "# people\n", "\u{feff}"] {
        let faults = with_files(&set, &HashMap::from([("/users", empty)])).unwrap_err().to_string();
        assert!(faults.contains("MAIL_USERS_FILE") && faults.contains("no user in it"), "{faults}");
    }
    let not_set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS_FILE", "")];
    assert!(settings(&not_set).unwrap().users.is_empty());
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_name() {
    let files = HashMap::from([("/users", "\u{feff}ann:one two three\n")]);
    let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS_FILE", "/users")];
    assert_users(&with_files(&set, &files).unwrap(), &[("ann@example.org", "one two three")]);
}

#[test]
fn a_users_file_must_be_there_and_be_the_only_source() {
    for (users, expected) in [(None, "cannot be read"), (Some("ann:one"), "set one of the two")] {
        let mut set = vec![("MAIL_DOMAIN", "example.org"), ("MAIL_USERS_FILE", "/users")];
        set.extend(users.map(|users| ("MAIL_USERS", users)));
        let faults = settings(&set).unwrap_err().to_string();
        assert!(faults.contains(expected) && faults.contains("MAIL_USERS_FILE"), "{faults}");
    }
}

/// The page is rewritten with `MAILSTEAD_WRITE_DOCS=1 cargo test --package supervisor reference`.
#[test]
fn the_reference_page_matches_the_declarations() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    if std::env::var_os("MAILSTEAD_WRITE_DOCS").is_some() {
        std::fs::write(&path, reference::page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == reference::page(), "docs/settings.md is not what variables.rs and exit.rs declare");
}
