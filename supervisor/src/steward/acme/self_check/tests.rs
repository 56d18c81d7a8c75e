use super::*;

const OURS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn far() -> IpAddr {
    "198.51.100.9".parse().unwrap()
}

fn no_answer() -> Responder {
    Responder::NoAnswer("refused".into())
}

#[test]
fn one_address_that_leads_elsewhere_makes_the_name_unreachable_and_silence_alone_does_not() {
    let other = || Responder::OtherServer("nginx".into());
    let is_bad = |result: &Reachability| matches!(result, Reachability::Unreachable(_));
    assert_eq!(combined(&[OURS], &[Responder::ThisServer], 80), Reachability::Reachable);
    assert_eq!(combined(&[OURS, far()], &[Responder::ThisServer, no_answer()], 80), Reachability::Reachable);
    assert!(is_bad(&combined(&[OURS, far()], &[Responder::ThisServer, other()], 80)));
    assert!(is_bad(&combined(&[far()], &[other()], 80)));
    assert!(is_bad(&combined(&[OURS], &[no_answer()], 80)), "no answer from this machine's own address");
    assert!(matches!(combined(&[far()], &[no_answer()], 80), Reachability::Unknown(_)));
    let Reachability::Unreachable(why) = combined(&[OURS, far()], &[Responder::ThisServer, other()], 80)
    else {
        panic!()
    };
    for part in ["198.51.100.9", "port 80", "nginx"] {
        assert!(why.problem.contains(part), "{why}");
    }
}

#[test]
fn only_the_test_page_counts_as_this_server() {
    for (answer, seen) in [
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nabc", Responder::ThisServer),
        ("HTTP/1.0 200 OK\r\n\r\nabc\n", Responder::ThisServer),
        ("HTTP/1.1 200 OK\r\n\r\nxyz", Responder::OtherServer("status 200 instead of the test page".into())),
        (
            "HTTP/1.1 404 Not Found\r\n\r\nabc",
            Responder::OtherServer("status 404 instead of the test page".into()),
        ),
        ("HTTP/1.1 301 Moved\r\n\r\n", Responder::NoAnswer("a redirect to another page".into())),
        ("SSH-2.0-OpenSSH", Responder::OtherServer("an answer that is not HTTP".into())),
        ("HTTP/1.", Responder::OtherServer("an answer that is not HTTP".into())),
    ] {
        assert_eq!(read_answer(answer.as_bytes(), "abc"), seen, "{answer:?}");
    }
}
