use address::Address;
use serde::{Deserialize, Serialize};

/// How much mail each user may keep, in octets; where nothing is said, as much as there is room for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Everybody who is not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub everybody: Option<u64>,
    /// Those who are.
    #[serde(rename = "user", skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserQuota>,
}

/// How much mail one user may keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserQuota {
    /// Whose mail it is.
    pub user: Address,
    /// How much; none is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub octets: Option<u64>,
}

impl Quotas {
    /// The bound of one user.
    pub fn of(&self, user: &Address) -> Option<u64> {
        let named = self.users.iter().find(|named| named.user == *user);
        named.map_or(self.everybody, |named| named.octets)
    }
}
