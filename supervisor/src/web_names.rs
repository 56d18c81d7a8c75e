//! The names below each domain under which the steward's pages are looked for: in DNS, in the certificate, in a request.

use address::Domain;

use crate::mta_sts;

/// In front of the domain for Thunderbird and those that do as it does.
pub const AUTOCONFIG: &str = "autoconfig";
/// In front of the domain for Outlook.
pub const AUTODISCOVER: &str = "autodiscover";
/// All of them.
pub const LABELS: [&str; 3] = [mta_sts::LABEL, AUTOCONFIG, AUTODISCOVER];

/// The names below that domain. One so long that nothing fits in front of it has no such pages.
pub fn below(domain: &Domain) -> impl Iterator<Item = Domain> {
    LABELS.into_iter().filter_map(|label| domain.with_prefix(label).ok())
}
