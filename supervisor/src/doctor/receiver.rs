//! The view of a receiver of our mail, which evaluates our SPF records with these DNS answers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, RecordType};
use spf::{Answer, Answers, Query, Sender};

/// The DNS answers. The machine's name always counts as having the machine's addresses: another check verifies them,
/// and the finding would otherwise be repeated for every record that refers to the name.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceiverView<'a> {
    pub(super) names: &'a BTreeMap<Query, Answer>,
    pub(super) host: &'a Name,
    pub(super) own: &'a [IpAddr],
}

impl Answers for ReceiverView<'_> {
    fn answer(&self, question: &Query) -> Option<Cow<'_, Answer>> {
        let own = |data: fn(&IpAddr) -> Option<RData>| {
            let records: Vec<RData> = self.own.iter().filter_map(data).collect();
            let answer = if records.is_empty() { Answer::Nothing } else { Answer::Found(records) };
            Some(Cow::Owned(answer))
        };
        let (name, kind) = question;
        match kind {
            RecordType::A if name == self.host => own(|ip| match ip {
                IpAddr::V4(v4) => Some(RData::A(A(*v4))),
                IpAddr::V6(_) => None,
            }),
            RecordType::AAAA if name == self.host => own(|ip| match ip {
                IpAddr::V6(v6) => Some(RData::AAAA(AAAA(*v6))),
                IpAddr::V4(_) => None,
            }),
            _ => self.names.answer(question),
        }
    }
}

/// A sender with one of our addresses and mail of a domain.
pub(super) fn mail_from<'a>(ip: IpAddr, domain: &'a Domain, helo: &'a Domain) -> Sender<'a> {
    Sender { ip, local_part: "", domain: domain.as_str(), helo: helo.as_str() }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::TXT;
    use spf::{Qualifier, check_host};

    use super::*;

    #[test]
    fn the_machine_has_its_own_addresses_whatever_dns_has() {
        let (host, owner) =
            (Name::from_ascii("mail.example.org.").unwrap(), Name::from_ascii("example.org.").unwrap());
        let record = RData::TXT(TXT::from_bytes(vec![b"v=spf1 a:mail.example.org -all"]));
        let names = BTreeMap::from([((owner, RecordType::TXT), Answer::Found(vec![record]))]);
        let domain = Domain::parse("example.org").unwrap();
        let own: [IpAddr; 1] = ["2001:db8::7".parse().unwrap()];
        let seen = ReceiverView { names: &names, host: &host, own: &own };
        let of = |ip: &str| {
            check_host(&seen, &mail_from(ip.parse().unwrap(), &domain, &domain)).unwrap().qualifier
        };
        assert_eq!(of("2001:db8::7"), Qualifier::Pass);
        assert_eq!(of("198.51.100.7"), Qualifier::Fail);
    }
}
