use super::super::records::tests::facts;
use super::*;
use hickory_proto::rr::rdata::{A, MX, TXT};

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn found(owner: &str, data: RData) -> Found {
    Found::from_rdata(name(owner), 60, data)
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.into()]))
}

/// The changes of one set of the test's machine, whose zone has those records.
fn planned(owner: &str, kind: RecordType, present: Vec<Found>) -> Vec<Change> {
    let wanted = Wanted::of(&facts()).unwrap();
    let sets = sets(&wanted).unwrap();
    let set = sets.iter().find(|set| set.name == name(owner) && set.kind == kind).expect("a set");
    changes(&Present { zone: name("example.org."), set, found: present })
}

#[test]
fn what_is_right_is_left_alone_whatever_its_time_to_live() {
    let exchange = RData::MX(MX::new(10, name("MAIL.example.org.")));
    assert_eq!(planned("example.org.", RecordType::MX, vec![found("example.org.", exchange)]), []);
    let alias = RData::CNAME(hickory_proto::rr::rdata::CNAME(name("mail.example.org.")));
    assert_eq!(
        planned("autoconfig.example.org.", RecordType::CNAME, vec![found("autoconfig.example.org.", alias)]),
        []
    );
}

#[test]
fn an_old_policy_goes_and_the_texts_of_others_stay() {
    let present = vec![
        found("example.org.", text("V=SPF1 include:_spf.example.com ~all")),
        found("example.org.", text("v=spf10 is something else")),
        found("example.org.", text("verification=1234")),
    ];
    let top = name("example.org.");
    assert_eq!(
        planned("example.org.", RecordType::TXT, present),
        [
            Change::Remove(top.clone(), text("V=SPF1 include:_spf.example.com ~all")),
            Change::add(&top, TTL, text("v=spf1 mx -all")),
        ]
    );
}

#[test]
fn another_exchange_beside_ours_is_removed() {
    let present = vec![
        found("example.org.", RData::MX(MX::new(10, name("mail.example.org.")))),
        found("example.org.", RData::MX(MX::new(20, name("mx.example.com.")))),
    ];
    let planned = planned("example.org.", RecordType::MX, present);
    assert!(planned.contains(&Change::RemoveSet(name("example.org."), RecordType::MX)), "{planned:?}");
    assert_eq!(planned.iter().filter(|change| matches!(change, Change::Add(_))).count(), 1);
}

#[test]
fn an_alias_takes_the_place_of_all_that_a_name_had() {
    let alias = name("mta-sts.example.org.");
    let planned = planned("mta-sts.example.org.", RecordType::CNAME, Vec::new());
    assert_eq!(planned[0], Change::RemoveName(alias));
    assert_eq!(planned.len(), 2);
}

#[test]
fn an_address_that_is_no_longer_ours_is_replaced() {
    let present = vec![found("mail.example.org.", RData::A(A([192, 0, 2, 1].into())))];
    let planned = planned("mail.example.org.", RecordType::A, present);
    assert!(planned.contains(&Change::RemoveSet(name("mail.example.org."), RecordType::A)));
    assert!(planned.contains(&Change::add(
        &name("mail.example.org."),
        TTL,
        RData::A(A([198, 51, 100, 7].into()))
    )));
}
