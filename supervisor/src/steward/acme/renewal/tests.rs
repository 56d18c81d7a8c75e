use super::*;

const DAY: i64 = 86_400;

fn facts(days: i64) -> CertificateFacts {
    CertificateFacts { names: Vec::new(), issuer: String::new(), not_before: 0, not_after: days * DAY }
}

#[test]
fn without_a_window_renewal_is_at_two_thirds_of_the_lifetime() {
    for (days, due_on) in [(90, 60), (6, 4), (45, 30), (1825, 1216)] {
        assert_eq!(due(&facts(days), None, 0.5) / DAY, due_on, "{days}");
    }
    assert_eq!(due(&facts(-3), None, 0.5), 0, "one that ends before it begins is due from its beginning");
}

#[test]
fn within_a_window_renewal_is_at_the_draw_and_never_at_the_last_moment() {
    let window = |start, end| Some(Window { start: start * DAY, end: end * DAY });
    for (window, draw, due_on) in [
        (window(50, 60), 0.0, 50),
        (window(50, 60), 1.0, 60),
        (window(50, 60), 0.5, 55),
        (window(-9, -8), 0.5, -9),
        (window(89, 95), 0.9, 85),
        (window(50, 60), 7.0, 60),
    ] {
        assert_eq!(due(&facts(90), window, draw).div_euclid(DAY), due_on, "{window:?} {draw}");
    }
}

#[test]
fn the_draw_is_the_same_each_time_and_spread_over_the_window() {
    let window = Window { start: 0, end: 100 };
    assert_eq!(draw("aa", window), draw("aa", window));
    assert_ne!(draw("aa", window), draw("aa", Window { start: 0, end: 101 }));
    let draws: Vec<f64> = (0..200).map(|n| draw(&n.to_string(), window)).collect();
    assert!(draws.iter().all(|draw| (0.0..=1.0).contains(draw)));
    for third in 0..3 {
        let within = |draw: &&f64| (**draw * 3.0) as i32 == third;
        assert!(draws.iter().filter(within).count() > 40, "{third}");
    }
}

#[test]
fn renewal_info_is_fetched_again_when_the_authority_says_within_limits() {
    for (retry_at, next) in
        [(None, 6 * 3600), (Some(1000 + 7200), 7200), (Some(5), 60), (Some(1000 + 90 * DAY), DAY)]
    {
        assert_eq!(next_check(1000, retry_at), 1000 + next, "{retry_at:?}");
    }
}

#[test]
fn renewal_info_is_parsed_as_in_rfc_9773() {
    // The example of RFC 9773 §4.2.
    let text = br#"{"suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"},
        "explanationURL": "https://acme.example.com/docs/ari"}"#;
    let (window, page) = parse_renewal_info(text).unwrap();
    assert_eq!(window, Window { start: 1_735_790_400, end: 1_735_790_400 + DAY });
    assert_eq!(page.as_deref(), Some("https://acme.example.com/docs/ari"));
    let text = br#"{"suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"},
        "explanationURL": "https://acme.example.com/\u001b[2J"}"#;
    assert_eq!(
        parse_renewal_info(text).unwrap().1.as_deref(),
        Some("https://acme.example.com/ [2J"),
        "safe for a terminal"
    );
    for wrong in [
        r#"{"suggestedWindow": {"start": "2025-01-03T04:00:00Z", "end": "2025-01-02T04:00:00Z"}}"#,
        r#"{"suggestedWindow": {"start": "soon", "end": "later"}}"#,
        "{}",
        "",
    ] {
        assert_eq!(parse_renewal_info(wrong.as_bytes()), None, "{wrong}");
    }
}

#[test]
fn date_times_are_parsed_in_every_zone() {
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1970-01-01T01:30:00.123456+01:30", Some(0)),
        ("1969-12-31T19:00:00-05:00", Some(0)),
        ("2026-11-22t18:34:56z", Some(1_795_372_496)),
        ("2026-13-22T18:34:56Z", None),
        ("2026-11-22T18:34:56", None),
        ("2026-11-22T18:34:56+0100", None),
        ("2026-11-22", None),
        ("ä026-11-22T18:34:56Z", None),
        ("", None),
    ] {
        assert_eq!(parse_date_time(text), seconds, "{text}");
    }
}
