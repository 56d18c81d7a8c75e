//! Tests that every recipient that waits has a next attempt, whatever happens in between, and that other destinations
//! do not delay it.

use std::time::Instant;

use super::*;

/// Recipients of one destination: `r0@example.net` and so on.
fn recipients(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("r{number}@example.net")).collect()
}

impl Fixture {
    /// Retries after a second, and gives up after `expire`.
    fn retrying(mut self, expire: u64) -> Self {
        self.config.outbound.retry_seconds = 1;
        self.config.outbound.expire_seconds = expire;
        self
    }
}

#[tokio::test]
async fn every_recipient_that_was_deferred_with_others_is_retried() {
    for (count, deferred) in [(4, 4), (10, 7)] {
        let exchange = Script::new().times(deferred, "RCPT", Reaction::Reply("450 4.2.1 not now"));
        let fixture = Fixture::new(exchange, Script::new()).await.retrying(3600);
        let running = fixture.start();
        let all = recipients(count);
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        running.enqueue(Some("ann@example.org"), "ann@example.org", &all).await;
        running.until_empty().await;
        let received = fixture.exchange.received.borrow();
        for recipient in all {
            let line = format!("RCPT TO:<{recipient}>");
            assert!(received.lines.iter().any(|other| other.starts_with(&line)), "{recipient}: {received:?}");
        }
        assert_eq!(received.lines.iter().filter(|line| line.starts_with("RCPT")).count(), count + deferred);
    }
}

#[tokio::test]
async fn every_recipient_that_expired_is_reported() {
    let exchange = Script::new().on("RCPT", Reaction::Reply("450 4.2.1 not now"));
    let fixture = Fixture::new(exchange, Script::new()).await.retrying(2);
    let running = fixture.start();
    let all = recipients(10);
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    running.enqueue(Some("ann@example.org"), "ann@example.org", &all).await;
    running.until_empty().await;
    let reports = fixture.store.borrow().messages.concat();
    for recipient in all {
        assert!(reports.contains(&format!("Final-Recipient: rfc822; {recipient}")), "{recipient}: {reports}");
    }
}

/// Begins an attempt for a message to bob, and returns it with the queue.
async fn begin_attempt(fixture: &Fixture) -> (RunningQueue, MailId, attempt::Attempt) {
    let running = fixture.open();
    let id = running.enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net"]).await;
    let (place, claimed) = running.site.queue.start_worker().unwrap();
    assert_eq!(claimed, id);
    let claim = attempt::Claim::new(running.site.queue.clone(), place.lane.clone(), id);
    let attempt = claim.begin(&running.site).await.unwrap();
    assert_eq!(running.site.queue.recipients(), Recipients { scheduled: 0, underway: 1 });
    (running, id, attempt)
}

fn lanes(queue: &Queue, id: MailId) -> Vec<Lane> {
    queue.agenda().attempts_of(id).map(|attempt| attempt.lane.clone()).collect()
}

#[tokio::test]
async fn a_recipient_whose_lane_changes_during_an_attempt_waits_in_the_new_lane() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    let (running, id, attempt) = begin_attempt(&fixture).await;
    let relay = config::Relay {
        host: address::Host::parse("relay.example").unwrap(),
        port: 25,
        security: config::RelaySecurity::Opportunistic,
        credentials: None,
        authorities: None,
    };
    running.site.queue.set_relay(Some(&relay));
    let later = crate::outcome::Outcome::deferred(crate::outcome::Status::new(4, 2, 1), "not now");
    attempt.record_outcomes(&[later]).await;
    assert_eq!(running.site.queue.recipients(), Recipients { scheduled: 1, underway: 0 });
    let expected = crate::outbound::Destination::Relay("relay.example:25".to_owned());
    assert_eq!(lanes(&running.site.queue, id), [Lane::Remote(expected)]);
}

#[tokio::test]
async fn a_recipient_is_retried_after_its_worker_panicked() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    let (running, id, attempt) = begin_attempt(&fixture).await;
    drop(attempt);
    while running.site.queue.recipients() != (Recipients { scheduled: 1, underway: 0 }) {
        tokio::task::yield_now().await;
    }
    assert_eq!(lanes(&running.site.queue, id).len(), 1);
    // Not at once: the next worker may panic as well.
    assert!(running.site.queue.next_due().unwrap() > Instant::now());
}

#[tokio::test]
async fn a_recipient_without_a_next_attempt_is_found_and_scheduled() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    let running = fixture.open();
    let id = running.enqueue(None, "eve@example.net", &["ann@example.org", "bob@example.net"]).await;
    assert_eq!(running.site.queue.repair(), 0);
    running.site.queue.agenda().set(id, Vec::new());
    assert_eq!(running.site.queue.repair(), 2);
    assert_eq!(running.site.queue.recipients(), Recipients { scheduled: 2, underway: 0 });
    assert_eq!(running.site.queue.repair(), 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_removed_keeps_its_message_in_the_queue() {
    let fixture = Fixture::new(Script::new(), Script::new()).await;
    let (running, id, attempt) = begin_attempt(&fixture).await;
    let path = fixture.path("envelopes").join(format!("{id}.toml"));
    // A folder in the file's place cannot be removed as a file, by root either.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    attempt.record_outcomes(&[crate::outcome::Outcome::Delivered]).await;
    assert_eq!(lanes(&running.site.queue, id), [Lane::Settlement]);
    assert_eq!(*running.site.queue.length().borrow(), 1);
}

#[tokio::test]
async fn silent_destinations_do_not_delay_others() {
    const SILENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
    let mut fixture = Fixture::new(Script::new(), Script::new()).await.retrying(3600);
    // The kernel accepts connections, and then there is silence.
    let _silent = std::net::TcpListener::bind((SILENT, fixture.exchange.address.port())).unwrap();
    let mut names = NameServer::new().address("example.net", IpAddr::V4(Ipv4Addr::LOCALHOST));
    let silent: Vec<_> = (0..12).map(|number| format!("silent{number}.example")).collect();
    for domain in &silent {
        names = names.address(domain, IpAddr::V4(SILENT));
    }
    fixture.config.dns.servers = vec![names.serve().await];
    let workers = WorkerLimits { quick: 3, slow: 4 };
    let running = fixture.open_with(WorkerSettings { workers, slow_after: Duration::from_millis(200) });
    for domain in &silent {
        for user in ["a", "b", "c"] {
            running.enqueue(Some("ann@example.org"), "ann@example.org", &[&format!("{user}@{domain}")]).await;
        }
    }
    let id = running.enqueue(Some("ann@example.org"), "ann@example.org", &["bob@example.net"]).await;
    running.start();
    until(&fixture.exchange.received, |received| received.messages.len() == 1).await;
    // The delivery is settled while all silent destinations still have their mail in the queue.
    let mut length = running.site.queue.length();
    length.wait_for(|length| *length == 3 * silent.len()).await.unwrap();
    assert!(running.site.queue.entry(id).is_none());
}
