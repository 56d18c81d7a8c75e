use proptest::prelude::*;

use super::*;

const HOST: &str = "mail.example.org";

fn host() -> Domain {
    Domain::parse(HOST).unwrap()
}

fn keys() -> (tempfile::TempDir, Keys) {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    (folder, keys)
}

fn return_path(keys: &Keys, sender: &str) -> Address {
    forwarded(keys, &host(), &Address::parse(sender).unwrap()).unwrap()
}

fn original(keys: &Keys, recipient: &Address) -> Result<String, Unresolved> {
    resolve(keys, &host(), recipient).unwrap().map(|address| address.to_string())
}

#[test]
fn a_return_path_resolves_to_the_sender() {
    let (_folder, keys) = keys();
    for sender in [
        "eve@example.net",
        "bounces+12=ann=example.org@lists.example.net",
        "\"a b\\\"c\"@example.net",
        "eve@[192.0.2.1]",
        "Ümläut@example.net",
        "SRS2=x@example.net",
        "srs0@example.net",
    ] {
        let path = return_path(&keys, sender);
        assert!(
            path.to_string().contains("SRS0=") && path.to_string().ends_with("@mail.example.org"),
            "{path}"
        );
        assert_eq!(original(&keys, &path).as_deref(), Ok(sender), "{path}");
    }
}

#[test]
fn a_chain_of_forwarders_leads_back_to_the_first() {
    let (_folder, keys) = keys();
    for (sender, back) in [
        ("SRS0=abcd=xy=example.net=eve@first.example", "SRS0=abcd=xy=example.net=eve@first.example"),
        ("srs0+abcd=xy=example.net=eve@first.example", "SRS0+abcd=xy=example.net=eve@first.example"),
        (
            "SRS1=WXYZ=first.example==abcd=xy=example.net=eve@second.example",
            "SRS0=abcd=xy=example.net=eve@first.example",
        ),
    ] {
        let path = return_path(&keys, sender);
        assert!(path.local.as_str().starts_with("SRS1="), "{path}");
        assert_eq!(original(&keys, &path).as_deref(), Ok(back));
    }
}

#[test]
fn case_that_was_changed_on_the_way_does_no_harm() {
    let (_folder, keys) = keys();
    for change in [str::to_lowercase, str::to_uppercase] {
        let path = return_path(&keys, "Eve@example.net");
        let changed =
            Address { local: LocalPart::parse(&change(path.local.as_str())).unwrap(), host: path.host };
        assert_eq!(original(&keys, &changed).unwrap().to_lowercase(), "eve@example.net");
    }
}

#[test]
fn a_path_that_this_host_has_not_made_is_forged() {
    let (_folder, keys) = keys();
    let (_other_folder, others) = self::keys();
    let path = return_path(&keys, "eve@example.net");
    assert_eq!(original(&others, &path), Err(Unresolved::Forged));
    for local in [
        path.local.as_str().replace("eve", "bob"),
        path.local.as_str().replace("example.net", "example.com"),
        "SRS0=".to_owned(),
        "SRS0=aaaaaa=aa=example.net=eve".to_owned(),
        "SRS1=aaaaaa=first.example==x".to_owned(),
        "SRS0=aaaaaa=aa=..=".to_owned(),
    ] {
        let recipient = Address { local: local_part(&local).unwrap(), host: path.host.clone() };
        assert_eq!(original(&keys, &recipient), Err(Unresolved::Forged), "{local}");
    }
}

#[test]
fn other_addresses_are_left_to_the_accounts() {
    let (_folder, keys) = keys();
    for recipient in [
        "ann@mail.example.org",
        "srs0@mail.example.org",
        "SRS1=a@mail.example.org",
        "SRS0=a=b=c=d@example.org",
    ] {
        assert_eq!(resolve(&keys, &host(), &Address::parse(recipient).unwrap()), None, "{recipient}");
    }
}

#[test]
fn a_path_expires_after_three_weeks() {
    for (made, today, days) in [(0, 0, 0), (0, 21, 21), (0, 22, 22), (1020, 5, 9), (1, 0, 0), (500, 0, 524)] {
        assert_eq!(age(made, today), days);
    }
    let (_folder, keys) = keys();
    let day = encode(u64::from((keys.today() + DAYS - MAX_AGE_DAYS - 1) % DAYS), 2);
    let made = tag(&keys.newest(), &["0", &day, "example.net", "eve"]);
    let local = LocalPart::parse(&format!("SRS0={made}={day}=example.net=eve")).unwrap();
    let recipient = Address { local, host: Host::Domain(host()) };
    assert_eq!(original(&keys, &recipient), Err(Unresolved::Expired));
}

#[test]
fn a_path_that_would_be_too_long_stays_as_it_is() {
    let (_folder, keys) = keys();
    let sender = Address::parse(&format!("{}@example.net", "a".repeat(230))).unwrap();
    assert_eq!(forwarded(&keys, &host(), &sender), None);
}

proptest! {
    #[test]
    fn any_sender_comes_back(local in "[a-zA-Z0-9=+_.\\- \"\\\\]{1,60}", domain in "[a-z]{1,10}\\.[a-z]{2,5}") {
        let (_folder, keys) = keys();
        let Some(local) = local_part(&local) else { return Ok(()) };
        let sender = Address { local, host: Host::parse(&domain).unwrap() };
        if Form::read(sender.local.as_str()).is_none() {
            let path = forwarded(&keys, &host(), &sender).unwrap();
            let again = Address::parse(&path.to_string()).unwrap();
            prop_assert_eq!(resolve(&keys, &host(), &again), Some(Ok(sender)));
        }
    }
}
