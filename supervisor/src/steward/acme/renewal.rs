//! Computes when a certificate is due for renewal, from its dates, the window that the authority
//! suggests and a given time.

use handover::certificate::CertificateFacts;
use serde::Deserialize;

use super::error::printable;

/// The suggested window for renewal (RFC 9773 §4.2), in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The earliest time.
    pub start: i64,
    /// The latest time.
    pub end: i64,
}

/// The limits for the next request of renewal info: at most once a minute and at least once a day, whatever the
/// authority says (RFC 9773 §4.3.2); every six hours when it names no time.
const CHECKS: (i64, i64, i64) = (60, 6 * 3600, 24 * 3600);

/// The time of renewal. `draw` selects a point within the window, from 0 to 1.
///
/// Without a window it is at two thirds of the lifetime: a month before the end of 90 days, two days before that of
/// six. A window that would defer renewal to the last moment is ignored: there must be time for a few attempts.
pub fn due(facts: &CertificateFacts, window: Option<Window>, draw: f64) -> i64 {
    let lifetime = facts.not_after.saturating_sub(facts.not_before).max(0);
    let Some(Window { start, end }) = window else { return facts.not_before + lifetime / 3 * 2 };
    let chosen = start + ((end - start) as f64 * draw.clamp(0.0, 1.0)) as i64;
    chosen.min(facts.not_after - lifetime / 20)
}

/// A number from 0 to 1, derived from the certificate and the window: the point within the window is random, but stays
/// the same across restarts.
pub(super) fn draw(fingerprint: &str, window: Window) -> f64 {
    let text = format!("{fingerprint} {} {}", window.start, window.end);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let octets: [u8; 4] = digest.as_ref()[..4].try_into().unwrap_or_default();
    f64::from(u32::from_be_bytes(octets)) / f64::from(u32::MAX)
}

/// The time of the next request for the window.
pub fn next_check(now: i64, retry_at: Option<i64>) -> i64 {
    let (least, usual, most) = CHECKS;
    now + retry_at.map_or(usual, |at| at - now).clamp(least, most)
}

/// The renewal info object (RFC 9773 §4.2).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RenewalInfoObject {
    suggested_window: SuggestedWindow,
    #[serde(rename = "explanationURL")]
    explanation_url: Option<String>,
}

#[derive(Deserialize)]
struct SuggestedWindow {
    start: String,
    end: String,
}

/// Parses renewal info, with the page that explains it. A window that ends before it begins is ignored.
pub fn parse_renewal_info(json: &[u8]) -> Option<(Window, Option<String>)> {
    let info: RenewalInfoObject = serde_json::from_slice(json).ok()?;
    let window = Window {
        start: parse_date_time(&info.suggested_window.start)?,
        end: parse_date_time(&info.suggested_window.end)?,
    };
    (window.start < window.end).then(|| (window, info.explanation_url.map(|url| printable(&url))))
}

/// Parses a `date-time` of RFC 3339 §5.6: `2026-11-22T18:30:00Z`, with or without fractions of a second, in any zone.
fn parse_date_time(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u8>().ok().map(i64::from);
    let year: i64 = text.get(..4)?.parse().ok()?;
    let (month, day) = (number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let has_form = separators.iter().all(|(at, octet)| text.as_bytes().get(*at) == Some(octet))
        && matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' '))
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !has_form {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let hours: i64 = zone.get(1..3)?.parse().ok()?;
            let minutes: i64 = zone.get(4..6)?.parse().ok()?;
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let days = calendar::days(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

#[cfg(test)]
mod tests;
