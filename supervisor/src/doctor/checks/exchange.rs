use address::Domain;
use hickory_proto::rr::{Name, RData, RecordType};

use super::super::finding::{Finding, FindingId};
use super::{Case, of_purpose, replace_records, unanswered, without_dot};
use crate::dns::reconcile::is_impossible;
use crate::dns::record::{Purpose, Record, fqdn};

/// Checks that mail for the domain is sent to this machine, and only to it.
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Ok(name) = fqdn(domain) else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::MX) {
        return vec![finding];
    }
    Exchanges { case, domain, name, wanted }.findings()
}

struct Exchanges<'a> {
    case: &'a Case<'a>,
    domain: &'a Domain,
    name: Name,
    wanted: &'a [Record],
}

impl Exchanges<'_> {
    fn findings(&self) -> Vec<Finding> {
        let (domain, ours) = (self.domain, &self.case.host);
        let found = self.case.observed.answer(&self.name, RecordType::MX).records();
        let hosts: Vec<Name> = found.iter().filter_map(exchange).collect();
        if hosts.is_empty() {
            return vec![Finding::error(
                FindingId::MxMissing,
                format!("{domain} has no MX record, so its mail goes to the addresses of the name itself"),
                self.without(&|_| false),
            )];
        }
        let wrong: Vec<&Name> = hosts.iter().filter(|host| is_impossible(host, &self.name)).collect();
        if !wrong.is_empty() {
            return vec![self.impossible(&wrong)];
        }
        let others: Vec<&Name> = hosts.iter().filter(|host| *host != ours).collect();
        let aliases: Vec<Finding> = others.iter().filter_map(|host| self.alias(host)).collect();
        if !aliases.is_empty() {
            return aliases;
        }
        if others.len() == hosts.len() {
            return vec![Finding::error(
                FindingId::MxElsewhere,
                format!("mail for {domain} goes to {} and not to {}", list(&others), without_dot(ours)),
                self.without(&|_| true),
            )];
        }
        others.iter().map(|host| self.beside(host)).collect()
    }

    /// The MX records to remove, and ours to publish.
    fn without(&self, is_wrong: &dyn Fn(&Name) -> bool) -> String {
        let is_wrong = |data: &RData| exchange(data).is_some_and(|host| is_wrong(&host));
        replace_records(
            self.case,
            &self.name,
            RecordType::MX,
            is_wrong,
            of_purpose(self.wanted, Purpose::Exchange),
        )
    }

    fn impossible(&self, wrong: &[&Name]) -> Finding {
        let named: Vec<String> = wrong.iter().map(|host| host.to_string()).collect();
        let why = "an MX record must name a host, in full and with a trailing dot, and not an address (RFC 5321 §5.1)";
        let why = if wrong.iter().any(|host| host.is_root()) {
            "`.` means that the domain accepts no mail (RFC 7505)"
        } else {
            why
        };
        Finding::error(
            FindingId::MxImpossible,
            format!(
                "no mail can be sent to {}, which an MX record of {} names: {why}",
                named.join(" and "),
                self.domain
            ),
            self.without(&|host| wrong.contains(&host)),
        )
    }

    /// The finding for another host that is an alias. This machine's alias is a finding of its own, once for all
    /// domains.
    fn alias(&self, host: &Name) -> Option<Finding> {
        let meant = self.case.observed.aliases.get(host)?;
        let found = self.case.observed.answer(&self.name, RecordType::MX).records();
        let line = found.iter().find_map(|data| match data {
            RData::MX(mx) if mx.exchange == *host => Some((mx.preference, data)),
            _ => None,
        });
        let (preference, data) = line?;
        Some(Finding::error(
            FindingId::MxAlias,
            format!(
                "the MX record of {} names {}, which is an alias of {}; some hosts refuse such mail",
                self.domain,
                without_dot(host),
                without_dot(meant)
            ),
            format!(
                "remove\n{}\npublish\n{} 3600 IN MX {preference} {meant}",
                crate::dns::record::line_of(&self.name, data),
                self.name
            ),
        ))
    }

    /// The finding for another host that accepts mail: a backup on purpose, or an obsolete one.
    fn beside(&self, host: &Name) -> Finding {
        let (domain, named) = (self.domain, without_dot(host));
        let fix = self.without(&|other| other == host);
        match self.case.observed.dead_exchanges.get(host) {
            Some(why) => Finding::warning(
                FindingId::MxDead,
                format!("mail for {domain} may also go to {named}, whose port 25 does not answer: {why}"),
                fix,
            ),
            None => Finding::notice(
                FindingId::MxElsewhere,
                format!("mail for {domain} may also go to {named}, which has to forward it"),
                format!("nothing if that host is an intended backup; otherwise {fix}"),
            ),
        }
    }
}

fn exchange(data: &RData) -> Option<Name> {
    match data {
        RData::MX(exchange) => Some(exchange.exchange.clone()),
        _ => None,
    }
}

fn list(names: &[&Name]) -> String {
    names.iter().map(|name| without_dot(name)).collect::<Vec<_>>().join(" and ")
}
