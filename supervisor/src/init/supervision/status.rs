//! The status of the whole server, as in `status.json`.

use handover::Concern;
use handover::status::Status;

use super::{Processes, Supervision};
use crate::init::unit::Moment;

impl<P: Processes> Supervision<P> {
    /// Returns true if the status has changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// All concerns, each once: both mail daemons may report the same.
    fn concerns(&self) -> Vec<Concern> {
        let of_daemons = self.daemons.iter().flat_map(|daemon| daemon.concerns()).cloned();
        let mut all: Vec<Concern> = Vec::new();
        for concern in self
            .refused
            .iter()
            .chain(&self.concerns)
            .cloned()
            .chain(self.unbound.concerns())
            .chain(of_daemons)
        {
            if !all.contains(&concern) {
                all.push(concern);
            }
        }
        all
    }

    /// The status of the whole server.
    pub fn status(&self, now: Moment) -> Status {
        Status {
            written: now.wall,
            started: self.started,
            memory: None,
            processes: self.daemons.iter().map(|daemon| daemon.report()).collect(),
            concerns: self.concerns(),
        }
    }
}
