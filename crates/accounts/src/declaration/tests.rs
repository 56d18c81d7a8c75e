use super::*;
use crate::Password;

fn user(text: &str) -> User {
    User::new(&Address::parse(text).unwrap()).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

/// A cheap hash: the rule is the same for all.
fn hash_of(text: &str) -> Secret {
    let text = bcrypt::hash(password(text).octets(), 4).unwrap();
    Secret::parse(&text).unwrap()
}

/// Applies a declaration as a start does.
fn applied(before: &Accounts, declaration: &Declaration) -> Merged {
    merge(before, &declaration.hash_passwords(before, &VerificationCache::default()))
}

fn declare(users: &[(&str, &str)]) -> Declaration {
    Declaration {
        domains: vec!["example.org".parse().unwrap()],
        users: users
            .iter()
            .map(|(name, secret)| DeclaredUser {
                user: user(name),
                secret: DeclaredSecret::parse(secret).unwrap(),
            })
            .collect(),
        aliases: Vec::new(),
    }
}

fn account<'a>(accounts: &'a Accounts, name: &str) -> &'a UserAccount {
    accounts.user(&user(name)).unwrap()
}

fn change_texts(merged: &Merged) -> Vec<String> {
    merged.changes.iter().map(ToString::to_string).collect()
}

const ANN: &str = "ann@example.org";

#[test]
fn a_new_user_gets_the_declared_password_as_a_hash() {
    let merged = applied(&Accounts::default(), &declare(&[(ANN, "password one")]));
    assert_eq!(change_texts(&merged), ["accept mail for example.org", "add the user ann@example.org"]);
    let ann = account(&merged.accounts, ANN);
    assert!(ann.enabled && ann.secret.verifies(&password("password one")));
    assert!(!merged.accounts.to_toml().contains("password one"));
    assert!(merged.accounts.faults().is_empty());
}

#[test]
fn the_same_declaration_again_changes_nothing() {
    let first = applied(&Accounts::default(), &declare(&[(ANN, "password one")])).accounts;
    let again = applied(&first, &declare(&[(ANN, "password one")]));
    assert_eq!((again.accounts, again.changes), (first, vec![]));
}

#[test]
fn a_password_that_its_owner_changed_survives_restarts() {
    let mut accounts = applied(&Accounts::default(), &declare(&[(ANN, "password one")])).accounts;
    accounts.users[0].secret = hash_of("my own");
    let merged = applied(&accounts, &declare(&[(ANN, "password one")]));
    assert!(merged.changes.is_empty());
    assert!(account(&merged.accounts, ANN).secret.verifies(&password("my own")));
}

#[test]
fn a_changed_declaration_replaces_the_users_own_password() {
    let mut accounts = applied(&Accounts::default(), &declare(&[(ANN, "password one")])).accounts;
    accounts.users[0].secret = hash_of("my own");
    let merged = applied(&accounts, &declare(&[(ANN, "password two")]));
    assert_eq!(change_texts(&merged), ["set the declared password of ann@example.org"]);
    assert!(account(&merged.accounts, ANN).secret.verifies(&password("password two")));
    let again = applied(&merged.accounts, &declare(&[(ANN, "password two")]));
    assert!(again.changes.is_empty());
}

#[test]
fn a_declared_hash_is_stored_and_compared_as_text() {
    let (one, other) = (hash_of("one"), hash_of("one"));
    let merged = applied(&Accounts::default(), &declare(&[(ANN, one.as_str())]));
    assert_eq!(account(&merged.accounts, ANN).secret, one);
    let same = applied(&merged.accounts, &declare(&[(ANN, one.as_str())]));
    assert!(same.changes.is_empty());
    let changed = applied(&merged.accounts, &declare(&[(ANN, other.as_str())]));
    assert_eq!(account(&changed.accounts, ANN).secret, other);
}

#[test]
fn a_user_no_longer_declared_is_disabled_and_can_be_declared_again() {
    let bob = "bob@example.org";
    let mut accounts =
        applied(&Accounts::default(), &declare(&[(ANN, "password a"), (bob, "password b")])).accounts;
    accounts.users[1].secret = hash_of("my own");
    let merged = applied(&accounts, &declare(&[(ANN, "password a")]));
    assert_eq!(change_texts(&merged), ["let bob@example.org no longer log in, and keep the mail"]);
    assert!(!account(&merged.accounts, bob).enabled);
    assert!(applied(&merged.accounts, &declare(&[(ANN, "password a")])).changes.is_empty());

    let back = applied(&merged.accounts, &declare(&[(ANN, "password a"), (bob, "password b")]));
    assert_eq!(change_texts(&back), ["let bob@example.org log in again"]);
    assert!(account(&back.accounts, bob).secret.verifies(&password("my own")));
}

#[test]
fn an_undeclared_user_stays_and_can_become_declared() {
    let accounts = Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![UserAccount::new(user(ANN), hash_of("hers"))],
        aliases: Vec::new(),
    };
    let merged = applied(&accounts, &declare(&[("bob@example.org", "password b")]));
    assert_eq!(change_texts(&merged), ["add the user bob@example.org"]);
    assert_eq!(account(&merged.accounts, ANN), &accounts.users[0]);
    assert_eq!(merged.accounts.users[0].user, user("bob@example.org"), "the declared come first");

    let named = applied(&accounts, &declare(&[(ANN, "password new")]));
    assert_eq!(change_texts(&named), ["set the declared password of ann@example.org"]);
}

#[test]
fn removing_a_domain_disables_its_users_and_leaves_no_fault() {
    let mut accounts = applied(&Accounts::default(), &declare(&[(ANN, "password a")])).accounts;
    accounts.users[0].declared = None;
    let elsewhere =
        Declaration { domains: vec!["example.net".parse().unwrap()], users: vec![], aliases: vec![] };
    let merged = applied(&accounts, &elsewhere);
    assert_eq!(
        change_texts(&merged),
        [
            "accept mail for example.net",
            "accept no more mail for example.org",
            "let ann@example.org no longer log in, and keep the mail"
        ]
    );
    assert!(merged.accounts.faults().is_empty());
}

#[test]
fn declared_aliases_follow_their_declaration_and_others_stay() {
    let address = |text: &str| Address::parse(text).unwrap();
    let name = |text: &str| AliasName::parse(text).unwrap();
    let declared =
        |text: &str, target: &str| DeclaredAlias { name: name(text), targets: vec![address(target)] };
    let mut before = applied(&Accounts::default(), &declare(&[(ANN, "password a")])).accounts;
    let alias = |text: &str, declared| Alias { name: name(text), targets: vec![address(ANN)], declared };
    before.aliases = vec![
        alias("old@example.org", true),
        alias("Kept@example.org", true),
        alias("moved@example.org", true),
        alias("by-hand@example.org", false),
        alias("bob@example.org", false),
    ];
    let mut declaration = declare(&[(ANN, "password a"), ("bob@example.org", "password b")]);
    declaration.aliases = vec![
        declared("kept@example.org", ANN),
        declared("moved@example.org", "far@away.example"),
        declared("new@example.org", ANN),
        declared("@example.org", ANN),
    ];
    let merged = applied(&before, &declaration);
    assert_eq!(
        change_texts(&merged),
        [
            "add the user bob@example.org",
            "set the alias moved@example.org",
            "set the alias new@example.org",
            "set the alias @example.org",
            "remove the alias old@example.org",
            "remove the alias bob@example.org",
        ]
    );
    let left: Vec<_> = merged.accounts.aliases.iter().map(|alias| alias.name.to_string()).collect();
    assert_eq!(
        left,
        ["kept@example.org", "moved@example.org", "new@example.org", "@example.org", "by-hand@example.org"]
    );
    assert!(merged.accounts.faults().is_empty());
}

#[test]
fn an_alias_made_by_command_loses_targets_no_longer_declared() {
    let address = |text: &str| Address::parse(text).unwrap();
    let by_hand = |name: &str, targets: &[&str]| Alias {
        name: AliasName::parse(name).unwrap(),
        targets: targets.iter().map(|target| address(target)).collect(),
        declared: false,
    };
    let mut before = applied(&Accounts::default(), &declare(&[(ANN, "password a")])).accounts;
    before.aliases = vec![
        Alias { declared: true, ..by_hand("team@example.org", &[ANN]) },
        by_hand("all@example.org", &["team@example.org", ANN]),
        by_hand("some@example.org", &["only@example.org"]),
        by_hand("only@example.org", &["team@example.org"]),
    ];
    assert!(before.faults().is_empty());
    let merged = applied(&before, &declare(&[(ANN, "password a")]));
    assert_eq!(
        change_texts(&merged),
        [
            "remove the alias team@example.org",
            "set the alias all@example.org",
            "remove the alias some@example.org",
            "remove the alias only@example.org",
        ]
    );
    assert_eq!(merged.accounts.aliases, [by_hand("all@example.org", &[ANN])]);
    assert!(merged.accounts.faults().is_empty());
}

#[test]
fn a_secret_is_a_hash_when_it_names_a_scheme_and_a_password_otherwise() {
    for text in ["password", "$ecret words", "{smile} words", "{PLAIN}$6$salt$hash", "{CLEAR}correct horse"] {
        assert!(matches!(DeclaredSecret::parse(text), Ok(DeclaredSecret::Plain(_))), "{text}");
    }
    assert!(matches!(DeclaredSecret::parse(hash_of("x").as_str()), Ok(DeclaredSecret::Hash(_))));
    for text in
        ["", "{PLAIN}", "{PLAIN}short", "short", "$6", "$6$cut", "$1$a$b", "{SSHA}abc", "a tab\tin it"]
    {
        assert!(DeclaredSecret::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_user_disabled_by_the_operator_stays_disabled_in_any_declaration() {
    let mut accounts = applied(&Accounts::default(), &declare(&[(ANN, "password one")])).accounts;
    accounts.disable(&user(ANN)).unwrap();
    let again = applied(&accounts, &declare(&[(ANN, "password one")]));
    assert_eq!((&again.accounts, change_texts(&again)), (&accounts, vec![]));
    let changed = applied(&accounts, &declare(&[(ANN, "password two")]));
    assert_eq!(change_texts(&changed), ["set the declared password of ann@example.org"]);
    let ann = account(&changed.accounts, ANN);
    assert!(!ann.enabled && ann.locked && ann.secret.verifies(&password("password two")));

    let withdrawn = applied(&accounts, &declare(&[])).accounts;
    let ann = account(&withdrawn, ANN);
    assert!(!ann.enabled && !ann.is_declared());
    let back = applied(&withdrawn, &declare(&[(ANN, "password one")])).accounts;
    assert!(!account(&back, ANN).enabled, "a declaration must not enable the user");
}

#[test]
fn app_passwords_survive_restarts_and_a_changed_declaration() {
    let mut accounts = applied(&Accounts::default(), &declare(&[(ANN, "password one")])).accounts;
    let name = crate::AppName::parse("telephone").unwrap();
    let (app, _) = crate::AppPassword::issue(name, String::new(), &[]);
    accounts.add_app_password(&user(ANN), app.clone()).unwrap();
    for declared in ["password one", "password two"] {
        accounts = applied(&accounts, &declare(&[(ANN, declared)])).accounts;
        assert_eq!(account(&accounts, ANN).app_passwords, std::slice::from_ref(&app));
    }
}

#[test]
fn a_repeated_password_costs_no_hash() {
    let cache = VerificationCache::default();
    let run = |before: &Accounts, secret: &str| {
        let computed = cache.hashes_computed();
        let users = [(ANN, secret), ("bob@example.org", hash_of_bob())];
        let merged = merge(before, &declare(&users).hash_passwords(before, &cache));
        (merged.accounts, cache.hashes_computed() - computed)
    };
    let (first, computed) = run(&Accounts::default(), "password one");
    assert_eq!(computed, 1, "a declared hash costs nothing");
    let (again, computed) = run(&first, "password one");
    assert_eq!((&again, computed), (&first, 0));
    let (changed, computed) = run(&again, "password two");
    assert_eq!(computed, 2, "the old hash is not the new password's, which gets one of its own");
    assert!(account(&changed, ANN).secret.verifies(&password("password two")));
    assert_eq!(run(&changed, "password two"), (changed.clone(), 0));
    assert!(!account(&run(&changed, "password one").0, ANN).secret.verifies(&password("password two")));
}

#[test]
fn a_password_that_is_declared_in_another_form_is_the_same_password() {
    let first = applied(&Accounts::default(), &declare(&[(ANN, "e\u{301}clair pass")])).accounts;
    let again = applied(&first, &declare(&[(ANN, "\u{e9}clair\u{a0}pass")]));
    assert_eq!((&again.accounts, again.changes), (&first, vec![]));
    // As stored by an earlier version: the hash of the octets as declared.
    let mut older = first.clone();
    let raw = Secret::parse(&bcrypt::hash("e\u{301}clair pass", 4).unwrap()).unwrap();
    (older.users[0].secret, older.users[0].declared) = (raw.clone(), Some(raw));
    let kept = applied(&older, &declare(&[(ANN, "e\u{301}clair pass")]));
    assert_eq!((&kept.accounts, kept.changes), (&older, vec![]));
    assert!(account(&older, ANN).secret.verifies(&password("\u{e9}clair pass")));
}

/// A fixed hash.
fn hash_of_bob() -> &'static str {
    "$2y$05$dUblMAKJdsXEokkLLmYaiu59qwlkxTHT9ihk3sEoTTa41QuxKRxqu"
}
