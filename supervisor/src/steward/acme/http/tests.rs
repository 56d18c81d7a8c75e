use super::*;

#[test]
fn a_wait_is_a_number_of_seconds_or_a_date() {
    for (field, at) in [
        ("120", Some(1120)),
        ("Fri, 31 Dec 1999 23:59:59 GMT", Some(946_684_799)),
        ("soon", None),
        ("-5", None),
        ("99999999999999", None),
    ] {
        let mut fields = HeaderMap::new();
        fields.insert(RETRY_AFTER, HeaderValue::from_static(field));
        assert_eq!(
            response_metadata(&fields, 1000),
            ResponseMetadata { date: None, retry_at: at },
            "{field}"
        );
    }
}

#[test]
fn only_https_is_requested() {
    let target =
        |text: &str| Target::of(&text.parse().unwrap()).map(|t| (t.host, t.port, t.path.to_string()));
    assert_eq!(target("https://ca.example/a?b").unwrap(), ("ca.example".into(), 443, "/a?b".into()));
    assert_eq!(target("https://[::1]:14000").unwrap(), ("[::1]".into(), 14000, "/".into()));
    for wrong in ["http://ca.example/", "ca.example", "/x"] {
        assert!(target(wrong).is_err(), "{wrong}");
    }
}
#[test]
fn redirects_are_followed_within_https_only() {
    let from: Uri = "https://ca.example:14000/dir".parse().unwrap();
    for (location, to) in [
        ("https://new.example/dir?x", Some("https://new.example/dir?x")),
        ("/dir2", Some("https://ca.example:14000/dir2")),
        ("//new.example/dir", Some("https://new.example/dir")),
        ("http://ca.example/dir", None),
        ("ftp://ca.example/dir", None),
        ("dir2", None),
    ] {
        let resolved = resolved(&from, location).map(|to| to.to_string());
        assert_eq!(resolved.as_deref(), to, "{location}");
    }
}

#[test]
fn the_page_for_a_person_is_the_instance_or_the_terms() {
    let page = |status: u16, link: Option<&str>, body: &'static str| {
        let mut response = Response::builder().status(status);
        if let Some(link) = link {
            response = response.header(LINK, link);
        }
        instructions(&response.body(Bytes::from_static(body.as_bytes())).unwrap())
    };
    let terms = Some("<https://ca.example/tos>;rel=\"terms-of-service\"");
    assert_eq!(page(403, terms, "{}").as_deref(), Some("https://ca.example/tos"));
    let instance = r#"{"instance": "https://ca.example/agree"}"#;
    assert_eq!(page(403, terms, instance).as_deref(), Some("https://ca.example/agree"));
    assert_eq!(page(200, terms, instance), None, "not a problem");
    assert_eq!(page(403, None, r#"{"instance": "javascript:x"}"#), None);
}
