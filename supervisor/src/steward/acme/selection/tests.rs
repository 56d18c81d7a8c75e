use super::super::error::Refusal;
use super::super::ledger::Outcome;
use super::*;

const NAME: &str = "mail.example.org";

fn elsewhere() -> Concern {
    Concern::new("it leads elsewhere", "let it lead here")
}

fn bad() -> Option<Reachability> {
    Some(Reachability::Unreachable(elsewhere()))
}

fn doubtful() -> Option<Reachability> {
    Some(Reachability::Unknown(Concern::new("silence", "see the firewall")))
}

fn good() -> Option<Reachability> {
    Some(Reachability::Reachable)
}

fn chosen(
    http: Option<Reachability>,
    tls: Option<Reachability>,
    challenge: Challenge,
    dns: bool,
) -> Result<ChallengeKind, Concern> {
    select_challenge(NAME, &SelfCheckResult { http, tls }, Rules { challenge, has_dns_update: dns }, &[])
}

#[test]
fn auto_selects_the_first_challenge_that_works() {
    let auto = |http, tls, dns| chosen(http, tls, Challenge::Auto, dns);
    for (http, tls, dns, kind) in [
        (good(), good(), true, Some(ChallengeKind::Http)),
        (bad(), good(), true, Some(ChallengeKind::TlsAlpn)),
        (None, good(), false, Some(ChallengeKind::TlsAlpn)),
        (doubtful(), good(), false, Some(ChallengeKind::TlsAlpn)),
        (doubtful(), doubtful(), false, Some(ChallengeKind::Http)),
        (doubtful(), doubtful(), true, Some(ChallengeKind::Dns)),
        (bad(), bad(), true, Some(ChallengeKind::Dns)),
        (None, None, true, Some(ChallengeKind::Dns)),
        (bad(), bad(), false, None),
        (None, None, false, None),
    ] {
        assert_eq!(auto(http.clone(), tls.clone(), dns).ok(), kind, "{http:?} {tls:?} {dns}");
    }
    assert_eq!(auto(bad(), bad(), false).unwrap_err(), elsewhere());
    assert!(auto(None, None, false).unwrap_err().fix.contains("MAIL_HTTP_PORT"));
}

#[test]
fn a_configured_challenge_is_the_only_one() {
    assert_eq!(chosen(good(), good(), Challenge::TlsAlpn01, true), Ok(ChallengeKind::TlsAlpn));
    assert_eq!(chosen(good(), bad(), Challenge::TlsAlpn01, true), Err(elsewhere()));
    assert_eq!(chosen(good(), good(), Challenge::Dns01, true), Ok(ChallengeKind::Dns));
    assert!(
        chosen(good(), good(), Challenge::Dns01, false).unwrap_err().fix.contains("MAIL_DNS_UPDATE_SERVER")
    );
    assert!(chosen(None, good(), Challenge::Http01, true).unwrap_err().problem.contains("port 80"));
}

#[test]
fn a_refused_name_is_left_out_for_its_wait_unless_another_challenge_is_untried() {
    let candidate = |http, tls| vec![Candidate { name: NAME.into(), reached: SelfCheckResult { http, tls } }];
    let rules = Rules { challenge: Challenge::Auto, has_dns_update: false };
    let outcome = Outcome::Names { refused: vec![Refusal::new(NAME, ChallengeKind::Http, "404")] };
    let begun = Entry::started(1000, "https://ca.example/", &[(NAME.to_owned(), ChallengeKind::Http)]);
    let entry = Entry { outcome, ..begun };
    let selection = select(candidate(good(), good()), rules, std::slice::from_ref(&entry), 1001, false);
    assert_eq!(selection.names, [(NAME.to_owned(), ChallengeKind::TlsAlpn)]);
    let selection = select(candidate(good(), bad()), rules, std::slice::from_ref(&entry), 1001, false);
    assert_eq!(selection.names, []);
    assert_eq!(selection.left_out[0].why.problem, "the authority refused it: 404");
    let until = selection.left_out[0].until.unwrap();
    assert!(until > 1001);
    let selection = select(candidate(good(), bad()), rules, &[entry], until, false);
    assert_eq!(selection.names, [(NAME.to_owned(), ChallengeKind::Http)]);
}
