use accounts::User;

/// How much mail each user may keep, in octets; none is no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Everybody who is not named.
    pub everybody: Option<u64>,
    /// Those who are.
    pub users: Vec<(User, Option<u64>)>,
}

impl Quotas {
    /// The bound of one user.
    pub fn of(&self, user: &User) -> Option<u64> {
        let named = self.users.iter().find(|(named, _)| named == user);
        named.map_or(self.everybody, |(_, octets)| *octets)
    }
}
