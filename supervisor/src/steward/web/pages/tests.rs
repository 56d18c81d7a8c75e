use handover::config::WebListen;

use super::*;

fn site() -> config::Web {
    let domain = |name| Domain::parse(name).unwrap();
    config::Web {
        hostname: domain("mail.example.org"),
        domains: vec![domain("example.org"), domain("example.net")],
        listen: WebListen::default(),
    }
}

/// The answer's status and body; a page that wants a body is told apart.
fn asked(method: &Method, host: &str, path: &str, attested: bool) -> (u16, String) {
    let question = Question { scheme: Scheme::Https, method, host, path, query: None };
    match look_up_secure(&site(), &question, || attested) {
        Asked::Answered(answer) => (answer.code.as_u16(), answer.body),
        Asked::NeedsBody(_) => (0, String::new()),
    }
}

#[test]
fn each_page_is_at_its_own_hosts_and_nowhere_else() {
    const THUNDERBIRD: &str = "/mail/config-v1.1.xml";
    const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";
    const OUTLOOK: &str = "/autodiscover/autodiscover.xml";
    for (method, host, path, code) in [
        (Method::GET, "mta-sts.example.org", mta_sts::PATH, 200),
        (Method::HEAD, "MTA-STS.Example.NET:443", mta_sts::PATH, 200),
        (Method::GET, "mta-sts.example.com", mta_sts::PATH, 404),
        (Method::GET, "example.org", mta_sts::PATH, 404),
        (Method::GET, "mail.example.org", mta_sts::PATH, 404),
        (Method::PUT, "mta-sts.example.org", mta_sts::PATH, 405),
        (Method::GET, "autoconfig.example.org", THUNDERBIRD, 200),
        (Method::GET, "autoconfig.example.org", WELL_KNOWN, 200),
        (Method::GET, "example.org", WELL_KNOWN, 200),
        (Method::GET, "mail.example.org", WELL_KNOWN, 200),
        (Method::GET, "example.org", THUNDERBIRD, 404),
        (Method::POST, "autoconfig.example.org", THUNDERBIRD, 405),
        (Method::POST, "autodiscover.example.org.", "/Autodiscover/Autodiscover.xml", 0),
        (Method::POST, "example.net", OUTLOOK, 0),
        (Method::GET, "autodiscover.example.org", OUTLOOK, 405),
        (Method::POST, "mta-sts.example.org", OUTLOOK, 404),
        (Method::GET, "mail.example.org", "/", 404),
        (Method::GET, "mail.example.org", "/health/ready", 404),
        (Method::GET, "mail.example.org", "/.well-known/acme-challenge/x", 404),
        (Method::GET, "", mta_sts::PATH, 404),
        (Method::GET, "203.0.113.5", "/", 404),
    ] {
        assert_eq!(asked(&method, host, path, true).0, code, "{method} {host} {path}");
    }
}

#[test]
fn a_policy_is_served_only_while_others_can_meet_it() {
    let policy = |attested| asked(&Method::GET, "mta-sts.example.org", mta_sts::PATH, attested);
    assert!(policy(true).1.contains("\r\nmx: mail.example.org\r\n"));
    assert_eq!(policy(false).0, 404);
}

#[test]
fn thunderbird_is_told_the_four_servers_of_the_domain_it_asks_for() {
    let (_, page) = asked(&Method::GET, "autoconfig.example.net", "/mail/config-v1.1.xml", true);
    assert!(page.contains("<emailProvider id=\"example.net\">"), "{page}");
    assert_eq!(page.matches("<hostname>mail.example.org</hostname>").count(), 4);
    for port in [993, 143, 465, 587] {
        assert!(page.contains(&format!("<port>{port}</port>")), "{page}");
    }
}

#[test]
fn outlook_is_told_the_settings_of_an_address_of_ours_with_nothing_that_breaks_the_page() {
    let page = autodiscover::Page::new(&site());
    let ask = |address: &str| {
        let question =
            format!("<Autodiscover><Request><EMailAddress>{address}</EMailAddress></Request></Autodiscover>");
        page.answer(question.as_bytes())
    };
    let answer = ask("ann@example.org");
    assert_eq!(answer.code, StatusCode::OK);
    assert!(answer.body.contains("<LoginName>ann@example.org</LoginName>"), "{}", answer.body);
    assert!(answer.body.contains("<Server>mail.example.org</Server>"), "{}", answer.body);
    let answer = ask("a&b@example.org");
    assert!(answer.body.contains("<LoginName>a&amp;b@example.org</LoginName>"), "{}", answer.body);
    assert_eq!(ask("ann@example.com").code, StatusCode::NOT_FOUND);
    assert_eq!(ask("").code, StatusCode::BAD_REQUEST);
    assert_eq!(page.answer(b"\xff<EMailAddress>").code, StatusCode::BAD_REQUEST);
}
