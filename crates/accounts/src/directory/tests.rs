use super::*;
use crate::{Alias, AliasName, Password, Secret, UserAccount};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn user(text: &str) -> User {
    User::new(&address(text)).unwrap()
}

fn accounts(users: &[&str], aliases: &[(&str, &[&str])]) -> Accounts {
    let secret = Secret::hash(&Password::new("p").unwrap());
    Accounts {
        domains: vec!["example.org".parse().unwrap(), "example.net".parse().unwrap()],
        users: users
            .iter()
            .map(|text| UserAccount {
                enabled: !text.starts_with('!'),
                ..UserAccount::new(user(text.trim_start_matches('!')), secret.clone())
            })
            .collect(),
        aliases: aliases
            .iter()
            .map(|(alias, targets)| Alias {
                name: AliasName::parse(alias).unwrap(),
                targets: targets.iter().map(|target| address(target)).collect(),
                declared: false,
            })
            .collect(),
    }
}

/// Prints `ann@example.org` for a user, `=a,b` for an alias, `?` for an unknown address, `>` for a remote one.
fn described(resolution: &Resolution) -> String {
    match resolution {
        Resolution::User(user) => user.to_string(),
        Resolution::Alias(Expansion { local, remote }) => {
            let all: Vec<_> =
                local.iter().map(User::to_string).chain(remote.iter().map(Address::to_string)).collect();
            format!("={}", all.join(","))
        }
        Resolution::Unknown => "?".to_owned(),
        Resolution::NotLocal => ">".to_owned(),
    }
}

#[test]
fn an_alias_of_disabled_users_alone_is_reported() {
    let accounts = accounts(
        &["ann@example.org", "!bob@example.org"],
        &[
            ("both@example.org", &["ann@example.org", "bob@example.org"]),
            ("info@example.org", &["bob@example.org"]),
            ("far@example.org", &["bob@example.org", "x@elsewhere.example"]),
            ("on@example.org", &["info@example.org"]),
        ],
    );
    let reported: Vec<String> = accounts.aliases_of_disabled().iter().map(ToString::to_string).collect();
    assert_eq!(reported, ["info@example.org", "on@example.org"]);
    assert_eq!(accounts.faults(), []);
}

#[test]
fn an_address_resolves_to_its_recipients() {
    let directory = Directory::new(&accounts(
        &["Ann@example.org", "bob@example.net", "a+b@example.org", "!gone@example.org"],
        &[
            ("sales@example.org", &["ann@example.org", "Bob+sales@example.net", "far@away.example"]),
            ("all@example.org", &["sales@example.org", "ann@example.org"]),
            ("near@example.net", &["gone@example.org", "ann@example.org"]),
            ("void@example.net", &["gone@example.org"]),
            ("out@example.org", &["far@away.example"]),
            ("list+owner@example.org", &["bob@example.net"]),
        ],
    ));
    for (asked, answer) in [
        ("ann@example.org", "ann@example.org"),
        ("ANN@EXAMPLE.ORG", "ann@example.org"),
        ("\"ann\"@example.org", "ann@example.org"),
        ("ann+lists@example.org", "ann@example.org"),
        ("ann+lists+more@example.org", "ann@example.org"),
        ("ann@example.net", "?"),
        ("+lists@example.org", "?"),
        ("a+b@example.org", "a+b@example.org"),
        ("a+c@example.org", "?"),
        ("gone@example.org", "?"),
        ("unknown@example.org", "?"),
        ("ann@example.com", ">"),
        ("ann@sub.example.org", ">"),
        ("ann@[192.0.2.1]", ">"),
        ("sales@example.org", "=ann@example.org,bob@example.net,far@away.example"),
        ("Sales+spring@example.org", "=ann@example.org,bob@example.net,far@away.example"),
        ("all@example.org", "=ann@example.org,bob@example.net,far@away.example"),
        ("near@example.net", "=ann@example.org"),
        ("void@example.net", "?"),
        ("out@example.org", "=far@away.example"),
        ("list+owner@example.org", "=bob@example.net"),
        ("list@example.org", "?"),
    ] {
        assert_eq!(described(&directory.resolve(&address(asked))), answer, "{asked}");
    }
}

/// RFC 5321 §4.5.1: any system that accepts mail accepts it for its postmaster, in any case.
#[test]
fn every_domain_has_a_postmaster() {
    let directory = Directory::new(&accounts(&["!old@example.org", "ann@example.org"], &[]));
    for asked in ["postmaster@example.org", "PostMaster@example.net", "postmaster+x@example.org"] {
        assert_eq!(described(&directory.resolve(&address(asked))), "=ann@example.org", "{asked}");
    }
    assert_eq!(described(&directory.resolve(&address("postmaster@example.com"))), ">");
    assert_eq!(described(&directory.postmaster()), "=ann@example.org");
}

/// RFC 2142 §4: the address for complaints, which others try before they list a host.
#[test]
fn abuse_reaches_the_first_user_unless_declared() {
    let users = ["ann@example.org", "bob@example.net"];
    let directory = Directory::new(&accounts(&users, &[]));
    assert_eq!(described(&directory.resolve(&address("Abuse@example.net"))), "=ann@example.org");
    let directory = Directory::new(&accounts(&users, &[("abuse@example.net", &["bob@example.net"])]));
    assert_eq!(described(&directory.resolve(&address("abuse@example.net"))), "=bob@example.net");
}

#[test]
fn a_catch_all_receives_addresses_without_an_entry() {
    let directory = Directory::new(&accounts(
        &["ann@example.org", "bob@example.net", "!gone@example.org"],
        &[
            ("@example.org", &["bob@example.net", "far@away.example"]),
            ("info@example.org", &["ann@example.org"]),
            ("list+owner@example.org", &["ann@example.org"]),
        ],
    ));
    for (asked, answer) in [
        ("ann@example.org", "ann@example.org"),
        ("ann+lists@example.org", "ann@example.org"),
        ("info@example.org", "=ann@example.org"),
        ("Info+x@example.org", "=ann@example.org"),
        ("list+owner@example.org", "=ann@example.org"),
        ("list@example.org", "=bob@example.net,far@away.example"),
        ("other+x@example.org", "=bob@example.net,far@away.example"),
        ("postmaster@example.org", "=bob@example.net,far@away.example"),
        // The catch-all does not receive a former user's mail.
        ("gone@example.org", "?"),
        ("gone+x@example.org", "?"),
        ("other@example.net", "?"),
        ("postmaster@example.net", "=ann@example.org"),
        ("other@example.com", ">"),
    ] {
        assert_eq!(described(&directory.resolve(&address(asked))), answer, "{asked}");
    }
    let (ann, bob) = (user("ann@example.org"), user("bob@example.net"));
    assert!(directory.may_send_as(&bob, &address("other@example.org")));
    assert!(!directory.may_send_as(&ann, &address("other@example.org")));
    for anothers in ["ann@example.org", "info@example.org", "gone@example.org", "other@example.net"] {
        assert!(!directory.may_send_as(&bob, &address(anothers)), "{anothers}");
    }
}

/// RFC 5321 §4.5.1, RFC 2142 §4: a report comes from the postmaster at the host's name.
#[test]
fn the_hosts_postmaster_is_that_of_the_first_domain() {
    let host = "mail.example.com".parse().unwrap();
    for (users, aliases, expected) in [
        (&["ann@example.org"][..], &[][..], "=ann@example.org"),
        (&["ann@example.org", "postmaster@example.org"], &[], "=postmaster@example.org"),
        (
            &["ann@example.org", "bob@example.net"],
            &[("postmaster@example.org", &["bob@example.net", "far@away.example"][..])],
            "=bob@example.net,far@away.example",
        ),
        // An alias to an address of the host's name resolves here, without a loop.
        (
            &["ann@example.org"],
            &[("postmaster@example.org", &["postmaster@mail.example.com"][..])],
            "=ann@example.org",
        ),
    ] {
        let accounts = accounts(users, aliases);
        let directory = Directory::at_host(&accounts, None, &host);
        for asked in
            ["postmaster@mail.example.com", "PostMaster@MAIL.Example.COM", "postmaster+x@mail.example.com"]
        {
            assert_eq!(described(&directory.resolve(&address(asked))), expected, "{asked}");
        }
        assert_eq!(described(&directory.resolve(&address("ann@mail.example.com"))), "?");
        assert_eq!(described(&directory.resolve(&address("postmaster@example.com"))), ">");
        assert!(!directory.is_local(&host));
        directory.replace(&accounts);
        assert_eq!(described(&directory.resolve(&address("postmaster@mail.example.com"))), expected);
    }
    let directory = Directory::at_host(&accounts(&["ann@example.org"], &[]), None, &host);
    assert_eq!(described(&directory.resolve(&address("abuse@mail.example.com"))), "=ann@example.org");
    assert!(directory.may_send_as(&user("ann@example.org"), &address("postmaster@mail.example.com")));
    assert_eq!(
        described(&Directory::new(&accounts(&[], &[])).resolve(&address("postmaster@mail.example.com"))),
        ">"
    );
    // The host's name is a local domain: it has its own postmaster.
    let directory = Directory::at_host(
        &accounts(&["ann@example.org", "postmaster@example.net"], &[]),
        None,
        &"example.net".parse().unwrap(),
    );
    assert_eq!(described(&directory.resolve(&address("postmaster@example.net"))), "postmaster@example.net");
}

#[test]
fn a_declared_postmaster_has_precedence() {
    let directory = Directory::new(&accounts(
        &["ann@example.org", "bob@example.net", "postmaster@example.net"],
        &[("Postmaster@example.org", &["bob@example.net"])],
    ));
    assert_eq!(described(&directory.resolve(&address("postmaster@example.org"))), "=bob@example.net");
    assert_eq!(described(&directory.resolve(&address("postmaster@example.net"))), "postmaster@example.net");
    assert_eq!(described(&directory.postmaster()), "=bob@example.net");
}

#[test]
fn the_first_user_replaces_a_disabled_postmaster() {
    let directory = Directory::new(&accounts(
        &["!postmaster@example.org", "!old@example.org", "ann@example.org"],
        &[("postmaster@example.net", &["old@example.org"])],
    ));
    for asked in ["postmaster@example.org", "postmaster@example.net"] {
        assert_eq!(described(&directory.resolve(&address(asked))), "=ann@example.org", "{asked}");
    }
}

#[test]
fn without_users_no_address_resolves() {
    let directory = Directory::new(&accounts(&[], &[]));
    assert_eq!(described(&directory.resolve(&address("postmaster@example.org"))), "?");
    assert_eq!(described(&directory.postmaster()), "?");
}

#[test]
fn alias_loops_and_long_chains_end() {
    let names: Vec<String> = (0..5_000).map(|number| format!("a{number}@example.org")).collect();
    let chain: Vec<[&str; 2]> = names.windows(2).map(|pair| [&*pair[0], &*pair[1]]).collect();
    let mut aliases: Vec<(&str, &[&str])> =
        chain.iter().map(|[from, to]| (*from, std::slice::from_ref(to))).collect();
    let last: (&str, &[&str]) = (&names[4_999], &["ann@example.org", "a0@example.org"]);
    aliases.push(last);
    aliases.push(("self@example.org", &["self+x@example.org"]));
    let directory = Directory::new(&accounts(&["ann@example.org"], &aliases));
    assert_eq!(described(&directory.resolve(&address("a0@example.org"))), "=ann@example.org");
    assert_eq!(described(&directory.resolve(&address("self@example.org"))), "?");
}

#[test]
fn an_alias_may_use_only_a_disabled_users_address() {
    let aliases: [(&str, &[&str]); 2] =
        [("gone@example.org", &["ann@example.org"]), ("bob@example.org", &["ann@example.org"])];
    let accounts = accounts(&["ann@example.org", "!gone@example.org", "bob@example.org"], &aliases);
    let said: Vec<String> = accounts.faults().iter().map(ToString::to_string).collect();
    assert_eq!(said, ["aliases: bob@example.org is also a user: an alias needs an address of its own"]);
    let directory = Directory::new(&accounts);
    assert_eq!(described(&directory.resolve(&address("gone@example.org"))), "=ann@example.org");
    assert_eq!(described(&directory.resolve(&address("bob@example.org"))), "bob@example.org");
}

#[test]
fn a_user_sends_only_as_addresses_that_reach_the_user() {
    let directory = Directory::new(&accounts(
        &["ann@example.org", "bob@example.net"],
        &[
            ("sales@example.org", &["team@example.org"]),
            ("team@example.org", &["ann@example.org", "far@away.example"]),
        ],
    ));
    let (ann, bob) = (user("ann@example.org"), user("bob@example.net"));
    for own in ["Ann@example.org", "ann+x@example.org", "sales@example.org", "team@example.org"] {
        assert!(directory.may_send_as(&ann, &address(own)), "{own}");
        assert!(!directory.may_send_as(&bob, &address(own)), "{own}");
    }
    for foreign in ["bob@example.net", "far@away.example", "unknown@example.org", "ann@example.com"] {
        assert!(!directory.may_send_as(&ann, &address(foreign)), "{foreign}");
    }
    assert!(directory.may_send_as(&ann, &address("postmaster@example.org")));
}

#[test]
fn a_file_with_a_fault_leaves_the_old_accounts_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.toml");
    std::fs::write(&path, accounts(&["ann@example.org"], &[]).to_toml()).unwrap();
    let directory = Directory::open(&path).unwrap();

    std::fs::write(&path, "domains = [\"example.org\"").unwrap();
    assert!(matches!(directory.reload(&path), Err(AccountsError::Syntax { .. })));
    std::fs::write(&path, "domains = [\"example.org\", \"-\"]").unwrap();
    assert!(matches!(directory.reload(&path), Err(AccountsError::Faults { .. })));
    assert_eq!(described(&directory.resolve(&address("ann@example.org"))), "ann@example.org");

    std::fs::write(&path, accounts(&["bob@example.org"], &[]).to_toml()).unwrap();
    directory.reload(&path).unwrap();
    assert_eq!(described(&directory.resolve(&address("ann@example.org"))), "?");
    assert!(directory.is_local(&"example.net".parse().unwrap()));
}

#[tokio::test]
async fn the_internal_mailbox_is_no_address_but_accepts_its_login() {
    let accounts = accounts(&["ann@example.org"], &[]);
    let beat = address("beat@example.org");
    let secret = Secret::hash(&Password::new("known to the steward").unwrap());
    let directory = Directory::with_internal_mailbox(
        &accounts,
        Some(InternalMailbox::new(&beat, secret.as_str()).unwrap()),
    );
    assert_eq!(described(&directory.resolve(&beat)), "?");
    assert_eq!(
        directory.internal_mailbox_at(&address("Beat@Example.org")).unwrap().to_string(),
        "beat@example.org"
    );
    assert_eq!(directory.internal_mailbox_at(&address("beat+x@example.org")), None);
    assert!(!directory.may_send_as(&user("beat@example.org"), &beat));
    assert!(!directory.may_send_as(&user("ann@example.org"), &beat));

    let credentials = |password| Credentials {
        login: "beat@example.org".to_owned(),
        password: Password::new(password).unwrap(),
    };
    let here = IpAddr::from([127, 0, 0, 1]);
    let login = directory.authenticate(&credentials("known to the steward"), here).await.unwrap();
    assert_eq!(login.user.to_string(), "beat@example.org");
    assert_eq!(directory.authenticate(&credentials("p"), here).await, Err(Denied::Wrong));
    directory.replace(&accounts);
    assert!(directory.authenticate(&credentials("known to the steward"), here).await.is_ok());
}

#[test]
fn a_user_has_precedence_over_an_internal_mailbox_of_the_same_name() {
    let accounts = accounts(&["beat@example.org", "ann@example.org"], &[]);
    let directory = Directory::new(&accounts);
    let secret = Secret::hash(&Password::new("q").unwrap());
    directory.set_internal_mailbox(Some(
        InternalMailbox::new(&address("beat@example.org"), secret.as_str()).unwrap(),
    ));
    directory.replace(&accounts);
    assert_eq!(directory.internal_mailbox_at(&address("beat@example.org")), None);
    assert_eq!(described(&directory.resolve(&address("beat@example.org"))), "beat@example.org");
}
