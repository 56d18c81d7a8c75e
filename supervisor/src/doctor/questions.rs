//! What DNS is asked: a list made from what is wanted, before anything is known.

use std::collections::BTreeSet;

use hickory_proto::rr::{Name, RecordType};

use crate::dns::record::{Purpose, fqdn};
use crate::dns::records::{Facts, Wanted};

/// Signed wrongly on purpose, so that a resolver that checks signatures has no answer for it. Comcast has kept it for this
/// test since DNSSEC began. The world is asked for it when a person runs the check, and not in each look of the steward's.
pub(super) const FORGED: &str = "dnssec-failed.org.";

/// Names and types to ask for.
#[derive(Debug, Default)]
pub(super) struct Questions {
    /// With answers of every kind.
    pub(super) all: BTreeSet<(Name, RecordType)>,
    /// Those of which it is also to be known whether the resolver vouches for them.
    pub(super) vouched: BTreeSet<Name>,
}

/// The types of a name's addresses.
const ADDRESSES: [RecordType; 2] = [RecordType::A, RecordType::AAAA];

impl Questions {
    /// Makes the list.
    pub(super) fn about(facts: &Facts, wanted: &Wanted) -> Self {
        let mut questions = Self::default();
        let Ok(host) = fqdn(&facts.presence.hostname) else { return questions };
        questions.addresses(&host);
        questions.above(&host);
        questions.vouched.insert(host);
        for record in wanted.all() {
            let Ok(name) = record.owner() else { continue };
            match record.purpose {
                // Whether it is an alias or has addresses of its own is all the same.
                Purpose::Web => {
                    questions.addresses(&name);
                    // An alias of a name without addresses is seen by this question only.
                    questions.all.insert((name.clone(), RecordType::CNAME));
                    questions.above(&name);
                }
                Purpose::Dane => {
                    questions.all.insert((name.clone(), record.kind()));
                    questions.vouched.insert(name);
                }
                _ => {
                    questions.all.insert((name, record.kind()));
                }
            }
        }
        for name in facts.presence.domains.iter().flat_map(fqdn) {
            // Mail programs look for their settings at the domain's own name too.
            if facts.presence.serves_web {
                questions.addresses(&name);
                questions.above(&name);
            }
            questions.vouched.insert(name);
        }
        questions
    }

    fn addresses(&mut self, name: &Name) {
        self.all.extend(ADDRESSES.map(|kind| (name.clone(), kind)));
    }

    /// CAA is looked for at the name and above it (RFC 8659 §3).
    fn above(&mut self, name: &Name) {
        let mut name = name.clone();
        while !name.is_root() {
            self.all.insert((name.clone(), RecordType::CAA));
            name = name.base_name();
        }
    }
}
