//! Times as they are written to the queue's files.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time in whole seconds, written as `2026-11-22T18:00:00Z` (RFC 3339). Between 1970 and 9999, so that the written
/// form can be read: an earlier or later one becomes the nearest within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

const DAY: u64 = 86_400;

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// The time, cut to the second.
    pub fn new(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().min(LAST)))
    }

    /// The present time.
    pub fn now() -> Self {
        Self::new(SystemTime::now())
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The time this much later.
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait.as_secs()).min(LAST))
    }

    /// The time since `earlier`; zero when that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// `date-time = full-date "T" full-time` (RFC 3339 §5.6), in UTC and without fractions.
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = numbers(time, ':')?;
        let in_range = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !in_range {
            return None;
        }
        let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
        let days = calendar::days(i64::try_from(year).ok()?, month, day);
        let midnight = u64::try_from(days).ok()? * DAY;
        Some(Self((midnight + hour * 3600 + minute * 60 + second).min(LAST)))
    }
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&calendar::rfc3339(self.unix()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("{text:?} is not a timestamp such as 2026-11-22T18:00:00Z"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_written_as_in_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_370_399, "2026-11-22T17:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp(seconds).to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(Timestamp(seconds)));
        }
    }

    #[test]
    fn every_day_of_four_centuries_reads_back() {
        for day in 0..146_097 {
            let moment = Timestamp(day * DAY + 12_345);
            assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        }
    }

    #[test]
    fn a_time_before_1970_or_after_9999_is_written_as_the_nearest_within() {
        let far = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap();
        for (time, text) in [
            (UNIX_EPOCH - Duration::from_secs(1), "1970-01-01T00:00:00Z"),
            (UNIX_EPOCH - Duration::from_secs(100_000 * 365 * DAY), "1970-01-01T00:00:00Z"),
            (far(LAST), "9999-12-31T23:59:59Z"),
            (far(LAST + 1), "9999-12-31T23:59:59Z"),
            (far(i64::MAX as u64), "9999-12-31T23:59:59Z"),
        ] {
            let moment = Timestamp::new(time);
            assert_eq!(moment.to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(moment));
            let later = moment.after(Duration::MAX);
            assert_eq!(Timestamp::parse(&later.to_string()), Some(later));
        }
        assert_eq!(Timestamp::parse("9999-12-31T23:59:60Z"), Some(Timestamp(LAST)));
    }

    #[test]
    fn an_invalid_timestamp_is_refused() {
        for bad in
            ["", "2026-11-22", "2026-13-01T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T00:00:00+01:00"]
        {
            assert_eq!(Timestamp::parse(bad), None, "{bad:?}");
        }
    }
}
