//! All processes are killed in the middle of a burst of deliveries: a message with a 250 reply is stored once, and one
//! without a reply, and not sent again, is stored at most once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tests::demo::Demo;
use tests::mail_exchange::Exchange;
use tests::services::Services;
use tests::smtp::message;
use tests::wait;

/// The number of times that all processes are killed.
const ROUNDS: usize = 4;

/// The number of simultaneous senders.
const SENDERS: usize = 4;

const STRANGER: &str = "stranger@example.com";

/// The outcome of each message that was sent, as its sender knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Acknowledged,
    Unknown,
}

#[test]
fn acknowledged_mail_is_neither_lost_nor_duplicated() {
    let mut demo = Demo::start();
    let mut outcomes = BTreeMap::new();
    for round in 0..ROUNDS {
        let burst = burst_until_killed(&mut demo, round);
        assert!(
            burst.values().any(|outcome| *outcome == Outcome::Acknowledged),
            "the burst was too short to show anything"
        );
        outcomes.extend(burst);
        demo.start_again();
        check(&demo.services, &outcomes);
    }
    // No duplicates appear later either: after one more message, each of them is still stored once.
    let mut stranger = demo.services.smtp_client();
    let to = demo.services.user(0);
    stranger.mail(STRANGER, &[to], &message(STRANGER, to, "m-last")).unwrap().expect(250);
    check(&demo.services, &outcomes);
    println!("{} messages over {ROUNDS} crashes", outcomes.len());
}

/// Delivers from several connections at once, to one or both users, and kills all processes after a number of replies
/// that differs from round to round. Returns the outcome of each subject and recipient.
fn burst_until_killed(demo: &mut Demo, round: usize) -> BTreeMap<(String, usize), Outcome> {
    let services = demo.services.clone();
    let outcomes = Mutex::new(BTreeMap::new());
    let replies = AtomicUsize::new(0);
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (services, outcomes, replies) = (&services, &outcomes, &replies);
            scope.spawn(move || {
                deliver_until_cut(services, &format!("m-{round}-{sender}"), outcomes, replies)
            });
        }
        wait::until_true("there are replies", || replies.load(Ordering::SeqCst) >= 9 + 8 * round);
        demo.kill_everything();
    });
    outcomes.into_inner().unwrap()
}

fn deliver_until_cut(
    services: &Services,
    prefix: &str,
    outcomes: &Mutex<BTreeMap<(String, usize), Outcome>>,
    replies: &AtomicUsize,
) {
    let mut session = services.smtp_client();
    for number in 0.. {
        let subject = format!("{prefix}-{number}-");
        let users: &[usize] = [&[0][..], &[1], &[0, 1]][number % 3];
        let to: Vec<&str> = users.iter().map(|user| services.user(*user)).collect();
        // Some are large enough to be spooled, so that the kill can interrupt the writing.
        let body = "x".repeat(70).repeat(if number % 4 == 0 { 30_000 } else { 10 });
        let letter = message(STRANGER, to[0], &subject) + &body + "\n";
        let mark = |outcome| {
            let mut outcomes = outcomes.lock().unwrap();
            for user in users {
                outcomes.insert((subject.clone(), *user), outcome);
            }
        };
        mark(Outcome::Unknown);
        match session.mail(STRANGER, &to, &letter) {
            Ok(reply) if reply.code == 250 => {
                mark(Outcome::Acknowledged);
                replies.fetch_add(1, Ordering::SeqCst);
            }
            // The MDA may be killed a moment before the MTA, which then does not know whether it stored the message.
            Ok(reply) if reply.code < 500 => return,
            Ok(reply) => panic!("{reply:?}"),
            Err(_) => return,
        }
    }
}

#[track_caller]
fn check(services: &Services, outcomes: &BTreeMap<(String, usize), Outcome>) {
    // A recipient that was left to the queue follows later; all others are stored at once.
    let subjects = wait::until("all acknowledged messages are there", || {
        let subjects = [0, 1].map(|user| subjects(services, user));
        let is_there = |(subject, user): &(String, usize)| subjects[*user].contains(subject);
        let complete = outcomes.iter().all(|(key, outcome)| *outcome == Outcome::Unknown || is_there(key));
        complete.then_some(subjects)
    });
    for ((subject, user), outcome) in outcomes {
        let count = subjects[*user].iter().filter(|found| *found == subject).count();
        match outcome {
            Outcome::Acknowledged => {
                assert_eq!(count, 1, "{subject} was acknowledged and is there {count} times for {user}")
            }
            Outcome::Unknown => {
                assert!(count <= 1, "{subject} was sent once and is there {count} times for {user}")
            }
        }
    }
}

fn subjects(services: &Services, user: usize) -> Vec<String> {
    let mut reader = services.imap_client(user);
    reader.command("EXAMINE INBOX").unwrap().ok();
    let answer =
        reader.command("UID FETCH 1:* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])").unwrap().ok();
    answer
        .untagged
        .iter()
        .filter_map(|response| Some(response.split_once("Subject: ")?.1.split("\r\n").next()?.to_owned()))
        .collect()
}

#[test]
fn acknowledged_submissions_leave_after_the_crash() {
    let elsewhere = Exchange::start("mx.example.net");
    elsewhere.script(|script| script.silent = true);
    let mut demo = Demo::start_with(&["--relay-to", &elsewhere.address().to_string()]);
    let mut submitter = demo.services.submission_client(0);
    let from = demo.services.user(0).to_owned();
    let subjects: Vec<String> = (0..5).map(|number| format!("queued-{number}-")).collect();
    for subject in &subjects {
        let letter = message(&from, "friend@example.net", subject);
        submitter.mail(&from, &["friend@example.net"], &letter).unwrap().expect(250);
    }
    demo.kill_everything();
    elsewhere.script(|script| script.silent = false);
    demo.start_again();
    for subject in &subjects {
        elsewhere.await_message(subject);
    }
}
