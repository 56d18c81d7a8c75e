use icu_normalizer::ComposingNormalizerBorrowed;

/// Text is cut before a character that does not combine with the previous ones. No language has this many octets
/// without one, and then the cut may separate a character from its accent.
const MAX_HELD: usize = 4096;

/// Converts a text to the form in which texts are compared octet by octet, in pieces of any size.
///
/// - Characters are normalised to NFKC: `e` and an accent are `é`, full-width and half-width letters are letters.
/// - Case is folded, `ß` being `ss` and final sigma a sigma. The Turkish dotless `ı` stays itself, as in Unicode's
///   own table.
/// - White space of any length, line ends included, is one space: folds and line wraps are not part of the text.
/// - Invisible characters are left out: soft hyphens, joiners, variation selectors.
///
/// Letters with accents stay themselves, unlike in `i;unicode-casemap` (RFC 5051), where `e` matches a decomposed `é`,
/// and only at a word's end.
#[derive(Debug, Default)]
pub struct TextFolder {
    /// The end of the text so far: the next piece may combine with it.
    held: String,
    after_space: bool,
}

/// Converts a whole text.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut folder = TextFolder::default();
    folder.push(text, &mut out);
    folder.finish(&mut out);
    out
}

impl TextFolder {
    /// Appends the next piece of the text, except for its end.
    pub fn push(&mut self, text: &str, out: &mut String) {
        // The held text begins with the only character in it at which text can be cut, so only the new piece is
        // examined.
        let before = self.held.len();
        self.held.push_str(text);
        let beginning = text.char_indices().rev().find(|(_, one)| begins(*one)).map(|(at, _)| before + at);
        let cut = match beginning {
            Some(cut) => cut,
            None if self.held.len() > MAX_HELD => self.held.len(),
            None => 0,
        };
        if cut > 0 {
            let held = self.held.split_off(cut);
            let text = std::mem::replace(&mut self.held, held);
            self.fold(&text, out);
        }
    }

    /// Appends the held end of the text. The next piece begins another text.
    pub fn finish(&mut self, out: &mut String) {
        let text = std::mem::take(&mut self.held);
        self.fold(&text, out);
        self.after_space = false;
    }

    fn fold(&mut self, text: &str, out: &mut String) {
        if text.is_ascii() {
            out.reserve(text.len());
            text.bytes().for_each(|octet| self.put(char::from(octet).to_ascii_lowercase(), out));
            return;
        }
        let normalizer = const { ComposingNormalizerBorrowed::new_nfkc() };
        let cased: String = normalizer
            .normalize(text)
            .chars()
            .filter(|one| !is_invisible(*one))
            .flat_map(Cased::of)
            .collect();
        // Folding may have decomposed a character.
        normalizer.normalize(&cased).chars().for_each(|one| self.put(one, out));
    }

    fn put(&mut self, one: char, out: &mut String) {
        let is_space = one.is_whitespace();
        match (is_space, self.after_space) {
            (true, true) => {}
            (true, false) => out.push(' '),
            (false, _) => out.push(one),
        }
        self.after_space = is_space;
    }
}

/// Folds the case of a character: lower, upper, lower, so that ẞ, ß and ss match, ς and σ, ſ and s.
struct Cased;

impl Cased {
    fn of(one: char) -> impl Iterator<Item = char> {
        // Its upper case is the I of other languages.
        let is_dotless = one == 'ı';
        let folded = (!is_dotless)
            .then(|| one.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
        is_dotless.then_some(one).into_iter().chain(folded.into_iter().flatten())
    }
}

/// True for the soft hyphen, zero width spaces and joiners, the byte order mark, variation selectors.
fn is_invisible(one: char) -> bool {
    matches!(one, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}

/// True for letters that are known not to combine with earlier ones, in the scripts of most mail.
fn begins(one: char) -> bool {
    matches!(one,
        '\0'..='\u{7f}'
        | '\u{c0}'..='\u{24f}'
        | '\u{391}'..='\u{3a9}'
        | '\u{3b1}'..='\u{3c9}'
        | '\u{400}'..='\u{481}'
        | '\u{5d0}'..='\u{5ea}'
        | '\u{621}'..='\u{64a}'
        | '\u{e01}'..='\u{e30}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}')
}
