//! Changes zones at a real server: Knot with a key.

use std::time::Duration;

use handover::Confidential;
use handover::config::{DnsUpdate, TsigAlgorithm, TsigKey};
use hickory_proto::rr::rdata::{CNAME, MX, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use supervisor::dns::alias::{self, AliasError};
use supervisor::dns::resolver;
use supervisor::dns::update::{Change, UpdateError, UpdateFault, Updater};
use tests::dns::{Failure, NameServer};
use tests::knot::{KEY_NAME, Knot, SECRET, Signing};

const ZONE: &str = "www CNAME elsewhere.example.net.\n@ TXT \"owner=example\"\n@ TXT \"v=spf1 -all\"\n";

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.into()]))
}

fn updater(knot: &Knot) -> Updater {
    updater_with(knot, KEY_NAME, SECRET)
}

fn updater_with(knot: &Knot, name: &str, secret: &str) -> Updater {
    let key = TsigKey {
        name: address::Domain::parse(name).expect("a name"),
        algorithm: TsigAlgorithm::HmacSha256,
        secret: Confidential::new(secret),
    };
    Updater::new(&DnsUpdate { server: knot.address(), key: Some(key) }).expect("a key")
}

#[tokio::test]
async fn records_are_replaced_added_and_removed_in_a_signed_zone() {
    let knot = Knot::start(&[("example.org", ZONE)], Signing::On);
    let updater = updater(&knot);
    let exchange = |preference, host: &str| RData::MX(MX::new(preference, name(host)));

    let top = name("example.org.");
    updater
        .replace(&top, 60, vec![exchange(10, "one.example.org."), exchange(20, "two.example.org.")])
        .await
        .unwrap();
    assert_eq!(knot.dig(&["example.org", "MX"]).lines().count(), 2);
    updater.replace(&top, 60, vec![exchange(10, "mail.example.org.")]).await.unwrap();
    assert_eq!(knot.dig(&["example.org", "MX"]), "10 mail.example.org.");

    // One of several texts is replaced and the others stay.
    let changes =
        vec![Change::Remove(top.clone(), text("v=spf1 -all")), Change::add(&top, 60, text("v=spf1 mx -all"))];
    updater.apply(&top, changes).await.unwrap();
    let mut texts: Vec<String> = knot.dig(&["example.org", "TXT"]).lines().map(str::to_owned).collect();
    texts.sort();
    assert_eq!(texts, ["\"owner=example\"", "\"v=spf1 mx -all\""]);
    assert_eq!(updater.records(&top, RecordType::TXT).await.unwrap().len(), 2);

    updater.add(&top, 60, exchange(30, "late.example.org.")).await.unwrap();
    updater.remove(&top, exchange(10, "mail.example.org.")).await.unwrap();
    assert_eq!(knot.dig(&["example.org", "MX"]), "30 late.example.org.");
    updater.remove(&top, exchange(30, "late.example.org.")).await.unwrap();
    assert_eq!(knot.dig(&["example.org", "MX"]), "");
    updater.apply(&top, vec![Change::RemoveName(name("www.example.org."))]).await.unwrap();
    assert_eq!(knot.dig(&["www.example.org", "CNAME"]), "");
}

#[tokio::test]
async fn the_zone_of_a_name_is_found_whether_it_exists_or_is_an_alias() {
    let knot = Knot::start(&[("example.org", ZONE), ("sub.example.org", "")], Signing::Off);
    let updater = updater(&knot);
    for (queried, zone) in [
        ("example.org.", "example.org."),
        ("_acme-challenge.mail.example.org.", "example.org."),
        ("www.example.org.", "example.org."),
        ("_acme-challenge.www.example.org.", "example.org."),
        ("a.b.sub.example.org.", "sub.example.org."),
    ] {
        assert_eq!(updater.zone_of(&name(queried)).await.unwrap(), name(zone), "{queried}");
    }
}

#[tokio::test]
async fn a_challenge_is_served_by_every_server_of_the_zone_before_it_is_offered() {
    let knot = Knot::start(&[("example.org", "")], Signing::Off);
    let names = NameServer::start();
    names.host("ns.example.org", knot.address().ip());
    let resolver = resolver::of(&[names.address()]).unwrap();
    let updater = updater(&knot);
    let challenge = name("_acme-challenge.mail.example.org.");

    let visible =
        updater.wait_until_visible(&resolver, &challenge, "token", Duration::from_millis(600)).await;
    let UpdateError { fault: UpdateFault::NotVisible { servers, .. }, .. } = visible.unwrap_err() else {
        panic!("nothing was published and something was seen")
    };
    assert_eq!(servers, [knot.address()]);

    updater.replace(&challenge, 60, vec![text("token")]).await.unwrap();
    updater.wait_until_visible(&resolver, &challenge, "token", Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn a_refusal_of_the_server_is_reported_with_its_fix() {
    let knot = Knot::start(&[("example.org", "")], Signing::Off);
    let host = name("mail.example.org.");

    let refused =
        updater_with(&knot, "stranger", SECRET).replace(&host, 60, vec![text("x")]).await.unwrap_err();
    assert!(matches!(refused.fault, UpdateFault::BadKey(_)), "{refused}");
    let refused =
        updater_with(&knot, KEY_NAME, "b3RoZXI=").replace(&host, 60, vec![text("x")]).await.unwrap_err();
    assert!(matches!(refused.fault, UpdateFault::BadSignature(_)), "{refused}");

    let unsigned = Updater::new(&DnsUpdate { server: knot.address(), key: None }).unwrap();
    let refused = unsigned.replace(&host, 60, vec![text("x")]).await.unwrap_err();
    assert!(matches!(refused.fault, UpdateFault::Refused | UpdateFault::NotAuthoritative), "{refused}");

    let elsewhere = updater(&knot).replace(&name("mail.example.net."), 60, vec![text("x")]).await;
    let elsewhere = elsewhere.unwrap_err();
    assert!(matches!(elsewhere.fault, UpdateFault::Refused | UpdateFault::NoZone(_)), "{elsewhere}");
    assert_eq!(knot.dig(&["mail.example.org", "TXT"]), "");
}

#[tokio::test]
async fn the_end_of_aliases_is_found_and_a_loop_is_an_error() {
    let names = NameServer::start();
    let alias = |from: &str, to: &str| {
        names.add(from, RData::CNAME(CNAME(name(to))));
    };
    alias("_acme-challenge.mail.example.org.", "hop.example.net.");
    alias("hop.example.net.", "mail.acme.example.net.");
    alias("one.example.org.", "two.example.org.");
    alias("two.example.org.", "one.example.org.");
    names.set_failure("dark.example.org", Some(Failure::Fails));
    alias("leads-away.example.org.", "dark.example.org.");
    let resolver = resolver::of(&[names.address()]).unwrap();
    let end_of = async |text: &str| alias::end_of(&resolver, &name(text)).await;
    for (queried, end) in [
        ("_acme-challenge.mail.example.org.", "mail.acme.example.net."),
        ("_acme-challenge.other.example.org.", "_acme-challenge.other.example.org."),
    ] {
        assert_eq!(end_of(queried).await.unwrap(), name(end));
    }
    assert!(matches!(end_of("one.example.org.").await, Err(AliasError::Endless(_))));
    assert!(matches!(end_of("leads-away.example.org.").await, Err(AliasError::Unanswered { .. })));
}

#[tokio::test]
async fn a_missing_server_is_named() {
    let knot = Knot::start(&[("example.org", "")], Signing::Off);
    let (address, updater) = (knot.address(), updater(&knot));
    drop(knot);
    let error = updater.zone_of(&name("example.org.")).await.unwrap_err();
    assert!(matches!(error.fault, UpdateFault::Unreachable(_)), "{error}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
