//! The order in which passwords are checked when there are more than memory allows at one time.
//!
//! In order of arrival alone, many password guessers would get ahead of the users. So the order is: first, users from
//! networks from which they have logged in before; then the networks with the fewest failures; among equals, one
//! attempt for each account before a second one for any; and only then the order of arrival.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The priority of a waiting attempt; the lowest rank is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// True if the user has not logged in from the network.
    pub(crate) is_from_unknown_network: bool,
    /// The failures of the client's network, including pending attempts.
    pub(crate) failures: u32,
}

/// Memory for checks, granted in order of rank.
#[derive(Debug)]
pub(crate) struct CheckQueue(Mutex<QueueState>);

#[derive(Debug)]
struct QueueState {
    /// The memory left of the total for all checks, in MiB.
    free: u32,
    arrivals: u64,
    waiting: BTreeMap<QueuePosition, WaitingCheck>,
}

/// A position in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct QueuePosition {
    rank: Rank,
    /// The number of attempts of the same rank and account that were already waiting.
    round: usize,
    arrival: u64,
}

#[derive(Debug)]
struct WaitingCheck {
    account: u64,
    memory: u32,
    granted: oneshot::Sender<Permit>,
}

/// Memory that may be used until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    queue: Arc<CheckQueue>,
    memory: u32,
}

/// Removes the attempt from the queue when dropped.
struct QueueGuard<'a>(&'a CheckQueue, QueuePosition);

impl CheckQueue {
    pub(crate) fn new(memory: u32) -> Arc<Self> {
        Arc::new(Self(Mutex::new(QueueState { free: memory, arrivals: 0, waiting: BTreeMap::new() })))
    }

    /// Waits for an amount of memory, which must not exceed the total.
    pub(crate) async fn acquire(self: &Arc<Self>, rank: Rank, account: u64, memory: u32) -> Option<Permit> {
        let (position, permit) = {
            let mut state = self.state();
            if state.waiting.is_empty() && state.free >= memory {
                state.free -= memory;
                return Some(Permit { queue: self.clone(), memory });
            }
            state.arrivals += 1;
            let others = state.waiting.iter();
            let round =
                others.filter(|(position, waiting)| position.rank == rank && waiting.account == account);
            let position = QueuePosition { rank, round: round.count(), arrival: state.arrivals };
            let (granted, permit) = oneshot::channel();
            state.waiting.insert(position, WaitingCheck { account, memory, granted });
            (position, permit)
        };
        let _leaving = QueueGuard(self, position);
        permit.await.ok()
    }

    /// Grants memory to the first attempts in the queue. The first one is waited for, however much it needs: small ones
    /// would otherwise keep a large one out forever.
    fn grant(self: &Arc<Self>) {
        let mut next = Vec::new();
        {
            let mut state = self.state();
            let mut free = state.free;
            while let Some(first) = state.waiting.first_entry() {
                if first.get().memory > free {
                    break;
                }
                let WaitingCheck { memory, granted, .. } = first.remove();
                free -= memory;
                next.push((memory, granted));
            }
            state.free = free;
        }
        for (memory, granted) in next {
            // A receiver that has left drops the permit, which releases the memory.
            let _ = granted.send(Permit { queue: self.clone(), memory });
        }
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.state().free += self.memory;
        self.queue.grant();
    }
}

impl Drop for QueueGuard<'_> {
    fn drop(&mut self) {
        self.0.state().waiting.remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    const OWNER: Rank = Rank { is_from_unknown_network: false, failures: 0 };

    fn stranger(failures: u32) -> Rank {
        Rank { is_from_unknown_network: true, failures }
    }

    /// The order in which these attempts are served, by number.
    async fn order(arrivals: &[(Rank, u64)]) -> Vec<usize> {
        let queue = CheckQueue::new(64);
        let all = queue.acquire(OWNER, 0, 64).await.unwrap();
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (number, (rank, account)) in arrivals.iter().copied().enumerate() {
            let (queue, served) = (queue.clone(), served.clone());
            tasks.push(tokio::spawn(async move {
                let permit = queue.acquire(rank, account, 64).await.unwrap();
                served.lock().unwrap().push(number);
                drop(permit);
            }));
            tokio::task::yield_now().await;
        }
        drop(all);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(queue.state().free, 64);
        Arc::try_unwrap(served).unwrap().into_inner().unwrap()
    }

    #[tokio::test]
    async fn known_networks_come_first_then_those_with_the_fewest_failures() {
        let mut arrivals = vec![(stranger(5), 1); 50];
        arrivals.extend([(stranger(0), 1), (OWNER, 1), (stranger(2), 2)]);
        let order = order(&arrivals).await;
        assert_eq!((&order[..3], order.len()), (&[51, 50, 52][..], 53));
    }

    #[tokio::test]
    async fn accounts_are_served_alternately() {
        let arrivals =
            [(stranger(0), 1), (stranger(0), 1), (stranger(0), 1), (stranger(0), 2), (stranger(0), 3)];
        assert_eq!(order(&arrivals).await, [0, 3, 4, 1, 2]);
    }

    #[tokio::test]
    async fn small_checks_do_not_overtake_a_large_one_and_a_cancelled_one_leaves() {
        let queue = CheckQueue::new(64);
        let first = queue.acquire(OWNER, 0, 20).await.unwrap();
        {
            let mut large = pin!(queue.acquire(OWNER, 1, 64));
            let mut small = pin!(queue.acquire(OWNER, 2, 1));
            tokio::select! {
                biased;
                _ = &mut large => panic!("memory was granted above the total"),
                _ = &mut small => panic!("memory was granted out of order"),
                () = std::future::ready(()) => {}
            }
            assert_eq!(queue.state().waiting.len(), 2);
            drop(first);
            let large = large.await.unwrap();
            drop(large);
            drop(small.await.unwrap());
            let _ = pin!(queue.acquire(OWNER, 3, 1)).await;
        }
        let all = queue.acquire(OWNER, 0, 64).await.unwrap();
        {
            let mut leaves = pin!(queue.acquire(OWNER, 1, 64));
            tokio::select! {
                biased;
                _ = &mut leaves => panic!("memory was granted above the total"),
                () = std::future::ready(()) => {}
            }
        }
        assert_eq!(queue.state().waiting.len(), 0);
        drop(all);
        assert_eq!(queue.state().free, 64);
    }

    #[tokio::test]
    async fn memory_granted_to_a_cancelled_check_is_released() {
        let queue = CheckQueue::new(64);
        let all = queue.acquire(OWNER, 0, 64).await.unwrap();
        let mut waits = Box::pin(queue.acquire(OWNER, 1, 64));
        tokio::select! {
            biased;
            _ = &mut waits => panic!("memory was granted above the total"),
            () = std::future::ready(()) => {}
        }
        // It is granted memory, and is cancelled before it notices.
        drop(all);
        assert_eq!(queue.state().free, 0);
        drop(waits);
        assert_eq!(queue.state().free, 64);
    }
}
