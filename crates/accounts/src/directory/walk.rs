use std::collections::HashSet;

use address::Address;

use super::Expansion;
use super::entries::{Entries, Entry, Name, is_role, name_of};
use crate::User;

/// One walk along aliases. No address is followed twice, so a circle ends where it began, and a walk takes no
/// more steps than the file has targets.
pub(super) struct Walk<'a> {
    entries: &'a Entries,
    visited: HashSet<Name>,
    /// Whom it has reached.
    pub(super) reached: Expansion,
    /// Somebody was met who is not enabled at present.
    pub(super) met_the_disabled: bool,
}

impl<'a> Walk<'a> {
    /// Walks from an alias's targets to all ends.
    pub(super) fn along(entries: &'a Entries, targets: &[Address]) -> Self {
        let mut walk =
            Self { entries, visited: HashSet::new(), reached: Expansion::default(), met_the_disabled: false };
        // A list instead of recursion: a long chain costs no stack.
        let mut ahead: Vec<Address> = targets.iter().rev().cloned().collect();
        while let Some(address) = ahead.pop() {
            walk.step(address, &mut ahead);
        }
        walk
    }

    fn step(&mut self, address: Address, ahead: &mut Vec<Address>) {
        let address = self.entries.role_at_host(&address).unwrap_or(address);
        let Some(name) = name_of(&address).filter(|name| self.entries.domains.contains(&name.0)) else {
            if !self.reached.remote.contains(&address) {
                self.reached.remote.push(address);
            }
            return;
        };
        match self.entries.entry(&name, &address) {
            Some(Entry::User { user, enabled: true, .. }) => self.reach(user),
            Some(Entry::User { enabled: false, .. }) => self.met_the_disabled = true,
            Some(Entry::Alias { targets }) => {
                let is_new = self.visited.insert(name);
                // Put on the list backwards, to be taken from it in the order of the file.
                ahead.extend(targets.iter().rev().filter(|_| is_new).cloned());
            }
            None if is_role(&address) => match &self.entries.first_user {
                Some(user) => self.reach(user),
                None => self.met_the_disabled = true,
            },
            None => {}
        }
    }

    fn reach(&mut self, user: &User) {
        if !self.reached.local.contains(user) {
            self.reached.local.push(user.clone());
        }
    }
}
