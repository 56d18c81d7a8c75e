use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// A change of a zone (RFC 2136 §2.5).
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds a record; an existing equal one stays.
    Add(Record),
    /// Removes all records of one type of a name.
    RemoveSet(Name, RecordType),
    /// Removes exactly this record.
    Remove(Name, RData),
    /// Removes all records of a name; at the zone's apex, SOA and NS stay.
    RemoveName(Name),
}

impl Change {
    /// The changes after which a name has exactly these records of the first one's type.
    pub fn replace(name: &Name, ttl: u32, contents: Vec<RData>) -> Vec<Self> {
        let mut changes = Vec::new();
        if let Some(first) = contents.first() {
            changes.push(Self::RemoveSet(name.clone(), first.record_type()));
        }
        changes.extend(contents.into_iter().map(|content| Self::add(name, ttl, content)));
        changes
    }

    /// A change that adds a record.
    pub fn add(name: &Name, ttl: u32, content: RData) -> Self {
        Self::Add(Record::from_rdata(name.clone(), ttl, content))
    }

    /// The change as a record of the update section.
    pub(super) fn into_record(self) -> Record {
        let mut record = match self {
            // RFC 2136 §2.5.1: the zone's own class.
            Self::Add(record) => return record,
            // §2.5.2, §2.5.3: class ANY, no time to live, no content.
            Self::RemoveSet(name, kind) => Record::update0(name, 0, kind),
            Self::RemoveName(name) => Record::update0(name, 0, RecordType::ANY),
            // §2.5.4: class NONE and the content.
            Self::Remove(name, content) => {
                let mut record = Record::from_rdata(name, 0, content);
                record.dns_class = DNSClass::NONE;
                return record;
            }
        };
        record.dns_class = DNSClass::ANY;
        record
    }
}

/// A condition without which an update changes nothing (RFC 2136 §2.4).
#[derive(Debug, Clone, PartialEq)]
pub enum Prerequisite {
    /// The record is in its set, and the set has only records of such conditions (§2.4.2).
    Has(Name, RData),
    /// The name has no records of the type (§2.4.3).
    HasNot(Name, RecordType),
    /// The name has no records at all (§2.4.5).
    Unused(Name),
}

impl Prerequisite {
    /// The condition as a record of the prerequisite section.
    pub(super) fn into_record(self) -> Record {
        let (name, kind) = match self {
            // The zone's own class.
            Self::Has(name, data) => return Record::from_rdata(name, 0, data),
            Self::HasNot(name, kind) => (name, kind),
            Self::Unused(name) => (name, RecordType::ANY),
        };
        let mut record = Record::update0(name, 0, kind);
        record.dns_class = DNSClass::NONE;
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::RecordData;
    use hickory_proto::rr::rdata::TXT;

    #[test]
    fn each_change_is_the_record_that_rfc_2136_wants() {
        let name = Name::from_ascii("example.org.").unwrap();
        let text = RData::TXT(TXT::new(vec!["x".into()]));
        for (change, class, kind, ttl, is_empty) in [
            (Change::add(&name, 60, text.clone()), DNSClass::IN, RecordType::TXT, 60, false),
            (Change::RemoveSet(name.clone(), RecordType::MX), DNSClass::ANY, RecordType::MX, 0, true),
            (Change::RemoveName(name.clone()), DNSClass::ANY, RecordType::ANY, 0, true),
            (Change::Remove(name.clone(), text.clone()), DNSClass::NONE, RecordType::TXT, 0, false),
        ] {
            let record = change.clone().into_record();
            assert_eq!(
                (record.dns_class, record.record_type(), record.ttl, record.data.is_update()),
                (class, kind, ttl, is_empty),
                "{change:?}"
            );
        }
    }

    #[test]
    fn each_prerequisite_is_the_record_that_rfc_2136_wants() {
        let name = Name::from_ascii("example.org.").unwrap();
        let text = RData::TXT(TXT::new(vec!["x".into()]));
        for (prerequisite, class, kind, is_empty) in [
            (Prerequisite::Has(name.clone(), text), DNSClass::IN, RecordType::TXT, false),
            (Prerequisite::HasNot(name.clone(), RecordType::MX), DNSClass::NONE, RecordType::MX, true),
            (Prerequisite::Unused(name.clone()), DNSClass::NONE, RecordType::ANY, true),
        ] {
            let record = prerequisite.into_record();
            assert_eq!(
                (record.dns_class, record.record_type(), record.ttl, record.data.is_update()),
                (class, kind, 0, is_empty)
            );
        }
    }

    #[test]
    fn replacing_removes_the_old_records_first_and_an_empty_set_changes_nothing() {
        let name = Name::from_ascii("example.org.").unwrap();
        let text = |text: &str| RData::TXT(TXT::new(vec![text.into()]));
        let changes = Change::replace(&name, 60, vec![text("one"), text("two")]);
        assert_eq!(changes.len(), 3);
        assert_eq!(changes[0], Change::RemoveSet(name.clone(), RecordType::TXT));
        assert_eq!(Change::replace(&name, 60, Vec::new()), []);
    }
}
