use address::Address;
use serde::{Deserialize, Serialize};

/// The quotas of users, in octets; without one, the disk is the limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// The quota of users that are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<u64>,
    /// The quotas of the listed users.
    #[serde(rename = "user", skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserQuota>,
}

/// The quota of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserQuota {
    /// The user.
    pub user: Address,
    /// The quota; `None` means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octets: Option<u64>,
}

impl Quotas {
    /// The quota of one user.
    pub fn of(&self, user: &Address) -> Option<u64> {
        let named = self.users.iter().find(|named| named.user == *user);
        named.map_or(self.default, |named| named.octets)
    }
}
