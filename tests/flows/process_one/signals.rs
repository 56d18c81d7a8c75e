//! Signals that mean something to it, that mean nothing, and that come from inside.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::appliance::{Appliance, Container};
use tests::patience;

fn daemons(appliance: &Appliance) -> [Pid; 3] {
    ["steward", "mda", "mta"].map(|role| appliance.role(role))
}

#[test]
fn hup_reload() {
    let container = Container::new().unset("MAIL_USERS").set("MAIL_USERS_FILE", "/etc/users");
    let file = container.etc().join("users");
    fs::write(&file, "ann:correct-horse\n").unwrap();
    // The file of a secret is a mount of its own, which the engine changes in place.
    let bind = format!("mount --bind {} etc/users", file.display());
    let mut appliance = container.before(&bind).serve();
    let before = daemons(&appliance);
    let doors = appliance.doors();
    appliance.inside(|| {
        let mut reader = doors.reader(0);
        let mut stranger = doors.stranger();
        fs::write(&file, "ann:correct-horse\nbob:battery-staple\n").unwrap();
        appliance.signal(Signal::SIGHUP);
        patience::until_true("the new user is known", || {
            let mut session = doors.submission();
            session.log_in(doors.user(1), "battery-staple").is_ok_and(|reply| reply.code == 235)
        });
        doors.reader(1);
        // Who was there has noticed nothing.
        reader.command("NOOP").unwrap().ok();
        stranger.command("NOOP").unwrap().expect(250);
        // A worse file changes nothing, and is told; so is one that is only just being written.
        for (worse, said) in [("nobody\n", "entry 1 has no colon"), ("", "has no user in it")] {
            fs::write(&file, worse).unwrap();
            appliance.signal(Signal::SIGHUP);
            patience::until_true("it says so", || appliance.log().contains(said));
            assert!(appliance.log().contains("the old settings stay in force"));
            doors.reader(1);
        }
        reader.command("NOOP").unwrap().ok();
    });
    assert_eq!(daemons(&appliance), before, "a daemon was started anew");
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn unknown_signals() {
    let mut appliance = Container::new().serve();
    let before = daemons(&appliance);
    let unknown = [
        "USR1", "USR2", "WINCH", "PIPE", "CONT", "ALRM", "VTALRM", "PROF", "URG", "IO", "PWR", "TTIN",
        "TTOU", "TSTP", "XCPU", "XFSZ", "STKFLT", "CHLD", "34", "41", "64",
    ];
    for round in 0..10 {
        for signal in unknown {
            // From outside, as the engine sends them, and from inside.
            let (number, pid) = (format!("-{signal}"), appliance.init().to_string());
            if round % 2 == 0 {
                assert!(
                    Command::new("/bin/kill").args([&number, &pid]).status().unwrap().success(),
                    "{signal}"
                );
            } else {
                assert!(appliance.shell(&format!("/bin/kill {number} 1")).status.success(), "{signal}");
            }
        }
    }
    assert!(appliance.is_healthy());
    assert_eq!(daemons(&appliance), before, "a daemon was started anew");
    // It has not lost the ones that count.
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
}

#[test]
fn inner_kill() {
    let mut appliance = Container::new().serve();
    for signal in ["KILL", "STOP", "SEGV", "ABRT", "ILL", "TRAP", "SYS"] {
        appliance.shell(&format!("/bin/kill -{signal} 1"));
    }
    assert!(appliance.is_healthy());
    assert_eq!(appliance.stop(), Some(0));
}
