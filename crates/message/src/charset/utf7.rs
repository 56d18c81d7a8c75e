/// UTF-7 (RFC 2152): UTF-16 in base64 between `+` and the next octet that is not base64.
#[derive(Debug, Default)]
pub(super) struct Utf7 {
    run: Option<Run>,
}

/// A run of base64.
#[derive(Debug, Default)]
struct Run {
    bits: u32,
    count: u32,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    is_empty: bool,
}

impl Utf7 {
    pub(super) fn feed(&mut self, octets: &[u8], is_last: bool, text: &mut String) {
        for octet in octets {
            self.octet(*octet, text);
        }
        if is_last {
            self.end(text);
        }
    }

    fn octet(&mut self, octet: u8, text: &mut String) {
        let Some(run) = &mut self.run else {
            match octet {
                b'+' => self.run = Some(Run { is_empty: true, ..Run::default() }),
                octet if octet.is_ascii() => text.push(char::from(octet)),
                _ => text.push('\u{fffd}'),
            }
            return;
        };
        if let Some(value) = base64(octet) {
            run.add(value, text);
            return;
        }
        let is_plus = run.is_empty && octet == b'-';
        self.end(text);
        match octet {
            _ if is_plus => text.push('+'),
            b'-' => {}
            octet => self.octet(octet, text),
        }
    }

    fn end(&mut self, text: &mut String) {
        if self.run.take().is_some_and(|run| run.high.is_some()) {
            text.push('\u{fffd}');
        }
    }
}

impl Run {
    fn add(&mut self, value: u8, text: &mut String) {
        self.is_empty = false;
        self.bits = self.bits << 6 | u32::from(value);
        self.count += 6;
        if self.count < 16 {
            return;
        }
        self.count -= 16;
        let unit = (self.bits >> self.count & 0xffff) as u16;
        self.bits &= (1 << self.count) - 1;
        let units = self.high.take().into_iter().chain([unit]);
        if matches!(unit, 0xd800..=0xdbff) && units.clone().count() == 1 {
            self.high = Some(unit);
            return;
        }
        text.extend(char::decode_utf16(units).map(|one| one.unwrap_or('\u{fffd}')));
    }
}

fn base64(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}
