//! A table for each variable: refused values with their error messages, and accepted values with their meaning.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use accounts::{Secret, User, UserAccount};
use handover::config::{Challenge, Format, Level, RelaySecurity, TsigAlgorithm};
use proptest::prelude::*;

use super::*;
use crate::settings::raw::Raw;
use crate::settings::variables::Variable;
use crate::settings::{Certificates, SettingFaults};

/// A user that was added by command, and one that was removed.
fn accounts_with_added_user() -> Accounts {
    let user = |name: &str| User::new(&name.parse().unwrap()).unwrap();
    let secret = Secret::parse(
        "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.",
    );
    let account = |name: &str| UserAccount::new(user(name), secret.clone().unwrap());
    let gone = UserAccount { enabled: false, ..account("gone@example.org") };
    Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![account("zoe@example.org"), gone],
        aliases: Vec::new(),
    }
}

fn refined(set: &[(&str, &str)]) -> Result<Settings, SettingFaults> {
    let mut faults = Vec::new();
    let mut set = HashMap::<&str, &str>::from_iter(set.iter().copied());
    set.entry("MAIL_DOMAIN").or_insert("example.org,example.net");
    let environment = set.iter().map(|(name, value)| (name.into(), value.into()));
    let mut raw =
        Raw::read(environment, &|path: &Path| Ok(format!("content of {}", path.display())), &mut faults);
    let settings = refine(&mut raw, Some(&accounts_with_added_user()), &mut faults);
    assert_eq!(raw.rest(), [] as [&str; 0], "every variable is read");
    settings.ok_or(SettingFaults(faults))
}

/// Each value has one fault, of that variable, with these words in it and without the secret.
fn assert_faults(variable: &Variable, table: &[(&str, &str)]) {
    for (typed, expected) in table {
        assert_fault(&[(variable.name, typed)], variable.name, expected);
    }
}

fn assert_fault(set: &[(&str, &str)], variable: &str, expected: &str) {
    let faults = refined(set).expect_err(&format!("{set:?} was accepted"));
    let report = faults.to_string();
    assert_eq!(faults.0.len(), 1, "{set:?}: {report}");
    assert_eq!(faults.0[0].variable, variable, "{set:?}: {report}");
    assert!(report.contains(expected), "{set:?}: {report}");
    assert!(faults.0[0].example.is_some(), "{set:?} has no example");
    assert!(!report.contains("swordfish"), "a secret was shown: {report}");
}

#[test]
fn refused_names() {
    assert_faults(
        &variables::DOMAIN,
        &[
            ("localhost", "not a full domain name"),
            ("example.org,ann@example.net", "after the @"),
            ("https://example.org", "a URL"),
            ("192.0.2.1", "not a full domain name"),
            ("example.org,EXAMPLE.ORG.", "example.org in it twice"),
            (",", "no domain in it"),
            ("_x.example.org", "\"_x.example.org\", with an underscore"),
            ("xn--a.example", "cannot be registered: \"xn--a\" is not an internationalised domain name"),
            ("example.123", "ends in the number 123"),
            ("1.2.3", "ends in the number 3"),
            ("foo.onion", "names below .onion are not in public DNS"),
            ("10.in-addr.arpa", "names below .arpa"),
            (&"longer.".repeat(33), "has 230 octets; at most 224 leave room"),
        ],
    );
    assert_faults(
        &variables::HOSTNAME,
        &[
            ("mail", "not a full domain name"),
            ("a b.example.org", "not a label"),
            ("mail_1.example.org", "for which no public authority issues a certificate"),
            ("mail.example.123", "ends in the number 123"),
            (&"longer.".repeat(35), "has 244 octets; at most 237 leave room"),
        ],
    );
    let reserved = [("MAIL_USERS", "ann:swordfish,Mailstead-Heartbeat:swordfish")];
    assert_fault(
        &reserved,
        "MAIL_USERS",
        "entry 2: mailstead-heartbeat@example.org is reserved for the server's own",
    );
    let elsewhere = [("MAIL_USERS", "ann:swordfish,bob@xn--a.example:swordfish")];
    assert_fault(
        &elsewhere,
        "MAIL_USERS",
        "entry 2: \"xn--a.example\" is a domain which cannot be registered",
    );
}

#[test]
fn the_longest_domain_has_room_for_all_names_made_from_it() {
    let long = format!("{0}.{0}.{0}.{1}.org", "a".repeat(60), "b".repeat(37));
    assert_eq!(long.len(), 224);
    let settings = refined(&[("MAIL_DOMAIN", &long)]).unwrap();
    let names = crate::web_names::below(&settings.domains[0]).map(|name| name.with_prefix("_acme-challenge"));
    assert_eq!(names.filter(Result::is_ok).count(), crate::web_names::LABELS.len());
    for prefix in ["mailstead-ed25519._domainkey", "_submissions._tcp", "_autodiscover._tcp"] {
        settings.domains[0].with_prefix(prefix).unwrap();
    }
    settings.hostname.with_prefix("_25._tcp").unwrap();
    settings.hostname.with_prefix("_acme-challenge").unwrap();
}

#[test]
fn refused_aliases() {
    let aliases = |typed: &str, expected: &str| {
        let set = [("MAIL_USERS", "ann:swordfish,bob@example.net:swordfish"), ("MAIL_ALIASES", typed)];
        assert_fault(&set, "MAIL_ALIASES", expected);
    };
    aliases("info", "entry 1 (\"info\") has no colon");
    aliases("info:ann,bob@example.net", "several targets are separated by spaces");
    aliases("a b:ann", "entry 1: \"a b\" is not an address");
    aliases("@:ann", "entry 1: \"@\" is not an address");
    aliases("info:", "entry 1: info@example.org has no target");
    aliases("info:@example.net", "\"@example.net\", the target of info@example.org, is not an address");
    aliases("info:ann,Info@Example.org:bob@example.net", "entry 2: Info@example.org was declared before");
    aliases("@example.net:ann,@EXAMPLE.NET:ann", "entry 2: @example.net was declared before");
    aliases("info@example.com:ann", "info@example.com is in none of our domains");
    aliases("@example.com:ann", "@example.com is in none of our domains");
    aliases("Ann:bob@example.net", "Ann@example.org is a user, whose mail goes to the mailbox");
    aliases("zoe:ann", "zoe@example.org is a user who was added by command");
    aliases("info:anne", "info@example.org leads to anne@example.org, which is neither a user nor an alias");
    aliases("@example.org:anne", "@example.org leads to anne@example.org, which is neither");
    aliases("info:info ann", "info@example.org leads back to itself: info@example.org to info@example.org");
}

#[test]
fn a_faulty_entry_does_not_shift_the_numbers_of_the_next() {
    let faults = refined(&[("MAIL_ALIASES", "info,all:anne,round:round")]).unwrap_err();
    let wrong: Vec<&str> = faults.0.iter().map(|fault| fault.wrong.as_str()).collect();
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[0].starts_with("entry 1 ("), "{wrong:?}");
    assert!(wrong[1].starts_with("entry 2: all@example.org leads to anne@example.org"), "{wrong:?}");
    assert!(wrong[2].starts_with("entry 3: round@example.org leads back to itself"), "{wrong:?}");
}

#[test]
fn every_alias_of_a_loop_is_reported_with_its_path() {
    let faults = refined(&[("MAIL_ALIASES", "a:b,b:c far@away.example,c:a,d:c")]).unwrap_err();
    let wrong: Vec<&str> = faults.0.iter().map(|fault| fault.wrong.as_str()).collect();
    assert_eq!(
        wrong,
        [
            "entry 1: a@example.org leads back to itself: a@example.org to b@example.org to c@example.org to a@example.org",
            "entry 2: b@example.org leads back to itself: b@example.org to c@example.org to a@example.org to b@example.org",
            "entry 3: c@example.org leads back to itself: c@example.org to a@example.org to b@example.org to c@example.org",
        ]
    );
}

#[test]
fn without_a_domain_names_are_compared_and_domains_are_not() {
    let set = [
        ("MAIL_DOMAIN", "localhost"),
        ("MAIL_USERS", "ann:swordfish"),
        ("MAIL_ALIASES", "info:ann,all@example.org:ann,ann:far@away.example,x:unknown"),
        ("MAIL_QUOTA", "ann:1G,bob@example.org:1G"),
    ];
    let wrong: Vec<String> = refined(&set).unwrap_err().0.into_iter().map(|fault| fault.wrong).collect();
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[0].contains("not a full domain name"), "{wrong:?}");
    assert!(wrong[1].starts_with("entry 3: ann@") && wrong[1].contains("is a user"), "{wrong:?}");
    assert!(
        wrong[2].starts_with("entry 4: x@") && wrong[2].contains("neither a user nor an alias"),
        "{wrong:?}"
    );
}

#[test]
fn accepted_aliases() {
    let set = [
        ("MAIL_USERS", "ann:swordfish"),
        (
            "MAIL_ALIASES",
            "info: ann+info  far@away.example\ngone:zoe, all : info zoe postmaster\n\n@example.net:all,",
        ),
    ];
    let aliases = refined(&set).unwrap().aliases;
    let wrong: Vec<String> = aliases
        .iter()
        .map(|alias| {
            let targets: Vec<String> = alias.targets.iter().map(ToString::to_string).collect();
            format!("{}: {}", alias.name, targets.join(" "))
        })
        .collect();
    assert_eq!(
        wrong,
        [
            "info@example.org: ann+info@example.org far@away.example",
            "gone@example.org: zoe@example.org",
            "all@example.org: info@example.org zoe@example.org postmaster@example.org",
            "@example.net: all@example.org",
        ]
    );
}

#[test]
fn refused_sizes() {
    assert_faults(
        &variables::MESSAGE_SIZE,
        &[("fifty", "not a number of octets"), ("1K", "less than 64K"), ("2G", "more than 1G")],
    );
    assert_faults(
        &variables::QUOTA,
        &[
            ("much", "\"much\" in it, which is neither a number of octets nor `none`"),
            ("1K", "less than 1M"),
            ("1G,2G", "\"2G\" in it, a second limit for all users; keep one"),
            (
                "1G,bob",
                "\"bob\" in it, which is neither a number of octets nor `none`; for one user write user:size",
            ),
            ("1G,1.5G", "\"1.5G\" in it, which is neither"),
            ("ann:1G,Ann@example.org:2G", "ann@example.org in it twice"),
            ("a/b:1G", "a user's name becomes a folder"),
            (":1G", "is empty"),
            ("ann@example.com:1G", "in none of our domains"),
            ("ann:", "neither a number"),
        ],
    );
}

#[test]
fn users_may_have_letters_of_any_script() {
    for (typed, name) in
        [("JOSE\u{301}", "jos\u{e9}"), ("\u{410}\u{43d}\u{43d}\u{430}", "\u{430}\u{43d}\u{43d}\u{430}")]
    {
        let users = refined(&[("MAIL_USERS", &format!("{typed}:swordfish"))]).unwrap().users;
        assert_eq!(users.iter().map(|declared| declared.user.name()).collect::<Vec<_>>(), [name]);
    }
    for refused in ["jos\u{e9} maria", "ann\u{200b}", "\u{202e}ann", "\u{1f600}"] {
        assert!(refined(&[("MAIL_USERS", &format!("{refused}:swordfish"))]).is_err(), "{refused:?}");
    }
}

#[test]
fn a_listed_user_has_its_own_quota() {
    let user = |name: &str| User::new(&name.parse().unwrap()).unwrap();
    let quotas = refined(&[("MAIL_QUOTA", "ann:5G, 2G ,Bob@example.net:none")]).unwrap().quotas;
    assert_eq!(quotas.of(&user("ann@example.org")), Some(5 << 30));
    assert_eq!(quotas.of(&user("bob@example.net")), None);
    assert_eq!(quotas.of(&user("zoe@example.org")), Some(2 << 30));
    assert_eq!(refined(&[]).unwrap().quotas.of(&user("ann@example.org")), None);
}

#[test]
fn refused_relays_are_never_quoted() {
    assert_faults(
        &variables::RELAY_URL,
        &[
            ("swordfish.example.net:587", "does not begin with smtp://"),
            ("https://swordfish.example.net", "does not begin with smtp://"),
            ("smtp://ann:swordfish@example.net", "may send in the clear"),
            ("submission://swordfish@example.net", "a user without a password"),
            ("submission://ann:@example.net", "an empty user or password"),
            ("submission://ann:sword%fish@example.net", "write %25"),
            ("submission://ann:sword%f@example.net", "write %25"),
            ("submission://ann:swordfish%FF@example.net", "not UTF-8"),
            ("submission://ann:swordfish%00@example.net", "a control character"),
            ("submission://ann:swordfish@", "no host"),
            ("submission://ann:swordfish@example.net:0", "an invalid port"),
            ("submission://ann:swordfish@example.net:", "an invalid port"),
            ("submission://ann:swordfish@example.net:x", "an invalid port"),
            ("submission://ann:swordfish@[2001:db8::1]:99999", "an invalid port"),
            ("submission://ann:swordfish@example.net/path", "something after the host"),
            ("submission://ann:swordfish@example.net:587/path", "something after the host"),
            ("submission://ann:swordfish@a b:587", "no host"),
            ("submission://ann:swordfish@mail.example.org", "leads to this server itself"),
            ("smtp://localhost", "leads to this server itself"),
            ("smtp://[::1]", "leads to this server itself"),
            ("submissions://", "no host"),
        ],
    );
}

#[test]
fn relays_with_their_ports_and_credentials() {
    for (typed, address, security, credentials) in [
        ("smtp://relay.example.net", "relay.example.net:25", RelaySecurity::Opportunistic, None),
        ("SMTP://[2001:db8::1]:2525/", "[2001:db8::1]:2525", RelaySecurity::Opportunistic, None),
        ("submission://192.0.2.1", "192.0.2.1:587", RelaySecurity::StartTls, None),
        ("smtp://127.0.0.1:2525", "127.0.0.1:2525", RelaySecurity::Opportunistic, None),
        (
            "submissions://a:b@r.example.net",
            "r.example.net:465",
            RelaySecurity::ImplicitTls,
            Some(("a", "b")),
        ),
        (
            "submission://ann%40example.org:p%3Ass%25@w/%C3%B6rd@r.example.net:2587",
            "r.example.net:2587",
            RelaySecurity::StartTls,
            Some(("ann@example.org", "p:ss%@w/örd")),
        ),
    ] {
        let relay = refined(&[("MAIL_RELAY_URL", typed)]).unwrap().relay.unwrap();
        let read = relay.credentials.as_ref().map(|read| (read.user.as_str(), read.password.reveal()));
        assert_eq!(
            (relay.to_string().as_str(), relay.security, read),
            (address, security, credentials),
            "{typed}"
        );
    }
}

#[test]
fn ca_files_with_and_without_a_relay() {
    let ca = ("MAIL_RELAY_CA_FILE", "/run/secrets/relay-ca.pem");
    let url = |url| ("MAIL_RELAY_URL", url);
    let relay = refined(&[ca, url("submission://ann:swordfish@example.net")]).unwrap().relay.unwrap();
    assert_eq!(relay.authorities.as_deref(), Some(Path::new(ca.1)));
    let relative = ("MAIL_RELAY_CA_FILE", "relay-ca.pem");
    assert_fault(&[relative, url("submissions://example.net")], relative.0, "not an absolute path");
    assert_fault(&[ca], ca.0, "but MAIL_RELAY_URL is not");
    assert_fault(&[ca, url("smtp://example.net")], ca.0, "no certificate is verified");
    // The fault of one variable is not reported for the other.
    assert_fault(&[ca, url("swordfish.example.net")], "MAIL_RELAY_URL", "does not begin with");
}

#[test]
fn refused_certificate_settings() {
    assert_faults(
        &variables::ACME_DIRECTORY,
        &[
            ("http://ca.example.net/directory", "neither an address that begins with https://"),
            ("letsencrypt", "nor `none`"),
            ("https:///directory", "neither an address"),
            ("https://ca.example.net/a b", "neither an address"),
        ],
    );
    assert_faults(&variables::ACME_CA_FILE, &[("ca.pem", "not an absolute path")]);
    assert_faults(
        &variables::ACME_CONTACT,
        &[("ann", "not a mail address"), ("mailto:", "not a mail address")],
    );
    assert_faults(
        &variables::ACME_CHALLENGE,
        &[
            ("http", "not one of auto, http-01, tls-alpn-01 and dns-01"),
            ("dns-01", "is dns-01, but MAIL_DNS_UPDATE_SERVER is not set"),
        ],
    );
    let with_port = |challenge: &str, port: &str, expected: &str| {
        assert_fault(&[("MAIL_ACME_CHALLENGE", challenge), (port, "none")], "MAIL_ACME_CHALLENGE", expected);
    };
    with_port("http-01", "MAIL_HTTP_PORT", "MAIL_HTTP_PORT is `none`; set a port there");
    with_port("http-01", "MAIL_HTTP_PORT", "for example: MAIL_ACME_CHALLENGE=auto");
    with_port("tls-alpn-01", "MAIL_HTTPS_PORT", "MAIL_HTTPS_PORT is `none`; set a port there");
    assert_fault(&[("MAIL_ACME_EAB_KEY_ID", "kid")], "MAIL_ACME_EAB_KEY", "one needs the other");
    assert_fault(&[("MAIL_ACME_EAB_KEY", "c3dvcmRmaXNo")], "MAIL_ACME_EAB_KEY_ID", "one needs the other");
    let bad_key = [("MAIL_ACME_EAB_KEY_ID", "kid"), ("MAIL_ACME_EAB_KEY", "swordfish!")];
    assert_fault(&bad_key, "MAIL_ACME_EAB_KEY", "not a key in base64url");
    assert_fault(&[("MAIL_TLS_CERT_FILE", "/c.pem")], "MAIL_TLS_KEY_FILE", "one needs the other");
    assert_fault(&[("MAIL_TLS_KEY_FILE", "/k.pem")], "MAIL_TLS_CERT_FILE", "one needs the other");
    let external = [("MAIL_TLS_CERT_FILE", "/c.pem"), ("MAIL_TLS_KEY_FILE", "/k.pem")];
    assert_fault(&[external[0], ("MAIL_TLS_KEY_FILE", "k.pem")], "MAIL_TLS_KEY_FILE", "not an absolute path");
    let both = [&external[..], &[("MAIL_ACME_DIRECTORY", "https://ca.example.net")]].concat();
    assert_fault(&both, "MAIL_ACME_DIRECTORY", "set one of the two");
}

#[test]
fn certificates_of_each_kind() {
    let Certificates::Acme(acme) = refined(&[]).unwrap().certificates else {
        panic!("not from an authority")
    };
    assert_eq!((acme.directory.as_str(), acme.challenge), (certificates::LETS_ENCRYPT, Challenge::Auto));
    let none = refined(&[("MAIL_ACME_DIRECTORY", "None")]).unwrap().certificates;
    assert_eq!(none, Certificates::SelfMade);
    let external = [("MAIL_TLS_CERT_FILE", "/c.pem"), ("MAIL_TLS_KEY_FILE", "/k.pem")];
    let expected =
        Certificates::External { certificate: PathBuf::from("/c.pem"), key: PathBuf::from("/k.pem") };
    assert_eq!(refined(&external).unwrap().certificates, expected);
    let set = [
        ("MAIL_ACME_DIRECTORY", "https://[2001:db8::1]:14000/dir"),
        ("MAIL_ACME_CONTACT", "mailto:ann@example.org"),
        ("MAIL_ACME_CHALLENGE", "DNS-01"),
        ("MAIL_DNS_UPDATE_SERVER", "192.0.2.53"),
        ("MAIL_ACME_EAB_KEY_ID", "kid"),
        ("MAIL_ACME_EAB_KEY", "c3dvcmRmaXNo"),
    ];
    let Certificates::Acme(acme) = refined(&set).unwrap().certificates else {
        panic!("not from an authority")
    };
    assert_eq!(acme.contact.unwrap().to_string(), "ann@example.org");
    assert_eq!((acme.challenge, acme.account_binding.unwrap().key_id.as_str()), (Challenge::Dns01, "kid"));
}

#[test]
fn refused_name_servers_and_zones() {
    assert_faults(
        &variables::DNS_SERVERS,
        &[
            ("resolver", "\"resolver\" in it, which is not an address"),
            ("127.0.0.1:0", "not an address"),
            ("127.0.0.1:99999", "not an address"),
        ],
    );
    assert_faults(
        &variables::DNS_UPDATE_SERVER,
        &[("ns.example.org", "not an address with or without a port")],
    );
    assert_fault(
        &[("MAIL_DNS_UPDATE_KEY", "k:hmac-sha256:c3dvcmRmaXNo")],
        "MAIL_DNS_UPDATE_SERVER",
        "is not set",
    );
    for (key, expected) in [
        ("swordfish", "not a name, an algorithm and a secret"),
        ("-:hmac-sha256:c3dvcmRmaXNo", "not begin with the name of a key"),
        ("k:hmac-md5:c3dvcmRmaXNo", "not one of hmac-sha256"),
        ("k:hmac-sha256:swordfish!", "not end with a secret in base64"),
        ("k:hmac-sha256:", "not end with a secret in base64"),
    ] {
        let set = [("MAIL_DNS_UPDATE_SERVER", "192.0.2.53"), ("MAIL_DNS_UPDATE_KEY", key)];
        assert_fault(&set, "MAIL_DNS_UPDATE_KEY", expected);
    }
    let set = [
        ("MAIL_DNS_UPDATE_SERVER", "[2001:db8::53]:5353"),
        ("MAIL_DNS_UPDATE_KEY", "K.:HMAC-SHA512.:c3dvcmQ="),
    ];
    let update = refined(&set).unwrap().dns_update.unwrap();
    let key = update.key.unwrap();
    assert_eq!(update.server, "[2001:db8::53]:5353".parse().unwrap());
    assert_eq!((key.name.as_str(), key.algorithm), ("k", TsigAlgorithm::HmacSha512));
    assert_faults(
        &variables::CHECK_BLOCKLISTS,
        &[("spamhaus", "neither a zone nor `none`"), ("zen.spamhaus.org,zen.spamhaus.org.", "in it twice")],
    );
    assert_eq!(refined(&[]).unwrap().check_blocklists.len(), 3);
    assert_eq!(refined(&[("MAIL_CHECK_BLOCKLISTS", "none")]).unwrap().check_blocklists, []);
}

#[test]
fn refused_ports_and_hosts() {
    assert_faults(
        &variables::HTTP_PORT,
        &[
            ("0", "neither a port nor `none`"),
            ("65536", "neither a port"),
            ("http", "neither a port"),
            ("25", "a port that mail or health is served on"),
        ],
    );
    assert_faults(&variables::HTTPS_PORT, &[("80", "the same as MAIL_HTTP_PORT"), ("993", "mail or health")]);
    assert_faults(
        &variables::CHECK_SMTP_HOST,
        &[("a b", "neither a host"), ("mx.example.net:x", "neither a host")],
    );
    let settings = refined(&[("MAIL_HTTP_PORT", "none"), ("MAIL_CHECK_SMTP_HOST", "none")]).unwrap();
    assert_eq!((settings.http_port, settings.https_port, settings.check_smtp_host), (None, Some(443), None));
    let default = refined(&[]).unwrap().check_smtp_host.unwrap();
    assert_eq!(default.port, 25);
}

#[test]
fn levels_and_formats_of_the_log() {
    assert_faults(&variables::LOG, &[("loud", "not one of error, warn, info, debug and trace")]);
    assert_faults(&variables::LOG_FORMAT, &[("xml", "neither text nor json")]);
    let log = refined(&[("MAIL_LOG", "Debug"), ("MAIL_LOG_FORMAT", "JSON")]).unwrap().log;
    assert_eq!((log.level, log.format), (Level::Debug, Format::Json));
}

/// A value that an operator may have meant, with a mistake in it: an example with some of its characters replaced.
fn value() -> impl Strategy<Value = String> {
    let example = prop::sample::select(variables::ALL).prop_map(|variable| variable.example.to_owned());
    let slips = prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..4);
    let slipped = (example, slips).prop_map(|(example, slips)| {
        let mut characters: Vec<char> = example.chars().collect();
        for (index, character) in slips {
            let index = index.index(characters.len());
            characters[index] = character;
        }
        characters.into_iter().collect()
    });
    let pieces = prop::sample::select(vec![
        ":",
        "@",
        ",",
        "/",
        "//",
        "%",
        "%2",
        "[",
        "]",
        "none",
        "a",
        "é",
        "0",
        "99999999999",
        "\n",
        " ",
        ".",
        "-",
        "+",
        "=",
    ]);
    let random = prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![slipped, random, any::<String>()]
}

proptest! {
    #[test]
    fn any_value_is_accepted_or_refused_with_its_variable(
        values in prop::collection::vec(value(), variables::ALL.len()),
        is_set in prop::collection::vec(any::<bool>(), variables::ALL.len()),
    ) {
        let set = variables::ALL.iter().zip(&values).zip(&is_set).filter(|(_, is_set)| **is_set);
        let set: Vec<(&str, &str)> =
            set.map(|((variable, value), _)| (variable.name, value.as_str())).filter(|(_, value)| !value.contains('\0')).collect();
        match refined(&set) {
            Ok(settings) => prop_assert!(!settings.domains.is_empty()),
            Err(faults) => prop_assert!(!faults.0.is_empty() && faults.to_string().contains("MAIL_")),
        }
    }
}

#[test]
fn the_operator_has_lines_of_bounded_length() {
    let many = "line;".repeat(21);
    let long = "x".repeat(201);
    assert_faults(
        &variables::OPERATOR,
        &[
            (&many, "has 21 lines"),
            (&long, "a line of 201 characters"),
            ("Ann\u{7}Example", "control character"),
        ],
    );
    let settings =
        refined(&[("MAIL_OPERATOR", "Ann Example; 1 Example Street, Exampletown\n\n+49 1")]).unwrap();
    assert_eq!(settings.operator, ["Ann Example", "1 Example Street, Exampletown", "+49 1"]);
    assert!(refined(&[]).unwrap().operator.is_empty());
}

#[test]
fn trusted_proxies_are_few_and_not_this_machine() {
    assert_faults(
        &variables::PROXY_TRUSTED,
        &[
            ("balancer.example.org", "neither an address nor a network"),
            ("0.0.0.0/0", "any host in it could take any address"),
            ("::/0", "any host in it could take any address"),
            ("192.0.2.10, 127.0.0.0/8", "this machine's own address"),
            ("::1", "this machine's own address"),
            ("::ffff:192.0.2.0/120", "write it as IPv4"),
        ],
    );
    let settings =
        refined(&[("MAIL_PROXY_TRUSTED", "192.0.2.10, 2001:db8:1::5/64,::ffff:192.0.2.11")]).unwrap();
    let networks: Vec<String> = settings.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["192.0.2.10/32", "2001:db8:1::/64", "192.0.2.11/32"]);
    assert!(refined(&[]).unwrap().trusted_proxies.is_empty());
}

#[test]
fn the_policy_is_a_word_with_exceptions() {
    use handover::config::{Policy, PolicyAction};

    let policy = |text: &str| refined(&[("MAIL_POLICY", text)]).unwrap().policy;
    assert_eq!(refined(&[]).unwrap().policy, Policy::default());
    assert_eq!(policy("Reject"), Policy::default());
    assert_eq!(policy("off"), Policy::uniform(PolicyAction::Off));
    let expected = Policy { dmarc: PolicyAction::Reject, ..Policy::uniform(PolicyAction::Junk) };
    assert_eq!(policy(" DMARC = reject , junk"), expected);
    let expected = Policy { spf: PolicyAction::Reject, ..Policy::default() };
    assert_eq!(policy("spf=reject"), expected);
    assert_faults(
        &variables::POLICY,
        &[
            ("reject,junk", "has both \"reject\" and \"junk\" in it; keep one of them"),
            ("helo=off,helo=junk", "has helo in it twice"),
            ("rdns=off", "means rdns=off and fcrdns=reject"),
            ("off,fcrdns=junk", "write fcrdns=off as well"),
            ("rejct", "did you mean reject?"),
            ("helo=rejct", "did you mean reject?"),
            ("hello=off", "did you mean helo?"),
            ("greylisting=off", "the checks are rdns, fcrdns, helo"),
            ("dmarc", "without an action; write dmarc=reject"),
            ("yes", "neither reject nor junk nor off"),
        ],
    );
}

#[test]
fn the_blocklists_of_the_policy() {
    let set = [("MAIL_POLICY_BLOCKLISTS", "zen.spamhaus.org,bl.example.com")];
    assert_eq!(refined(&set).unwrap().policy.blocklists.len(), 2);
    assert_eq!(refined(&[("MAIL_POLICY_BLOCKLISTS", "none")]).unwrap().policy.blocklists, []);
    let many: Vec<String> = (0..9).map(|number| format!("bl{number}.example.com")).collect();
    assert_fault(&[("MAIL_POLICY_BLOCKLISTS", &many.join(","))], "MAIL_POLICY_BLOCKLISTS", "at most 8");
    let set = [("MAIL_POLICY_BLOCKLISTS", "bl.example.com"), ("MAIL_POLICY", "blocklist=off")];
    assert_fault(&set, "MAIL_POLICY_BLOCKLISTS", "MAIL_POLICY turns the check off");
}

#[test]
fn a_former_name_is_reported_unless_it_is_empty() {
    assert_fault(&[("MAIL_BLOCKLISTS", "none")], "MAIL_BLOCKLISTS", "is called MAIL_CHECK_BLOCKLISTS now");
    assert!(refined(&[("MAIL_BLOCKLISTS", "")]).is_ok());
}
