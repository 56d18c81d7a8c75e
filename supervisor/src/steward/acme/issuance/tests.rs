use super::*;

fn reason() -> Reason {
    Reason::new("it is so", "change it")
}

/// One error of each kind: a new kind without a line here does not compile.
fn errors() -> Vec<AcmeError> {
    let kinds = vec![
        AcmeError::Unavailable { reason: reason(), retry_at: None },
        AcmeError::RateLimited { reason: reason(), retry_at: Some(2000) },
        AcmeError::Pending { reason: reason(), retry_at: None, is_gone: false },
        AcmeError::Names(vec![Refusal::new("mail.example.org", ChallengeKind::Http, reason())]),
        AcmeError::Refused(reason()),
        AcmeError::Unauthorized(reason()),
        AcmeError::UnknownAccount(reason()),
        AcmeError::CannotReplace(reason()),
        AcmeError::Local(reason()),
    ];
    for kind in &kinds {
        match kind {
            AcmeError::Unavailable { .. } | AcmeError::RateLimited { .. } | AcmeError::Pending { .. } => {}
            AcmeError::Names(_)
            | AcmeError::Refused(_)
            | AcmeError::Unauthorized(_)
            | AcmeError::UnknownAccount(_) => {}
            AcmeError::CannotReplace(_) | AcmeError::Local(_) => {}
        }
    }
    kinds
}

fn entry() -> Entry {
    Entry::started(1000, "https://ca.example/", &[("mail.example.org".to_owned(), ChallengeKind::Http)])
}

#[test]
fn only_an_installed_certificate_counts_as_issued_and_every_reason_is_kept() {
    for error in errors() {
        let outcome = outcome(&error, None, 1000);
        assert!(!matches!(outcome, Outcome::Issued { .. } | Outcome::Started), "{error:?}");
        let text = serde_json::to_string(&outcome).unwrap();
        assert!(text.contains("it is so") && text.contains("change it"), "{text}");
        // Refused names have their own waits, and the next order leaves them out.
        let names = ["mail.example.org".to_owned()];
        let entry = Entry { outcome, ..entry() };
        let wait = backoff::may_order(&[entry], &names, 1000, false);
        assert_eq!(wait.is_ok(), matches!(error, AcmeError::Names(_)), "{error:?}");
    }
}

#[test]
fn an_open_order_stays_open_until_the_authority_reports_on_it() {
    let open = Entry { order: Some("https://ca.example/order/1".into()), ..entry() };
    for error in errors() {
        let stays = matches!(
            error,
            AcmeError::Unavailable { .. }
                | AcmeError::RateLimited { .. }
                | AcmeError::Pending { .. }
                | AcmeError::Local(_)
        );
        let outcome = outcome(&error, Some(&open), 1000);
        assert_eq!(matches!(outcome, Outcome::Pending { .. }), stays, "{error:?}");
    }
    let late = outcome(&errors()[2], Some(&open), 1000 + 2 * 86_400);
    assert!(matches!(late, Outcome::Failed { .. }), "it is given up in the end");
}
