//! What a role is kept from by the kernel, and what the kernel could not do.

use handover::notice::{Notifier, SANDBOX, SANDBOX_LACKS};

use super::rules::Rules;
use super::{files, system_calls};
use crate::init::role::Role;

/// What is enforced and what is not, each in words.
#[derive(Debug, Default)]
pub(super) struct Confinement {
    enforced: Vec<String>,
    lacks: Vec<String>,
}

impl Confinement {
    /// Restricts this process for good, as far as the kernel can.
    pub(super) fn enter(role: Role, rules: &Rules) -> Self {
        let mut confinement = Self::default();
        match files::restrict(rules) {
            Ok(enforced) => {
                confinement.enforced.extend(enforced.about());
                confinement.lacks.extend(enforced.lacks().map(str::to_owned));
            }
            Err(error) => confinement.lacks.push(format!("Landlock: {error}")),
        }
        match system_calls::restrict(role) {
            Ok(()) => confinement.enforced.push("seccomp".to_owned()),
            Err(error) => confinement.lacks.push(format!("seccomp: {error}")),
        }
        confinement
    }

    /// Tells process 1, whose log it goes into.
    pub(super) fn tell(&self, process_1: &Notifier) {
        let (enforced, lacks) = (self.enforced.join(", "), self.lacks.join(", "));
        process_1.facts(&[(SANDBOX, &enforced), (SANDBOX_LACKS, &lacks)]);
    }
}
