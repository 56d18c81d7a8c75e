use address::Address;

use super::*;
use crate::{Accounts, Directory, UserAccount};

fn user(text: &str) -> User {
    User::new(&Address::parse(text).unwrap()).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn credentials(login: &str, text: &str) -> Credentials {
    Credentials { login: login.to_owned(), password: password(text) }
}

fn directory() -> Directory {
    let account = |name: &str, secret: Secret, enabled| UserAccount {
        user: user(name),
        secret,
        declared: None,
        enabled,
    };
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
async fn the_right_password_lets_in_by_address_or_by_name_in_the_first_domain() {
    let directory = directory();
    for login in ["ann@example.org", "ANN@Example.org", "ann", "Ann"] {
        let outcome = directory.authenticate(&credentials(login, "ann's")).await;
        assert_eq!(outcome, Ok(user("ann@example.org")), "{login}");
    }
    let outcome = directory.authenticate(&credentials("bob@example.net", "bob's")).await;
    assert_eq!(outcome, Ok(user("bob@example.net")));
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let directory = directory();
    for (login, password) in [
        ("ann@example.org", "wrong"),
        ("ann@example.org", "bob's"),
        ("eve@example.org", "eve's"),
        ("bob", "bob's"),
        ("ann+x@example.org", "ann's"),
        ("nobody@example.org", "ann's"),
        ("nobody@elsewhere.example", "x"),
        ("", "x"),
        ("@", "x"),
    ] {
        let outcome = directory.authenticate(&credentials(login, password)).await;
        assert_eq!(outcome, Err(Denied::Wrong), "{login} {password}");
    }
}

#[tokio::test]
async fn a_changed_password_counts_at_once_although_the_old_one_was_just_right() {
    let directory = directory();
    assert!(directory.authenticate(&credentials("ann", "ann's")).await.is_ok());
    directory.replace(&Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![UserAccount {
            user: user("ann@example.org"),
            secret: Secret::hash(&password("new")),
            declared: None,
            enabled: true,
        }],
        aliases: Vec::new(),
    });
    assert_eq!(directory.authenticate(&credentials("ann", "ann's")).await, Err(Denied::Wrong));
    assert!(directory.authenticate(&credentials("ann", "new")).await.is_ok());
}

#[tokio::test]
async fn without_users_a_password_is_checked_all_the_same_and_refused() {
    let directory = Directory::new(&Accounts::default());
    assert_eq!(directory.authenticate(&credentials("ann", "x")).await, Err(Denied::Wrong));
}

#[tokio::test]
async fn a_secret_that_wants_more_memory_than_there_is_for_all_runs_alone_and_not_never() {
    let wide = Secret::parse(&NOBODY.replace("m=19456", "m=131072")).unwrap();
    assert!(wide.memory() > MEMORY);
    let gate = Gate::new();
    let (one, other) = tokio::join!(
        gate.check(wide.clone(), password("x")),
        gate.check(Secret::hash(&password("y")), password("y"))
    );
    assert_eq!((one, other), (Ok(false), Ok(true)));
}

#[test]
fn strangers_are_checked_against_the_secrets_that_users_have() {
    let accounts = Accounts {
        domains: Vec::new(),
        users: vec![UserAccount {
            user: user("ann@example.org"),
            secret: Secret::hash(&password("a")),
            declared: None,
            enabled: true,
        }],
        aliases: Vec::new(),
    };
    let gate = Gate::new();
    assert_eq!(gate.stand_in(&Entries::new(&accounts), "who"), &accounts.users[0].secret);
    assert_eq!(gate.stand_in(&Entries::new(&Accounts::default()), "who"), &gate.nobody);
}
