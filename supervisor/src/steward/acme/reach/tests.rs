use super::*;

const OURS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn far() -> IpAddr {
    "198.51.100.9".parse().unwrap()
}

fn nobody() -> Seen {
    Seen::Nobody("refused".into())
}

#[test]
fn one_address_that_leads_elsewhere_spoils_the_name_and_silence_alone_does_not() {
    let other = || Seen::Other("nginx".into());
    let is_bad = |verdict: &Verdict| matches!(verdict, Verdict::Bad(_));
    assert_eq!(verdict(&[OURS], &[Seen::Us], 80), Verdict::Good);
    assert_eq!(verdict(&[OURS, far()], &[Seen::Us, nobody()], 80), Verdict::Good);
    assert!(is_bad(&verdict(&[OURS, far()], &[Seen::Us, other()], 80)));
    assert!(is_bad(&verdict(&[far()], &[other()], 80)));
    assert!(is_bad(&verdict(&[OURS], &[nobody()], 80)), "it is this machine, and nobody is there");
    assert!(matches!(verdict(&[far()], &[nobody()], 80), Verdict::Doubtful(_)));
    let Verdict::Bad(why) = verdict(&[OURS, far()], &[Seen::Us, other()], 80) else { panic!() };
    for said in ["198.51.100.9", "port 80", "nginx"] {
        assert!(why.problem.contains(said), "{why}");
    }
}

#[test]
fn only_our_own_page_is_ours() {
    for (answer, seen) in [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nabc", Seen::Us),
        ("HTTP/1.0 200 OK\r\n\r\nabc\n", Seen::Us),
        ("HTTP/1.1 200 OK\r\n\r\nxyz", Seen::Other("the status 200 and not our page".into())),
        ("HTTP/1.1 404 Not Found\r\n\r\nabc", Seen::Other("the status 404 and not our page".into())),
        ("HTTP/1.1 301 Moved\r\n\r\n", Seen::Nobody("it is sent on to another page".into())),
        ("SSH-2.0-OpenSSH", Seen::Other("an answer that is no HTTP".into())),
        ("HTTP/1.", Seen::Other("an answer that is no HTTP".into())),
    ] {
        assert_eq!(read_answer(answer.as_bytes(), "abc"), seen, "{answer:?}");
    }
}
