//! The DNS queries: a list made from the wanted records, before anything is known.

use std::collections::BTreeSet;

use hickory_proto::rr::{Name, RecordType};

use crate::dns::record::{Purpose, fqdn};
use crate::dns::records::{SiteFacts, WantedRecords};

/// A zone with deliberately invalid signatures, for which a validating resolver has no answer. Comcast has kept it for
/// this test since DNSSEC began. It is queried when an operator runs the check, and not in each check of the steward.
pub(super) const FORGED: &str = "dnssec-failed.org.";

/// The names and types to query.
#[derive(Debug, Default)]
pub(super) struct Queries {
    /// Queries for any answer.
    pub(super) all: BTreeSet<(Name, RecordType)>,
    /// Names for which it also matters if the resolver authenticates them.
    pub(super) authenticated: BTreeSet<Name>,
}

/// The types of address records.
const ADDRESSES: [RecordType; 2] = [RecordType::A, RecordType::AAAA];

impl Queries {
    /// Makes the list.
    pub(super) fn about(facts: &SiteFacts, wanted: &WantedRecords) -> Self {
        let mut questions = Self::default();
        let Ok(host) = fqdn(&facts.presence.hostname) else { return questions };
        questions.addresses(&host);
        questions.above(&host);
        questions.authenticated.insert(host);
        for record in wanted.all() {
            let Ok(name) = record.owner() else { continue };
            match record.purpose {
                // An alias and own addresses are equally good.
                Purpose::Web => {
                    questions.addresses(&name);
                    // An alias of a name without addresses is visible only by this query.
                    questions.all.insert((name.clone(), RecordType::CNAME));
                    questions.above(&name);
                }
                Purpose::Dane => {
                    questions.all.insert((name.clone(), record.kind()));
                    questions.authenticated.insert(name);
                }
                _ => {
                    questions.all.insert((name, record.kind()));
                }
            }
        }
        for name in facts.presence.domains.iter().flat_map(fqdn) {
            // Mail clients look for their settings at the domain's own name too.
            if facts.presence.serves_web {
                questions.addresses(&name);
                questions.above(&name);
            }
            questions.authenticated.insert(name);
        }
        questions
    }

    fn addresses(&mut self, name: &Name) {
        self.all.extend(ADDRESSES.map(|kind| (name.clone(), kind)));
    }

    /// Adds CAA queries for the name and those above it (RFC 8659 §3).
    fn above(&mut self, name: &Name) {
        let mut name = name.clone();
        while !name.is_root() {
            self.all.insert((name.clone(), RecordType::CAA));
            name = name.base_name();
        }
    }
}
