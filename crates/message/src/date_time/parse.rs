//! Reading dates.

use super::{DateTime, MONTHS};
use crate::token::Cursor;

impl DateTime {
    /// Reads a Date field's value.
    ///
    /// ```abnf
    /// date-time   = [ day-of-week "," ] date time [CFWS]
    /// date        = day month year
    /// time        = time-of-day zone
    /// time-of-day = hour ":" minute [ ":" second ]
    /// zone        = (FWS ( "+" / "-" ) 4DIGIT) / obs-zone
    /// ```
    /// A contradicting day name is ignored. A missing zone counts as unknown, like `-0000`.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(value);
        cursor.skip_cfws();
        if cursor.peek()?.is_ascii_alphabetic() {
            cursor.take_while(|octet| octet.is_ascii_alphabetic());
            cursor.skip_cfws();
            cursor.accept(b',');
        }
        let day = number(&mut cursor, 2)?;
        cursor.skip_cfws();
        let month = month(cursor.take_while(|octet| octet.is_ascii_alphabetic()))?;
        let year = year(&mut cursor)?;
        let hour = number(&mut cursor, 2)?;
        cursor.skip_cfws();
        if !cursor.accept(b':') {
            return None;
        }
        let minute = number(&mut cursor, 2)?;
        cursor.skip_cfws();
        let second = if cursor.accept(b':') { number(&mut cursor, 2)? } else { 0 };
        cursor.skip_cfws();
        let offset = zone(&mut cursor);
        Self::checked([year, month, day, hour, minute, second], offset)
    }

    /// The time, if the date exists. A leap second becomes the last second of its minute.
    pub(super) fn checked([year, month, day, hour, minute, second]: [u32; 6], offset: i16) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        let real = (1..=9999).contains(&year)
            && (1..=last).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60
            && offset.unsigned_abs() <= 99 * 60 + 59;
        let narrow = |value: u32| u8::try_from(value).ok();
        real.then_some(Self {
            year: u16::try_from(year).ok()?,
            month: narrow(month)?,
            day: narrow(day)?,
            hour: narrow(hour)?,
            minute: narrow(minute)?,
            second: narrow(second.min(59))?,
            offset,
        })
    }
}

fn digits(octets: &[u8]) -> Option<u32> {
    if octets.is_empty() || !octets.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(octets).ok()?.parse().ok()
}

fn number(cursor: &mut Cursor<'_>, longest: usize) -> Option<u32> {
    cursor.skip_cfws();
    let found = cursor.take_while(|octet| octet.is_ascii_digit());
    if found.len() > longest {
        return None;
    }
    digits(found)
}

/// The year. Two digits are a year of 1950 to 2049, three count from 1900 (RFC 5322 §4.3).
fn year(cursor: &mut Cursor<'_>) -> Option<u32> {
    cursor.skip_cfws();
    let found = cursor.take_while(|octet| octet.is_ascii_digit());
    let year = digits(found)?;
    match found.len() {
        2 if year < 50 => Some(year + 2000),
        2 | 3 => Some(year + 1900),
        4 => Some(year),
        _ => None,
    }
}

fn month(name: &[u8]) -> Option<u32> {
    let found = MONTHS
        .iter()
        .position(|month| name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(month.as_bytes())))?;
    u32::try_from(found + 1).ok()
}

/// Minutes east of Greenwich. An unknown zone counts as Greenwich: RFC 5322 §4.3 requires it for the
/// military letters, whose meaning was published with the wrong sign, and for every other name.
fn zone(cursor: &mut Cursor<'_>) -> i16 {
    let sign = match cursor.peek() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => {
            let name = cursor.take_while(|octet| octet.is_ascii_alphabetic());
            return named_zone(name);
        }
    };
    cursor.advance();
    let found = cursor.take_while(|octet| octet.is_ascii_digit());
    match (found.len(), digits(found)) {
        (4, Some(value)) => i16::try_from(value / 100 * 60 + value % 100).map_or(0, |minutes| sign * minutes),
        _ => 0,
    }
}

fn named_zone(name: &[u8]) -> i16 {
    let hours = match name.to_ascii_uppercase().as_slice() {
        b"EDT" => -4,
        b"EST" | b"CDT" => -5,
        b"CST" | b"MDT" => -6,
        b"MST" | b"PDT" => -7,
        b"PST" => -8,
        _ => 0,
    };
    hours * 60
}
