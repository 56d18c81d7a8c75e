use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record};

use super::zone_in;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn soa(zone: &str) -> Record {
    let data = SOA::new(name("ns.example.org."), name("hostmaster.example.org."), 1, 60, 60, 3600, 60);
    Record::from_rdata(name(zone), 60, RData::SOA(data))
}

fn answer(is_authoritative: bool) -> Message {
    let mut message = Message::response(1, OpCode::Query);
    message.metadata.authoritative = is_authoritative;
    message
}

#[test]
fn the_zone_is_that_of_the_soa_in_either_section() {
    let queried = name("_acme-challenge.mail.example.org.");
    let mut absent = answer(true);
    absent.metadata.response_code = ResponseCode::NXDomain;
    absent.add_authority(soa("example.org."));
    assert_eq!(zone_in(&absent, &queried), Some(name("example.org.")));

    let mut top = answer(true);
    top.add_answer(soa("example.org."));
    assert_eq!(zone_in(&top, &name("example.org.")), Some(name("example.org.")));
}

#[test]
fn an_answer_of_a_resolver_or_another_zone_gives_no_zone() {
    let queried = name("mail.example.org.");
    let mut resolver = answer(false);
    resolver.add_authority(soa("example.org."));
    assert_eq!(zone_in(&resolver, &queried), None);

    let mut alias = answer(true);
    alias.add_answer(Record::from_rdata(queried.clone(), 60, RData::CNAME(CNAME(name("a.example.net.")))));
    alias.add_authority(soa("example.net."));
    assert_eq!(zone_in(&alias, &queried), None);
}
