use super::*;

/// What was done, in order; processes are numbered as they are started.
#[derive(Debug, Default)]
struct Recorded {
    done: Vec<String>,
    started: i32,
    refuses: bool,
}

impl Recorded {
    fn take(&mut self) -> Vec<String> {
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
}

const STEWARD: Pid = Pid::from_raw(1);
const MDA: Pid = Pid::from_raw(2);
const MTA: Pid = Pid::from_raw(3);

fn later(now: Moment, seconds: u64) -> Moment {
    Moment { instant: now.instant + Duration::from_secs(seconds), wall: now.wall + seconds }
}

fn other() -> Concern {
    Concern::new("port 80 is taken", "free it")
}

fn ready() -> Notice {
    Notice::parse(b"READY=1")
}

/// All three started and ready.
fn up(now: Moment) -> Supervision<Recorded> {
    let mut supervision = Supervision::new(Recorded::default(), &Role::STARTED, Vec::new(), now);
    supervision.turn(now);
    for pid in [STEWARD, MDA, MTA] {
        supervision.noticed(pid, &ready(), now);
    }
    assert!(supervision.all_ready());
    assert_eq!(supervision.processes.take(), ["start steward", "start mda", "start mta"]);
    supervision
}

#[test]
fn a_stop_ends_the_mta_then_the_mda_then_the_steward_each_with_its_sockets_first() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.stop(now);
    supervision.turn(now);
    assert_eq!(supervision.processes.take(), ["close mta", "SIGTERM 3"]);
    supervision.turn(later(now, 5));
    assert_eq!(supervision.processes.take(), [""; 0]);
    supervision.buried(MTA, End::Exit(0), now);
    supervision.turn(now);
    assert_eq!(supervision.processes.take(), ["close mda", "SIGTERM 2"]);
    supervision.buried(MDA, End::Exit(0), now);
    supervision.turn(now);
    assert_eq!(supervision.processes.take(), ["close steward", "SIGTERM 1"]);
    assert_eq!(supervision.outcome(now), None);
    supervision.buried(STEWARD, End::Exit(0), now);
    supervision.turn(now);
    assert_eq!(supervision.outcome(now), Some(Exit::Stopped));
}

#[test]
fn who_is_dead_before_the_stop_is_not_waited_for_nor_started_again() {
    let now = Moment::now();
    let mut supervision = up(now);
    for pid in [MTA, MDA, STEWARD] {
        supervision.buried(pid, End::Signal(9), now);
    }
    supervision.stop(now);
    supervision.turn(now);
    assert_eq!(supervision.outcome(now), Some(Exit::Stopped));
    supervision.turn(later(now, 100));
    assert_eq!(supervision.processes.take(), ["close mta", "close mda", "close steward"]);
}

#[test]
fn who_does_not_stop_is_killed_and_the_whole_ends_with_its_own_status() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.stop(now);
    supervision.turn(now);
    supervision.turn(later(now, 15));
    assert_eq!(supervision.processes.take(), ["close mta", "SIGTERM 3", "SIGKILL 3"]);
    supervision.buried(MTA, End::Signal(9), later(now, 15));
    for pid in [MDA, STEWARD] {
        supervision.turn(later(now, 15));
        supervision.buried(pid, End::Exit(0), later(now, 15));
    }
    assert_eq!(supervision.outcome(later(now, 15)), Some(Exit::Killed));
}

#[test]
fn all_limits_together_stay_below_the_containers_and_what_cannot_die_is_left() {
    let limits: Duration = Role::STOPPED.iter().map(|role| role.stop_limit()).sum();
    assert!(limits < PATIENCE && PATIENCE < Duration::from_secs(40));
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.stop(now);
    supervision.turn(now);
    assert_eq!(supervision.outcome(later(now, 37)), None);
    assert_eq!(supervision.outcome(later(now, 38)), Some(Exit::Killed));
}

#[test]
fn a_second_request_asks_all_at_once_and_soon() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.stop(now);
    supervision.turn(now);
    supervision.processes.take();
    supervision.stop(now);
    assert_eq!(
        supervision.processes.take(),
        ["close mta", "close mda", "SIGTERM 2", "close steward", "SIGTERM 1"]
    );
    supervision.turn(later(now, 1));
    assert_eq!(supervision.processes.take(), ["SIGKILL 1", "SIGKILL 2", "SIGKILL 3"]);
}

#[test]
fn a_dead_daemon_is_started_again_and_the_others_go_on() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.buried(MTA, End::Signal(9), now);
    assert!(!supervision.all_ready());
    supervision.turn(later(now, 1));
    assert_eq!(supervision.processes.take(), ["start mta"]);
    let status = supervision.status(now);
    let mta = status.processes.iter().find(|process| process.name == "mta").unwrap();
    assert_eq!((mta.restarts, mta.last_end.as_deref()), (1, Some("signal 9")));
}

#[test]
fn what_cannot_be_started_is_tried_again_later() {
    let now = Moment::now();
    let processes = Recorded { refuses: true, ..Recorded::default() };
    let mut supervision = Supervision::new(processes, &[Role::Mta], Vec::new(), now);
    supervision.turn(now);
    supervision.processes.refuses = false;
    supervision.turn(now);
    assert_eq!(supervision.processes.take(), [""; 0]);
    supervision.turn(later(now, 1));
    assert_eq!(supervision.processes.take(), ["start mta"]);
}

#[test]
fn a_reload_reaches_who_is_ready_at_once_and_who_is_starting_when_it_can_listen() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.buried(MTA, End::Exit(1), now);
    supervision.turn(later(now, 1));
    supervision.processes.take();
    supervision.reload(Reloaded { concerns: vec![NOBODY], ..Reloaded::default() });
    assert_eq!(supervision.processes.take(), ["SIGHUP 1", "SIGHUP 2"]);
    supervision.noticed(Pid::from_raw(4), &ready(), now);
    supervision.noticed(Pid::from_raw(4), &ready(), now);
    assert_eq!(supervision.processes.take(), ["SIGHUP 4"]);
    assert_eq!(supervision.status(now).concerns, [NOBODY]);
}

#[test]
fn who_is_to_reach_something_else_begins_anew_and_the_others_are_told() {
    let now = Moment::now();
    let mut supervision = up(now);
    let program = Program { path: "/another".into(), arguments: Vec::new() };
    let programs = BTreeMap::from([(Role::Mta, program)]);
    supervision.reload(Reloaded { programs, ..Reloaded::default() });
    assert_eq!(supervision.processes.take(), ["SIGTERM 3", "SIGHUP 1", "SIGHUP 2"]);
    supervision.buried(MTA, End::Exit(0), now);
    supervision.turn(later(now, 1));
    assert_eq!(supervision.processes.take(), ["start mta"]);
}

#[test]
fn that_nobody_has_a_mailbox_is_told_until_somebody_is_added() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.reload(Reloaded { concerns: vec![other(), NOBODY], ..Reloaded::default() });
    supervision.take_changed();
    supervision.accounts_changed(true);
    assert_eq!(supervision.status(now).concerns, [other()]);
    assert!(supervision.take_changed());
    supervision.accounts_changed(false);
    assert_eq!(supervision.status(now).concerns, [other(), NOBODY]);
}

#[test]
fn changed_accounts_are_told_to_those_who_read_them_and_what_they_read_is_shown() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.buried(MTA, End::Exit(1), now);
    supervision.turn(later(now, 1));
    supervision.processes.take();
    supervision.noticed(MDA, &Notice::parse(b"X_ACCOUNTS=aa"), now);
    supervision.accounts_changed(true);
    assert_eq!(supervision.processes.take(), ["SIGUSR1 2"]);
    // It may have read the old ones, and a signal now would be its end.
    supervision.noticed(Pid::from_raw(4), &Notice::parse(b"X_ACCOUNTS=aa"), now);
    supervision.noticed(Pid::from_raw(4), &ready(), now);
    supervision.noticed(Pid::from_raw(4), &Notice::parse(b"X_ACCOUNTS=bb"), now);
    assert_eq!(supervision.processes.take(), ["SIGUSR1 4"]);
    let shown = |supervision: &Supervision<Recorded>| -> Vec<_> {
        supervision.status(now).processes.into_iter().map(|process| process.accounts).collect()
    };
    assert_eq!(shown(&supervision), [None, Some("aa".into()), Some("bb".into())]);
    // Started anew, it has said nothing yet.
    supervision.buried(MDA, End::Exit(1), now);
    supervision.turn(later(now, 2));
    assert_eq!(shown(&supervision)[1], None);
}

#[test]
fn a_new_certificate_is_told_to_those_who_show_it_and_only_when_it_is_new() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.begin_with(vec![other()], Some("aa".into()));
    let says = |certificate: &str| Notice::parse(format!("X_CERTIFICATE={certificate}").as_bytes());
    supervision.noticed(STEWARD, &says("aa"), now);
    supervision.noticed(MTA, &says("bb"), now);
    assert_eq!(supervision.processes.take(), [""; 0]);
    // One that is coming up may have read the old one already.
    supervision.buried(MTA, End::Exit(1), now);
    supervision.turn(later(now, 1));
    supervision.processes.take();
    supervision.noticed(STEWARD, &says("bb"), now);
    supervision.noticed(STEWARD, &says("bb"), now);
    assert_eq!(supervision.processes.take(), ["SIGHUP 2"]);
    supervision.noticed(Pid::from_raw(4), &ready(), now);
    assert_eq!(supervision.processes.take(), ["SIGHUP 4"]);
    supervision.reload(Reloaded { concerns: vec![NOBODY], ..Reloaded::default() });
    assert_eq!(supervision.status(now).concerns, [NOBODY, other()]);
}

#[test]
fn strangers_are_buried_and_not_heard() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.take_changed();
    supervision.buried(Pid::from_raw(99), End::Exit(0), now);
    supervision.noticed(Pid::from_raw(99), &Notice::parse(b"X_QUEUE=7"), now);
    assert!(!supervision.take_changed());
    supervision.noticed(MTA, &Notice::parse(b"X_QUEUE=7"), now);
    assert!(supervision.take_changed());
    assert_eq!(supervision.status(now).processes[2].queue, Some(7));
}

#[test]
fn what_a_daemon_says_is_wrong_is_told_until_it_is_over() {
    let now = Moment::now();
    let mut supervision = up(now);
    supervision.take_changed();
    let says =
        |text: &str| Notice::parse(format!("X_CONCERN_RELAY={text}\nX_FIX_RELAY=ask it why").as_bytes());
    supervision.noticed(MTA, &says("the relay says no"), now);
    assert!(supervision.take_changed());
    let told = Concern::new("the relay says no", "ask it why");
    assert_eq!(supervision.status(now).concerns, [told]);
    supervision.noticed(MTA, &says("the relay says no"), now);
    assert!(!supervision.take_changed());
    for topic in 0..100 {
        supervision.noticed(MTA, &Notice::parse(format!("X_CONCERN_{topic}=x").as_bytes()), now);
    }
    assert!(supervision.status(now).concerns.len() < 20);
    supervision.noticed(MTA, &says(""), now);
    assert!(!supervision.status(now).concerns.iter().any(|concern| concern.problem.contains("relay")));
}
