use super::*;
use crate::Password;

fn user(text: &str) -> User {
    User::new(&Address::parse(text).unwrap()).unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn alias_name(text: &str) -> AliasName {
    AliasName::parse(text).unwrap()
}

/// A cheap hash, since these tests do not log in.
fn secret(text: &str) -> Secret {
    let hash = bcrypt::hash(Password::new(text).unwrap().octets(), 4).unwrap();
    Secret::parse(&hash).unwrap()
}

fn app(name: &str) -> AppPassword {
    AppPassword::issue(AppName::parse(name).unwrap(), "2026-11-28T03:00:00Z".into(), &[]).0
}

/// Ann, who is declared by the environment, Bob, who is not, and `info`, which leads to Bob.
fn accounts() -> Accounts {
    let declared = Some(secret("ann's"));
    Accounts {
        domains: vec!["example.org".parse().unwrap()],
        users: vec![
            UserAccount { declared, ..UserAccount::new(user("ann@example.org"), secret("ann's")) },
            UserAccount::new(user("bob@example.org"), secret("bob's")),
        ],
        aliases: vec![Alias {
            name: alias_name("info@example.org"),
            targets: vec![address("bob@example.org")],
            declared: false,
        }],
    }
}

/// The text of the error of a change, after which the accounts are the same.
#[track_caller]
fn refused(change: impl FnOnce(&mut Accounts) -> Result<(), ChangeError>) -> String {
    let before = accounts();
    let mut changed = before.clone();
    let error = change(&mut changed).unwrap_err();
    assert_eq!(changed, before, "{error}");
    error.to_string()
}

#[test]
fn an_impossible_change_is_refused_with_advice_and_changes_nothing() {
    let add = |name: &'static str| refused(move |a| a.add_user(&user(name), secret("x")));
    assert!(add("bob@example.org").contains("mailstead user passwd"));
    assert!(add("info@example.org").contains("alias delete"));
    assert!(add("mailstead-heartbeat@example.org").contains("choose another name"));
    assert!(add("eve@elsewhere.example").contains("the local domains are example.org"));
    assert!(
        refused(|a| a.set_secret(&user("eve@example.org"), secret("x"))).contains("no user eve@example.org")
    );
    assert!(refused(|a| a.disable(&user("eve@example.org")).map(drop)).contains("user list"));
    assert!(refused(|a| a.delete_user(&user("ann@example.org"))).contains("declared in MAIL_USERS"));
    assert!(
        refused(|a| a.delete_user(&user("bob@example.org")))
            .contains("bob@example.org is a target of info@example.org")
    );

    let alias = |name: &'static str, target: &'static str| {
        refused(move |a| a.add_alias(&alias_name(name), vec![address(target)]))
    };
    assert!(
        alias("info@example.org", "ann@example.org").contains("the alias info@example.org already exists")
    );
    assert!(alias("bob@example.org", "ann@example.org").contains("is a user"));
    assert!(alias("x@elsewhere.example", "ann@example.org").contains("is not a local domain"));
    assert!(alias("sales@example.org", "eve@example.org").contains("neither a user nor an alias"));
    assert!(alias("loop@example.org", "loop@example.org").contains("only back to itself"));
    let both = ["bob@example.org", "Bob@example.org"].map(address).to_vec();
    assert!(refused(|a| a.add_alias(&alias_name("all@example.org"), both)).contains("listed twice"));
    assert!(refused(|a| a.delete_alias(&alias_name("sales@example.org"))).contains("no alias"));
    let telephone = AppName::parse("telephone").unwrap();
    assert!(
        refused(|a| a.revoke_app_password(&user("bob@example.org"), &telephone)).contains("no app password")
    );
}

#[test]
fn changed_accounts_load_unchanged() {
    let mut changed = accounts();
    changed.add_user(&user("eve@example.org"), secret("eve's")).unwrap();
    changed.add_app_password(&user("eve@example.org"), app("telephone")).unwrap();
    changed.add_app_password(&user("eve@example.org"), app("Ann's \"old\" laptop")).unwrap();
    changed.disable(&user("ann@example.org")).unwrap();
    changed
        .add_alias(
            &alias_name("sales@example.org"),
            vec![address("eve@example.org"), address("x@example.com")],
        )
        .unwrap();
    changed.add_alias(&alias_name("@example.org"), vec![address("eve@example.org")]).unwrap();
    assert_eq!(changed.faults(), []);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.toml");
    std::fs::write(&path, changed.to_toml()).unwrap();
    assert_eq!(Accounts::load(&path).unwrap(), changed);
}

#[test]
fn a_disabled_user_stays_disabled_and_differs_from_a_withdrawn_one() {
    let mut accounts = accounts();
    let (ann, bob) = (user("ann@example.org"), user("bob@example.org"));
    assert_eq!(accounts.disable(&ann), Ok(true));
    assert_eq!(accounts.disable(&ann), Ok(false));
    assert!(accounts.user(&ann).unwrap().is_declared());
    assert!(matches!(accounts.add_user(&ann, secret("x")), Err(ChangeError::UserDisabled(_))));
    assert!(matches!(accounts.delete_user(&ann), Err(ChangeError::UserDeclared(_))));
    assert_eq!(accounts.enable(&ann), Ok(true));
    assert_eq!(accounts.enable(&ann), Ok(false));
    assert_eq!(accounts.disable(&bob), Ok(true));
    assert!(!accounts.user(&bob).unwrap().is_declared());

    // Removed from the environment, Ann belongs to the operator, who can enable or delete her.
    accounts.users[0].enabled = false;
    let withdrawn = accounts.clone();
    assert_eq!(accounts.enable(&ann), Ok(true));
    assert_eq!(accounts.user(&ann).unwrap().declared, None);
    accounts = withdrawn;
    accounts.delete_user(&ann).unwrap();
    assert!(accounts.user(&ann).is_none());
}

#[test]
fn an_alias_may_use_a_disabled_users_address_which_blocks_enabling() {
    let mut accounts = accounts();
    let (ann, name) = (user("ann@example.org"), alias_name("ann@example.org"));
    accounts.disable(&ann).unwrap();
    accounts.add_alias(&name, vec![address("bob@example.org")]).unwrap();
    assert_eq!(accounts.enable(&ann), Err(ChangeError::IsAlias(name.clone())));
    accounts.delete_alias(&name).unwrap();
    assert_eq!(accounts.enable(&ann), Ok(true));
}

#[test]
fn a_target_of_another_alias_is_not_deleted() {
    let mut accounts = accounts();
    accounts.add_alias(&alias_name("office@example.org"), vec![address("info@example.org")]).unwrap();
    let before = accounts.clone();
    let refused = accounts.delete_alias(&alias_name("INFO@example.org")).unwrap_err().to_string();
    assert!(refused.contains("is a target of office@example.org"), "{refused}");
    assert_eq!(accounts, before);
    accounts.delete_alias(&alias_name("office@example.org")).unwrap();
    accounts.delete_alias(&alias_name("INFO@example.org")).unwrap();
    assert!(accounts.aliases.is_empty());
}

#[test]
fn app_password_names_are_unique_and_bounded() {
    let mut accounts = accounts();
    let bob = user("bob@example.org");
    accounts.add_app_password(&bob, app("telephone")).unwrap();
    let again = accounts.add_app_password(&bob, app("Telephone"));
    assert!(matches!(again, Err(ChangeError::AppPasswordExists { .. })), "{again:?}");
    accounts.revoke_app_password(&bob, &AppName::parse("TELEPHONE").unwrap()).unwrap();
    let one = app("0");
    for number in 0..MAX_APP_PASSWORDS {
        let name = AppName::parse(&number.to_string()).unwrap();
        let selector = AppPassword::issue(name.clone(), String::new(), &[]).0.selector;
        let result = accounts.add_app_password(&bob, AppPassword { name, selector, ..one.clone() });
        assert_eq!(result, Ok(()));
    }
    assert_eq!(accounts.add_app_password(&bob, app("last")), Err(ChangeError::TooManyAppPasswords(bob)));
}
