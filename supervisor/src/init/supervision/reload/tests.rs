use super::super::tests::{MDA, MTA, Recorded, STEWARD, all_started, later, port_concern, ready};
use super::*;
use crate::init::unit::End;
use crate::ports::taken;

#[test]
fn a_reload_is_sent_to_ready_daemons_at_once_and_to_starting_ones_later() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.child_ended(MTA, End::Exit(1), now);
    supervision.tick(later(now, 1));
    supervision.processes.take();
    supervision.reload(Reloaded { concerns: vec![NO_USERS], ..Reloaded::default() });
    assert_eq!(supervision.processes.take(), ["SIGHUP 1", "SIGHUP 2"]);
    supervision.handle_notice(Pid::from_raw(4), &ready(), now);
    supervision.handle_notice(Pid::from_raw(4), &ready(), now);
    assert_eq!(supervision.processes.take(), ["SIGHUP 4"]);
    assert_eq!(supervision.status(now).concerns, [NO_USERS]);
}

#[test]
fn a_daemon_with_changed_rules_is_restarted_and_the_others_reload() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    let program = Program { path: "/another".into(), arguments: Vec::new() };
    let programs = BTreeMap::from([(Role::Mta, program)]);
    supervision.reload(Reloaded { programs, ..Reloaded::default() });
    assert_eq!(supervision.processes.take(), ["SIGTERM 3", "SIGHUP 1", "SIGHUP 2"]);
    supervision.child_ended(MTA, End::Exit(0), now);
    supervision.tick(later(now, 1));
    assert_eq!(supervision.processes.take(), ["start mta"]);
}

#[test]
fn the_concern_without_users_lasts_until_one_is_added() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.reload(Reloaded { concerns: vec![port_concern(), NO_USERS], ..Reloaded::default() });
    supervision.take_changed();
    supervision.users_counted(true);
    assert_eq!(supervision.status(now).concerns, [port_concern()]);
    assert!(supervision.take_changed());
    supervision.users_counted(false);
    assert_eq!(supervision.status(now).concerns, [port_concern(), NO_USERS]);
}

#[test]
fn changed_accounts_are_reloaded_and_their_fingerprint_is_reported() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.child_ended(MTA, End::Exit(1), now);
    supervision.tick(later(now, 1));
    supervision.processes.take();
    supervision.handle_notice(MDA, &Notice::parse(b"X_ACCOUNTS=aa"), now);
    supervision.accounts_changed();
    assert_eq!(supervision.processes.take(), ["SIGUSR1 2"]);
    // It may have read the old ones, and a signal now would end it.
    supervision.handle_notice(Pid::from_raw(4), &Notice::parse(b"X_ACCOUNTS=aa"), now);
    supervision.handle_notice(Pid::from_raw(4), &ready(), now);
    supervision.handle_notice(Pid::from_raw(4), &Notice::parse(b"X_ACCOUNTS=bb"), now);
    assert_eq!(supervision.processes.take(), ["SIGUSR1 4"]);
    let shown = |supervision: &Supervision<Recorded>| -> Vec<_> {
        supervision.status(now).processes.into_iter().map(|process| process.accounts).collect()
    };
    assert_eq!(shown(&supervision), [None, Some("aa".into()), Some("bb".into())]);
    // Restarted, it has reported nothing yet.
    supervision.child_ended(MDA, End::Exit(1), now);
    supervision.tick(later(now, 2));
    assert_eq!(shown(&supervision)[1], None);
}

#[test]
fn only_a_new_certificate_makes_the_mail_daemons_reload() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.set_initial_state(vec![taken("http")], Some("aa".into()), now);
    let says = |certificate: &str| Notice::parse(format!("X_CERTIFICATE={certificate}").as_bytes());
    supervision.handle_notice(STEWARD, &says("aa"), now);
    supervision.handle_notice(MTA, &says("bb"), now);
    assert_eq!(supervision.processes.take(), [""; 0]);
    // A starting one may have read the old one already.
    supervision.child_ended(MTA, End::Exit(1), now);
    supervision.tick(later(now, 1));
    supervision.processes.take();
    supervision.handle_notice(STEWARD, &says("bb"), now);
    supervision.handle_notice(STEWARD, &says("bb"), now);
    assert_eq!(supervision.processes.take(), ["SIGHUP 2"]);
    supervision.handle_notice(Pid::from_raw(4), &ready(), now);
    assert_eq!(supervision.processes.take(), ["SIGHUP 4"]);
    supervision.reload(Reloaded { concerns: vec![NO_USERS], ..Reloaded::default() });
    assert_eq!(supervision.status(now).concerns, [NO_USERS, taken("http").concern()]);
}

#[test]
fn a_refused_reload_is_a_concern_and_the_daemons_still_reload() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.reload(Reloaded { concerns: vec![NO_USERS], ..Reloaded::default() });
    supervision.processes.take();
    supervision.take_changed();
    supervision.reload_refused(port_concern());
    assert_eq!(supervision.status(now).concerns, [port_concern(), NO_USERS]);
    assert_eq!(supervision.processes.take(), ["SIGHUP 1", "SIGHUP 2", "SIGHUP 3"]);
    assert!(supervision.take_changed());
    supervision.reload(Reloaded::default());
    assert_eq!(supervision.status(now).concerns, []);
}

#[test]
fn a_reload_that_ends_during_the_stop_reaches_no_daemon() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.stop(now);
    supervision.reload(Reloaded::default());
    supervision.reload_refused(port_concern());
    assert_eq!(supervision.processes.take(), [""; 0]);
}
