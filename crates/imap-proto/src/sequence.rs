//! Sets of messages in commands: `1,3:5,7:*`.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use crate::cursor::{Cursor, SyntaxError};

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bound {
    Number(NonZeroU32),
    /// `*`: the largest number in use.
    Largest,
}

impl Bound {
    fn resolve(self, largest: u32) -> u32 {
        match self {
            Bound::Number(number) => number.get(),
            Bound::Largest => largest,
        }
    }

    /// ```abnf
    /// seq-number = nz-number / "*"
    /// ```
    fn parse(cursor: &mut Cursor<'_>) -> Result<Bound, SyntaxError> {
        if cursor.accept(b'*') {
            return Ok(Bound::Largest);
        }
        cursor
            .nonzero_number()
            .map(Bound::Number)
            .map_err(|error| SyntaxError { expected: "a sequence set", ..error })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Number(number) => number.fmt(formatter),
            Bound::Largest => formatter.write_str("*"),
        }
    }
}

/// A set of sequence numbers or of UIDs, as written. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SequenceSet(Vec<(Bound, Bound)>);

impl SequenceSet {
    /// ```abnf
    /// sequence-set = (seq-number / seq-range) *("," sequence-set)
    /// seq-range    = seq-number ":" seq-number
    /// ```
    /// (RFC 3501 §9; the order of a range's ends does not matter.)
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<SequenceSet, SyntaxError> {
        let mut ranges = Vec::new();
        loop {
            let from = Bound::parse(cursor)?;
            let to = if cursor.accept(b':') { Bound::parse(cursor)? } else { from };
            ranges.push((from, to));
            if !cursor.accept(b',') {
                return Ok(SequenceSet(ranges));
            }
        }
    }

    /// The set with `*` resolved, as ranges that are sorted, disjoint and never empty. `largest` is the largest number
    /// in use, zero in an empty mailbox: then `*` and ranges to it name nothing.
    pub fn ranges(&self, largest: u32) -> Vec<RangeInclusive<u32>> {
        let names_something =
            |(from, to): &&(Bound, Bound)| largest > 0 || (*from != Bound::Largest && *to != Bound::Largest);
        let mut ranges: Vec<(u32, u32)> = self
            .0
            .iter()
            .filter(names_something)
            .map(|(from, to)| (from.resolve(largest), to.resolve(largest)))
            .map(|(from, to)| (from.min(to), from.max(to)))
            .collect();
        ranges.sort_unstable();
        let mut merged: Vec<RangeInclusive<u32>> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match merged.last_mut() {
                Some(last) if from <= last.end().saturating_add(1) => {
                    *last = *last.start()..=to.max(*last.end());
                }
                _ => merged.push(from..=to),
            }
        }
        merged
    }

    /// The set of exactly these numbers, with neighbours merged; `None` without numbers. The order is kept, since the
    /// two sets of COPYUID correspond one by one (RFC 4315 §3).
    pub fn from_numbers(numbers: impl IntoIterator<Item = NonZeroU32>) -> Option<SequenceSet> {
        let mut ranges: Vec<(NonZeroU32, NonZeroU32)> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some((_, to)) if to.checked_add(1) == Some(number) => *to = number,
                _ => ranges.push((number, number)),
            }
        }
        let bounds = |(from, to)| (Bound::Number(from), Bound::Number(to));
        (!ranges.is_empty()).then(|| SequenceSet(ranges.into_iter().map(bounds).collect()))
    }
}

impl fmt::Display for SequenceSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (from, to)) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            from.fmt(formatter)?;
            if from != to {
                write!(formatter, ":{to}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(text: &str) -> SequenceSet {
        SequenceSet::parse(&mut Cursor::new(text.as_bytes())).unwrap()
    }

    #[test]
    fn ranges_are_sorted_merged_and_may_be_reversed() {
        assert_eq!(set("5:3,1,4:6").ranges(10), vec![1..=1, 3..=6]);
        assert_eq!(set("2,1,3").ranges(10), vec![1..=3]);
        assert_eq!(set("4294967295,1").ranges(10), vec![1..=1, u32::MAX..=u32::MAX]);
    }

    /// RFC 3501 §9: `*` is the largest number in use, and `559:*` contains it even when it is below 559.
    #[test]
    fn a_star_is_the_largest_number_in_use() {
        assert_eq!(set("*").ranges(7), vec![7..=7]);
        assert_eq!(set("559:*").ranges(7), vec![7..=559]);
    }

    /// RFC 3501 §9 lets a server refuse `*` in an empty mailbox. Clients that read all messages send `1:*` without
    /// checking their number, and show a refusal in a window.
    #[test]
    fn a_star_names_nothing_in_an_empty_mailbox() {
        for text in ["*", "1:*", "*:1", "5:*", "*,1:*"] {
            assert_eq!(set(text).ranges(0), Vec::<RangeInclusive<u32>>::new(), "{text}");
        }
        assert_eq!(set("1:*,7").ranges(0), vec![7..=7]);
    }

    #[test]
    fn zero_and_empty_sets_are_refused() {
        for text in ["0", "", "1,", "1:", ":1", "1:0", "4294967296"] {
            assert!(SequenceSet::parse(&mut Cursor::new(text.as_bytes())).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_set_parses_back(numbers in proptest::collection::vec(1_u32.., 1..20)) {
            let made = SequenceSet::from_numbers(numbers.iter().filter_map(|number| NonZeroU32::new(*number))).unwrap();
            prop_assert_eq!(set(&made.to_string()).ranges(1), made.ranges(1));
            for number in numbers {
                prop_assert!(made.ranges(1).iter().any(|range| range.contains(&number)));
            }
        }
    }
}
