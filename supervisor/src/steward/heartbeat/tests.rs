use super::*;

fn heartbeat() -> Heartbeat {
    Heartbeat {
        every_seconds: 300,
        smtp: "127.0.0.1:25".parse().unwrap(),
        imaps: "127.0.0.1:993".parse().unwrap(),
        hostname: "mail.example.org".parse().unwrap(),
        address: "mailstead-heartbeat@example.org".parse().unwrap(),
        password: handover::Confidential::new("secret"),
    }
}

const CHECKED: &str = "Received: from x\r\nAuthentication-Results: mail.example.org; iprev=pass\r\n";

#[test]
fn a_message_is_verified_behind_its_trace_fields_and_only_with_its_own_key() {
    let (ours, heartbeat) = (Signer::new(), heartbeat());
    let message = ours.write(&heartbeat);
    let arrived = format!("{CHECKED}{}", message.octets);
    assert_eq!(ours.verify(arrived.as_bytes(), &heartbeat), Ok(()));
    assert!(arrived.contains(&format!("Message-ID: {}\r\n", message.message_id)));
    assert_ne!(message.message_id, ours.write(&heartbeat).message_id);
    assert_eq!(Signer::new().verify(arrived.as_bytes(), &heartbeat).unwrap_err().step, Step::Verify);
}

#[test]
fn a_changed_or_unchecked_message_is_detected() {
    let (ours, heartbeat) = (Signer::new(), heartbeat());
    let octets = ours.write(&heartbeat).octets;
    let arrived = format!("{CHECKED}{octets}");
    for (from, to) in [
        ("removed", "kept"),
        ("Date: ", "Date: X"),
        ("\r\n\r\n", "\r\n"),
        ("Mailstead-Heartbeat: ", "Mailstead-Heartbeat: z"),
        ("Mailstead-Heartbeat: ", "Mailstead-Heartbeat: é"),
        ("Mailstead-Heartbeat: ", "X: "),
        ("Message-ID: <", "Message-ID: <0"),
    ] {
        let changed = arrived.replacen(from, to, 1);
        assert_ne!(changed, arrived);
        let failure = ours.verify(changed.as_bytes(), &heartbeat).unwrap_err();
        assert_eq!(failure.step, Step::Verify, "{from:?}: {failure:?}");
    }
    assert_eq!(ours.verify(octets.as_bytes(), &heartbeat).unwrap_err().step, Step::Check);
    assert_eq!(ours.verify(b"\xff", &heartbeat).unwrap_err().step, Step::Verify);
}

#[test]
fn a_failure_names_its_step_the_reply_and_the_fix() {
    for step in Step::ALL {
        let finding = BeatFailure::new(step, "452 4.3.1 full\r\n").finding();
        assert!(finding.problem.contains(&step.to_string()), "{finding:?}");
        assert!(finding.problem.ends_with("452 4.3.1 full  "), "{finding:?}");
        assert!(finding.fix.len() > 20, "{finding:?}");
    }
    assert!(BeatFailure::new(Step::Send, "é".repeat(10_000)).detail.len() < 1000);
}

#[test]
fn beats_are_counted_by_outcome() {
    let results = BeatResults::default();
    let failed = || Err(BeatFailure::new(Step::Open, "refused"));
    for outcome in [Ok(()), failed(), failed()] {
        results.note(Beat::new(outcome, Duration::from_millis(7)));
    }
    let beats = results.beats();
    assert_eq!((beats.successes, beats.failures[&Step::Open]), (1, 2));
    assert!(beats.last_success.unwrap().is_success());
    assert!(!beats.last.unwrap().is_success());
}
