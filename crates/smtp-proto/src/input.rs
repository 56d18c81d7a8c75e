//! The octets that a peer has sent and the session has not processed yet.

/// A buffer that the driver reads into directly, so that a message is not copied on its way through.
#[derive(Debug)]
pub(crate) struct Input {
    octets: Vec<u8>,
    start: usize,
    end: usize,
    /// The number of pending octets that are known to hold no end of a line. They are not searched again when more
    /// octets come: a peer may send a line octet by octet.
    searched: usize,
    /// Is set after a line that is too long: octets are dropped up to its end.
    is_skipping: bool,
}

/// The beginning of the input as a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The end of the line has not arrived yet.
    Unfinished,
    /// A complete line of this many octets, CRLF not counted.
    Whole(usize),
    /// A line beyond the limit; it is dropped, including its CRLF.
    TooLong,
}

impl Input {
    /// Enough for any command; an idle connection holds no more.
    const SMALL: usize = 2 * 1024;
    /// For messages: fewer, larger reads.
    const LARGE: usize = 32 * 1024;

    pub(crate) fn new() -> Self {
        Self { octets: Vec::new(), start: 0, end: 0, searched: 0, is_skipping: false }
    }

    /// Space to read into, never empty. `bulk` is set while a message is received.
    pub(crate) fn space(&mut self, bulk: bool) -> &mut [u8] {
        let wanted = if bulk { Self::LARGE } else { Self::SMALL };
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.octets.len() != wanted {
                // A new one, since a shrunk one would keep its old capacity.
                self.octets = vec![0; wanted];
            }
        } else if self.start > 0 {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.octets.len() {
            // Only an unfinished line can fill the buffer, and the callers of `line` bound its length.
            self.octets.resize(self.end * 2, 0);
        }
        &mut self.octets[self.end..]
    }

    /// Adds the `count` octets that were read into the space.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.octets.len());
    }

    pub(crate) fn pending(&self) -> &[u8] {
        &self.octets[self.start..self.end]
    }

    /// Removes the first `count` octets and returns them.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = (from + count).min(self.end);
        self.searched = self.searched.saturating_sub(count);
        &self.octets[from..self.start]
    }

    /// Discards everything, as STARTTLS requires (RFC 3207 §4.2).
    pub(crate) fn clear(&mut self) {
        (self.start, self.end, self.searched, self.is_skipping) = (0, 0, 0, false);
    }

    /// Looks for a line that ends in CRLF and has no more than `limit` octets before it. A bare LF does not end a line.
    /// After a line that is too long, reading continues after its CRLF.
    pub(crate) fn line(&mut self, limit: usize) -> Line {
        // The last octet searched may be the CR of a LF that has come since.
        let from = self.searched.saturating_sub(1);
        let end = line_end(&self.pending()[from..]).map(|length| from + length);
        self.searched = end.unwrap_or(self.pending().len());
        match end {
            Some(length) if self.is_skipping || length > limit => {
                self.is_skipping = false;
                self.take(length + 2);
                Line::TooLong
            }
            Some(length) => Line::Whole(length),
            None => {
                if self.is_skipping || self.pending().len() > limit + 1 {
                    self.is_skipping = true;
                    // A CR at the end may be the first half of the line's end.
                    let kept = usize::from(self.pending().ends_with(b"\r"));
                    self.take(self.pending().len() - kept);
                }
                Line::Unfinished
            }
        }
    }
}

/// The number of octets before the first CRLF.
fn line_end(octets: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', octets).find(|at| *at > 0 && octets[at - 1] == b'\r').map(|at| at - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(input: &mut Input, octets: &[u8]) {
        for octet in octets {
            input.space(false)[0] = *octet;
            input.filled(1);
        }
    }

    #[test]
    fn a_line_ends_in_crlf_only() {
        let mut input = Input::new();
        feed(&mut input, b"a\nb\rc\r");
        assert_eq!(input.line(10), Line::Unfinished);
        feed(&mut input, b"\nrest");
        assert_eq!(input.line(10), Line::Whole(5));
        assert_eq!(input.take(7), b"a\nb\rc\r\n");
        assert_eq!(input.line(10), Line::Unfinished);
    }

    #[test]
    fn a_line_beyond_the_limit_is_dropped_up_to_its_end() {
        for long in [12, 100, 10_000] {
            let mut input = Input::new();
            let mut answers = Vec::new();
            for octet in [vec![b'x'; long], b"\r\nNOOP\r\n".to_vec()].concat() {
                feed(&mut input, &[octet]);
                match input.line(10) {
                    Line::Unfinished => {}
                    Line::TooLong => answers.push(None),
                    Line::Whole(length) => answers.push(Some(input.take(length + 2).to_vec())),
                }
                assert!(input.octets.len() <= Input::SMALL);
            }
            assert_eq!(answers, [None, Some(b"NOOP\r\n".to_vec())]);
        }
    }
}
