//! Dates as in commands and responses, over plain seconds since 1970. No clock and no local time zone.

use std::fmt;

use calendar::MONTHS;

use crate::cursor::{Cursor, SyntaxError};

const DAY: i64 = 86_400;

/// A day of the calendar, stored as the number of days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i64);

impl Date {
    /// The day with this year, month (from 1) and day of the month, if it exists.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Date> {
        let date = Date(calendar::days(i64::from(year), month, day));
        let exists = (1..=12).contains(&month) && (1..=31).contains(&day);
        (exists && date.civil() == (i64::from(year), month, day)).then_some(date)
    }

    /// The day of this second, in UTC.
    pub fn from_seconds(seconds: i64) -> Date {
        Date(seconds.div_euclid(DAY))
    }

    /// Year, month from 1, day of the month.
    fn civil(self) -> (i64, u8, u8) {
        calendar::date(self.0)
    }

    /// ```abnf
    /// date      = date-text / DQUOTE date-text DQUOTE
    /// date-text = date-day "-" date-month "-" date-year
    /// date-day  = 1*2DIGIT
    /// ```
    /// (RFC 3501 §9)
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Date, SyntaxError> {
        let quoted = cursor.accept(b'"');
        let start = cursor.position();
        let day = quirk_day(cursor);
        let date = month_and_year(cursor, day, start)?;
        if quoted {
            cursor.expect(b'"', "the end of a date")?;
        }
        Ok(date)
    }
}

/// Parses the day of the month in one or two digits, with or without a space before it, in any date. Clients built on
/// node-imap and old imapflow send APPEND `"9-Mar-2025 …"` for `date-day-fixed`; scripts that format with `%e` send
/// SEARCH a space before the digit.
fn quirk_day(cursor: &mut Cursor<'_>) -> Option<u32> {
    cursor.accept(b' ');
    let day = cursor.take_while(|octet| octet.is_ascii_digit());
    digits(day).filter(|_| day.len() <= 2)
}

/// `"-" date-month "-" date-year`, where `date-year = 4DIGIT`.
fn month_and_year(cursor: &mut Cursor<'_>, day: Option<u32>, start: usize) -> Result<Date, SyntaxError> {
    let wrong = SyntaxError { at: start, expected: "a date such as 1-Feb-1994" };
    cursor.expect(b'-', wrong.expected)?;
    let month = cursor.take(3, wrong.expected)?;
    let month = MONTHS.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(month)).ok_or(wrong)?;
    cursor.expect(b'-', wrong.expected)?;
    // Years begin with 1: the proleptic calendar of RFC 3339 has a year 0000, mail does not.
    let year = digits(cursor.take(4, wrong.expected)?).filter(|year| *year > 0).ok_or(wrong)?;
    let day = day.and_then(|day| u8::try_from(day).ok()).ok_or(wrong)?;
    let (year, month) =
        (i32::try_from(year).map_err(|_| wrong)?, u8::try_from(month + 1).map_err(|_| wrong)?);
    Date::new(year, month, day).ok_or(wrong)
}

/// Parses a short run of digits.
fn digits(octets: &[u8]) -> Option<u32> {
    let all = !octets.is_empty() && octets.len() <= 4 && octets.iter().all(u8::is_ascii_digit);
    all.then(|| octets.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// A date and time with its zone: an INTERNALDATE, or the date given to APPEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub seconds: i64,
    /// Offset of the zone east of UTC, in minutes.
    pub east: i16,
}

impl DateTime {
    /// The time in UTC.
    pub fn utc(seconds: i64) -> DateTime {
        DateTime { seconds, east: 0 }
    }

    /// ```abnf
    /// date-time      = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    /// date-day-fixed = (SP DIGIT) / 2DIGIT
    /// time           = 2DIGIT ":" 2DIGIT ":" 2DIGIT
    /// zone           = ("+" / "-") 4DIGIT
    /// ```
    /// (RFC 3501 §9)
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<DateTime, SyntaxError> {
        cursor.expect(b'"', "a date and time")?;
        let start = cursor.position();
        let wrong =
            SyntaxError { at: start, expected: "a date and time such as \"07-Feb-1994 21:52:25 -0800\"" };
        let day = quirk_day(cursor);
        let date = month_and_year(cursor, day, start)?;
        cursor.expect(b' ', wrong.expected)?;
        let time = clock(cursor.take(8, wrong.expected)?).ok_or(wrong)?;
        cursor.expect(b' ', wrong.expected)?;
        let east = zone(cursor.take(5, wrong.expected)?).ok_or(wrong)?;
        cursor.expect(b'"', wrong.expected)?;
        Ok(DateTime { seconds: date.0 * DAY + i64::from(time) - i64::from(east) * 60, east })
    }
}

/// The second of the day for a time such as `21:52:25`. A leap second counts as the one before it.
fn clock(text: &[u8]) -> Option<u32> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *text else { return None };
    let (hour, minute, second) = (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?);
    (hour < 24 && minute < 60 && second <= 60).then(|| hour * 3600 + minute * 60 + second.min(59))
}

/// The minutes east of UTC for a zone such as `-0800`.
fn zone(text: &[u8]) -> Option<i16> {
    let (sign, rest) = text.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(&rest[..2])?, digits(&rest[2..])?);
    let east = i16::try_from(hours * 60 + minutes).ok()?;
    (hours < 24 && minutes < 60).then_some(sign * east)
}

impl fmt::Display for DateTime {
    /// Formats as in RFC 3501, without the quotes: ` 7-Feb-1994 21:52:25 -0800`. A year without four digits (of a file
    /// with a broken time) is written as the nearest that has four.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST: i64 = -62_135_596_800;
        const LAST: i64 = 253_402_300_799;
        let local = self.seconds.saturating_add(i64::from(self.east) * 60).clamp(FIRST, LAST);
        let (year, month, day) = Date::from_seconds(local).civil();
        let month = MONTHS[usize::from(month - 1)];
        let second = local.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (sign, zone) = (if self.east < 0 { '-' } else { '+' }, self.east.unsigned_abs());
        let zone = zone / 60 * 100 + zone % 60;
        write!(formatter, "{day:2}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} {sign}{zone:04}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(text: &str) -> Option<DateTime> {
        DateTime::parse(&mut Cursor::new(text.as_bytes())).ok()
    }

    fn day(text: &str) -> Option<Date> {
        Date::parse(&mut Cursor::new(text.as_bytes())).ok()
    }

    /// The zone of the example in RFC 3501 §6.3.11.
    #[test]
    fn a_date_time_is_parsed_with_its_zone() {
        let read = moment("\" 7-Feb-1994 21:52:25 -0800\"").unwrap();
        assert_eq!(read, DateTime { seconds: 760_686_745, east: -480 });
        assert_eq!(read.to_string(), " 7-Feb-1994 21:52:25 -0800");
        assert_eq!(DateTime::utc(read.seconds).to_string(), " 8-Feb-1994 05:52:25 +0000");
        // Half a day before the first year, in UTC.
        let first = moment("\"01-Jan-0001 00:00:00 +1200\"").unwrap();
        assert_eq!(DateTime::utc(first.seconds).to_string(), " 1-Jan-0001 00:00:00 +0000");
    }

    #[test]
    fn impossible_dates_and_times_are_refused() {
        for text in [
            "30-Feb-1994",
            "1-Jan-0000",
            "0-Jan-1994",
            "1-Foo-1994",
            "1-Jan-94",
            "001-Jan-1994",
            "32-Jan-1994",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
        for text in [
            "\"01-Jan-1994 24:00:00 +0000\"",
            "\"001-Jan-1994 00:00:00 +0000\"",
            "\"  1-Jan-1994 00:00:00 +0000\"",
            "\"01-Jan-1994 00:00:00 0000\"",
            "\"01-Jan-0000 00:00:00 +0000\"",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_one_digit_day_may_have_a_space_before_it() {
        let read = moment("\"9-Mar-2025 15:51:31 +0000\"").unwrap();
        assert_eq!(read.to_string(), " 9-Mar-2025 15:51:31 +0000");
        assert_eq!(moment("\" 9-Mar-2025 15:51:31 +0000\""), Some(read));
        assert_eq!(moment("\"09-Mar-2025 15:51:31 +0000\""), Some(read));
        assert_eq!(day(" 9-Mar-2025"), Date::new(2025, 3, 9));
        assert_eq!(day("\" 9-Mar-2025\""), Date::new(2025, 3, 9));
    }

    #[test]
    fn a_date_may_be_quoted() {
        assert_eq!(day("\"1-Feb-1994\""), Date::new(1994, 2, 1));
        assert_eq!(day("29-feb-2000"), Date::new(2000, 2, 29));
        assert_eq!(day("29-Feb-1900"), None);
        assert_eq!(Date::from_seconds(951_782_400), Date::new(2000, 2, 29).unwrap());
    }

    proptest! {
        #[test]
        fn a_formatted_date_time_parses_back(seconds in -62_000_000_000_i64..253_000_000_000, quarter in -56_i16..=56) {
            let date = DateTime { seconds, east: quarter * 15 };
            prop_assert_eq!(moment(&format!("\"{date}\"")), Some(date));
        }

        #[test]
        fn any_second_has_a_fixed_width(seconds: i64) {
            prop_assert_eq!(DateTime::utc(seconds).to_string().len(), 26);
        }
    }
}
