use super::*;

const OURS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn far() -> IpAddr {
    "198.51.100.9".parse().unwrap()
}

fn no_answer() -> Seen {
    Seen::Nobody("refused".into())
}

#[test]
fn one_address_that_leads_elsewhere_makes_the_name_unreachable_and_silence_alone_does_not() {
    let other = || Seen::Other("nginx".into());
    let is_bad = |verdict: &Verdict| matches!(verdict, Verdict::Bad(_));
    assert_eq!(verdict(&[OURS], &[Seen::Us], 80), Verdict::Good);
    assert_eq!(verdict(&[OURS, far()], &[Seen::Us, no_answer()], 80), Verdict::Good);
    assert!(is_bad(&verdict(&[OURS, far()], &[Seen::Us, other()], 80)));
    assert!(is_bad(&verdict(&[far()], &[other()], 80)));
    assert!(is_bad(&verdict(&[OURS], &[no_answer()], 80)), "no answer from this machine's own address");
    assert!(matches!(verdict(&[far()], &[no_answer()], 80), Verdict::Doubtful(_)));
    let Verdict::Bad(why) = verdict(&[OURS, far()], &[Seen::Us, other()], 80) else { panic!() };
    for said in ["198.51.100.9", "port 80", "nginx"] {
        assert!(why.problem.contains(said), "{why}");
    }
}

#[test]
fn only_the_test_page_counts_as_this_server() {
    for (answer, seen) in [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nabc", Seen::Us),
        ("HTTP/1.0 200 OK\r\n\r\nabc\n", Seen::Us),
        ("HTTP/1.1 200 OK\r\n\r\nxyz", Seen::Other("status 200 instead of the test page".into())),
        ("HTTP/1.1 404 Not Found\r\n\r\nabc", Seen::Other("status 404 instead of the test page".into())),
        ("HTTP/1.1 301 Moved\r\n\r\n", Seen::Nobody("a redirect to another page".into())),
        ("SSH-2.0-OpenSSH", Seen::Other("an answer that is not HTTP".into())),
        ("HTTP/1.", Seen::Other("an answer that is not HTTP".into())),
    ] {
        assert_eq!(read_answer(answer.as_bytes(), "abc"), seen, "{answer:?}");
    }
}
