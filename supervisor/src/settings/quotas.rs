use accounts::User;
use handover::config::{self, UserQuota};

/// How much mail each user may keep, in octets; none is no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Everybody who is not named.
    pub everybody: Option<u64>,
    /// Those who are.
    pub users: Vec<(User, Option<u64>)>,
}

impl From<&Quotas> for config::Quotas {
    /// As the daemons are told.
    fn from(quotas: &Quotas) -> Self {
        let user = |(user, octets): &(User, Option<u64>)| UserQuota { user: user.address(), octets: *octets };
        Self { everybody: quotas.everybody, users: quotas.users.iter().map(user).collect() }
    }
}

impl Quotas {
    /// The bound of one user.
    pub fn of(&self, user: &User) -> Option<u64> {
        let named = self.users.iter().find(|(named, _)| named == user);
        named.map_or(self.everybody, |(_, octets)| *octets)
    }
}
