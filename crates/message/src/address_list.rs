//! Address lists (RFC 5322 §3.4, including the obsolete forms of §4.4) as they are written: values without quoting,
//! encoded words not decoded.
//!
//! Malformed parts are kept as far as possible: a word without a domain is a mailbox with an empty domain. The parser
//! is one pass without recursion; a list has at most [`MAX_MAILBOXES`] mailboxes.

use address::Address;

use crate::token::{Cursor, is_word};

/// The most mailboxes of one list that are read: headers that pass the relays' limits have fewer.
pub const MAX_MAILBOXES: usize = 4_000;

/// The content of a To, From or similar field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressList {
    /// Mailboxes and groups in their order.
    pub entries: Vec<AddressEntry>,
    /// True if the field held words that are in no entry: comments, or text that is not an address. A search for them
    /// must read the field itself.
    pub is_lossy: bool,
    /// The number of mailboxes and groups read so far, so that a list of many fields is counted once and not at each
    /// field.
    read_count: usize,
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressEntry {
    /// A single mailbox.
    Mailbox(Mailbox),
    /// `undisclosed-recipients:;` and the like.
    Group {
        /// The group's name without quoting.
        name: Vec<u8>,
        /// The mailboxes up to the semicolon.
        members: Vec<Mailbox>,
    },
}

/// One mailbox. All values are raw octets, unfolded, without quoting and without NUL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, or else the last comment (as RFC 822 mail named people).
    pub name: Option<Vec<u8>>,
    /// The obsolete source route, such as `@a.example,@b.example`.
    pub route: Option<Vec<u8>>,
    /// The part before the `@`, without quoting.
    pub local: Vec<u8>,
    /// The part after the `@`; empty if it was missing.
    pub domain: Vec<u8>,
}

impl AddressList {
    /// Reads a field's value, folded or not. Never fails: text that is not an address gives no entry.
    pub fn parse(value: &[u8]) -> Self {
        let mut list = Self::default();
        list.append(value);
        list
    }

    /// Reads one more field of the same name, as if its value followed after a comma.
    pub fn append(&mut self, value: &[u8]) {
        let before = self.entries.len();
        let left = MAX_MAILBOXES.saturating_sub(self.read_count);
        let mut reader = Reader { cursor: Cursor::new(value), left };
        reader.list(&mut self.entries);
        self.read_count += left - reader.left;
        self.is_lossy |= reader.left == 0
            || value.contains(&b'(')
            || mailboxes(&self.entries[before..])
                .any(|mailbox| mailbox.domain.is_empty() || mailbox.route.is_some());
    }

    /// A list of entries that were parsed before.
    pub(crate) fn of(entries: Vec<AddressEntry>, is_lossy: bool) -> Self {
        let groups = entries.iter().filter(|entry| matches!(entry, AddressEntry::Group { .. })).count();
        let read_count = groups + mailboxes(&entries).count();
        Self { entries, is_lossy, read_count }
    }

    /// Every mailbox, including those within groups.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        mailboxes(&self.entries)
    }

    /// True if there is neither a mailbox nor a group.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn mailboxes(entries: &[AddressEntry]) -> impl Iterator<Item = &Mailbox> {
    entries.iter().flat_map(|entry| match entry {
        AddressEntry::Mailbox(mailbox) => std::slice::from_ref(mailbox),
        AddressEntry::Group { members, .. } => members.as_slice(),
    })
}

impl Mailbox {
    /// The address as a type, if mail can be sent to it.
    pub fn address(&self) -> Option<Address> {
        let domain = std::str::from_utf8(&self.domain).ok()?;
        let mut quoted = String::from("\"");
        for c in std::str::from_utf8(&self.local).ok()?.chars() {
            if matches!(c, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(c);
        }
        Address::parse(&format!("{quoted}\"@{domain}")).ok()
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    left: usize,
}

/// The text between two separators: words, and an address if it contained an `@` or a `<`.
#[derive(Default)]
struct Item {
    /// The words with a space in place of white space or a comment: a display name or a group's name.
    phrase: Vec<u8>,
    /// The words with nothing between them: a local part.
    joined: Vec<u8>,
    comment: Option<Vec<u8>>,
    address: Option<Mailbox>,
    /// True if the address was in angle brackets, so that the words before it are a name.
    is_in_angle_brackets: bool,
    /// True if there was a quoted string, which makes even an empty word count.
    has_quoted_string: bool,
}

/// The end of an item.
enum Separator {
    Comma,
    Colon,
    Semicolon,
    End,
}

impl Reader<'_> {
    /// Reads the entries of a list up to its end.
    ///
    /// ```abnf
    /// address-list = (address *("," address))
    /// address      = mailbox / group
    /// group        = display-name ":" [group-list] ";" [CFWS]
    /// ```
    fn list(&mut self, entries: &mut Vec<AddressEntry>) {
        let mut group: Option<(Vec<u8>, Vec<Mailbox>)> = None;
        while self.left > 0 {
            let (item, separator) = self.item();
            if let Separator::Colon = separator {
                if group.is_none() && item.address.is_none() {
                    self.left -= 1;
                    group = Some((item.phrase, Vec::new()));
                }
                continue;
            }
            if let Some(mailbox) = item.into_mailbox() {
                self.left -= 1;
                match &mut group {
                    Some((_, members)) => members.push(mailbox),
                    None => entries.push(AddressEntry::Mailbox(mailbox)),
                }
            }
            match separator {
                Separator::Semicolon => {
                    if let Some((name, members)) = group.take() {
                        entries.push(AddressEntry::Group { name, members });
                    }
                }
                Separator::End => break,
                Separator::Comma | Separator::Colon => {}
            }
        }
        if let Some((name, members)) = group {
            entries.push(AddressEntry::Group { name, members });
        }
    }

    /// Reads the text up to the next separator.
    ///
    /// ```abnf
    /// mailbox    = name-addr / addr-spec
    /// name-addr  = [display-name] angle-addr
    /// addr-spec  = local-part "@" domain
    /// ```
    fn item(&mut self) -> (Item, Separator) {
        let mut item = Item::default();
        let mut apart = false;
        loop {
            let before = self.cursor.rest().len();
            if let Some(comment) = self.cursor.skip_cfws() {
                item.comment = Some(comment);
            }
            apart |= self.cursor.rest().len() < before;
            let separator = match self.cursor.peek() {
                None => Separator::End,
                Some(b',') => Separator::Comma,
                Some(b';') => Separator::Semicolon,
                Some(b':') => Separator::Colon,
                Some(b'<') => {
                    self.cursor.advance();
                    item.address = Some(self.angle_address());
                    item.is_in_angle_brackets = true;
                    continue;
                }
                Some(b'@') => {
                    self.cursor.advance();
                    let domain = self.domain();
                    item.phrase.push(b'@');
                    item.phrase.extend_from_slice(&domain);
                    if item.address.is_none() {
                        let local = std::mem::take(&mut item.joined);
                        item.address = Some(Mailbox { local, domain, ..Mailbox::default() });
                    }
                    apart = true;
                    continue;
                }
                Some(b'"') => {
                    let word = self.cursor.quoted_string().unwrap_or_default();
                    item.has_quoted_string = true;
                    item.word(&word, apart);
                    apart = false;
                    continue;
                }
                Some(octet) if is_word(octet) => {
                    let word = self.cursor.take_while(is_word);
                    item.word(word, apart);
                    apart = false;
                    continue;
                }
                Some(_) => {
                    self.cursor.advance();
                    continue;
                }
            };
            self.cursor.advance();
            return (item, separator);
        }
    }

    /// Reads the rest after the `<`.
    ///
    /// ```abnf
    /// angle-addr     = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr
    /// obs-angle-addr = [CFWS] "<" obs-route addr-spec ">" [CFWS]
    /// obs-route      = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain]) ":"
    /// ```
    fn angle_address(&mut self) -> Mailbox {
        let mut mailbox = Mailbox::default();
        let mut route = Vec::new();
        let mut has_domain = false;
        loop {
            self.cursor.skip_cfws();
            match self.cursor.peek() {
                None => break,
                Some(b'>') => {
                    self.cursor.advance();
                    break;
                }
                Some(b'@') if mailbox.local.is_empty() && !has_domain => {
                    self.cursor.advance();
                    let domain = self.domain();
                    if !route.is_empty() {
                        route.push(b',');
                    }
                    route.push(b'@');
                    route.extend_from_slice(&domain);
                }
                Some(b'@') => {
                    self.cursor.advance();
                    mailbox.domain = self.domain();
                    has_domain = true;
                }
                Some(b'"') => mailbox.local.extend(self.cursor.quoted_string().unwrap_or_default()),
                Some(octet) if is_word(octet) && !has_domain => {
                    mailbox.local.extend_from_slice(self.cursor.take_while(is_word));
                }
                Some(_) => self.cursor.advance(),
            }
        }
        if mailbox.local.is_empty() && !has_domain && !route.is_empty() {
            // `<@example.org>`: not a route but an address that lacks its local part.
            mailbox.domain = route.split_off(1);
        } else if !route.is_empty() {
            mailbox.route = Some(route);
        }
        mailbox
    }

    /// Reads a domain, without white space and comments.
    ///
    /// ```abnf
    /// domain         = dot-atom / domain-literal / obs-domain
    /// domain-literal = [CFWS] "[" *([FWS] dtext) [FWS] "]" [CFWS]
    /// ```
    fn domain(&mut self) -> Vec<u8> {
        let mut domain = Vec::new();
        loop {
            let before = self.cursor.clone();
            self.cursor.skip_cfws();
            match self.cursor.peek() {
                Some(b'[') if domain.is_empty() => {
                    let literal = self.cursor.take_while(|octet| !matches!(octet, b']' | b'>' | b','));
                    domain.extend(literal.iter().copied().filter(|octet| !matches!(octet, 0..=b' ' | 0x7f)));
                    if self.cursor.accept(b']') {
                        domain.push(b']');
                    }
                    return domain;
                }
                Some(b'.') => domain.extend_from_slice(self.cursor.take_while(is_word)),
                Some(octet) if is_word(octet) && (domain.is_empty() || domain.ends_with(b".")) => {
                    domain.extend_from_slice(self.cursor.take_while(is_word));
                }
                _ => {
                    // The comment after an address is its name: leave it to the caller.
                    self.cursor = before;
                    return domain;
                }
            }
        }
    }
}

impl Item {
    fn word(&mut self, word: &[u8], apart: bool) {
        if apart && !self.phrase.is_empty() {
            self.phrase.push(b' ');
        }
        self.phrase.extend_from_slice(word);
        self.joined.extend_from_slice(word);
    }

    fn into_mailbox(self) -> Option<Mailbox> {
        match self.address {
            Some(mut mailbox) => {
                let phrase = if self.is_in_angle_brackets { self.phrase } else { Vec::new() };
                mailbox.name = Some(phrase).filter(|name| !name.is_empty()).or(self.comment);
                Some(mailbox)
            }
            None if self.joined.is_empty() && !self.has_quoted_string => None,
            // Words without an address, as people and programs write them for a sender without one: shown as they are.
            None => Some(Mailbox { local: self.phrase, name: self.comment, ..Mailbox::default() }),
        }
    }
}

#[cfg(test)]
mod tests;
