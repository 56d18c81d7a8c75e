//! The restrictions that the kernel enforces on a role, and those that it cannot.

use handover::notice::{Notifier, SANDBOX, SANDBOX_LACKS};

use super::rules::Rules;
use super::{files, system_calls};
use crate::init::role::Role;

/// The restrictions that are enforced and those that are not, as text for the log.
#[derive(Debug, Default)]
pub(super) struct Confinement {
    enforced: Vec<String>,
    lacks: Vec<String>,
}

impl Confinement {
    /// Restricts this process irrevocably, as far as the kernel can.
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

    /// Reports to process 1, which logs it.
    pub(super) fn report(&self, process_1: &Notifier) {
        let (enforced, lacks) = (self.enforced.join(", "), self.lacks.join(", "));
        process_1.send_facts(&[(SANDBOX, &enforced), (SANDBOX_LACKS, &lacks)]);
    }
}
