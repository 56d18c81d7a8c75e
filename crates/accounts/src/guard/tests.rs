use super::known_networks::{KNOWN_FOR, KnownNetworks, UserNetwork};
use super::ledger::MAX_BUCKETS;
use super::*;

const ANN: u64 = 1;
const BOB: u64 = 2;
/// The correct password, for all accounts.
const RIGHT: u64 = 1000;

/// A ledger and a clock that advances only by command.
struct Scene {
    ledger: Ledger,
    known: KnownNetworks,
    now: Instant,
    began: Instant,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        Self { ledger: Ledger::default(), known: KnownNetworks::default(), now, began: now }
    }

    fn advance(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The seconds since 1970.
    fn unix(&self) -> u64 {
        1_796_000_000 + self.now.duration_since(self.began).as_secs()
    }

    fn admit(&mut self, caller: &mut LoginAttempt) -> Admission {
        caller.is_known = self.known.contains(caller.network, self.unix());
        self.ledger.admit(caller, self.now)
    }

    /// Tries a password, waits as long as required, and returns how long that was.
    fn attempt(&mut self, mut caller: LoginAttempt) -> Option<Duration> {
        let Admission::After(delay, _, charged) = self.admit(&mut caller) else { return None };
        self.now += delay;
        let outcome = if caller.password == RIGHT { Outcome::Right } else { Outcome::Wrong };
        self.ledger.conclude(&caller, &charged, Some(outcome), self.now);
        if outcome == Outcome::Right {
            self.known.record(caller.network, self.unix());
        }
        Some(delay)
    }

    /// Guesses until it is refused, and returns the number of guesses that were not.
    fn exhaust(&mut self, address: &str, account: u64) -> usize {
        (1..1000).take_while(|guess| self.attempt(caller(address, account, *guess)).is_some()).count()
    }
}

fn caller(address: &str, account: u64, password: u64) -> LoginAttempt {
    let address: IpAddr = address.parse().unwrap();
    let network = match network_of(address) {
        IpAddr::V4(network) => network.to_bits().into(),
        IpAddr::V6(network) => (network.to_bits() >> 64) as u64,
    };
    let network = UserNetwork { account, network };
    LoginAttempt { address, is_shared: false, account, password, network, is_known: false }
}

fn from_shared_address(account: u64, password: u64) -> LoginAttempt {
    LoginAttempt { is_shared: true, ..caller("172.18.0.1", account, password) }
}

impl Admission {
    fn rank(self) -> Option<Rank> {
        match self {
            Self::After(_, rank, _) => Some(rank),
            Self::Refused => None,
        }
    }
}

const NO_WAIT: Option<Duration> = Some(Duration::ZERO);

#[test]
fn the_first_failures_are_free_and_further_ones_wait_and_are_refused() {
    let mut scene = Scene::new();
    let waits: Vec<_> = (1..=13).map(|guess| scene.attempt(caller("192.0.2.1", ANN, guess))).collect();
    let seconds: Vec<_> = waits.iter().map(|wait| wait.map(|wait| wait.as_secs())).collect();
    assert_eq!(seconds[..4], [Some(0); 4]);
    assert!(seconds[4..].is_sorted_by(|one, next| next.is_none() || one <= next), "{seconds:?}");
    assert_eq!((seconds[4], seconds[12]), (Some(1), None));
    // Even the correct password is not checked: the answer would confirm it.
    assert_eq!(scene.attempt(caller("192.0.2.1", ANN, RIGHT)), None);
    // It is refused for every account, and other peers are not.
    assert_eq!(scene.attempt(caller("192.0.2.1", BOB, RIGHT)), None);
    assert_eq!(scene.attempt(caller("192.0.2.2", BOB, RIGHT)), NO_WAIT);
}

#[test]
fn charges_expire() {
    let mut scene = Scene::new();
    scene.exhaust("192.0.2.1", ANN);
    scene.advance(5 * 60);
    assert_eq!(scene.exhaust("192.0.2.1", ANN), 1, "one guess in five minutes");
    scene.advance(3600);
    assert_eq!(scene.attempt(caller("192.0.2.1", ANN, RIGHT)), NO_WAIT);
}

#[test]
fn the_owner_gets_in_from_a_known_network_during_an_attack() {
    let mut scene = Scene::new();
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), NO_WAIT);
    for attacker in 0..200 {
        scene.exhaust(&format!("192.0.2.{attacker}"), ANN);
    }
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), NO_WAIT);
    // From elsewhere with a wait, but admitted.
    let elsewhere = scene.attempt(caller("203.0.113.9", ANN, RIGHT)).unwrap();
    assert_eq!(elsewhere, Duration::from_secs(8));
    // And from there without a wait from now on.
    assert_eq!(scene.attempt(caller("203.0.113.9", ANN, RIGHT)), NO_WAIT);
}

#[test]
fn a_guesser_in_a_known_network_is_stopped_and_locks_out_no_other_user() {
    let mut scene = Scene::new();
    for account in [ANN, BOB] {
        assert_eq!(scene.attempt(caller("203.0.113.7", account, RIGHT)), NO_WAIT);
    }
    let guesses = scene.exhaust("203.0.113.7", ANN);
    assert!((12..20).contains(&guesses), "{guesses}");
    assert_eq!(scene.attempt(caller("203.0.113.7", BOB, RIGHT)), NO_WAIT);
}

#[test]
fn a_repeated_old_password_is_not_charged() {
    let mut scene = Scene::new();
    for _ in 0..500 {
        assert_eq!(scene.attempt(caller("203.0.113.7", ANN, 7)), NO_WAIT);
    }
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), NO_WAIT);
}

#[test]
fn parallel_attempts_do_not_get_around_the_limits() {
    let mut scene = Scene::new();
    let mut admitted = Vec::new();
    let mut waits = Vec::new();
    for guess in 1..100 {
        let caller = caller("192.0.2.1", guess, guess);
        if let Admission::After(wait, _, charged) = scene.ledger.admit(&caller, scene.now) {
            waits.push(wait);
            admitted.push((caller, charged));
        }
    }
    assert_eq!(admitted.len(), 12);
    assert_eq!(waits[11], Duration::from_secs(16));
    // Clients that disconnect before their password is checked have learnt nothing, and leave nothing behind.
    for (caller, charged) in &admitted {
        scene.ledger.conclude(caller, charged, None, scene.now);
    }
    assert_eq!(scene.ledger.size(), 0);
}

/// This many networks of attackers, all of which wait for a guess at the account.
fn attack(scene: &mut Scene, attackers: u32) {
    for round in 0..20 {
        for attacker in 0..attackers {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + attacker).to_string();
            let guess = u64::from(attacker * 20 + round) + 2000;
            let mut caller = caller(&address, ANN, guess);
            if let Admission::After(_, _, charged) = scene.admit(&mut caller) {
                scene.ledger.conclude(&caller, &charged, Some(Outcome::Wrong), scene.now);
            }
        }
    }
    // Other attackers replace them as soon as possible.
    scene.advance(300);
    for attacker in 0..attackers {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + attacker).to_string();
        scene.admit(&mut caller(&address, ANN, 1_000_000 + u64::from(attacker)));
    }
}

#[test]
fn an_owner_in_a_new_network_waits_eight_seconds_in_any_attack() {
    for attackers in [20, 2000] {
        let mut scene = Scene::new();
        attack(&mut scene, attackers);
        // Owners from 35 new networks at one time, each served before any guess.
        let guess = scene.admit(&mut caller("10.0.0.1", ANN, 1)).rank();
        for network in 0..35 {
            let mut owner = caller(&format!("203.0.113.{network}"), ANN, RIGHT);
            let Admission::After(wait, rank, _) = scene.admit(&mut owner) else { panic!("{attackers}") };
            assert_eq!(wait, Duration::from_secs(8), "{attackers}");
            assert_eq!(rank, Rank { is_from_unknown_network: true, failures: 0 });
            assert!(guess.is_none_or(|guess| rank < guess), "{attackers}");
        }
    }
}

#[test]
fn behind_a_shared_address_eight_attempts_wait_and_others_do_not_count() {
    let mut scene = Scene::new();
    attack(&mut scene, 20);
    assert_eq!(scene.attempt(from_shared_address(ANN, 1)), NO_WAIT);
    for guess in 1..50 {
        scene.attempt(from_shared_address(ANN, guess));
    }
    let mut admitted = 0;
    for guess in 100..200 {
        admitted +=
            usize::from(matches!(scene.admit(&mut from_shared_address(ANN, guess)), Admission::After(..)));
    }
    assert_eq!(admitted, 8);
    assert_eq!(scene.attempt(from_shared_address(BOB, RIGHT)), NO_WAIT);
}

#[test]
fn an_attacker_with_a_large_ipv6_network_is_one_attacker() {
    let mut scene = Scene::new();
    assert_eq!(scene.exhaust("2001:db8:1:1::1", ANN), scene.exhaust("192.0.2.1", ANN));
    // The same 64 bits.
    assert_eq!(scene.attempt(caller("2001:db8:1:1:ffff::2", ANN, 1)), None);
    // As many networks of 64 bits as there are: the limit of the 48 bits is reached.
    let mut guesses = 0;
    for network in 2..500 {
        guesses += scene.exhaust(&format!("2001:db8:1:{network:x}::1"), BOB + network);
    }
    assert!(guesses < 300, "{guesses}");
    assert_eq!(scene.attempt(caller("2001:db8:1:9999::1", BOB, 1)), None);
    assert_eq!(scene.attempt(caller("2001:db8:2::1", 77, RIGHT)), NO_WAIT);
}

#[test]
fn a_mapped_address_is_its_ipv4_address() {
    let mut scene = Scene::new();
    scene.exhaust("192.0.2.1", ANN);
    assert_eq!(scene.attempt(caller("::ffff:192.0.2.1", BOB, RIGHT)), None);
}

#[test]
fn a_shared_address_is_slowed_by_account_and_never_refused() {
    let mut scene = Scene::new();
    for guess in 1..500 {
        assert!(scene.attempt(from_shared_address(ANN, guess)).is_some(), "{guess}");
    }
    assert_eq!(scene.attempt(from_shared_address(ANN, RIGHT)), Some(Duration::from_secs(8)));
    assert_eq!(scene.attempt(from_shared_address(BOB, RIGHT)), NO_WAIT);
    // In a known network, guessers elsewhere no longer slow the owner down.
    for attacker in 0..20 {
        scene.exhaust(&format!("192.0.2.{attacker}"), BOB);
    }
    assert_eq!(scene.attempt(from_shared_address(BOB, RIGHT)), NO_WAIT);
}

#[test]
fn a_known_network_expires() {
    let mut scene = Scene::new();
    scene.attempt(caller("203.0.113.7", ANN, RIGHT));
    scene.advance(KNOWN_FOR);
    scene.exhaust("203.0.113.7", BOB);
    assert_eq!(scene.attempt(caller("203.0.113.7", ANN, RIGHT)), None);
}

#[test]
fn the_ledger_is_bounded() {
    let mut scene = Scene::new();
    for number in 0..20_000u32 {
        scene.advance(1);
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
        scene.attempt(caller(&address, u64::from(number), u64::from(number)));
        scene.attempt(caller(&address, u64::from(number), RIGHT));
        assert!(scene.ledger.size() <= MAX_BUCKETS);
    }
    // The latest are kept.
    let last = std::net::Ipv4Addr::from(0x0a00_0000 + 19_999).to_string();
    scene.exhaust(&last, 5);
    assert_eq!(scene.attempt(caller(&last, 19_999, RIGHT)), NO_WAIT);
}

#[test]
fn a_dropped_attempt_is_not_charged() {
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

#[test]
fn known_networks_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index/known_networks");
    let password = Password::new("right").unwrap();
    let is_known =
        |guard: &Guard, name, peer: &str| guard.attempt(peer.parse().unwrap(), name, &password).is_known;
    let guard = Guard::new();
    guard.persist_in(&path);
    guard.save();
    assert!(!path.exists(), "nothing to write");
    let caller = guard.attempt("2001:db8::1".parse().unwrap(), "ann@example.org", &password);
    guard.admit(caller, Instant::now()).unwrap().conclude(Outcome::Right);
    guard.save();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("ann") && !text.contains("2001"), "{text}");

    let guard = Guard::new();
    guard.persist_in(&path);
    assert!(is_known(&guard, "ann@example.org", "2001:db8::2"), "the same 64 bits");
    assert!(!is_known(&guard, "ann@example.org", "2001:db8:0:1::1"));
    assert!(!is_known(&guard, "bob@example.org", "2001:db8::1"));
    // A missing or damaged file loses its content, and is written again.
    std::fs::write(&path, b"\xff\xfe").unwrap();
    let guard = Guard::new();
    guard.persist_in(&path);
    let caller = guard.attempt("2001:db8::1".parse().unwrap(), "ann@example.org", &password);
    assert!(!caller.is_known);
    guard.admit(caller, Instant::now()).unwrap().conclude(Outcome::Right);
    guard.save();
    let guard = Guard::new();
    guard.persist_in(&path);
    assert!(is_known(&guard, "ann@example.org", "2001:db8::1"));
}
