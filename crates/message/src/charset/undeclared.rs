use encoding_rs::WINDOWS_1252;

/// Decodes UTF-8 where octets are valid, Windows-1252 elsewhere.
#[derive(Debug, Default)]
pub(super) struct Undeclared {
    /// The beginning of a UTF-8 sequence: three octets at most.
    held: Vec<u8>,
}

impl Undeclared {
    pub(super) fn feed(&mut self, octets: &[u8], is_last: bool, text: &mut String) {
        if self.held.is_empty() {
            self.held = read(octets, is_last, text).to_vec();
            return;
        }
        // A sequence ends within three more octets, so at most three are copied.
        let (first, rest) = octets.split_at(octets.len().min(3));
        let mut joined = std::mem::take(&mut self.held);
        joined.extend_from_slice(first);
        self.held = read(&joined, is_last && rest.is_empty(), text).to_vec();
        if !rest.is_empty() {
            self.feed(rest, is_last, text);
        }
    }
}

/// Appends the text, except for the beginning of a sequence that more octets may complete: that is returned.
fn read<'a>(octets: &'a [u8], is_last: bool, text: &mut String) -> &'a [u8] {
    let mut rest = octets;
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                return b"";
            }
            Err(error) => error,
        };
        let (valid, after) = rest.split_at(error.valid_up_to());
        text.push_str(std::str::from_utf8(valid).unwrap_or_default());
        let wrong = match error.error_len() {
            Some(length) => length,
            None if is_last => after.len(),
            None => return after,
        };
        let (wrong, after) = after.split_at(wrong);
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(wrong).0);
        rest = after;
    }
}
