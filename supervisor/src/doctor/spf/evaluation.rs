//! `check_host()` (RFC 7208 §4) for one address and one domain.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_proto::rr::{Name, RData, RecordType};
use ipnet::IpNet;

use super::expansion::Spec;
use super::record::{Directive, Lengths, Mechanism, Qualifier, Record};
use super::{Place, Question, Seen, Sender};
use crate::doctor::world::{Answer, address, texts};

/// Terms that need DNS (RFC 7208 §4.6.4).
const MOST_LOOKUPS: usize = 10;
/// Questions without an answer (the same).
const MOST_VOIDS: usize = 2;
/// Hosts of one `mx`, and names of one `ptr` (the same).
const MOST_HOSTS: usize = 10;

/// What the record says, by which term; without one, no term matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::doctor) struct Verdict {
    pub(in crate::doctor) qualifier: Qualifier,
    pub(in crate::doctor) by: Option<Place>,
}

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::doctor) enum Stop {
    /// That has to be asked first.
    Asks(BTreeSet<Question>),
    /// Nobody knows (temperror).
    Unknown(Box<Question>, String),
    /// The record counts as broken (permerror), by what and where.
    Broken(Box<(Fault, Place)>),
}

/// What breaks a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::doctor) enum Fault {
    /// The term cannot be read.
    Syntax(&'static str),
    /// That term is one lookup too many.
    Lookups,
    /// The last of those names is one too many that has nothing.
    Voids(Vec<Name>),
    /// An `mx` with too many hosts.
    Hosts(usize),
    /// The term refers to a name with that many SPF records, which is not one.
    Records(Option<Name>, usize),
}

/// What a receiver makes of mail from that sender. The domain has one record.
pub(in crate::doctor) fn check_host(seen: &Seen<'_>, sender: &Sender<'_>) -> Result<Verdict, Stop> {
    let mut evaluation = Evaluation { seen, sender, lookups: 0, voids: Vec::new() };
    let domain = crate::dns::record::fqdn(sender.domain);
    let domain = domain.map_err(|error| unknown((Name::root(), RecordType::TXT), &error.to_string()))?;
    let start = Place { record: domain.clone(), term: String::new(), through: None };
    evaluation.check(&domain, &start)
}

fn unknown(question: Question, why: &str) -> Stop {
    Stop::Unknown(Box::new(question), why.to_owned())
}

fn broken(fault: Fault, place: &Place) -> Stop {
    Stop::Broken(Box::new((fault, place.clone())))
}

struct Evaluation<'a> {
    seen: &'a Seen<'a>,
    sender: &'a Sender<'a>,
    lookups: usize,
    voids: Vec<Name>,
}

impl Evaluation<'_> {
    /// The record of a domain, to which that place refers.
    fn check(&mut self, domain: &Name, from: &Place) -> Result<Verdict, Stop> {
        let record = self.record(domain, from)?;
        for directive in &record.directives {
            let place = self.place(domain, &directive.term);
            if self.matches(domain, directive, &place)? {
                return Ok(Verdict { qualifier: directive.qualifier, by: Some(place) });
            }
        }
        let Some((spec, term)) = &record.redirect else {
            return Ok(Verdict { qualifier: Qualifier::Neutral, by: None });
        };
        // RFC 7208 §6.1: the other record's result is this one's.
        let place = self.place(domain, term);
        self.follow(spec, domain, &place)
    }

    fn place(&self, domain: &Name, term: &str) -> Place {
        Place { record: domain.clone(), term: term.to_owned(), through: None }
    }

    /// Evaluates the record to which a term refers.
    fn follow(&mut self, spec: &Spec, domain: &Name, place: &Place) -> Result<Verdict, Stop> {
        self.count(place)?;
        let Some(target) = spec.expand(self.sender, domain) else {
            return Err(broken(Fault::Records(None, 0), place));
        };
        let through = |inner: Place| Place { through: Some(place.term.clone()), ..inner };
        match self.check(&target, place) {
            Ok(verdict) => Ok(Verdict { by: verdict.by.map(through), ..verdict }),
            // That there is no such record is a fault of the term itself.
            Err(Stop::Broken(broken)) if broken.1 != *place => {
                let (fault, at) = *broken;
                Err(Stop::Broken(Box::new((fault, through(at)))))
            }
            Err(stop) => Err(stop),
        }
    }

    /// RFC 7208 §4.4, §4.5: the one record, and every term of it has to be right.
    fn record(&self, domain: &Name, from: &Place) -> Result<Record, Stop> {
        let texts = texts(&self.ask_quietly(domain, RecordType::TXT)?, "v=spf1");
        let [text] = texts.as_slice() else {
            return Err(broken(Fault::Records(Some(domain.clone()), texts.len()), from));
        };
        Record::parse(text)
            .map_err(|wrong| broken(Fault::Syntax(wrong.why), &self.place(domain, &wrong.term)))
    }

    fn matches(&mut self, domain: &Name, directive: &Directive, place: &Place) -> Result<bool, Stop> {
        match &directive.mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip(network) => Ok(network.contains(&self.sender.ip)),
            // RFC 7208 §5.2: whatever is not pass is not this.
            Mechanism::Include(spec) => Ok(self.follow(spec, domain, place)?.qualifier == Qualifier::Pass),
            Mechanism::A(spec, lengths) => {
                let Some(host) = self.target(spec.as_ref(), domain, place)? else { return Ok(false) };
                self.is_of(&host, *lengths, place)
            }
            Mechanism::Mx(spec, lengths) => {
                let Some(target) = self.target(spec.as_ref(), domain, place)? else { return Ok(false) };
                self.is_of_exchange(&target, *lengths, place)
            }
            Mechanism::Ptr(spec) => {
                let Some(target) = self.target(spec.as_ref(), domain, place)? else { return Ok(false) };
                self.is_named_below(&target, place)
            }
            // RFC 7208 §5.7: of IPv4, whatever the sender has.
            Mechanism::Exists(spec) => {
                let Some(name) = self.target(Some(spec), domain, place)? else { return Ok(false) };
                Ok(!self.ask(&name, RecordType::A, place)?.records().is_empty())
            }
        }
    }

    /// What a term that needs DNS names; none where the macros make no name (RFC 7208 §4.8).
    fn target(&mut self, spec: Option<&Spec>, domain: &Name, place: &Place) -> Result<Option<Name>, Stop> {
        self.count(place)?;
        Ok(spec.map_or_else(|| Some(domain.clone()), |spec| spec.expand(self.sender, domain)))
    }

    /// RFC 7208 §5.3: the host has the sender's address, or one in the same network.
    fn is_of(&mut self, host: &Name, lengths: Lengths, place: &Place) -> Result<bool, Stop> {
        let found = self.ask(host, self.family(), place)?;
        let length = if self.sender.ip.is_ipv4() { lengths.v4 } else { lengths.v6 };
        let is_in =
            |ip: IpAddr| IpNet::new(ip, length).is_ok_and(|network| network.contains(&self.sender.ip));
        Ok(found.records().iter().filter_map(address).any(is_in))
    }

    /// RFC 7208 §5.4.
    fn is_of_exchange(&mut self, target: &Name, lengths: Lengths, place: &Place) -> Result<bool, Stop> {
        let found = self.ask(target, RecordType::MX, place)?;
        let host = |data: &RData| match data {
            RData::MX(exchange) => Some(exchange.exchange.clone()),
            _ => None,
        };
        let hosts: Vec<Name> =
            found.records().iter().filter_map(host).filter(|host| !host.is_root()).collect();
        if hosts.len() > MOST_HOSTS {
            return Err(broken(Fault::Hosts(hosts.len()), place));
        }
        self.ask_first(hosts.iter().map(|host| (host.clone(), self.family())))?;
        for host in &hosts {
            if self.is_of(host, lengths, place)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 7208 §5.5: one of the sender's names that has its address is the target or below it. What cannot be asked does
    /// not match.
    fn is_named_below(&mut self, target: &Name, place: &Place) -> Result<bool, Stop> {
        let pointer = Name::from(self.sender.ip);
        let found = match self.ask(&pointer, RecordType::PTR, place) {
            Err(Stop::Unknown(..)) => return Ok(false),
            found => found?,
        };
        let name = |data: &RData| match data {
            RData::PTR(name) => Some(name.0.clone()),
            _ => None,
        };
        let names = found.records().iter().filter_map(name).take(MOST_HOSTS);
        let names: Vec<Name> = names.filter(|name| target.zone_of(name)).collect();
        self.ask_first(names.iter().map(|name| (name.clone(), self.family())))?;
        let is_ours = |name: &Name| {
            let answer = self.seen.answer(name, self.family());
            let found = answer.as_ref().map_or(&[][..], Answer::records);
            found.iter().filter_map(address).any(|ip| ip == self.sender.ip)
        };
        Ok(names.iter().any(is_ours))
    }

    fn family(&self) -> RecordType {
        if self.sender.ip.is_ipv4() { RecordType::A } else { RecordType::AAAA }
    }

    fn count(&mut self, place: &Place) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > MOST_LOOKUPS { Err(broken(Fault::Lookups, place)) } else { Ok(()) }
    }

    /// All that is not known of those, at one time.
    fn ask_first(&self, questions: impl Iterator<Item = Question>) -> Result<(), Stop> {
        let missing: BTreeSet<Question> =
            questions.filter(|(name, kind)| self.seen.answer(name, *kind).is_none()).collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Asks(missing)) }
    }

    /// Asks what a term needs; having no answer counts.
    fn ask(&mut self, name: &Name, kind: RecordType, place: &Place) -> Result<Answer, Stop> {
        let answer = self.ask_quietly(name, kind)?;
        if answer == Answer::Nothing {
            self.voids.push(name.clone());
            if self.voids.len() > MOST_VOIDS {
                return Err(broken(Fault::Voids(self.voids.clone()), place));
            }
        }
        Ok(answer)
    }

    fn ask_quietly(&self, name: &Name, kind: RecordType) -> Result<Answer, Stop> {
        match self.seen.answer(name, kind) {
            None => Err(Stop::Asks([(name.clone(), kind)].into())),
            Some(Answer::Failed(why)) => Err(unknown((name.clone(), kind), &why)),
            Some(answer) => Ok(answer),
        }
    }
}
