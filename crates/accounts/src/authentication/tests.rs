use address::Address;

use super::*;
use crate::{Accounts, AppPassword, Directory, InternalMailbox, UserAccount};

fn user(text: &str) -> User {
    User::new(&Address::parse(text).unwrap()).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn credentials(login: &str, text: &str) -> Credentials {
    Credentials { login: login.to_owned(), password: password(text) }
}

/// A client's address that is not shared.
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn directory() -> Directory {
    let account =
        |name: &str, secret: Secret, enabled| UserAccount { enabled, ..UserAccount::new(user(name), secret) };
    Directory::new(&Accounts {
        domains: vec!["example.org".parse().unwrap(), "example.net".parse().unwrap()],
        users: vec![
            account("ann@example.org", Secret::hash(&password("ann's")), true),
            account("bob@example.net", Secret::hash(&password("bob's")), true),
            account("eve@example.org", Secret::hash(&password("eve's")), false),
        ],
        aliases: Vec::new(),
    })
}

#[tokio::test]
async fn the_password_is_accepted_with_the_address_or_the_name_in_the_first_domain() {
    let directory = directory();
    for login in ["ann@example.org", "ANN@Example.org", "ann", "Ann"] {
        let outcome = directory.authenticate(&credentials(login, "ann's"), HERE).await.unwrap();
        assert_eq!((outcome.user, outcome.device), (user("ann@example.org"), None), "{login}");
    }
    let outcome = directory.authenticate(&credentials("bob@example.net", "bob's"), HERE).await;
    assert_eq!(outcome.unwrap().user, user("bob@example.net"));
}

#[tokio::test]
async fn any_other_login_is_refused() {
    let directory = directory();
    for (login, password) in [
        ("ann@example.org", "wrong"),
        ("ann@example.org", "bob's"),
        ("eve@example.org", "eve's"),
        ("bob", "bob's"),
        ("ann+x@example.org", "ann's"),
        ("unknown@example.org", "ann's"),
        ("unknown@elsewhere.example", "x"),
        ("", "x"),
        ("@", "x"),
    ] {
        let outcome = directory.authenticate(&credentials(login, password), HERE).await;
        assert_eq!(outcome, Err(Denied::Wrong), "{login} {password}");
    }
}

#[tokio::test]
async fn a_changed_password_takes_effect_in_spite_of_the_cache() {
    let directory = directory();
    assert!(directory.authenticate(&credentials("ann", "ann's"), HERE).await.is_ok());
    directory.replace(&Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![UserAccount::new(user("ann@example.org"), Secret::hash(&password("new")))],
        aliases: Vec::new(),
    });
    assert_eq!(directory.authenticate(&credentials("ann", "ann's"), HERE).await, Err(Denied::Wrong));
    assert!(directory.authenticate(&credentials("ann", "new"), HERE).await.is_ok());
}

#[tokio::test]
async fn each_device_logs_in_with_its_own_password_until_it_is_revoked() {
    let mut accounts = Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![UserAccount::new(user("ann@example.org"), Secret::hash(&password("ann's")))],
        aliases: Vec::new(),
    };
    let ann = user("ann@example.org");
    let mut shown = Vec::new();
    for name in ["telephone", "laptop"] {
        let others = &accounts.users[0].app_passwords;
        let (app, text) = AppPassword::issue(AppName::parse(name).unwrap(), String::new(), others);
        accounts.add_app_password(&ann, app).unwrap();
        shown.push(text);
    }
    let directory = Directory::new(&accounts);
    let telephone = directory.authenticate(&credentials("ann", &shown[0]), HERE).await.unwrap();
    assert_eq!(telephone.device.as_ref().map(AppName::as_str), Some("telephone"));
    let laptop = directory.authenticate(&credentials("ann", &shown[1].to_uppercase()), HERE).await.unwrap();
    let own = directory.authenticate(&credentials("ann", "ann's"), HERE).await.unwrap();
    assert_eq!(own.device, None);
    // The selector of one app password with the secret part of another is not a password.
    let mixed = format!("{}{}", &shown[0][..4], &shown[1][4..]);
    assert_eq!(directory.authenticate(&credentials("ann", &mixed), HERE).await, Err(Denied::Wrong));

    let mut watching = directory.watch(telephone);
    accounts.revoke_app_password(&ann, &AppName::parse("Telephone").unwrap()).unwrap();
    directory.replace(&accounts);
    // The app password is in the cache of recent logins; without its secret in the accounts, the entry is not used.
    assert_eq!(directory.authenticate(&credentials("ann", &shown[0]), HERE).await, Err(Denied::Wrong));
    watching.revoked().await;
    assert!(directory.entries().is_valid(&laptop) && directory.entries().is_valid(&own));
    assert!(directory.authenticate(&credentials("ann", &shown[1]), HERE).await.is_ok());
}

#[tokio::test]
async fn a_login_is_revoked_with_its_account_or_password() {
    let mut accounts = Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![UserAccount::new(user("ann@example.org"), Secret::hash(&password("ann's")))],
        aliases: Vec::new(),
    };
    let ann = user("ann@example.org");
    let directory = Directory::new(&accounts);
    let login = directory.authenticate(&credentials("ann", "ann's"), HERE).await.unwrap();
    // Adding another user changes nothing for this one.
    accounts.add_user(&user("bob@example.org"), Secret::hash(&password("bob's"))).unwrap();
    directory.replace(&accounts);
    assert!(directory.entries().is_valid(&login));
    let falls_after = |change: &dyn Fn(&mut Accounts)| {
        let mut changed = accounts.clone();
        change(&mut changed);
        directory.replace(&changed);
        !directory.entries().is_valid(&login)
    };
    assert!(falls_after(&|accounts| assert_eq!(accounts.disable(&ann), Ok(true))));
    assert!(falls_after(&|accounts| accounts.delete_user(&ann).unwrap()));
    assert!(falls_after(&|accounts| accounts.set_secret(&ann, Secret::hash(&password("new"))).unwrap()));
    assert!(!falls_after(&|_| {}));
}

#[tokio::test]
async fn without_users_a_password_is_still_checked_and_refused() {
    let directory = Directory::new(&Accounts::default());
    assert_eq!(directory.authenticate(&credentials("ann", "x"), HERE).await, Err(Denied::Wrong));
}

#[tokio::test]
async fn a_check_that_needs_more_than_all_memory_runs_alone() {
    let wide = Secret::parse(&STAND_IN_HASH.replace("m=19456", "m=131072")).unwrap();
    assert!(wide.memory() > CHECK_MEMORY);
    let checker = PasswordChecker::new();
    let priority = CheckPriority { rank: Rank { is_from_unknown_network: true, failures: 0 }, account: 0 };
    let (one, other) = tokio::join!(
        checker.check(wide.clone(), password("x"), priority),
        checker.check(Secret::hash(&password("y")), password("y"), priority)
    );
    assert_eq!((one, other), (Ok(false), Ok(true)));
}

#[test]
fn unknown_logins_are_checked_against_users_secrets() {
    let accounts = Accounts {
        domains: Vec::new(),
        users: vec![UserAccount::new(user("ann@example.org"), Secret::hash(&password("a")))],
        aliases: Vec::new(),
    };
    let checker = PasswordChecker::new();
    assert_eq!(checker.stand_in(&Entries::new(&accounts), "who"), &accounts.users[0].secret);
    assert_eq!(checker.stand_in(&Entries::new(&Accounts::default()), "who"), &checker.default_stand_in);
}

/// A directory with Ann and the internal mailbox.
fn with_internal_mailbox() -> Directory {
    let internal_mailbox = InternalMailbox::new(
        &"mailstead-heartbeat@example.org".parse().unwrap(),
        Secret::hash(&password("heartbeat's")).as_str(),
    );
    Directory::with_internal_mailbox(
        &Accounts {
            domains: vec!["example.org".parse().unwrap()],
            users: vec![UserAccount::new(user("ann@example.org"), Secret::hash(&password("ann's")))],
            aliases: Vec::new(),
        },
        Some(internal_mailbox.unwrap()),
    )
}

#[tokio::test]
async fn the_internal_mailbox_is_accepted_from_this_machine_only() {
    let directory = with_internal_mailbox();
    let gateway: IpAddr = "172.18.0.1".parse().unwrap();
    directory.set_shared_networks(&["127.0.0.0/8", "172.18.0.1/32"].map(|network| network.parse().unwrap()));
    for login in ["mailstead-heartbeat@example.org", "Mailstead-Heartbeat"] {
        let right = credentials(login, "heartbeat's");
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(directory.authenticate(&right, here.parse().unwrap()).await.is_ok(), "{here}");
        }
        // Also just after a correct login, so that the cache of recent logins does not let the peer in.
        for (number, elsewhere) in ["192.0.2.1", "2001:db8::1", "10.0.2.100"].into_iter().enumerate() {
            let outcome = directory.authenticate(&right, elsewhere.parse().unwrap()).await;
            assert_eq!(outcome, Err(Denied::Wrong), "{number}: {elsewhere}");
        }
        assert_eq!(directory.authenticate(&right, gateway).await, Err(Denied::Wrong), "{login}");
    }
    assert!(directory.authenticate(&credentials("ann", "ann's"), gateway).await.is_ok());
}

#[test]
fn guesses_at_the_internal_mailbox_from_elsewhere_are_charged_separately() {
    let directory = with_internal_mailbox();
    let stranger: IpAddr = "192.0.2.1".parse().unwrap();
    let (name, short) = ("mailstead-heartbeat@example.org", "Mailstead-Heartbeat");
    assert_eq!(directory.guard_key(name, HERE), directory.guard_key(short, HERE));
    assert_eq!(directory.guard_key(name, stranger), directory.guard_key(short, stranger));
    assert_ne!(directory.guard_key(name, HERE), directory.guard_key(name, stranger));
    assert_eq!(directory.guard_key("ann", HERE), directory.guard_key("ann", stranger));
}
