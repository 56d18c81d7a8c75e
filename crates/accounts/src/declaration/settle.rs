//! The costly part of applying a declaration: each of its passwords is compared with the hash that was applied before, at
//! the price of an Argon2id. Several threads share the work, within a bound on memory, and [`Proofs`] spare what was
//! found out before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Declaration, DeclaredSecret, DeclaredUser, Proofs};
use crate::authentication::MEMORY;
use crate::{Accounts, Password, Secret, User};

/// What hashing a password anew takes, in MiB.
const OF_A_HASH: u32 = 19;

impl Declaration {
    /// The same with hashes alone. A password that is right for the hash that was applied before becomes that hash, so
    /// that whoever compares finds nothing changed; any other becomes a new one.
    pub fn settle(&self, before: &Accounts, proofs: &Proofs) -> Declaration<Secret> {
        let accounts = before.users_by_name();
        let applied = |declared: &DeclaredUser| accounts.get(&declared.user)?.declared.as_ref();
        let one = |declared: &DeclaredUser| {
            let secret = match &declared.secret {
                DeclaredSecret::Hash(hash) => hash.clone(),
                DeclaredSecret::Plain(password) => {
                    settle_one(&declared.user, password.password(), applied(declared), proofs)
                }
            };
            DeclaredUser { user: declared.user.clone(), secret }
        };
        Declaration {
            domains: self.domains.clone(),
            users: in_threads(&self.users, threads(self.users.iter().filter_map(applied)), one),
            aliases: self.aliases.clone(),
        }
    }
}

/// As many threads as the cores and the memory allow, when passwords are compared with these hashes. A hash that wants
/// more than all of the memory is compared alone.
fn threads<'a>(applied: impl Iterator<Item = &'a Secret>) -> usize {
    let dearest = applied.map(Secret::memory).max().unwrap_or_default().max(OF_A_HASH);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min((MEMORY / dearest) as usize).max(1)
}

fn settle_one(user: &User, password: &Password, applied: Option<&Secret>, proofs: &Proofs) -> Secret {
    let whose = user.to_string();
    applied
        .filter(|applied| proofs.verifies(&whose, applied, password))
        .cloned()
        .unwrap_or_else(|| proofs.hash(&whose, password))
}

/// Does the work on each of the jobs, in their order as far as anybody can see.
fn in_threads<T: Sync, R: Send>(jobs: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        jobs.get(index).map(|job| (index, work(job)))
    };
    let take_all = || std::iter::from_fn(take).collect::<Vec<_>>();
    let mut done = thread::scope(|scope| {
        // A system that has no thread to spare only makes it take longer.
        let others: Vec<_> = (1..threads.min(jobs.len()))
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, take_all).ok())
            .collect();
        let mut done = take_all();
        for other in others {
            done.extend(other.join().expect("hashing a password does not panic"));
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::{Barrier, Mutex};

    use super::*;

    #[test]
    fn several_threads_share_the_work_and_nothing_is_lost_or_out_of_order() {
        let (meeting, seen) = (Barrier::new(3), Mutex::new(HashSet::new()));
        let work = |number: &usize| {
            // None of the first three goes on before three are there.
            if *number < 3 {
                meeting.wait();
            }
            seen.lock().unwrap().insert(thread::current().id());
            number * 2
        };
        let jobs: Vec<usize> = (0..40).collect();
        let expected: Vec<usize> = jobs.iter().map(|number| number * 2).collect();
        assert_eq!(in_threads(&jobs, 3, work), expected);
        assert_eq!(seen.lock().unwrap().len(), 3);
        assert_eq!(in_threads::<usize, usize>(&[], 3, |number| *number), []);
    }

    #[test]
    fn as_many_threads_as_memory_allows_and_one_at_least() {
        let threads = |memory: &str| {
            let hash = format!("$argon2id$v=19$m={memory},t=1,p=1$c29tZXNhbHQ$u1eU6mZFG4/OOoTdAtM5SQ");
            super::threads([Secret::parse(&hash).unwrap()].iter())
        };
        let cores = thread::available_parallelism().unwrap().get();
        assert_eq!(threads("19456"), cores.min(3));
        assert_eq!(threads("32768"), cores.min(2));
        assert_eq!(threads("262144"), 1);
    }
}
