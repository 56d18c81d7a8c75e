//! The text of HTML, approximately as a reader sees it: without tags, comments, scripts and styles, with character
//! references resolved. It never fails, and holds no more than a name.

/// The most characters of a tag's name or a reference that are held.
const MAX_NAME: usize = 32;

/// Removes the markup from HTML that arrives in pieces.
#[derive(Debug, Default)]
pub struct HtmlText {
    state: HtmlState,
    /// The name of the tag or the character reference that is being read.
    name: String,
    /// The element whose content is skipped up to its end tag.
    skipped: Option<&'static str>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum HtmlState {
    #[default]
    Text,
    /// After `<`.
    Name,
    /// Within a tag, after its name; possibly in quotes.
    Tag(Option<char>),
    /// Within `<!-- -->`, with the number of consecutive hyphens.
    Comment(u8),
    /// After `&`.
    Reference,
}

/// Elements that begin and end within a word.
const INLINE: [&str; 18] = [
    "a", "abbr", "b", "big", "em", "font", "i", "ins", "mark", "o:p", "s", "small", "span", "strong", "sub",
    "sup", "u", "wbr",
];

impl HtmlText {
    /// Appends the text of the next piece.
    pub fn push(&mut self, html: &str, text: &mut String) {
        html.chars().for_each(|one| self.take(one, text));
    }

    /// Appends the held text at the end.
    pub fn finish(mut self, text: &mut String) {
        if self.state == HtmlState::Reference {
            self.end_reference(None, text);
        }
    }

    fn take(&mut self, one: char, text: &mut String) {
        match self.state {
            HtmlState::Text => match one {
                '<' => self.begin(HtmlState::Name),
                '&' if self.skipped.is_none() => self.begin(HtmlState::Reference),
                one if self.skipped.is_none() => text.push(one),
                _ => {}
            },
            HtmlState::Name => self.take_name(one, text),
            HtmlState::Tag(None) => match one {
                '>' => self.end_tag(text),
                '"' | '\'' => self.state = HtmlState::Tag(Some(one)),
                _ => {}
            },
            HtmlState::Tag(Some(quote)) if one == quote => self.state = HtmlState::Tag(None),
            HtmlState::Tag(Some(_)) => {}
            HtmlState::Comment(2..) if one == '>' => self.state = HtmlState::Text,
            HtmlState::Comment(hyphens) => {
                self.state = HtmlState::Comment(if one == '-' { hyphens.saturating_add(1) } else { 0 });
            }
            HtmlState::Reference if one.is_ascii_alphanumeric() || (one == '#' && self.name.is_empty()) => {
                self.name.push(one);
                if self.name.len() >= MAX_NAME {
                    self.end_reference(None, text);
                }
            }
            HtmlState::Reference => self.end_reference(Some(one), text),
        }
    }

    fn begin(&mut self, state: HtmlState) {
        self.state = state;
        self.name.clear();
    }

    fn take_name(&mut self, one: char, text: &mut String) {
        let begins_tag = one.is_ascii_alphabetic() || matches!(one, '/' | '!' | '?');
        match one {
            '-' if self.name == "!-" => self.state = HtmlState::Comment(0),
            '>' => self.end_tag(text),
            one if self.name.is_empty() && !begins_tag => {
                // `a < b` in malformed HTML.
                self.state = HtmlState::Text;
                if self.skipped.is_none() {
                    text.push('<');
                }
                self.take(one, text);
            }
            one if one.is_whitespace() || (one == '/' && !self.name.is_empty()) => {
                self.state = HtmlState::Tag(None);
            }
            one if self.name.len() < MAX_NAME => self.name.push(one.to_ascii_lowercase()),
            _ => {}
        }
    }

    fn end_tag(&mut self, text: &mut String) {
        self.state = HtmlState::Text;
        let closes = self.name.strip_prefix('/');
        if let Some(skipped) = self.skipped {
            if closes == Some(skipped) {
                self.skipped = None;
            }
            return;
        }
        let name = closes.unwrap_or(&self.name);
        if !INLINE.contains(&name) {
            text.push(' ');
        }
        if closes.is_none() {
            self.skipped = ["script", "style"].into_iter().find(|skipped| name == *skipped);
        }
    }

    /// Ends the reference before `next`.
    fn end_reference(&mut self, next: Option<char>, text: &mut String) {
        self.state = HtmlState::Text;
        match character(&self.name) {
            Some(one) => text.push(one),
            None => {
                text.push('&');
                text.push_str(&self.name);
            }
        }
        if let Some(next) = next.filter(|next| *next != ';' || character(&self.name).is_none()) {
            self.take(next, text);
        }
    }
}

/// The character of a reference.
fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    let index = NAMED.binary_search_by_key(&name, |(known, _)| known).ok()?;
    Some(NAMED[index].1)
}

/// The references of HTML 4 (and `apos`), by name.
const NAMED: [(&str, char); 253] = [
    ("AElig", 'Æ'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Agrave", 'À'),
    ("Alpha", 'Α'),
    ("Aring", 'Å'),
    ("Atilde", 'Ã'),
    ("Auml", 'Ä'),
    ("Beta", 'Β'),
    ("Ccedil", 'Ç'),
    ("Chi", 'Χ'),
    ("Dagger", '‡'),
    ("Delta", 'Δ'),
    ("ETH", 'Ð'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Egrave", 'È'),
    ("Epsilon", 'Ε'),
    ("Eta", 'Η'),
    ("Euml", 'Ë'),
    ("Gamma", 'Γ'),
    ("Iacute", 'Í'),
    ("Icirc", 'Î'),
    ("Igrave", 'Ì'),
    ("Iota", 'Ι'),
    ("Iuml", 'Ï'),
    ("Kappa", 'Κ'),
    ("Lambda", 'Λ'),
    ("Mu", 'Μ'),
    ("Ntilde", 'Ñ'),
    ("Nu", 'Ν'),
    ("OElig", 'Œ'),
    ("Oacute", 'Ó'),
    ("Ocirc", 'Ô'),
    ("Ograve", 'Ò'),
    ("Omega", 'Ω'),
    ("Omicron", 'Ο'),
    ("Oslash", 'Ø'),
    ("Otilde", 'Õ'),
    ("Ouml", 'Ö'),
    ("Phi", 'Φ'),
    ("Pi", 'Π'),
    ("Prime", '″'),
    ("Psi", 'Ψ'),
    ("Rho", 'Ρ'),
    ("Scaron", 'Š'),
    ("Sigma", 'Σ'),
    ("THORN", 'Þ'),
    ("Tau", 'Τ'),
    ("Theta", 'Θ'),
    ("Uacute", 'Ú'),
    ("Ucirc", 'Û'),
    ("Ugrave", 'Ù'),
    ("Upsilon", 'Υ'),
    ("Uuml", 'Ü'),
    ("Xi", 'Ξ'),
    ("Yacute", 'Ý'),
    ("Yuml", 'Ÿ'),
    ("Zeta", 'Ζ'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("acute", '´'),
    ("aelig", 'æ'),
    ("agrave", 'à'),
    ("alefsym", 'ℵ'),
    ("alpha", 'α'),
    ("amp", '&'),
    ("and", '∧'),
    ("ang", '∠'),
    ("apos", '\''),
    ("aring", 'å'),
    ("asymp", '≈'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("bdquo", '„'),
    ("beta", 'β'),
    ("brvbar", '¦'),
    ("bull", '•'),
    ("cap", '∩'),
    ("ccedil", 'ç'),
    ("cedil", '¸'),
    ("cent", '¢'),
    ("chi", 'χ'),
    ("circ", 'ˆ'),
    ("clubs", '♣'),
    ("cong", '≅'),
    ("copy", '©'),
    ("crarr", '↵'),
    ("cup", '∪'),
    ("curren", '¤'),
    ("dArr", '⇓'),
    ("dagger", '†'),
    ("darr", '↓'),
    ("deg", '°'),
    ("delta", 'δ'),
    ("diams", '♦'),
    ("divide", '÷'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("egrave", 'è'),
    ("empty", '∅'),
    ("emsp", '\u{2003}'),
    ("ensp", '\u{2002}'),
    ("epsilon", 'ε'),
    ("equiv", '≡'),
    ("eta", 'η'),
    ("eth", 'ð'),
    ("euml", 'ë'),
    ("euro", '€'),
    ("exist", '∃'),
    ("fnof", 'ƒ'),
    ("forall", '∀'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("frac34", '¾'),
    ("frasl", '⁄'),
    ("gamma", 'γ'),
    ("ge", '≥'),
    ("gt", '>'),
    ("hArr", '⇔'),
    ("harr", '↔'),
    ("hearts", '♥'),
    ("hellip", '…'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iexcl", '¡'),
    ("igrave", 'ì'),
    ("image", 'ℑ'),
    ("infin", '∞'),
    ("int", '∫'),
    ("iota", 'ι'),
    ("iquest", '¿'),
    ("isin", '∈'),
    ("iuml", 'ï'),
    ("kappa", 'κ'),
    ("lArr", '⇐'),
    ("lambda", 'λ'),
    ("lang", '〈'),
    ("laquo", '«'),
    ("larr", '←'),
    ("lceil", '⌈'),
    ("ldquo", '“'),
    ("le", '≤'),
    ("lfloor", '⌊'),
    ("lowast", '∗'),
    ("loz", '◊'),
    ("lrm", '\u{200e}'),
    ("lsaquo", '‹'),
    ("lsquo", '‘'),
    ("lt", '<'),
    ("macr", '¯'),
    ("mdash", '—'),
    ("micro", 'µ'),
    ("middot", '·'),
    ("minus", '−'),
    ("mu", 'μ'),
    ("nabla", '∇'),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("ne", '≠'),
    ("ni", '∋'),
    ("not", '¬'),
    ("notin", '∉'),
    ("nsub", '⊄'),
    ("ntilde", 'ñ'),
    ("nu", 'ν'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("oelig", 'œ'),
    ("ograve", 'ò'),
    ("oline", '‾'),
    ("omega", 'ω'),
    ("omicron", 'ο'),
    ("oplus", '⊕'),
    ("or", '∨'),
    ("ordf", 'ª'),
    ("ordm", 'º'),
    ("oslash", 'ø'),
    ("otilde", 'õ'),
    ("otimes", '⊗'),
    ("ouml", 'ö'),
    ("para", '¶'),
    ("part", '∂'),
    ("permil", '‰'),
    ("perp", '⊥'),
    ("phi", 'φ'),
    ("pi", 'π'),
    ("piv", 'ϖ'),
    ("plusmn", '±'),
    ("pound", '£'),
    ("prime", '′'),
    ("prod", '∏'),
    ("prop", '∝'),
    ("psi", 'ψ'),
    ("quot", '"'),
    ("rArr", '⇒'),
    ("radic", '√'),
    ("rang", '〉'),
    ("raquo", '»'),
    ("rarr", '→'),
    ("rceil", '⌉'),
    ("rdquo", '”'),
    ("real", 'ℜ'),
    ("reg", '®'),
    ("rfloor", '⌋'),
    ("rho", 'ρ'),
    ("rlm", '\u{200f}'),
    ("rsaquo", '›'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("scaron", 'š'),
    ("sdot", '⋅'),
    ("sect", '§'),
    ("shy", '\u{ad}'),
    ("sigma", 'σ'),
    ("sigmaf", 'ς'),
    ("sim", '∼'),
    ("spades", '♠'),
    ("sub", '⊂'),
    ("sube", '⊆'),
    ("sum", '∑'),
    ("sup", '⊃'),
    ("sup1", '¹'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("supe", '⊇'),
    ("szlig", 'ß'),
    ("tau", 'τ'),
    ("there4", '∴'),
    ("theta", 'θ'),
    ("thetasym", 'ϑ'),
    ("thinsp", '\u{2009}'),
    ("thorn", 'þ'),
    ("tilde", '˜'),
    ("times", '×'),
    ("trade", '™'),
    ("uArr", '⇑'),
    ("uacute", 'ú'),
    ("uarr", '↑'),
    ("ucirc", 'û'),
    ("ugrave", 'ù'),
    ("uml", '¨'),
    ("upsih", 'ϒ'),
    ("upsilon", 'υ'),
    ("uuml", 'ü'),
    ("weierp", '℘'),
    ("xi", 'ξ'),
    ("yacute", 'ý'),
    ("yen", '¥'),
    ("yuml", 'ÿ'),
    ("zeta", 'ζ'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
];
