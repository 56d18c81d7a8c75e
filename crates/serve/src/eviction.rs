//! Selects the session that is evicted for a new one at the connection limit.
//!
//! It is the slowest session of the network that holds the most connections, so that addresses which hold many cannot
//! keep out those which hold few. An authenticated session is never evicted for a client that has not logged in, with
//! one exception: a user who holds more than a quarter of all connections.

use std::collections::HashMap;
use std::time::Duration;

/// A session that may be evicted.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'a> {
    /// Its key.
    pub(crate) key: u64,
    /// The number of sessions of its network; 1 where the address stands for many clients.
    pub(crate) of_network: usize,
    /// The duration of the session.
    pub(crate) held: Duration,
    /// The octets per second over that time.
    pub(crate) rate: u64,
    /// The time for which no octets have moved.
    pub(crate) idle: Duration,
    /// The authenticated user.
    pub(crate) user: Option<&'a str>,
}

/// Between networks that hold equally many, only a session is evicted that has been slow for this long: a flood of new
/// addresses must not evict active clients.
const FAIR_TRIAL: Duration = Duration::from_secs(10);
const SLOW: u64 = 64;

/// A user who holds more than this part of all sessions loses one to others.
const MAX_OF_ONE_USER: usize = 4;

/// The session to evict for a new one whose network holds `own` of `most`.
pub(crate) fn victim(candidates: &[Candidate<'_>], own: usize, most: usize) -> Option<u64> {
    let unauthenticated = candidates.iter().filter(|candidate| candidate.user.is_none());
    let may_go = |candidate: &&Candidate<'_>| {
        let is_slow = candidate.held >= FAIR_TRIAL && candidate.rate < SLOW;
        // The newcomer's network must not hold more afterwards than the other did before.
        candidate.of_network >= own + 2 || (candidate.of_network == own + 1 && is_slow)
    };
    // The network with the most sessions, there the lowest rate, there the longest silence.
    let slowest = unauthenticated.filter(may_go).max_by_key(|candidate| {
        (candidate.of_network, std::cmp::Reverse(candidate.rate), candidate.idle, candidate.held)
    });
    slowest.map(|candidate| candidate.key).or_else(|| of_the_greediest_user(candidates, most))
}

fn of_the_greediest_user(candidates: &[Candidate<'_>], most: usize) -> Option<u64> {
    let mut sessions: HashMap<&str, usize> = HashMap::new();
    for user in candidates.iter().filter_map(|candidate| candidate.user) {
        *sessions.entry(user).or_default() += 1;
    }
    let (greediest, held) = sessions.into_iter().max_by_key(|(user, held)| (*held, *user))?;
    let theirs = candidates.iter().filter(|candidate| candidate.user == Some(greediest));
    let longest_idle = theirs.max_by_key(|candidate| candidate.idle)?;
    (held > (most / MAX_OF_ONE_USER).max(1)).then_some(longest_idle.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: u64, of_network: usize, held: u64, rate: u64) -> Candidate<'static> {
        let held = Duration::from_secs(held);
        Candidate { key, of_network, held, rate, idle: held, user: None }
    }

    #[test]
    fn the_slowest_session_of_the_largest_network_is_evicted() {
        let sessions =
            [session(1, 20, 1, 900), session(2, 20, 1, 3), session(3, 20, 1, 70), session(4, 2, 600, 0)];
        assert_eq!(victim(&sessions, 0, 4), Some(2));
        assert_eq!(victim(&sessions, 18, 4), Some(2), "19 of the newcomer, 19 of the other");
    }

    #[test]
    fn a_network_with_as_many_sessions_evicts_none() {
        let quick = [session(1, 20, 600, 64), session(2, 20, 9, 0)];
        assert_eq!(victim(&quick, 19, 2), None);
        assert_eq!(victim(&[session(1, 20, 600, 0)], 20, 1), None);
        let slow = [session(1, 1, 10, 64), session(2, 1, 10, 63), session(3, 1, 9, 0)];
        assert_eq!(victim(&slow, 0, 3), Some(2), "each address has one session: the longest slow one");
    }

    #[test]
    fn a_user_is_evicted_only_above_a_quarter_of_all_sessions() {
        let users = |count: u64| {
            let session =
                |key| Candidate { user: Some("ann@example.org"), ..session(key, 50, 1000 + key, 0) };
            (0..count).map(session).collect::<Vec<_>>()
        };
        assert_eq!(victim(&users(25), 0, 100), None);
        assert_eq!(victim(&users(26), 0, 100), Some(25), "the longest idle one");
        let with_a_guest = [users(26), vec![session(99, 2, 1, 0)]].concat();
        assert_eq!(
            victim(&with_a_guest, 0, 100),
            Some(99),
            "a client that has not logged in is evicted first"
        );
    }
}
