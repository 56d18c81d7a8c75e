//! Password guessing: it is slowed down and then refused, is logged, and does not lock out the owner.
//!
//! All of 127.0.0.0/8 is this machine's, so each address in it can be a client of its own, once it is not treated as
//! shared.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tests::imap::Imap;
use tests::site::Site;
use tests::smtp::Smtp;
use tests::wait;

/// The number of guesses that are checked, however many are made at one time.
const GUESSES: usize = 12;

fn start() -> Site {
    Site::start_with(|plan| {
        plan.mta.login.shared_networks.clear();
        plan.mda.login.shared_networks.clear();
    })
}

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

fn imap(site: &Site, from: IpAddr) -> Imap {
    let services = &site.services;
    Imap::connect_from(from, services.address("imaps"), services.tls_config(), &services.hostname).unwrap()
}

fn submission(site: &Site, from: IpAddr) -> Smtp {
    let services = &site.services;
    let address = services.address("submissions");
    let mut session = Smtp::connect_from(from, address, services.tls_config(), &services.hostname).unwrap();
    session.hello().unwrap().expect(250);
    session
}

/// Makes more simultaneous guesses than are checked, each over a connection of its own, and returns the answers.
fn guess<T: Send>(
    sessions: Vec<T>,
    attempt: impl Fn(&mut T, &str) -> io::Result<String> + Sync,
) -> Vec<String> {
    thread::scope(|scope| {
        let attempt = &attempt;
        let guesses: Vec<_> = sessions
            .into_iter()
            .enumerate()
            .map(|(number, mut session)| {
                scope.spawn(move || attempt(&mut session, &format!("guess {number}")).unwrap())
            })
            .collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    })
}

#[test]
fn guessing_over_imap_is_refused_and_the_owner_can_log_in() {
    let mut site = start();
    let (ann, password) = (site.services.user(0).to_owned(), site.services.users[0].password.clone());
    // The owner has logged in before, and has another device that keeps trying an old password.
    let known = address(9);
    imap(&site, known).log_in(&ann, &password).unwrap().ok();
    for _ in 0..GUESSES {
        let answer = imap(&site, known).log_in(&ann, "an old password").unwrap();
        assert!(answer.tagged.contains("[AUTHENTICATIONFAILED]"), "{answer:?}");
    }

    let attacker = address(2);
    let sessions: Vec<Imap> = (0..GUESSES + 8).map(|_| imap(&site, attacker)).collect();
    let answers = guess(sessions, |session, password| Ok(session.log_in(&ann, password)?.tagged));
    let looked_at = answers.iter().filter(|answer| answer.contains("[AUTHENTICATIONFAILED]")).count();
    let refused = answers.iter().filter(|answer| answer.contains("[UNAVAILABLE]")).count();
    assert_eq!((looked_at, refused), (GUESSES, 8), "{answers:?}");

    // The correct password is refused as well, so the answer does not confirm it.
    let answer = imap(&site, attacker).log_in(&ann, &password).unwrap();
    assert!(answer.tagged.starts_with("NO [UNAVAILABLE]"), "{answer:?}");
    // The owner can log in, from the known address and from another; so can another user.
    imap(&site, known).log_in(&ann, &password).unwrap().ok();
    imap(&site, address(3)).log_in(&ann, &password).unwrap().ok();
    let (bob, his) = (site.services.user(1).to_owned(), site.services.users[1].password.clone());
    imap(&site, address(4)).log_in(&bob, &his).unwrap().ok();

    // The last counts are written when the daemon stops.
    site.mda().stop();
    let log = site.mda().log();
    let logged = |words: &str| {
        let lines = log.lines().filter(|line| line.contains(words));
        let suppressed = lines.clone().filter_map(|line| {
            let (_, number) = line.split_once(" suppressed=")?;
            number.split(' ').next()?.parse::<usize>().ok()
        });
        (lines.clone().count(), lines.count() + suppressed.sum::<usize>())
    };
    let (lines, guesses) =
        logged("WARN login: failed peer=127.0.0.2 protocol=\"imap\" user=\"ann@example.org\"");
    assert!(guesses == GUESSES && lines < GUESSES, "{log}");
    let (lines, refused) = logged("WARN login: refused peer=127.0.0.2 protocol=\"imap\"");
    assert!(refused == 9 && lines < 9, "{log}");
    assert!(!log.contains("guess 1") && !log.contains(&password));
}

#[test]
fn guessing_over_smtp_is_refused_and_other_clients_are_not() {
    let mut site = start();
    let (ann, password) = (site.services.user(0).to_owned(), site.services.users[0].password.clone());
    let attacker = address(2);
    let sessions: Vec<Smtp> = (0..GUESSES + 4).map(|_| submission(&site, attacker)).collect();
    let answers = guess(sessions, |session, password| {
        let reply = session.log_in(&ann, password)?;
        Ok(format!("{} {}", reply.code, reply.enhanced().unwrap_or_default()))
    });
    let count = |wanted: &str| answers.iter().filter(|answer| *answer == wanted).count();
    assert_eq!((count("535 5.7.8"), count("454 4.7.0")), (GUESSES, 4), "{answers:?}");
    submission(&site, attacker).log_in(&ann, &password).unwrap().expect_status(454, "4.7.0");
    submission(&site, address(3)).log_in(&ann, &password).unwrap().expect(235);

    // A name cannot put another address where the peer's is searched for.
    let name = "x\" peer=192.0.2.1\nWARN login: failed peer=192.0.2.1 protocol=";
    submission(&site, address(5)).log_in(name, "guess").unwrap().expect(535);
    wait::until_true("it is logged", || site.mta().log().contains("failed peer=127.0.0.5 protocol=\"smtp\""));
    let log = site.mta().log();
    let is_forged =
        |line: &str| line.contains("peer=192.0.2.1") && !line.contains(": failed peer=127.0.0.5 ");
    assert!(!log.lines().any(is_forged), "{log}");
}

#[test]
fn clients_behind_a_shared_address_are_delayed_and_never_refused() {
    let site = Site::start();
    let (ann, password) = (site.services.user(0).to_owned(), site.services.users[0].password.clone());
    // The owner has logged in from here. Guesses from here slow this account down, and no other.
    imap(&site, address(1)).log_in(&ann, &password).unwrap().ok();
    for guess in 0..GUESSES {
        let answer = imap(&site, address(1)).log_in(&ann, &format!("guess {guess}")).unwrap();
        assert!(answer.tagged.contains("[AUTHENTICATIONFAILED]"), "{answer:?}");
    }
    imap(&site, address(1)).log_in(&ann, &password).unwrap().ok();
}

/// Attackers that guess at one user's password over IMAP, each from a network of its own, without a pause.
struct GuessingAttack {
    is_over: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    attackers: Vec<JoinHandle<()>>,
}

impl GuessingAttack {
    fn start(site: &Site, user: &str, attackers: u8) -> Self {
        let (is_over, refused) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (server, trust, hostname) =
            (site.services.address("imaps"), site.services.tls_config(), site.services.hostname.clone());
        let attacker = |number| {
            let (is_over, refused) = (is_over.clone(), refused.clone());
            let (trust, hostname, user) = (trust.clone(), hostname.clone(), user.to_owned());
            let own = Ipv4Addr::new(127, 0, 1, number).into();
            let mut guesses = 0;
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    // A daemon that restarts closes its sessions; the guesser reconnects.
                    let Ok(mut session) = Imap::connect_from(own, server, trust.clone(), &hostname) else {
                        continue;
                    };
                    while let Ok(answer) = session.log_in(&user, &format!("guess {guesses} of {number}")) {
                        guesses += 1;
                        refused.fetch_add(1, Ordering::Relaxed);
                        assert!(answer.tagged.starts_with("NO"), "{answer:?}");
                    }
                }
            })
        };
        let attackers = (1..=attackers).map(attacker).collect();
        Self { is_over, refused, attackers }
    }

    /// Waits until the attackers have, on average, used up the free failures.
    fn wait_until_under_way(&self) {
        let before = self.refused.load(Ordering::Relaxed);
        let wanted = before + 5 * self.attackers.len();
        wait::until_true("the siege is under way", || self.refused.load(Ordering::Relaxed) > wanted);
    }

    fn end(self) {
        for attacker in self.attackers {
            attacker.join().unwrap();
        }
    }
}

#[test]
fn the_owner_can_log_in_from_any_network_while_twenty_addresses_guess() {
    let mut site = start();
    let (ann, password) = (site.services.user(0).to_owned(), site.services.users[0].password.clone());
    let siege = GuessingAttack::start(&site, &ann, 20);
    siege.wait_until_under_way();

    // From 35 networks, none of which is known.
    let begin = Instant::now();
    let mut sessions: Vec<Imap> = Vec::new();
    for number in 1..=35 {
        sessions.push(imap(&site, Ipv4Addr::new(127, 0, 2, number).into()));
    }
    let answers = guess(sessions, |session, _| Ok(session.log_in(&ann, &password)?.tagged));
    let admitted = answers.iter().filter(|answer| answer.starts_with("OK")).count();
    println!("from new networks: {admitted} of 35 in {:?}", begin.elapsed());
    assert_eq!(admitted, 35, "{answers:?}");

    // A restart in the middle of it. The owner's networks are still known.
    site.mda().stop();
    let known = site.folder().join("index/known_networks");
    let text = std::fs::read_to_string(&known).unwrap();
    assert!(text.lines().count() >= 37 && !text.contains("ann") && !text.contains("127.0"), "{text}");
    site.start_mda();
    siege.wait_until_under_way();
    let begin = Instant::now();
    for number in 1..=35 {
        let mut session = imap(&site, Ipv4Addr::new(127, 0, 2, number).into());
        session.log_in(&ann, &password).unwrap().ok();
    }
    println!("from known networks after a restart: 35 of 35 in {:?}", begin.elapsed());

    siege.is_over.store(true, Ordering::Relaxed);
    // Their sessions end with the daemons.
    drop(site);
    siege.end();
}
