//! One pass over a message's text that looks for all strings of a search at once.
//!
//! The text comes in pieces, and a window slides over it: the last piece, and as much before it as a string may begin
//! in. So neither a message nor a part is ever held as a whole.

use message::text::{TextFolder, folded};

use super::strings::Needle;

/// A part of the message in which a string may be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// The body, including the headers of messages in it: BODY and TEXT.
    Body,
    /// The message's header and the headers of its parts: TEXT only.
    Header,
}

/// A string to be found.
#[derive(Debug, Clone)]
pub(super) struct SearchString {
    pub(super) needle: Needle,
    /// True for a string of BODY, which counts only in the body.
    pub(super) only_in_body: bool,
}

/// The strings that were found so far.
#[derive(Debug)]
pub(super) struct Scan<'s> {
    strings: &'s [SearchString],
    found: Vec<bool>,
    left: usize,
    /// The length of the longest string.
    longest: usize,
}

impl<'s> Scan<'s> {
    pub(super) fn new(strings: &'s [SearchString]) -> Self {
        let longest = strings.iter().map(|string| string.needle.len()).max().unwrap_or_default();
        Self { strings, found: vec![false; strings.len()], left: strings.len(), longest }
    }

    /// Returns true if all strings are found.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// One entry for each string, `true` if it was found.
    pub(super) fn found(self) -> Vec<bool> {
        self.found
    }

    /// Searches a whole text.
    pub(super) fn look_at(&mut self, area: Area, text: &str) {
        self.look(area, &folded(text));
    }

    fn look(&mut self, area: Area, text: &str) {
        for (string, found) in self.strings.iter().zip(&mut self.found) {
            let counts = area == Area::Body || !string.only_in_body;
            if counts && !*found && string.needle.is_in(text) {
                *found = true;
                self.left -= 1;
            }
        }
    }
}

/// A window that slides over one text of the body.
#[derive(Debug, Default)]
pub(super) struct Window {
    folder: TextFolder,
    text: String,
}

impl Window {
    /// Searches the next piece.
    pub(super) fn push(&mut self, piece: &str, scan: &mut Scan<'_>) {
        self.folder.push(piece, &mut self.text);
        self.slide(scan);
    }

    /// Searches the text that was held back for the end.
    pub(super) fn finish(mut self, scan: &mut Scan<'_>) {
        self.folder.finish(&mut self.text);
        self.slide(scan);
    }

    fn slide(&mut self, scan: &mut Scan<'_>) {
        scan.look(Area::Body, &self.text);
        let kept = self.text.len().saturating_sub(scan.longest.saturating_sub(1));
        self.text.drain(..self.text.floor_char_boundary(kept));
    }
}

#[cfg(test)]
mod tests {
    use message::Charset;

    use super::*;

    #[test]
    fn a_string_is_found_across_the_ends_of_pieces() {
        let text = "Viele Grüße aus dem Café an der Ecke, 你好世界. ".repeat(3);
        for (wanted, expected) in
            [("grüsse aus", true), ("CAFE\u{301} an", true), ("世界. viele", true), ("kaffee", false)]
        {
            let needle = Needle::new(Charset::UTF_8, wanted.as_bytes());
            let strings = [SearchString { needle, only_in_body: true }];
            for size in 1..20 {
                let mut scan = Scan::new(&strings);
                let mut window = Window::default();
                let mut held = 0;
                for piece in text.chars().collect::<Vec<_>>().chunks(size) {
                    window.push(&piece.iter().collect::<String>(), &mut scan);
                    held = held.max(window.text.len());
                }
                window.finish(&mut scan);
                assert_eq!(scan.is_done(), expected, "{wanted} in pieces of {size}");
                assert!(held < wanted.len() + 8, "{held} octets held for {wanted}");
            }
        }
    }
}
