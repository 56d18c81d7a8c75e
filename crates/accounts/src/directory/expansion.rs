use std::collections::HashSet;

use address::Address;

use super::Expansion;
use super::entries::{Destination, Entries};

/// All users and remote addresses that an alias's targets finally lead to, in the order of the file, each once. Each
/// alias is followed once, so a loop ends where it began, and the work is bounded by the number of targets in the file.
pub(super) fn expand(entries: &Entries, targets: &[Address]) -> Expansion {
    let mut expansion = Expansion::default();
    let mut followed = HashSet::new();
    let mut reached = HashSet::new();
    let mut reached_elsewhere = HashSet::new();
    // A stack of targets instead of recursion, so that a long chain does not use call stack. Targets are pushed in
    // reverse, so they are popped in the order of the file.
    let mut ahead: Vec<&Address> = targets.iter().rev().collect();
    while let Some(target) = ahead.pop() {
        match entries.destination(target) {
            Destination::Remote if reached_elsewhere.insert(target) => expansion.remote.push(target.clone()),
            Destination::User(user) if reached.insert(user) => expansion.local.push(user.clone()),
            Destination::Alias { index, targets } if followed.insert(index) => {
                ahead.extend(targets.iter().rev());
            }
            _ => {}
        }
    }
    expansion
}
