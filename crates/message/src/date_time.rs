//! Dates as mail writes them (RFC 5322 §3.3, obsolete forms of §4.3). IMAP's own form is in imap-proto.

mod parse;
mod quirk;

use std::fmt;

use calendar::MONTHS;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A time with its writer's time zone. Always a valid day, between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// Minutes east of Greenwich.
    offset: i16,
}

impl DateTime {
    /// The time given in seconds after 1970, in a zone given in minutes east of Greenwich. Times outside
    /// the years 1 to 9999 become the nearest inside.
    pub fn from_unix(seconds: i64, offset_minutes: i16) -> Self {
        let offset = offset_minutes.clamp(-99 * 60 - 59, 99 * 60 + 59);
        // Wide enough for any offset at both ends: the second of January of year 1, the 30th of December
        // 9999.
        let local = (seconds.clamp(-62_135_510_400, 253_402_214_399) + i64::from(offset) * 60)
            .clamp(-62_135_596_800, 253_402_300_799);
        let (days, of_day) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = calendar::date(days);
        let narrow = |value: i64| u8::try_from(value).unwrap_or_default();
        Self {
            year: u16::try_from(year).unwrap_or(1),
            month,
            day,
            hour: narrow(of_day / 3600),
            minute: narrow(of_day / 60 % 60),
            second: narrow(of_day % 60),
            offset,
        }
    }

    /// Seconds after 1970.
    pub fn to_unix(&self) -> i64 {
        calendar::days(i64::from(self.year), self.month, self.day) * 86_400
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second)
            - i64::from(self.offset) * 60
    }

    /// Year, month from 1, and day in the writer's zone: SENTBEFORE and the like compare these.
    pub fn date(&self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Hour, minute and second in the writer's zone.
    pub fn time(&self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// Minutes east of Greenwich.
    pub fn offset_minutes(&self) -> i16 {
        self.offset
    }

    /// As in a Date field: `Fri, 21 Nov 1997 09:55:06 -0600` (RFC 5322 §3.3).
    pub fn rfc5322(&self) -> String {
        let days = calendar::days(i64::from(self.year), self.month, self.day);
        let weekday = DAYS[usize::try_from((days + 4).rem_euclid(7)).unwrap_or_default()];
        format!("{weekday}, {} {} {:04} {}", self.day, self.month_name(), self.year, self.clock())
    }

    fn month_name(&self) -> &'static str {
        MONTHS[usize::from(self.month.saturating_sub(1)).min(11)]
    }

    fn clock(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let away = self.offset.unsigned_abs();
        format!(
            "{:02}:{:02}:{:02} {sign}{:02}{:02}",
            self.hour,
            self.minute,
            self.second,
            away / 60,
            away % 60
        )
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc5322())
    }
}

#[cfg(test)]
mod tests;
