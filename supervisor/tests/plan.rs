//! `mailstead plan`: prints what a start would change, and changes nothing.
#![expect(clippy::unwrap_used, reason = "a helper of a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use supervisor::generation::write_accounts;
use supervisor::plan::AppliedSettings;
use supervisor::settings::Settings;
use supervisor::signing_keys;
use supervisor::site::Site;
use supervisor::volume::Folders;

type Set<'s> = &'s [(&'s str, &'s str)];

const CHANGES: i32 = 3;
const USAGE: i32 = 64;
const VOLUME_FAULT: i32 = 74;

/// The plan, or the reason why it cannot be made, and the exit status.
fn plan(volume: &Path, set: Set<'_>) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_mailstead"))
        .args(["plan", "--volume", volume.to_str().unwrap()])
        .env_clear()
        .envs(set.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code().unwrap())
}

/// Changes the volume as a start does.
fn apply(volume: &Path, set: Set<'_>) {
    let settings = Settings::read(set.iter().map(|(name, value)| (name.into(), value.into()))).unwrap();
    let folders = Folders { volume: volume.to_owned(), runtime: volume.join("run") };
    let site = Site::unstarted(settings, folders);
    write_accounts(&site).unwrap();
    for domain in &site.settings.domains {
        signing_keys::ensure(&site.folders.dkim(), domain, None).unwrap();
    }
    AppliedSettings::write(&site).unwrap();
}

/// Every file with its content.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

fn assert_lines(plan: &str, lines: &[&str]) {
    for line in lines {
        assert!(plan.lines().any(|found| found.trim() == *line), "{line:?} is missing in\n{plan}");
    }
}

#[test]
fn on_a_new_volume_all_is_new_and_nothing_is_written() {
    let volume = tempfile::tempdir().unwrap();
    let (text, status) =
        plan(volume.path(), &[("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", "ann:swordfish")]);
    assert_eq!(status, CHANGES, "{text}");
    assert_lines(
        &text,
        &[
            "accept mail for example.org",
            "add the user ann@example.org",
            "this volume has never been used: all settings are new",
            "generated for example.org",
            "25 465 587 143 993 80 443 8025",
            "for mail.example.org, mta-sts.example.org, autoconfig.example.org, autodiscover.example.org, from \
         https://acme-v02.api.letsencrypt.org/directory",
        ],
    );
    assert_eq!(contents(volume.path()), BTreeMap::new());
}

#[test]
fn a_changed_environment_is_shown_without_secrets_and_not_applied() {
    let volume = tempfile::tempdir().unwrap();
    let before = [
        ("MAIL_DOMAIN", "example.org"),
        ("MAIL_USERS", "ann:swordfish,bob:swordfish"),
        ("MAIL_ALIASES", "info:ann,old:ann"),
        ("MAIL_RELAY_URL", "submission://us:swordfish@smarthost.example.net"),
    ];
    apply(volume.path(), &before);
    let there = contents(volume.path());
    assert_eq!(plan(volume.path(), &before).1, 0, "{}", plan(volume.path(), &before).0);

    let (text, status) = plan(
        volume.path(),
        &[
            ("MAIL_DOMAIN", "example.org,example.net"),
            ("MAIL_USERS", "ann:swordfish2,cy:swordfish"),
            ("MAIL_ALIASES", "info:ann cy,@example.net:ann"),
            ("MAIL_RELAY_URL", "submission://us:swordfish3@smarthost.example.net"),
            ("MAIL_MESSAGE_SIZE", "25M"),
            ("MAIL_QUOTA", "2G,zoe:1G"),
            ("MAIL_HTTP_PORT", "none"),
            ("MAIL_ACME_DIRECTORY", "none"),
        ],
    );
    assert_eq!(status, CHANGES, "{text}");
    assert_lines(
        &text,
        &[
            "accept mail for example.net",
            "set the declared password of ann@example.org",
            "let bob@example.org no longer log in, and keep the mail",
            "add the user cy@example.org",
            "set the alias info@example.org",
            "set the alias @example.net",
            "remove the alias old@example.org",
            "MAIL_DOMAIN: example.org becomes example.org,example.net",
            "MAIL_RELAY_URL: submission://smarthost.example.net:587 (as us) becomes another secret",
            "MAIL_MESSAGE_SIZE: 50M becomes 25M",
            "MAIL_QUOTA: none becomes 2G,zoe@example.org:1G",
            "MAIL_HTTP_PORT: 80 becomes none",
            "generated for example.net",
            "zoe@example.org has a quota but is not a user; remove it from MAIL_QUOTA, or add the user",
            "25 465 587 143 993 443 8025",
            "self-made, for mail.example.org",
        ],
    );
    assert!(!text.contains("swordfish"), "a secret was shown:\n{text}");
    let written = fs::read_to_string(volume.path().join("settings.toml")).unwrap();
    assert!(!written.contains("swordfish"), "a secret was written:\n{written}");
    assert_eq!(contents(volume.path()), there, "something was written");
}

#[test]
fn a_refused_password_has_the_exit_status_of_the_start() {
    let volume = tempfile::tempdir().unwrap();
    let set = [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", "ann:x,bob:long enough,cy:{PLAIN}seven77")];
    let (text, status) = plan(volume.path(), &set);
    assert_eq!(status, USAGE, "{text}");
    for expected in
        ["one setting is wrong", "ann@example.org cannot be used", "cy@example.org cannot be used"]
    {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
    assert!(!text.contains("seven77"), "a secret was shown:\n{text}");
}

#[test]
fn a_refused_start_has_the_same_exit_status_in_the_plan() {
    let volume = tempfile::tempdir().unwrap();
    let (text, status) =
        plan(volume.path(), &[("MAIL_DOMIAN", "example.org"), ("MAIL_ALIASES", "info:unknown")]);
    assert_eq!(status, USAGE);
    for expected in
        ["did you mean MAIL_DOMAIN?", "MAIL_DOMAIN is not set", "which is neither a user nor an alias"]
    {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
    apply(volume.path(), &[("MAIL_DOMAIN", "example.org")]);
    fs::remove_file(volume.path().join("accounts.toml")).unwrap();
    let (text, status) = plan(volume.path(), &[("MAIL_DOMAIN", "example.org")]);
    assert_eq!(status, VOLUME_FAULT, "{text}");
    assert!(text.contains("accounts.toml is missing or empty"), "{text}");
    fs::write(volume.path().join("accounts.toml"), "half a fi").unwrap();
    let (text, status) = plan(volume.path(), &[("MAIL_DOMAIN", "example.org")]);
    assert_eq!(status, VOLUME_FAULT, "{text}");
    assert!(text.contains("accounts.toml"), "{text}");
}

#[test]
fn a_user_added_by_command_is_known_to_aliases() {
    let volume = tempfile::tempdir().unwrap();
    apply(volume.path(), &[("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", "ann:swordfish,bob:swordfish")]);
    // As if ann had been added by command: no declaration is recorded.
    let path = volume.path().join("accounts.toml");
    let lines = fs::read_to_string(&path).unwrap();
    let (first, rest) = lines.split_once("declared = ").unwrap();
    fs::write(&path, format!("{first}{}", rest.split_once('\n').unwrap().1)).unwrap();
    let (text, status) = plan(
        volume.path(),
        &[("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", "bob:swordfish"), ("MAIL_ALIASES", "info:ann")],
    );
    assert_eq!(status, CHANGES, "{text}");
    assert_lines(&text, &["set the alias info@example.org", "one change; nothing was written"]);
    let faults =
        [("MAIL_DOMAIN", "example.org"), ("MAIL_USERS", "bob:swordfish"), ("MAIL_ALIASES", "ann:bob")];
    let (text, status) = plan(volume.path(), &faults);
    assert_eq!(status, USAGE, "{text}");
    assert!(text.contains("ann@example.org is a user who was added by command"), "{text}");
}

#[test]
fn likely_mistakes_are_reported() {
    let volume = tempfile::tempdir().unwrap();
    let external = volume.path().join("fullchain.pem");
    fs::write(&external, "no certificate").unwrap();
    let external = external.to_str().unwrap();
    let (text, status) = plan(
        volume.path(),
        &[
            ("MAIL_DOMAIN", "example.org"),
            ("MAIL_USERS", "ann:swordfish,cy@exmaple.org:swordfish"),
            ("MAIL_QUOTA", "unknown:3G"),
            ("MAIL_TLS_CERT_FILE", external),
            ("MAIL_TLS_KEY_FILE", external),
        ],
    );
    assert_eq!(status, CHANGES, "{text}");
    let no_key = format!(
        "the certificate of MAIL_TLS_CERT_FILE, {external}, could not be used: {external} cannot be used: it has no \
         private key in PEM; write both files again, complete and in PEM; they are watched"
    );
    assert_lines(
        &text,
        &[
            "unknown@example.org has a quota but is not a user; remove it from MAIL_QUOTA, or add the user",
            "mail for exmaple.org arrives here too: a declared user is in it, and MAIL_DOMAIN does not list it; add \
             exmaple.org to MAIL_DOMAIN, or correct the user in MAIL_USERS where it is mistyped",
            no_key.as_str(),
        ],
    );
}
