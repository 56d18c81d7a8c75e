//! Limits the log lines that clients can cause at will.
//!
//! An event that declares the field [`SUPPRESSED`] is of that kind: a refused login, a refused recipient. The first few
//! of one kind and one network are logged one by one; the others of that minute are counted, and one line at its end
//! has the last of them with the number of those suppressed. A limited number of networks are counted separately; all
//! others share one count. So the number of lines in a minute is bounded in all cases.
//!
//! Pure: the time is a parameter.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// The field by which an event declares that clients cause it, and that contains the number of suppressed lines.
pub(super) const SUPPRESSED: &str = "suppressed";

/// The time over which lines are counted.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// Lines of one kind and network in that time that are logged one by one. As many as fail2ban needs by default.
pub(super) const FEW: u32 = 5;

/// Kinds and networks that are counted separately at one time.
pub(super) const MAX_WINDOWS: usize = 100;

/// The network that caused a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// An IPv4 address or 64 bits of IPv6.
    Network(IpAddr),
    /// The line names no address.
    Unknown,
    /// All networks for which no window was left.
    Others,
}

impl From<Option<IpAddr>> for Origin {
    fn from(peer: Option<IpAddr>) -> Self {
        match peer.map(|address| address.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V4(address)) => Self::Network(address.into()),
            Some(IpAddr::V6(address)) => {
                Self::Network(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into())
            }
        }
    }
}

/// The counts of the current minute, by kind of event (`K`) and network, with the last suppressed line (`L`).
#[derive(Debug)]
pub(super) struct Flood<K, L> {
    windows: HashMap<(K, Origin), Window<L>>,
}

#[derive(Debug)]
struct Window<L> {
    begun: Instant,
    written: u32,
    /// The last suppressed line, and the number of those before it.
    suppressed: Option<(L, u64)>,
}

/// One line that represents several.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary<L> {
    /// The last of them.
    pub(super) line: L,
    /// The number of other lines that it represents.
    pub(super) suppressed: u64,
    /// True if they come from several networks.
    pub(super) is_of_several: bool,
}

impl<K, L> Default for Flood<K, L> {
    fn default() -> Self {
        Self { windows: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, L> Flood<K, L> {
    /// Counts a line; returns it if it is to be written.
    pub(super) fn admit(&mut self, kind: K, origin: Origin, line: L, now: Instant) -> Option<L> {
        let mut key = (kind, origin);
        if self.windows.len() >= MAX_WINDOWS && !self.windows.contains_key(&key) {
            key.1 = Origin::Others;
        }
        let window = self.windows.entry(key).or_insert(Window { begun: now, written: 0, suppressed: None });
        if window.written < FEW {
            window.written += 1;
            return Some(line);
        }
        let before = window.suppressed.take().map_or(0, |(_, before)| before + 1);
        window.suppressed = Some((line, before));
        None
    }

    /// Removes the windows that have ended and returns their summaries.
    pub(super) fn take_ended(&mut self, now: Instant) -> Vec<Summary<L>> {
        self.end(|window| now.saturating_duration_since(window.begun) >= WINDOW)
    }

    /// The summaries of all windows, for when the process may end.
    pub(super) fn take_all(&mut self) -> Vec<Summary<L>> {
        self.end(|_| true)
    }

    fn end(&mut self, is_over: impl Fn(&Window<L>) -> bool) -> Vec<Summary<L>> {
        let ended = self.windows.extract_if(|_, window| is_over(window));
        ended
            .filter_map(|((_, origin), window)| {
                let (line, suppressed) = window.suppressed?;
                Some(Summary { line, suppressed, is_of_several: origin == Origin::Others })
            })
            .collect()
    }

    /// True if no window is open.
    pub(super) fn is_quiet(&self) -> bool {
        self.windows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: u32) -> Origin {
        Some(IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + number))).into()
    }

    #[test]
    fn the_first_few_are_written_and_the_others_are_one_line_with_their_number() {
        let (mut flood, begin) = (Flood::default(), Instant::now());
        for line in 0..1000u32 {
            let written = flood.admit("failed", network(1), line, begin + WINDOW / 1001 * line);
            assert_eq!(written.is_some(), line < FEW, "{line}");
        }
        assert_eq!(flood.admit("failed", network(2), 7, begin), Some(7), "another network");
        assert_eq!(flood.admit("refused", network(1), 8, begin), Some(8), "another kind");
        assert_eq!(flood.take_ended(begin + WINDOW / 2), []);
        let summary = Summary { line: 999, suppressed: 994, is_of_several: false };
        assert_eq!(flood.take_ended(begin + WINDOW), [summary]);
        assert!(flood.is_quiet());
        assert_eq!(flood.admit("failed", network(1), 1, begin + WINDOW), Some(1), "the next minute");
    }

    #[test]
    fn every_line_is_written_or_counted_and_a_minute_of_any_flood_is_bounded() {
        let (mut flood, begin) = (Flood::default(), Instant::now());
        let mut written = 0;
        for line in 0..200_000u32 {
            written += u64::from(flood.admit("failed", network(line % 5000), line, begin).is_some());
        }
        let summaries = flood.take_ended(begin + WINDOW);
        let lines = written + summaries.len() as u64;
        assert!(lines <= (MAX_WINDOWS as u64 + 1) * u64::from(FEW + 1), "{lines}");
        let suppressed: u64 = summaries.iter().map(|summary| summary.suppressed).sum();
        assert_eq!(lines + suppressed, 200_000);
        assert_eq!(summaries.iter().filter(|summary| summary.is_of_several).count(), 1);
    }

    #[test]
    fn sixty_four_bits_of_ipv6_are_one_network_and_both_families_name_one_address() {
        let origin = |text: &str| Origin::from(Some(text.parse::<IpAddr>().unwrap()));
        assert_eq!(origin("2001:db8:1:2::3"), origin("2001:db8:1:2:ffff::9"));
        assert_ne!(origin("2001:db8:1:2::3"), origin("2001:db8:1:3::3"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
    }
}
