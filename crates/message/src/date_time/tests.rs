use proptest::prelude::*;

use super::*;

#[test]
fn dates_are_parsed_in_every_form_of_mail() {
    for (value, expected) in [
        // RFC 5322 appendix A
        ("Fri, 21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
        (
            "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
            "Thu, 13 Feb 1969 23:32:00 -0330",
        ),
        ("21 Nov 97 09:55:06 GMT", "Fri, 21 Nov 1997 09:55:06 +0000"),
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"),
        // RFC 5322 §4.3
        ("1 Jan 49 00:00 EST", "Fri, 1 Jan 2049 00:00:00 -0500"),
        ("1 Jan 50 00:00 PDT", "Sun, 1 Jan 1950 00:00:00 -0700"),
        ("1 Jan 126 00:00 Z", "Thu, 1 Jan 2026 00:00:00 +0000"),
        ("Mon, 29 Feb 2016 23:59:60 +0000", "Mon, 29 Feb 2016 23:59:59 +0000"),
        // Forms that other programs write
        ("Sunday 22 november 2026 18:00:00 CEST", "Sun, 22 Nov 2026 18:00:00 +0000"),
        ("22 Nov 2026 8:05", "Sun, 22 Nov 2026 08:05:00 +0000"),
    ] {
        let date = DateTime::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value}"));
        assert_eq!(date.to_string(), expected, "{value}");
    }
}

#[test]
fn malformed_dates_are_refused() {
    for value in [
        "",
        "Fri",
        "31 Apr 2026 00:00:00 +0000",
        "29 Feb 2100 00:00:00 +0000",
        "0 Jan 2026 00:00:00 +0000",
        "1 Foo 2026 00:00:00 +0000",
        "1 Jan 20266 00:00:00 +0000",
        "1 Jan 2026 24:00:00 +0000",
        "1 Jan 2026 000:00:00 +0000",
        "1 Jan 2026",
        "1 Jan 0000 00:00 +0000",
    ] {
        assert_eq!(DateTime::parse(value.as_bytes()), None, "{value}");
    }
}

#[test]
fn the_day_is_parsed_in_nonstandard_forms() {
    for (value, expected) in [
        ("Fri, 6 May 2016 19:00:22 +0200", Some((2016, 5, 6))),
        ("06-MAY-2016 19:00:22", Some((2016, 5, 6))),
        ("6-May-16 19:00", Some((2016, 5, 6))),
        ("2016-05-06T19:00:22Z", Some((2016, 5, 6))),
        ("2016-05-06 19:00:22 +0200", Some((2016, 5, 6))),
        ("2016/5/6", Some((2016, 5, 6))),
        ("Fri May  6 19:00:22 2016", Some((2016, 5, 6))),
        ("Fri May  6 19:00:22 CEST 2016", Some((2016, 5, 6))),
        ("May 6, 2016 7:00 PM", Some((2016, 5, 6))),
        ("6 May 2016", Some((2016, 5, 6))),
        ("Friday, 6. May 2016, 19.00", Some((2016, 5, 6))),
        ("", None),
        ("05/06/2016", None),
        ("31-APR-2016", None),
        ("2016-13-01", None),
        ("May", None),
        ("yesterday", None),
    ] {
        assert_eq!(DateTime::quirk_date(value.as_bytes()), expected, "{value}");
    }
}

#[test]
fn seconds_since_1970_are_right() {
    for (value, unix) in [
        ("1 Jan 1970 00:00:00 +0000", 0),
        ("21 Nov 1997 09:55:06 -0600", 880_127_706),
        ("29 Feb 2000 12:00:00 +0530", 951_805_800),
        ("31 Dec 1969 23:59:59 +0000", -1),
    ] {
        let date = DateTime::parse(value.as_bytes()).unwrap();
        assert_eq!(date.to_unix(), unix, "{value}");
        assert_eq!(DateTime::from_unix(unix, date.offset_minutes()), date);
    }
}

proptest! {
    #[test]
    fn every_time_round_trips(seconds in any::<i64>(), offset in any::<i16>()) {
        let date = DateTime::from_unix(seconds, offset);
        prop_assert_eq!(DateTime::parse(date.rfc5322().as_bytes()), Some(date));
        prop_assert_eq!(DateTime::from_unix(date.to_unix(), date.offset_minutes()), date);
    }

    #[test]
    fn any_octets_are_read(value in proptest::collection::vec(
        prop_oneof![proptest::sample::select(b"0123456789:,+- ()JanFebMon".to_vec()), any::<u8>()], 0..60))
    {
        DateTime::parse(&value);
        DateTime::quirk_date(&value);
    }
}
