//! The names below each domain under which clients look for the steward's pages: in DNS, in the certificate, in a
//! request.

use address::Domain;

use crate::mta_sts;

/// The prefix that Thunderbird and compatible programs use.
pub const AUTOCONFIG: &str = "autoconfig";
/// The prefix that Outlook uses.
pub const AUTODISCOVER: &str = "autodiscover";
/// All prefixes.
pub const LABELS: [&str; 3] = [mta_sts::LABEL, AUTOCONFIG, AUTODISCOVER];

/// The names below that domain. A domain that is too long for a prefix has no such pages.
pub fn below(domain: &Domain) -> impl Iterator<Item = Domain> {
    LABELS.into_iter().filter_map(|label| domain.with_prefix(label).ok())
}
