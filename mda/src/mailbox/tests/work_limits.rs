//! Threads for blocking work while a mailbox is locked.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Builder;

use super::*;

/// A number of sessions that used up every thread before there were limits.
const SESSIONS: usize = 80;
/// Time limit, which no answer reaches.
const TIMEOUT: Duration = Duration::from_secs(20);

#[test]
fn sessions_waiting_for_a_locked_mailbox_leave_threads_to_others() {
    // A thread for each session that may wait for the mailbox, one of which holds it, and one for all other work.
    let threads = crate::mailbox::work_limits::MAX_PER_MAILBOX + 1;
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(threads).build().unwrap();
    runtime.block_on(async {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path().join("mail"), root.path().join("index"), "host");
        let ann = store.account(&Address::parse("ann@example.org").unwrap()).await.unwrap();
        let bob = store.account(&Address::parse("bob@example.org").unwrap()).await.unwrap();
        let inbox = ann.open(&MailboxName::inbox()).await.unwrap();

        let (held, is_held) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let live = inbox.live.clone();
        let holder = std::thread::spawn(move || {
            live.change(|_| {
                held.send(()).unwrap();
                // Ends with the test, even if that fails.
                let _ = released.recv();
                Ok(())
            })
        });
        is_held.recv().unwrap();
        let waiting: Vec<_> = (0..SESSIONS)
            .map(|_| {
                let inbox = inbox.clone();
                tokio::spawn(async move { inbox.refresh().await })
            })
            .collect();
        tokio::task::yield_now().await;

        // The user's other mailboxes and other users' are served, as is a search of the locked one.
        let others = async {
            bob.open(&MailboxName::inbox()).await.unwrap();
            ann.open(&MailboxName::parse("Sent").unwrap()).await.unwrap();
            drop(inbox.search_permit().await);
        };
        tokio::time::timeout(TIMEOUT, others).await.expect("other work waited for the locked mailbox");

        release.send(()).unwrap();
        for session in waiting {
            session.await.unwrap().unwrap();
        }
        holder.join().unwrap().unwrap();
    });
}

#[tokio::test]
async fn concurrent_searches_are_limited_and_a_permit_is_passed_on() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path().join("mail"), root.path().join("index"), "host");
    let mut permits = Vec::new();
    let mut inboxes = Vec::new();
    for user in ["ann", "bob", "carol"] {
        let account = store.account(&Address::parse(&format!("{user}@example.org")).unwrap()).await.unwrap();
        inboxes.push(account.open(&MailboxName::inbox()).await.unwrap());
    }
    for inbox in &inboxes[..2] {
        permits.extend([inbox.search_permit().await, inbox.search_permit().await]);
    }
    let mut third = pin!(inboxes[2].search_permit());
    let mut context = Context::from_waker(Waker::noop());
    assert!(third.as_mut().poll(&mut context).is_pending(), "a fifth search ran at the same time");
    let mut more = pin!(inboxes[0].search_permit());
    assert!(more.as_mut().poll(&mut context).is_pending(), "one user ran three searches");
    permits.pop();
    assert!(matches!(third.as_mut().poll(&mut context), Poll::Ready(_)));
    assert!(more.as_mut().poll(&mut context).is_pending());
}
