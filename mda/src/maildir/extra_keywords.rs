//! `mailstead-keywords`: the keywords of messages beyond the 26 that have letters in file names.
//!
//! ```text
//! mailstead-keywords 1
//! 1735689600.M1P2Q3.host,S=40,W=42<TAB>label27 label28
//! ```
//!
//! A line is a message's base, a TAB, and the names of its keywords. The base never changes, so the file stays right
//! whatever happens to UIDs, letters and Dovecot's index, and is restored with the messages. Dovecot ignores the file.
//! It is written as a whole, under the lock of `dovecot-keywords`.

use std::collections::HashMap;
use std::path::Path;

use super::keywords::KeywordsLock;
use super::{Keywords, MaildirError, regular};

/// The names of messages' keywords beyond the letters, by the messages' bases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ExtraKeywords {
    messages: HashMap<Box<[u8]>, Vec<Box<str>>>,
}

impl ExtraKeywords {
    pub(crate) const FILE: &'static str = "mailstead-keywords";
    const HEADER: &'static [u8] = b"mailstead-keywords 1\n";
    const MODE: u32 = 0o600;
    /// About 100,000 messages with keywords beyond the letters.
    const MAX_FILE_SIZE: u64 = 16 << 20;

    /// Reads the file of the mailbox in `folder`. Without a file no message has such keywords.
    pub(crate) fn read(folder: &Path) -> Result<Self, MaildirError> {
        let path = folder.join(Self::FILE);
        let octets = regular::read(&path, Self::MAX_FILE_SIZE).map_err(MaildirError::disk("read", &path))?;
        Ok(Self::parse(&octets))
    }

    /// Writes the file. On disk when it returns.
    pub(crate) fn write(&self, folder: &Path, _: &KeywordsLock) -> Result<(), MaildirError> {
        let path = folder.join(Self::FILE);
        let text = self.to_text();
        let disk = |step| MaildirError::disk(step, &path);
        if text.len() as u64 > Self::MAX_FILE_SIZE {
            return Err(disk("write")(std::io::ErrorKind::FileTooLarge.into()));
        }
        regular::move_aside(&path).map_err(disk("move aside"))?;
        Ok(durable::write_whole(&path, &text, Self::MODE)?)
    }

    /// All messages with the names of their keywords.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[Box<str>])> {
        self.messages.iter().map(|(base, names)| (&**base, &names[..]))
    }

    /// Returns true if the message has such keywords.
    pub(crate) fn contains(&self, base: &[u8]) -> bool {
        self.messages.contains_key(base)
    }

    /// Replaces a message's keywords.
    pub(crate) fn set(&mut self, base: &[u8], names: Vec<Box<str>>) {
        if names.is_empty() {
            self.messages.remove(base);
        } else {
            self.messages.insert(base.into(), names);
        }
    }

    /// Forgets the messages whose files are gone.
    pub(crate) fn retain(&mut self, exists: impl Fn(&[u8]) -> bool) {
        self.messages.retain(|base, _| exists(base));
    }

    /// Parses the file. Malformed lines, as after a manual edit, are skipped.
    fn parse(octets: &[u8]) -> Self {
        let mut extra = Self::default();
        let Some(lines) = octets.strip_prefix(Self::HEADER) else { return extra };
        for line in lines.split(|octet| *octet == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // A base may hold a TAB, a keyword cannot.
            let Some(tab) = memchr::memrchr(b'\t', line).filter(|tab| *tab > 0) else { continue };
            let base = &line[..tab];
            let names = String::from_utf8_lossy(&line[tab + 1..]);
            let names = names.split(' ').filter(|name| Keywords::is_writable(name)).map(Box::from).collect();
            extra.set(base, names);
        }
        extra
    }

    fn to_text(&self) -> Vec<u8> {
        let mut text = Self::HEADER.to_vec();
        let mut messages: Vec<_> = self.messages.iter().collect();
        messages.sort();
        for (base, names) in messages {
            text.extend_from_slice(base);
            text.push(b'\t');
            text.extend_from_slice(names.join(" ").as_bytes());
            text.push(b'\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_with_their_keywords_are_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Keywords::lock(folder.path(), "host").unwrap();
        let mut extra = ExtraKeywords::default();
        extra.set(b"2.b\xfcro with spaces\t!", vec!["a".into()]);
        extra.set(b"1.host,S=3", vec!["label27".into(), "$label28".into()]);
        extra.set(b"3.host", vec!["gone".into()]);
        extra.set(b"3.host", Vec::new());
        extra.write(folder.path(), &lock).unwrap();
        let text = std::fs::read(folder.path().join(ExtraKeywords::FILE)).unwrap();
        assert!(text.starts_with(b"mailstead-keywords 1\n1.host,S=3\tlabel27 $label28\n2.b\xfcro"));
        assert_eq!(ExtraKeywords::read(folder.path()).unwrap(), extra);
    }

    #[test]
    fn malformed_lines_are_skipped() {
        let read = ExtraKeywords::parse(b"mailstead-keywords 1\n\nx\n\ta\n1.h\t\x01 b\r\n");
        let mut right = ExtraKeywords::default();
        right.set(b"1.h", vec!["b".into()]);
        assert_eq!(read, right);
        assert_eq!(ExtraKeywords::parse(b"mailstead-keywords 2\n1.h\tb\n"), ExtraKeywords::default());
    }
}
