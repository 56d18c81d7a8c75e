use std::fs;

use crate::{Accounts, AccountsError};

const HASH: &str =
    "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.";

fn load(text: &str) -> Result<Accounts, AccountsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.toml");
    fs::write(&path, text.replace("HASH", HASH)).unwrap();
    Accounts::load(&path)
}

/// A file as Windows editors save it.
#[test]
fn a_byte_order_mark_and_crlf_are_accepted() {
    let text = "domains = ['example.org']\n[[users]]\naddress = 'ann@example.org'\nsecret = 'HASH'\n";
    let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(load(&marked).unwrap(), load(text).unwrap());
}

#[test]
fn written_accounts_load_unchanged() {
    let accounts = load(
        r#"
        domains = ["example.org", "bücher.example"]
        [[users]]
        address = "Ann@Example.org"
        secret = "{SHA512-CRYPT}HASH"
        declared = "HASH"
        [[users]]
        address = "bob@gone.example"
        secret = "HASH"
        enabled = false
        [[aliases]]
        address = "sales@example.org"
        targets = ["ann+sales@example.org", "bob@elsewhere.example", "postmaster@example.org"]
        [[aliases]]
        address = "@example.org"
        targets = ["sales@example.org"]
        "#,
    )
    .unwrap();
    assert_eq!(accounts.domains[1].as_str(), "xn--bcher-kva.example");
    assert_eq!(accounts.users[0].user.to_string(), "ann@example.org");
    assert!(accounts.users[0].enabled && !accounts.users[1].enabled);
    assert_eq!(load(&accounts.to_toml()).unwrap(), accounts);
    assert_eq!(load("").unwrap(), Accounts::default());
}

#[test]
fn all_invalid_values_are_reported_together_without_secrets() {
    let error = load(
        r#"
        domains = ["example.org", "-bad-"]
        [[users]]
        address = "no at sign"
        secret = "HASH"
        [[users]]
        address = "bob@example.org"
        secret = "hunter2"
        declared = "{SSHA}zzz"
        [[users]]
        address = "../etc@example.org"
        secret = "HASH"
        [[users]]
        address = "x/y@example.org"
        secret = "HASH"
        [[aliases]]
        address = "sales"
        targets = ["ann@example.org", "@"]
        "#,
    )
    .unwrap_err();
    let report = error.to_string();
    for part in [
        "domains: \"-bad-\"",
        "\"no at sign\" has no @",
        "secret of bob@example.org: it is not a hash",
        "declared of bob@example.org: the scheme in braces is not supported",
        "\"../etc\" is neither",
        "x/y@example.org: a user's name becomes a folder",
        "aliases: \"sales\" cannot be an alias: give an address, or @ and a domain",
        "aliases: sales: the part before the @ is empty",
    ] {
        assert!(report.contains(part), "{part:?} is missing in: {report}");
    }
    assert!(!report.contains("hunter2") && !report.contains("zzz"));
}

#[test]
fn all_contradictions_are_reported_together() {
    let error = load(
        r#"
        domains = ["example.org", "EXAMPLE.ORG."]
        [[users]]
        address = "ann@example.org"
        secret = "HASH"
        [[users]]
        address = "ANN@example.org"
        secret = "HASH"
        [[users]]
        address = "bob@example.com"
        secret = "HASH"
        [[aliases]]
        address = "Ann@example.org"
        targets = ["far@away.example"]
        [[aliases]]
        address = "x@example.com"
        targets = ["ann@example.org"]
        [[aliases]]
        address = "one@example.org"
        targets = ["two@example.org"]
        [[aliases]]
        address = "two@example.org"
        targets = ["One@example.org"]
        [[aliases]]
        address = "none@example.org"
        targets = []
        [[aliases]]
        address = "sales@example.org"
        targets = ["typo@example.org", "ann@example.org"]
        [[aliases]]
        address = "SALES@example.org"
        targets = ["ann@example.org"]
        [[aliases]]
        address = "@example.net"
        targets = ["ann@example.org"]
        [[aliases]]
        address = "@example.org"
        targets = ["other@example.org"]
        [[aliases]]
        address = "@EXAMPLE.org"
        targets = ["ann@example.org"]
        "#,
    )
    .unwrap_err();
    let AccountsError::Faults { faults, .. } = error else { panic!("{error}") };
    let report: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        report,
        [
            "domains: example.org is listed twice",
            "users: ann@example.org is listed twice",
            "users: bob@example.com is enabled, but its domain is not listed in domains",
            "aliases: Ann@example.org is also a user: an alias needs an address of its own",
            "aliases: the domain of x@example.com is not listed in domains",
            "aliases: one@example.org reaches no recipient: it has no targets, or leads only back to itself",
            "aliases: two@example.org reaches no recipient: it has no targets, or leads only back to itself",
            "aliases: none@example.org reaches no recipient: it has no targets, or leads only back to itself",
            "aliases: sales@example.org leads to typo@example.org, which is neither a user nor an alias",
            "aliases: SALES@example.org is listed twice; list all targets in one place",
            "aliases: the domain of @example.net is not listed in domains",
            "aliases: @example.org leads to other@example.org, which is neither a user nor an alias",
            "aliases: @example.org is listed twice; list all targets in one place",
        ]
    );
}

#[test]
fn an_alias_with_too_many_recipients_is_refused() {
    let alias = |count: usize| {
        let targets: Vec<String> = (0..count).map(|number| format!("\"a{number}@away.example\"")).collect();
        format!(
            "domains = [\"example.org\"]\n[[aliases]]\naddress = \"all@example.org\"\ntargets = [{}]\n",
            targets.join(",")
        )
    };
    load(&alias(500)).unwrap();
    let report = load(&alias(501)).unwrap_err().to_string();
    assert!(
        report.contains("all@example.org reaches more than 500 addresses, the limit of an alias"),
        "{report}"
    );
}

#[test]
fn an_alias_to_a_disabled_user_is_accepted() {
    load(
        r#"
        domains = ["example.org"]
        [[users]]
        address = "ann@example.org"
        secret = "HASH"
        enabled = false
        [[aliases]]
        address = "sales@example.org"
        targets = ["ann@example.org"]
        "#,
    )
    .unwrap();
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error = load("domains = []\n[[users]]\nadress = \"ann@example.org\"\n").unwrap_err().to_string();
    assert!(error.contains("`adress`") && error.contains("line 3"), "{error}");
}

#[test]
fn a_syntax_error_names_the_line_and_shows_no_hash() {
    let (head, hash) = ("domains = []\n[[users]]\naddress = \"ann@example.org\"\n", "$6$salt$digits");
    for damaged in [
        format!("secret = \"{hash}\n"),
        format!("secret = \"{hash}\" x\n"),
        format!("secret = {hash}\n"),
        format!("secret = \"x\"\nenabled = \"{hash}\"\n"),
        format!("secret = \"x\"\napp_passwords = \"{hash}\"\n"),
    ] {
        let report = load(&format!("{head}{damaged}")).unwrap_err().to_string();
        assert!(report.contains(", line ") && !report.contains("digits"), "{report}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Accounts::load(std::path::Path::new("/nonexistent/accounts.toml")).unwrap_err();
    assert!(error.to_string().starts_with("reading /nonexistent/accounts.toml: "), "{error}");
}

#[test]
fn the_name_of_the_internal_mailbox_is_reserved() {
    let text = r#"
        domains = ["example.org"]
        [[users]]
        address = "Mailstead-Heartbeat@example.org"
        secret = "HASH"
        enabled = false
        [[aliases]]
        address = "mailstead-heartbeat@example.org"
        targets = ["far@example.com"]
    "#;
    let faults = load(text).unwrap_err().to_string();
    for place in [
        "users: mailstead-heartbeat@example.org: this name",
        "aliases: mailstead-heartbeat@example.org: this",
    ] {
        assert!(faults.contains(place), "{faults}");
    }
}
