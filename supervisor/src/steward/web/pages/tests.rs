use handover::config::WebListen;

use super::*;

fn site() -> config::Web {
    let domain = |name| Domain::parse(name).unwrap();
    config::Web {
        hostname: domain("mail.example.org"),
        domains: vec![domain("example.org"), domain("example.net")],
        operator: Vec::new(),
        listen: WebListen::default(),
    }
}

/// The response's status and body. The status is 0 for a page that needs the request's body.
fn look_up(method: &Method, host: &str, target: &str, attested: bool) -> (u16, String) {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let request = PageRequest { scheme: Scheme::Https, method, host, path, query };
    let certificate = Certificate { is_attested: &|| attested, sign: &|_| None };
    match look_up_secure(&site(), &request, certificate) {
        Lookup::Answered(answer) => (answer.code.as_u16(), String::from_utf8(answer.body).unwrap()),
        Lookup::NeedsBody(_) => (0, String::new()),
    }
}

#[test]
fn each_page_is_served_only_at_its_own_hosts() {
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
        (Method::GET, "example.org", THUNDERBIRD, 200),
        (Method::GET, "autodiscover.example.org", THUNDERBIRD, 404),
        (Method::GET, "example.org", "/.well-known/caldav", 404),
        (Method::from_bytes(b"PROPFIND").unwrap(), "example.org", "/.well-known/carddav", 404),
        (Method::GET, "example.org", "/", 200),
        (Method::GET, "autoconfig.example.org", "/", 404),
        (Method::POST, "mail.example.org", "/", 405),
        (Method::GET, "mail.example.org", "/setup", 200),
        (Method::HEAD, "example.net", "/setup", 200),
        (Method::POST, "mail.example.org", "/setup", 405),
        (Method::GET, "autoconfig.example.org", "/setup", 404),
        (Method::GET, "example.org", "/mail.mobileconfig?address=ann%40example.org", 200),
        (Method::GET, "example.com", "/mail.mobileconfig?address=ann%40example.org", 404),
        (Method::POST, "example.org", "/mail.mobileconfig?address=ann%40example.org", 405),
        (Method::POST, "autoconfig.example.org", THUNDERBIRD, 405),
        (Method::POST, "autodiscover.example.org.", "/Autodiscover/Autodiscover.xml", 0),
        (Method::POST, "example.net", OUTLOOK, 0),
        (Method::GET, "autodiscover.example.org", OUTLOOK, 405),
        (Method::POST, "mta-sts.example.org", OUTLOOK, 404),
        (Method::HEAD, "mail.example.org", "/", 200),
        (Method::GET, "mail.example.org", "/health/ready", 404),
        (Method::GET, "mail.example.org", "/.well-known/acme-challenge/x", 404),
        (Method::GET, "", mta_sts::PATH, 404),
        (Method::GET, "203.0.113.5", "/", 404),
    ] {
        assert_eq!(look_up(&method, host, path, true).0, code, "{method} {host} {path}");
    }
}

#[test]
fn a_policy_is_served_only_with_an_authoritys_certificate() {
    let policy = |attested| look_up(&Method::GET, "mta-sts.example.org", mta_sts::PATH, attested);
    assert!(policy(true).1.contains("\r\nmx: mail.example.org\r\n"));
    assert_eq!(policy(false).0, 404);
}

#[test]
fn thunderbird_gets_one_encrypted_server_of_each_kind_for_the_requested_domain() {
    let page = |host: &str, path: &str| look_up(&Method::GET, host, path, true).1;
    let of_its_own = page("autoconfig.example.net", "/mail/config-v1.1.xml");
    assert!(of_its_own.contains("<emailProvider id=\"example.net\">"), "{of_its_own}");
    assert_eq!(of_its_own.matches("<hostname>mail.example.org</hostname>").count(), 2);
    for (server, port) in [("incomingServer", 993), ("outgoingServer", 465)] {
        assert_eq!(of_its_own.matches(&format!("<{server} ")).count(), 1, "{of_its_own}");
        assert!(of_its_own.contains(&format!("<port>{port}</port>")), "{of_its_own}");
    }
    assert!(!of_its_own.contains("STARTTLS"), "{of_its_own}");
    // The machine's name serves all domains, and the address selects one.
    for (query, domain) in [
        ("?emailaddress=ann%40example.net", "example.net"),
        ("?x=y&emailaddress=ann@example.net", "example.net"),
        ("?emailaddress=ann%40example.com", "example.org"),
        ("?emailaddress=%ff", "example.org"),
        ("", "example.org"),
    ] {
        let page = page("mail.example.org", &format!("/.well-known/autoconfig/mail/config-v1.1.xml{query}"));
        assert!(page.contains(&format!("<emailProvider id=\"{domain}\">")), "{query}: {page}");
    }
}

#[test]
fn a_profile_is_for_an_address_in_our_domains_and_another_is_not_echoed() {
    let ask =
        |query: &str| look_up(&Method::GET, "mail.example.org", &format!("/mail.mobileconfig{query}"), true);
    for (query, address) in [
        ("?address=ann@example.org", "ann@example.org"),
        ("?address=ann%2Blists%40example.net", "ann+lists@example.net"),
        ("?address=ann+lists%40example.net", "ann+lists@example.net"),
        ("?address=%20ann%40EXAMPLE.org%20", "ann@example.org"),
    ] {
        let (code, profile) = ask(query);
        assert_eq!(code, 200, "{query}");
        assert!(profile.contains(&format!("<key>EmailAddress</key><string>{address}</string>")), "{profile}");
    }
    let long = format!("?address={}%40example.org", "a".repeat(300));
    for query in [
        "",
        "?address=",
        "?other=ann@example.org",
        "?address=ann",
        "?address=ann@example.com",
        "?address=%ff@example.org",
        "?address=%00@example.org",
        "?address=<script>@example.org",
        &long,
    ] {
        let (code, page) = ask(query);
        assert_eq!(code, 404, "{query}");
        assert!(page.contains("href=\"/setup\"") && !page.contains("script"), "{query}: {page}");
    }
}

#[test]
fn the_setup_page_names_the_servers_and_links_the_profile() {
    let (_, page) = look_up(&Method::GET, "example.net", "/setup?address=<script>", true);
    for part in [
        "Mail for example.net",
        "mail.example.org",
        "993",
        "465",
        "action=\"/mail.mobileconfig\"",
        "name=\"address\"",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("script"), "{page}");
}
