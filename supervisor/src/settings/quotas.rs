use accounts::User;
use handover::config::{self, UserQuota};

/// The quotas of users, in octets; `None` means unlimited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// The quota of users that are not listed.
    pub default: Option<u64>,
    /// The quotas of the listed users.
    pub users: Vec<(User, Option<u64>)>,
}

impl From<&Quotas> for config::Quotas {
    /// The form in the daemons' configuration.
    fn from(quotas: &Quotas) -> Self {
        let user = |(user, octets): &(User, Option<u64>)| UserQuota { user: user.address(), octets: *octets };
        Self { default: quotas.default, users: quotas.users.iter().map(user).collect() }
    }
}

impl Quotas {
    /// The quota of one user.
    pub fn of(&self, user: &User) -> Option<u64> {
        let named = self.users.iter().find(|(named, _)| named == user);
        named.map_or(self.default, |(_, octets)| *octets)
    }
}
