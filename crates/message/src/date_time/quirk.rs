//! Dates in forms outside the standards of mail.

use super::{DateTime, MONTHS};

/// The longest value that is parsed; a date is shorter.
const MAX_LEN: usize = 200;

impl DateTime {
    /// Year, month from 1, and day of a Date field's value, as [`DateTime::date`] returns them, even if the value is
    /// not a `date-time`: `06-MAY-2016 19:00:22`, `2016-05-06T19:00:22Z`, `Fri May  6 19:00:22 2016`, `6 May 2016`.
    /// Mail programs write such dates, and people search for the day that they see.
    pub fn quirk_date(value: &[u8]) -> Option<(u16, u8, u8)> {
        if let Some(date) = Self::parse(value) {
            return Some(date.date());
        }
        let words = words(value.get(..MAX_LEN).unwrap_or(value));
        let (year, month, day) = with_numbers(&words).or_else(|| with_name(&words))?;
        Self::checked([year, month, day, 0, 0, 0], 0).map(|date| date.date())
    }
}

/// The runs of digits and runs of letters.
fn words(value: &[u8]) -> Vec<&[u8]> {
    let kind = |octet: u8| (octet.is_ascii_digit(), octet.is_ascii_alphabetic());
    let runs = value.chunk_by(|one, other| kind(*one) == kind(*other));
    runs.filter(|run| run[0].is_ascii_alphanumeric()).collect()
}

/// Reads year, month and day in this order, as in ISO 8601.
fn with_numbers(words: &[&[u8]]) -> Option<(u32, u32, u32)> {
    let [year, month, day, ..] = words else { return None };
    (year.len() == 4 && month.len() <= 2 && day.len() <= 2).then_some(())?;
    Some((number(year)?, number(month)?, number(day)?))
}

/// Reads a date with a month's name, the day before or after it; the year follows directly, or is the next number of
/// four digits.
fn with_name(words: &[&[u8]]) -> Option<(u32, u32, u32)> {
    let is_month = |word: &[u8]| {
        let start = word.get(..3)?;
        MONTHS.iter().position(|month| month.as_bytes().eq_ignore_ascii_case(start))
    };
    let (at, month) = words.iter().enumerate().find_map(|(at, word)| Some((at, is_month(word)?)))?;
    let before = at.checked_sub(1).and_then(|at| short(words[at]));
    let mut rest = &words[at + 1..];
    let day = match before {
        Some(day) => day,
        None => {
            let (day, behind) = rest.split_first()?;
            rest = behind;
            short(day)?
        }
    };
    let long = rest.iter().filter(|word| word.len() == 4).find_map(|word| number(word));
    let year =
        long.or_else(|| short(rest.first()?).map(|year| if year < 50 { year + 2000 } else { year + 1900 }))?;
    Some((year, u32::try_from(month).ok()? + 1, day))
}

fn short(word: &[u8]) -> Option<u32> {
    number(word).filter(|_| word.len() <= 2)
}

fn number(word: &[u8]) -> Option<u32> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
