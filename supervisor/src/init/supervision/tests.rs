use std::time::Duration;

use handover::notice::Notice;

use super::*;
use crate::ports::taken;

/// The operations that were made, in order; processes are numbered as they are started.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    done: Vec<String>,
    started: i32,
    refuses: bool,
    /// Ports that another program holds.
    pub(super) taken: Vec<&'static str>,
}

impl Recorded {
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.done)
    }
}

impl Processes for Recorded {
    fn start(&mut self, role: Role) -> io::Result<Pid> {
        if self.refuses {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.started += 1;
        self.done.push(format!("start {}", role.name()));
        Ok(Pid::from_raw(self.started))
    }

    fn signal(&mut self, leader: Pid, signal: Signal) {
        self.done.push(format!("{signal} {leader}"));
    }

    fn adopt(&mut self, programs: BTreeMap<Role, Program>) -> Vec<Role> {
        programs.into_keys().collect()
    }

    fn close_sockets(&mut self, role: Role) {
        self.done.push(format!("close {}", role.name()));
    }

    fn bind(&mut self, port: &Unbound) -> Result<Role, Unbound> {
        if self.taken.contains(&port.name()) {
            return Err(taken(port.name()));
        }
        self.done.push(format!("bind {}", port.name()));
        Ok(Role::Steward)
    }
}

pub(super) const STEWARD: Pid = Pid::from_raw(1);
pub(super) const MDA: Pid = Pid::from_raw(2);
pub(super) const MTA: Pid = Pid::from_raw(3);

pub(super) fn later(now: Moment, seconds: u64) -> Moment {
    Moment { instant: now.instant + Duration::from_secs(seconds), wall: now.wall + seconds }
}

pub(super) fn port_concern() -> Concern {
    Concern::new("port 80 is taken", "free it")
}

pub(super) fn ready() -> Notice {
    Notice::parse(b"READY=1")
}

/// All three started and ready.
pub(super) fn all_started(now: Moment) -> Supervision<Recorded> {
    let mut supervision = Supervision::new(Recorded::default(), &Role::START_ORDER, Vec::new(), now);
    supervision.tick(now);
    for pid in [STEWARD, MDA, MTA] {
        supervision.handle_notice(pid, &ready(), now);
    }
    assert!(supervision.all_ready());
    assert_eq!(supervision.processes.take(), ["start steward", "start mda", "start mta"]);
    supervision
}

#[test]
fn a_dead_daemon_is_restarted_and_the_others_continue() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.child_ended(MTA, End::Signal(9), now);
    assert!(!supervision.all_ready());
    supervision.tick(later(now, 1));
    assert_eq!(supervision.processes.take(), ["start mta"]);
    let status = supervision.status(now);
    let mta = status.processes.iter().find(|process| process.name == "mta").unwrap();
    assert_eq!((mta.restarts, mta.last_end.as_deref()), (1, Some("signal 9 (SIGKILL)")));
}

#[test]
fn a_daemon_that_cannot_start_is_retried() {
    let now = Moment::now();
    let processes = Recorded { refuses: true, ..Recorded::default() };
    let mut supervision = Supervision::new(processes, &[Role::Mta], Vec::new(), now);
    supervision.tick(now);
    supervision.processes.refuses = false;
    supervision.tick(now);
    assert_eq!(supervision.processes.take(), [""; 0]);
    supervision.tick(later(now, 1));
    assert_eq!(supervision.processes.take(), ["start mta"]);
}

#[test]
fn orphans_are_reaped_and_their_notices_ignored() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.take_changed();
    supervision.child_ended(Pid::from_raw(99), End::Exit(0), now);
    supervision.handle_notice(Pid::from_raw(99), &Notice::parse(b"X_QUEUE=7"), now);
    assert!(!supervision.take_changed());
    supervision.handle_notice(MTA, &Notice::parse(b"X_QUEUE=7"), now);
    assert!(supervision.take_changed());
    assert_eq!(supervision.status(now).processes[2].queue, Some(7));
}

#[test]
fn a_daemons_concern_is_reported_until_it_is_withdrawn() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.take_changed();
    let says = |text: &str| {
        Notice::parse(format!("X_CONCERN_RELAY={text}\nX_FIX_RELAY=ask its operator").as_bytes())
    };
    supervision.handle_notice(MTA, &says("the relay refuses"), now);
    assert!(supervision.take_changed());
    let expected = Concern::new("the relay refuses", "ask its operator");
    assert_eq!(supervision.status(now).concerns, [expected]);
    supervision.handle_notice(MTA, &says("the relay refuses"), now);
    assert!(!supervision.take_changed());
    for topic in 0..100 {
        supervision.handle_notice(MTA, &Notice::parse(format!("X_CONCERN_{topic}=x").as_bytes()), now);
    }
    assert!(supervision.status(now).concerns.len() < 20);
    supervision.handle_notice(MTA, &says(""), now);
    assert!(!supervision.status(now).concerns.iter().any(|concern| concern.problem.contains("relay")));
}
