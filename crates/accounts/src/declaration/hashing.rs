//! The expensive part of applying a declaration: each of its passwords is compared with the hash that was applied
//! before, at the cost of an Argon2id. Several threads share the work, within a bound on memory, and
//! [`VerificationCache`] skips comparisons that were made before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Declaration, DeclaredSecret, DeclaredUser, VerificationCache};
use crate::authentication::CHECK_MEMORY;
use crate::{Accounts, Password, Secret, User};

/// The memory for hashing a new password, in MiB.
const NEW_HASH_MEMORY: u32 = 19;

impl Declaration {
    /// Replaces passwords by hashes. A password that matches the hash that was applied before becomes that hash, so
    /// that a comparison finds no change; any other is hashed with a new salt.
    pub fn hash_passwords(&self, before: &Accounts, cache: &VerificationCache) -> Declaration<Secret> {
        let accounts = before.users_by_name();
        let applied = |declared: &DeclaredUser| accounts.get(&declared.user)?.declared.as_ref();
        let one = |declared: &DeclaredUser| {
            let secret = match &declared.secret {
                DeclaredSecret::Hash(hash) => hash.clone(),
                DeclaredSecret::Plain(password) => {
                    hash_password(&declared.user, password.password(), applied(declared), cache)
                }
            };
            DeclaredUser { user: declared.user.clone(), secret }
        };
        Declaration {
            domains: self.domains.clone(),
            users: map_in_threads(&self.users, threads(self.users.iter().filter_map(applied)), one),
            aliases: self.aliases.clone(),
        }
    }
}

/// The number of threads that the cores and the memory allow for comparing passwords with these hashes. A hash that
/// needs more than all of the memory is compared alone.
fn threads<'a>(applied: impl Iterator<Item = &'a Secret>) -> usize {
    let largest = applied.map(Secret::memory).max().unwrap_or_default().max(NEW_HASH_MEMORY);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min((CHECK_MEMORY / largest) as usize).max(1)
}

fn hash_password(
    user: &User,
    password: &Password,
    applied: Option<&Secret>,
    cache: &VerificationCache,
) -> Secret {
    let owner = user.to_string();
    applied
        .filter(|applied| cache.verifies(&owner, applied, password))
        .cloned()
        .unwrap_or_else(|| cache.hash(&owner, password))
}

/// Does the work on each of the jobs and returns the results in the order of the jobs.
fn map_in_threads<T: Sync, R: Send>(jobs: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        jobs.get(index).map(|job| (index, work(job)))
    };
    let take_all = || std::iter::from_fn(take).collect::<Vec<_>>();
    let mut done = thread::scope(|scope| {
        // If the system cannot start a thread, the work only takes longer.
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
    fn threads_share_the_jobs_and_results_keep_their_order() {
        let (meeting, seen) = (Barrier::new(3), Mutex::new(HashSet::new()));
        let work = |number: &usize| {
            // The first three wait until all three have arrived.
            if *number < 3 {
                meeting.wait();
            }
            seen.lock().unwrap().insert(thread::current().id());
            number * 2
        };
        let jobs: Vec<usize> = (0..40).collect();
        let expected: Vec<usize> = jobs.iter().map(|number| number * 2).collect();
        assert_eq!(map_in_threads(&jobs, 3, work), expected);
        assert_eq!(seen.lock().unwrap().len(), 3);
        assert_eq!(map_in_threads::<usize, usize>(&[], 3, |number| *number), []);
    }

    #[test]
    fn memory_bounds_the_threads_and_one_always_runs() {
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
