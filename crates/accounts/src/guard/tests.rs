use super::ledger::{KNOWN_FOR, MOST_BUCKETS, MOST_KNOWN};
use super::*;

const ANN: u64 = 1;
const BOB: u64 = 2;
/// The right one, for all who have one.
const RIGHT: u64 = 1000;

/// A ledger and a clock that goes only when it is told to.
struct Scene {
    ledger: Ledger,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        Self { ledger: Ledger::default(), now: Instant::now() }
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// Tries a password, waits as long as is asked, and says how long that was.
    fn attempt(&mut self, caller: Caller) -> Option<Duration> {
        let Verdict::After(delay, charged) = self.ledger.admit(&caller, self.now) else { return None };
        self.now += delay;
        let outcome = if caller.password == RIGHT { Outcome::Right } else { Outcome::Wrong };
        self.ledger.conclude(&caller, &charged, Some(outcome), self.now);
        Some(delay)
    }

    /// Guesses until it is refused, and says how often it was not.
    fn exhaust(&mut self, address: &str, account: u64) -> usize {
        (1..1000).take_while(|guess| self.attempt(caller(address, account, *guess)).is_some()).count()
    }
}

fn caller(address: &str, account: u64, password: u64) -> Caller {
    Caller { address: address.parse().unwrap(), is_anybody: false, account, password }
}

fn anybody(account: u64, password: u64) -> Caller {
    Caller { is_anybody: true, ..caller("172.18.0.1", account, password) }
}

const NO_WAIT: Option<Duration> = Some(Duration::ZERO);

#[test]
fn who_mistypes_does_not_notice_and_who_goes_on_waits_longer_and_is_refused() {
    let mut scene = Scene::new();
    let waits: Vec<_> = (1..=13).map(|guess| scene.attempt(caller("192.0.2.1", ANN, guess))).collect();
    let seconds: Vec<_> = waits.iter().map(|wait| wait.map(|wait| wait.as_secs())).collect();
    assert_eq!(seconds[..4], [Some(0); 4]);
    assert!(seconds[4..].is_sorted_by(|one, next| next.is_none() || one <= next), "{seconds:?}");
    assert_eq!((seconds[4], seconds[12]), (Some(1), None));
    // Even the right one is not looked at: the answer would tell.
    assert_eq!(scene.attempt(caller("192.0.2.1", ANN, RIGHT)), None);
    // It is refused whatever account it names, and somebody else is not.
    assert_eq!(scene.attempt(caller("192.0.2.1", BOB, RIGHT)), None);
    assert_eq!(scene.attempt(caller("192.0.2.2", BOB, RIGHT)), NO_WAIT);
}

#[test]
fn what_was_charged_is_forgotten_with_time() {
    let mut scene = Scene::new();
    scene.exhaust("192.0.2.1", ANN);
    scene.pass(5 * 60);
    assert_eq!(scene.exhaust("192.0.2.1", ANN), 1, "one guess in five minutes");
    scene.pass(3600);
    assert_eq!(scene.attempt(caller("192.0.2.1", ANN, RIGHT)), NO_WAIT);
}

#[test]
fn the_owner_gets_in_from_where_the_owner_has_been_while_others_guess() {
    let mut scene = Scene::new();
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), NO_WAIT);
    for attacker in 0..200 {
        scene.exhaust(&format!("192.0.2.{attacker}"), ANN);
    }
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), NO_WAIT);
    // From elsewhere with a wait, but in.
    let elsewhere = scene.attempt(caller("203.0.113.9", ANN, RIGHT)).unwrap();
    assert_eq!(elsewhere, Duration::from_secs(8));
    // And from there without one from now on.
    assert_eq!(scene.attempt(caller("203.0.113.9", ANN, RIGHT)), NO_WAIT);
}

#[test]
fn who_guesses_next_to_the_owner_locks_nobody_else_out_but_is_stopped() {
    let mut scene = Scene::new();
    for account in [ANN, BOB] {
        assert_eq!(scene.attempt(caller("203.0.113.7", account, RIGHT)), NO_WAIT);
    }
    let guesses = scene.exhaust("203.0.113.7", ANN);
    assert!((12..20).contains(&guesses), "{guesses}");
    assert_eq!(scene.attempt(caller("203.0.113.7", BOB, RIGHT)), NO_WAIT);
}

#[test]
fn a_device_with_an_old_password_is_no_guesser() {
    let mut scene = Scene::new();
    for _ in 0..500 {
        assert_eq!(scene.attempt(caller("203.0.113.7", ANN, 7)), NO_WAIT);
    }
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), NO_WAIT);
}

#[test]
fn asking_many_at_once_is_no_way_around() {
    let mut scene = Scene::new();
    let mut admitted = Vec::new();
    let mut waits = Vec::new();
    for guess in 1..100 {
        let caller = caller("192.0.2.1", guess, guess);
        if let Verdict::After(wait, charged) = scene.ledger.admit(&caller, scene.now) {
            waits.push(wait);
            admitted.push((caller, charged));
        }
    }
    assert_eq!(admitted.len(), 12);
    assert_eq!(waits[11], Duration::from_secs(16));
    // Clients that go away before their password is looked at have learnt nothing, and leave nothing behind.
    for (caller, charged) in &admitted {
        scene.ledger.conclude(caller, charged, None, scene.now);
    }
    assert_eq!(scene.ledger.size(), (0, 0));
}

#[test]
fn an_account_lets_only_so_many_strangers_wait_at_one_time() {
    let mut scene = Scene::new();
    for attacker in 0..20 {
        scene.exhaust(&format!("192.0.2.{attacker}"), ANN);
    }
    let mut admitted = 0;
    for attacker in 0..100 {
        let caller = caller(&format!("198.51.100.{attacker}"), ANN, 5000 + attacker);
        admitted += usize::from(matches!(scene.ledger.admit(&caller, scene.now), Verdict::After(..)));
    }
    assert_eq!(admitted, 8);
}

#[test]
fn an_attacker_with_a_large_ipv6_network_is_one_attacker() {
    let mut scene = Scene::new();
    assert_eq!(scene.exhaust("2001:db8:1:1::1", ANN), scene.exhaust("192.0.2.1", ANN));
    // The same 64 bits.
    assert_eq!(scene.attempt(caller("2001:db8:1:1:ffff::2", ANN, 1)), None);
    // As many 64 bits as there are: the 48 bits are used up.
    let mut guesses = 0;
    for network in 2..500 {
        guesses += scene.exhaust(&format!("2001:db8:1:{network:x}::1"), BOB + network);
    }
    assert!(guesses < 300, "{guesses}");
    assert_eq!(scene.attempt(caller("2001:db8:1:9999::1", BOB, 1)), None);
    assert_eq!(scene.attempt(caller("2001:db8:2::1", 77, RIGHT)), NO_WAIT);
}

#[test]
fn an_address_is_the_same_in_both_families() {
    let mut scene = Scene::new();
    scene.exhaust("192.0.2.1", ANN);
    assert_eq!(scene.attempt(caller("::ffff:192.0.2.1", BOB, RIGHT)), None);
}

#[test]
fn what_stands_for_everybody_is_slowed_by_account_and_never_refused() {
    let mut scene = Scene::new();
    for guess in 1..500 {
        assert!(scene.attempt(anybody(ANN, guess)).is_some(), "{guess}");
    }
    assert_eq!(scene.attempt(anybody(ANN, RIGHT)), Some(Duration::from_secs(8)));
    assert_eq!(scene.attempt(anybody(BOB, RIGHT)), NO_WAIT);
    // Known there, strangers elsewhere slow it down no more.
    for attacker in 0..20 {
        scene.exhaust(&format!("192.0.2.{attacker}"), BOB);
    }
    assert_eq!(scene.attempt(anybody(BOB, RIGHT)), NO_WAIT);
}

#[test]
fn who_has_not_been_there_for_long_is_a_stranger() {
    let mut scene = Scene::new();
    scene.attempt(caller("203.0.113.7", ANN, RIGHT));
    scene.now += KNOWN_FOR;
    scene.exhaust("203.0.113.7", BOB);
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), None);
}

#[test]
fn it_never_grows_past_its_bounds() {
    let mut scene = Scene::new();
    for number in 0..20_000u32 {
        scene.pass(1);
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
        scene.attempt(caller(&address, u64::from(number), u64::from(number)));
        scene.attempt(caller(&address, u64::from(number), RIGHT));
        let (buckets, known) = scene.ledger.size();
        assert!(buckets <= MOST_BUCKETS && known <= MOST_KNOWN, "{buckets} {known}");
    }
    // The latest are the ones that are kept.
    let last = std::net::Ipv4Addr::from(0x0a00_0000 + 19_999).to_string();
    scene.exhaust(&last, 5);
    assert_eq!(scene.attempt(caller(&last, 19_999, RIGHT)), NO_WAIT);
}

#[test]
fn a_ticket_that_is_dropped_is_given_back() {
    let guard = Guard::new();
    let now = Instant::now();
    for guess in 0..50 {
        drop(guard.admit(caller("192.0.2.1", ANN, guess), now).unwrap());
    }
    for guess in 1..=12 {
        guard.admit(caller("192.0.2.1", ANN, guess), now).unwrap().conclude(Outcome::Wrong);
    }
    assert!(guard.admit(caller("192.0.2.1", ANN, 99), now).is_none());
}
