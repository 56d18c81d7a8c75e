//! `check_host()` (RFC 7208 §4) for one client and one identity.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_proto::rr::{Name, RData, RecordType};
use ipnet::IpNet;

use super::expansion::{Spec, Values, domain_name};
use super::explanation::Explanation;
use super::record::{Directive, Lengths, MAX_LEN, Mechanism, Qualifier, Record};
use super::{Answer, Answers, Place, Query, Receiver, Sender, is_record};

/// The most terms that need DNS (RFC 7208 §4.6.4).
const MAX_LOOKUPS: usize = 10;
/// The most terms whose queries have no answer (the same).
const MAX_VOIDS: usize = 2;
/// The most hosts of one `mx`, and names of the client (the same).
pub(super) const MAX_HOSTS: usize = 10;

/// The result of an evaluation, and the term that decided; `None` when no term matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The result.
    pub qualifier: Qualifier,
    /// The term that matched.
    pub by: Option<Place>,
    /// The explanation that the domain publishes for a fail.
    pub explanation: Option<Explanation>,
}

/// The reason why an evaluation has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Queries that have to be made first.
    Pending(BTreeSet<Query>),
    /// There is nothing to evaluate (none): no record, or an invalid domain.
    Absent,
    /// A query that DNS did not answer, and the reason (temperror).
    Unanswered(Box<Query>, String),
    /// The record is in error (permerror): the fault and its position.
    Broken(Box<(Fault, Place)>),
}

/// A fault that makes a record invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A malformed term.
    Syntax(&'static str),
    /// A record with this length, which is too long.
    Length(usize),
    /// A term that is one lookup too many.
    Lookups,
    /// More terms without an answer than allowed, by the names that were queried.
    Voids(Vec<Name>),
    /// An `mx` with this number of hosts, which is too many.
    Hosts(usize),
    /// A name with this number of SPF records, other than one; without the name, a term that does not expand to one.
    Records(Option<Name>, usize),
}

/// Evaluates SPF for a client and an identity.
pub fn check_host(answers: &dyn Answers, sender: &Sender<'_>) -> Result<Verdict, Stop> {
    let sender = Sender { ip: sender.ip.to_canonical(), ..*sender };
    let domain = domain_name(sender.domain).ok_or(Stop::Absent)?;
    let start = Place { record: domain.clone(), term: String::new(), through: None };
    Evaluation::new(answers, &sender).check(&domain, &start)
}

fn broken(fault: Fault, place: &Place) -> Stop {
    Stop::Broken(Box::new((fault, place.clone())))
}

pub(super) struct Evaluation<'a> {
    pub(super) answers: &'a dyn Answers,
    pub(super) sender: &'a Sender<'a>,
    lookups: usize,
    voids: Vec<Name>,
    /// True if the current term is already counted among the `voids`.
    is_void_counted: bool,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(answers: &'a dyn Answers, sender: &'a Sender<'a>) -> Self {
        Self { answers, sender, lookups: 0, voids: Vec::new(), is_void_counted: false }
    }
}

impl Evaluation<'_> {
    /// The result of a domain's record, to which `from` refers.
    fn check(&mut self, domain: &Name, from: &Place) -> Result<Verdict, Stop> {
        let record = self.record(domain, from)?;
        for directive in &record.directives {
            let place = place(domain, &directive.term);
            if self.matches(domain, directive, &place)? {
                let explanation =
                    record.explanation.clone().filter(|_| directive.qualifier == Qualifier::Fail);
                // RFC 7208 §6.2: the one of this record. An `include` ignores it, a `redirect` returns it.
                let explanation = explanation.map(|spec| Explanation { spec, domain: domain.clone() });
                return Ok(Verdict { qualifier: directive.qualifier, by: Some(place), explanation });
            }
        }
        let Some((spec, term)) = &record.redirect else {
            return Ok(Verdict { qualifier: Qualifier::Neutral, by: None, explanation: None });
        };
        // RFC 7208 §6.1: the result is that of the other record.
        self.follow(spec, domain, &place(domain, term))
    }

    /// The result of the record to which a term refers. RFC 7208 §5.2, §6.1: a missing record is an error.
    fn follow(&mut self, spec: &Spec, domain: &Name, place: &Place) -> Result<Verdict, Stop> {
        self.count(place)?;
        let target = self.expand(spec, domain)?.filter(|target| target.num_labels() > 1);
        let Some(target) = target else {
            return Err(broken(Fault::Records(None, 0), place));
        };
        let through = |inner: Place| Place { through: Some(place.term.clone()), ..inner };
        match self.check(&target, place) {
            Ok(result) => Ok(Verdict { by: result.by.map(through), ..result }),
            Err(Stop::Absent) => Err(broken(Fault::Records(Some(target), 0), place)),
            // A reference that does not lead to one record is a fault of the term itself.
            Err(Stop::Broken(broken)) if broken.1 != *place => {
                let (fault, at) = *broken;
                Err(Stop::Broken(Box::new((fault, through(at)))))
            }
            Err(stop) => Err(stop),
        }
    }

    /// RFC 7208 §4.4, §4.5: the only record.
    fn record(&self, domain: &Name, from: &Place) -> Result<Record, Stop> {
        let answer = self.query_uncounted(domain, RecordType::TXT)?;
        let texts = answer.records().iter().filter_map(|data| match data {
            RData::TXT(text) => Some(text.txt_data.concat()).filter(|text| is_record(text)),
            _ => None,
        });
        let texts: Vec<Vec<u8>> = texts.collect();
        let text = match texts.as_slice() {
            [] => return Err(Stop::Absent),
            [text] => text,
            several => return Err(broken(Fault::Records(Some(domain.clone()), several.len()), from)),
        };
        if text.len() > MAX_LEN {
            return Err(broken(Fault::Length(text.len()), from));
        }
        Record::parse(text).map_err(|wrong| broken(Fault::Syntax(wrong.why), &place(domain, &wrong.term)))
    }

    fn matches(&mut self, domain: &Name, directive: &Directive, place: &Place) -> Result<bool, Stop> {
        match &directive.mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip(network) => Ok(network.contains(&self.sender.ip)),
            // RFC 7208 §5.2: a result other than pass does not match.
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
            // RFC 7208 §5.7: an A record, even if the client's address is IPv6.
            Mechanism::Exists(spec) => {
                let Some(name) = self.target(Some(spec), domain, place)? else { return Ok(false) };
                Ok(!self.query(&name, RecordType::A, place)?.records().is_empty())
            }
        }
    }

    /// The name in a term that needs DNS; `None` if the macros do not expand to one: then the term does not match (RFC
    /// 7208 §4.8).
    fn target(&mut self, spec: Option<&Spec>, domain: &Name, place: &Place) -> Result<Option<Name>, Stop> {
        self.count(place)?;
        match spec {
            Some(spec) => self.expand(spec, domain),
            None => Ok(Some(domain.clone())),
        }
    }

    pub(super) fn expand(&self, spec: &Spec, domain: &Name) -> Result<Option<Name>, Stop> {
        let client = self.client_name_for(spec, domain)?;
        Ok(spec.expand(&Values { sender: self.sender, domain, client: client.as_ref(), receiver: None }))
    }

    pub(super) fn expand_text(
        &self,
        spec: &Spec,
        domain: &Name,
        receiver: &Receiver<'_>,
    ) -> Result<Vec<u8>, Stop> {
        let client = self.client_name_for(spec, domain)?;
        let values =
            Values { sender: self.sender, domain, client: client.as_ref(), receiver: Some(receiver) };
        Ok(spec.expand_text(&values))
    }

    fn client_name_for(&self, spec: &Spec, domain: &Name) -> Result<Option<Name>, Stop> {
        if spec.needs_client_name() { self.client_name(domain) } else { Ok(None) }
    }

    /// RFC 7208 §5.3: the host has the client's address, or one in the same network.
    fn is_of(&mut self, host: &Name, lengths: Lengths, place: &Place) -> Result<bool, Stop> {
        let client = self.sender.ip;
        let length = if client.is_ipv4() { lengths.v4 } else { lengths.v6 };
        let is_in = |ip: IpAddr| IpNet::new(ip, length).is_ok_and(|network| network.contains(&client));
        let found = self.query(host, self.family(), place)?;
        Ok(found.records().iter().filter_map(RData::ip_addr).any(is_in))
    }

    /// RFC 7208 §5.4: one of the hosts has the client's address, or one in the same network.
    fn is_of_exchange(&mut self, target: &Name, lengths: Lengths, place: &Place) -> Result<bool, Stop> {
        let hosts: Vec<Name> = {
            let found = self.query(target, RecordType::MX, place)?;
            let host = |data: &RData| match data {
                RData::MX(exchange) => Some(exchange.exchange.clone()),
                _ => None,
            };
            found.records().iter().filter_map(host).filter(|host| !host.is_root()).collect()
        };
        if hosts.len() > MAX_HOSTS {
            return Err(broken(Fault::Hosts(hosts.len()), place));
        }
        self.require(hosts.iter().map(|host| (host.clone(), self.family())))?;
        for host in &hosts {
            if self.is_of(host, lengths, place)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The type of records with addresses of the client's family.
    pub(super) fn family(&self) -> RecordType {
        if self.sender.ip.is_ipv4() { RecordType::A } else { RecordType::AAAA }
    }

    /// Starts a term that needs DNS.
    fn count(&mut self, place: &Place) -> Result<(), Stop> {
        self.is_void_counted = false;
        self.lookups += 1;
        if self.lookups > MAX_LOOKUPS { Err(broken(Fault::Lookups, place)) } else { Ok(()) }
    }

    /// Fails with all of these queries that have not been made yet.
    pub(super) fn require(&self, queries: impl Iterator<Item = Query>) -> Result<(), Stop> {
        let missing: BTreeSet<Query> = queries.filter(|query| self.answers.answer(query).is_none()).collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Pending(missing)) }
    }

    /// The answer to a query of a term. RFC 7208 §4.6.4 limits the *terms* without an answer: an `mx` whose hosts have
    /// only addresses of the other family is one of them.
    pub(super) fn query(
        &mut self,
        name: &Name,
        kind: RecordType,
        place: &Place,
    ) -> Result<Cow<'_, Answer>, Stop> {
        let answers = self.answers;
        let answer = answer_to(answers, name, kind)?;
        if *answer == Answer::Nothing && !std::mem::replace(&mut self.is_void_counted, true) {
            self.voids.push(name.clone());
            if self.voids.len() > MAX_VOIDS {
                return Err(broken(Fault::Voids(self.voids.clone()), place));
            }
        }
        Ok(answer)
    }

    /// The answer to a query, which does not count as void if it is missing.
    pub(super) fn query_uncounted(&self, name: &Name, kind: RecordType) -> Result<Cow<'_, Answer>, Stop> {
        answer_to(self.answers, name, kind)
    }
}

fn answer_to<'a>(answers: &'a dyn Answers, name: &Name, kind: RecordType) -> Result<Cow<'a, Answer>, Stop> {
    let query = (name.clone(), kind);
    let answer = answers.answer(&query);
    match answer {
        None => Err(Stop::Pending([query].into())),
        Some(answer) => match answer.as_ref() {
            Answer::Failed(why) => Err(Stop::Unanswered(Box::new(query), why.clone())),
            _ => Ok(answer),
        },
    }
}

fn place(domain: &Name, term: &str) -> Place {
    Place { record: domain.clone(), term: term.to_owned(), through: None }
}
