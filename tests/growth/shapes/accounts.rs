//! Shapes for `accounts`: the work on the whole file at each start, reload and command.

use std::hint::black_box;

use accounts::declaration::{Declaration, DeclaredAlias, DeclaredUser, merge};
use accounts::{Accounts, Alias, AliasName, Directory, Secret, User, UserAccount};
use address::Address;

use super::{Shape, shape};

const SIZE: usize = 100;

pub(crate) fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (kind, target) in [
        ("aliases of one user", (|_, _| "ann".to_owned()) as fn(usize, usize) -> String),
        (
            "a chain",
            |place, size| if place + 1 < size { format!("list{}", place + 1) } else { "ann".to_owned() },
        ),
        ("a loop", |place, size| format!("list{}", (place + 1) % size)),
        ("aliases of an alias", |place, _| if place > 0 { "list0".to_owned() } else { "ann".to_owned() }),
        ("aliases of addresses that do not exist", |place, _| format!("unknown{place}")),
        ("aliases of users", |place, _| format!("user{place}")),
    ] {
        let make = move |size| accounts(size, |place| target(place, size));
        shapes.push(shape(format!("Accounts::faults of {kind}"), SIZE, make, |accounts| {
            drop(black_box(accounts.faults()));
        }));
        shapes.push(shape(format!("Directory::new of {kind}"), SIZE, make, |accounts| {
            drop(black_box(Directory::new(&accounts)));
        }));
        let unchanged = move |size| (make(size), declaration(&make(size)));
        let declared_now = move |size| (accounts(0, |_| String::new()), declaration(&make(size)));
        let no_longer = move |size| (make(size), declaration(&accounts(0, |_| String::new())));
        let by_command = move |size| {
            let mut before = make(size);
            before.aliases.iter_mut().for_each(|alias| alias.declared = false);
            (before, declaration(&accounts(0, |_| String::new())))
        };
        let merging = |(before, declaration): (Accounts, Declaration<Secret>)| {
            drop(black_box(merge(&before, &declaration)));
        };
        shapes.push(shape(format!("merge of {kind}, unchanged"), SIZE, unchanged, merging));
        shapes.push(shape(format!("merge of {kind}, all new"), SIZE, declared_now, merging));
        shapes.push(shape(format!("merge of {kind}, all gone"), SIZE, no_longer, merging));
        shapes.push(shape(format!("merge of {kind}, made by command"), SIZE, by_command, merging));
    }
    shapes.push(shape("an alias of many addresses", SIZE, of_many, |accounts| {
        drop(black_box(accounts.faults()));
    }));
    shapes
}

fn address(name: &str) -> Address {
    format!("{name}@example.org").parse().unwrap()
}

fn secret() -> Secret {
    Secret::parse(
        "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
    )
    .unwrap()
}

/// Accounts with `size` aliases and as many users beside Ann; `target` returns the target of each alias.
fn accounts(size: usize, target: impl Fn(usize) -> String) -> Accounts {
    let names = (0..size).map(|place| format!("user{place}"));
    let users = std::iter::once("ann".to_owned()).chain(names).map(|name| UserAccount {
        declared: Some(secret()),
        ..UserAccount::new(User::new(&address(&name)).unwrap(), secret())
    });
    let aliases = (0..size).map(|place| Alias {
        name: AliasName::Address(address(&format!("list{place}"))),
        targets: vec![address(&target(place))],
        declared: true,
    });
    Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: users.collect(),
        aliases: aliases.collect(),
    }
}

/// One alias with `size` remote addresses.
fn of_many(size: usize) -> Accounts {
    let mut accounts = accounts(1, |_| "ann".to_owned());
    let elsewhere = |place| format!("user{place}@example.net").parse().unwrap();
    accounts.aliases[0].targets = (0..size).map(elsewhere).collect();
    accounts
}

/// The declaration from which these accounts were made.
fn declaration(accounts: &Accounts) -> Declaration<Secret> {
    let users = accounts
        .users
        .iter()
        .map(|account| DeclaredUser { user: account.user.clone(), secret: account.secret.clone() });
    let aliases = accounts
        .aliases
        .iter()
        .map(|alias| DeclaredAlias { name: alias.name.clone(), targets: alias.targets.clone() });
    Declaration { domains: accounts.domains.clone(), users: users.collect(), aliases: aliases.collect() }
}
