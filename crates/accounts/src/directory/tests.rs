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
fn told(resolution: &Resolution) -> String {
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
fn an_address_reaches_whom_it_should() {
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
        ("nobody@example.org", "?"),
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
        assert_eq!(told(&directory.resolve(&address(asked))), answer, "{asked}");
    }
}

/// RFC 5321 §4.5.1: any system that accepts mail accepts it for its postmaster, in any case.
#[test]
fn a_postmaster_is_always_there() {
    let directory = Directory::new(&accounts(&["!old@example.org", "ann@example.org"], &[]));
    for asked in ["postmaster@example.org", "PostMaster@example.net", "postmaster+x@example.org"] {
        assert_eq!(told(&directory.resolve(&address(asked))), "=ann@example.org", "{asked}");
    }
    assert_eq!(told(&directory.resolve(&address("postmaster@example.com"))), ">");
    assert_eq!(told(&directory.postmaster()), "=ann@example.org");
}

/// RFC 2142 §4: the address for complaints, which others try before they list a host.
#[test]
fn complaints_are_read_unless_somebody_else_is_named_for_them() {
    let users = ["ann@example.org", "bob@example.net"];
    let directory = Directory::new(&accounts(&users, &[]));
    assert_eq!(told(&directory.resolve(&address("Abuse@example.net"))), "=ann@example.org");
    let directory = Directory::new(&accounts(&users, &[("abuse@example.net", &["bob@example.net"])]));
    assert_eq!(told(&directory.resolve(&address("abuse@example.net"))), "=bob@example.net");
}

#[test]
fn the_rest_of_a_domain_is_what_nobody_has_a_name_for() {
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
        ("whoever+x@example.org", "=bob@example.net,far@away.example"),
        ("postmaster@example.org", "=bob@example.net,far@away.example"),
        // The catch-all does not receive a former user's mail.
        ("gone@example.org", "?"),
        ("gone+x@example.org", "?"),
        ("whoever@example.net", "?"),
        ("postmaster@example.net", "=ann@example.org"),
        ("whoever@example.com", ">"),
    ] {
        assert_eq!(told(&directory.resolve(&address(asked))), answer, "{asked}");
    }
    let (ann, bob) = (user("ann@example.org"), user("bob@example.net"));
    assert!(directory.may_send_as(&bob, &address("whoever@example.org")));
    assert!(!directory.may_send_as(&ann, &address("whoever@example.org")));
    for anothers in ["ann@example.org", "info@example.org", "gone@example.org", "whoever@example.net"] {
        assert!(!directory.may_send_as(&bob, &address(anothers)), "{anothers}");
    }
}

/// RFC 5321 §4.5.1, RFC 2142 §4: a report comes from the postmaster at the host's name.
#[test]
fn the_hosts_postmaster_is_the_first_domains() {
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
            assert_eq!(told(&directory.resolve(&address(asked))), expected, "{asked}");
        }
        assert_eq!(told(&directory.resolve(&address("ann@mail.example.com"))), "?");
        assert_eq!(told(&directory.resolve(&address("postmaster@example.com"))), ">");
        assert!(!directory.is_local(&host));
        directory.replace(&accounts);
        assert_eq!(told(&directory.resolve(&address("postmaster@mail.example.com"))), expected);
    }
    let directory = Directory::at_host(&accounts(&["ann@example.org"], &[]), None, &host);
    assert_eq!(told(&directory.resolve(&address("abuse@mail.example.com"))), "=ann@example.org");
    assert!(directory.may_send_as(&user("ann@example.org"), &address("postmaster@mail.example.com")));
    assert_eq!(
        told(&Directory::new(&accounts(&[], &[])).resolve(&address("postmaster@mail.example.com"))),
        ">"
    );
    // The host's name is a local domain: it has its own postmaster.
    let directory = Directory::at_host(
        &accounts(&["ann@example.org", "postmaster@example.net"], &[]),
        None,
        &"example.net".parse().unwrap(),
    );
    assert_eq!(told(&directory.resolve(&address("postmaster@example.net"))), "postmaster@example.net");
}

#[test]
fn a_postmaster_who_is_declared_is_the_one() {
    let directory = Directory::new(&accounts(
        &["ann@example.org", "bob@example.net", "postmaster@example.net"],
        &[("Postmaster@example.org", &["bob@example.net"])],
    ));
    assert_eq!(told(&directory.resolve(&address("postmaster@example.org"))), "=bob@example.net");
    assert_eq!(told(&directory.resolve(&address("postmaster@example.net"))), "postmaster@example.net");
    assert_eq!(told(&directory.postmaster()), "=bob@example.net");
}

#[test]
fn a_postmaster_who_is_not_enabled_is_stood_in_for() {
    let directory = Directory::new(&accounts(
        &["!postmaster@example.org", "!old@example.org", "ann@example.org"],
        &[("postmaster@example.net", &["old@example.org"])],
    ));
    for asked in ["postmaster@example.org", "postmaster@example.net"] {
        assert_eq!(told(&directory.resolve(&address(asked))), "=ann@example.org", "{asked}");
    }
}

#[test]
fn without_users_nobody_can_be_reached() {
    let directory = Directory::new(&accounts(&[], &[]));
    assert_eq!(told(&directory.resolve(&address("postmaster@example.org"))), "?");
    assert_eq!(told(&directory.postmaster()), "?");
}

#[test]
fn aliases_in_a_circle_or_a_long_chain_end() {
    let names: Vec<String> = (0..5_000).map(|number| format!("a{number}@example.org")).collect();
    let chain: Vec<[&str; 2]> = names.windows(2).map(|pair| [&*pair[0], &*pair[1]]).collect();
    let mut aliases: Vec<(&str, &[&str])> =
        chain.iter().map(|[from, to]| (*from, std::slice::from_ref(to))).collect();
    let last: (&str, &[&str]) = (&names[4_999], &["ann@example.org", "a0@example.org"]);
    aliases.push(last);
    aliases.push(("self@example.org", &["self+x@example.org"]));
    let directory = Directory::new(&accounts(&["ann@example.org"], &aliases));
    assert_eq!(told(&directory.resolve(&address("a0@example.org"))), "=ann@example.org");
    assert_eq!(told(&directory.resolve(&address("self@example.org"))), "?");
}

#[test]
fn an_alias_takes_the_address_of_a_user_who_is_gone_and_of_no_other() {
    let aliases: [(&str, &[&str]); 2] =
        [("gone@example.org", &["ann@example.org"]), ("bob@example.org", &["ann@example.org"])];
    let accounts = accounts(&["ann@example.org", "!gone@example.org", "bob@example.org"], &aliases);
    let said: Vec<String> = accounts.faults().iter().map(ToString::to_string).collect();
    assert_eq!(said, ["aliases: bob@example.org is a user already"]);
    let directory = Directory::new(&accounts);
    assert_eq!(told(&directory.resolve(&address("gone@example.org"))), "=ann@example.org");
    assert_eq!(told(&directory.resolve(&address("bob@example.org"))), "bob@example.org");
}

#[test]
fn a_user_sends_as_what_reaches_the_user_and_as_nobody_else() {
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
    for foreign in ["bob@example.net", "far@away.example", "nobody@example.org", "ann@example.com"] {
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
    assert_eq!(told(&directory.resolve(&address("ann@example.org"))), "ann@example.org");

    std::fs::write(&path, accounts(&["bob@example.org"], &[]).to_toml()).unwrap();
    directory.reload(&path).unwrap();
    assert_eq!(told(&directory.resolve(&address("ann@example.org"))), "?");
    assert!(directory.is_local(&"example.net".parse().unwrap()));
}

#[tokio::test]
async fn a_hidden_mailbox_is_nobodys_address_and_lets_its_owner_in() {
    let accounts = accounts(&["ann@example.org"], &[]);
    let beat = address("beat@example.org");
    let secret = Secret::hash(&Password::new("known to the steward").unwrap());
    let directory = Directory::hiding(&accounts, Some(Hidden::new(&beat, secret.as_str()).unwrap()));
    assert_eq!(told(&directory.resolve(&beat)), "?");
    assert_eq!(directory.hidden_at(&address("Beat@Example.org")).unwrap().to_string(), "beat@example.org");
    assert_eq!(directory.hidden_at(&address("beat+x@example.org")), None);
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
fn a_user_goes_before_a_hidden_mailbox_of_the_same_name_and_so_does_the_rest_of_a_domain() {
    let accounts = accounts(&["beat@example.org", "ann@example.org"], &[]);
    let directory = Directory::new(&accounts);
    let secret = Secret::hash(&Password::new("q").unwrap());
    directory.hide(Some(Hidden::new(&address("beat@example.org"), secret.as_str()).unwrap()));
    directory.replace(&accounts);
    assert_eq!(directory.hidden_at(&address("beat@example.org")), None);
    assert_eq!(told(&directory.resolve(&address("beat@example.org"))), "beat@example.org");
}
