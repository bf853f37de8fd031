//! Looking up single places of a JSON text without building all of its values.
//!
//! An outline is made in one pass that checks the whole text and notes where each value begins and ends. A lookup then
//! follows its path from note to note and hops over what is beside it.
//!
//! Texts that `serde_json` may refuse, or of which this module is not certain, have no outline: the full parse has the
//! last word on them, and says what is wrong. So an outline never finds anything in a text that is not JSON.

/// One step of a path: the member of an object or the element of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name; of several, the last.
    Member(Box<str>),
    /// The element at this index.
    Element(usize),
}

/// A valid JSON text and the places of its values.
#[derive(Debug)]
pub(super) struct JsonOutline<'t> {
    text: &'t str,
    /// In the order in which they begin; the first is the whole.
    values: Vec<Placed>,
    /// Whether a name may be written otherwise than it reads.
    has_escapes: bool,
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
struct Placed {
    /// The quote that opens the name of a member; of other values, the same as `begin`.
    name: u32,
    /// Its first byte.
    begin: u32,
    /// Just behind its last byte.
    end: u32,
    /// The first value that begins behind it.
    next: u32,
}

/// Nesting that is outlined; `serde_json` refuses 128 levels, and the stack has to hold.
const DEPTH_MAX: usize = 100;
/// Digits before the point and of the exponent, with which a number is within the range of 64 bits.
const WHOLE_DIGITS_MAX: usize = 18;
const EXPONENT_DIGITS_MAX: usize = 2;

/// Values that room is made for at first: about as many as texts of that length have, but not for ever.
fn expected_values(text: &str) -> usize {
    (text.len() / 12).clamp(4, 1_024)
}

impl<'t> JsonOutline<'t> {
    /// Outlines a text; `None` if it is not JSON, or perhaps not.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let values = Vec::with_capacity(expected_values(text));
        let mut scan = Scan { bytes: text.as_bytes(), at: 0, values, has_escapes: false };
        scan.blanks();
        scan.value(scan.at, 0)?;
        scan.blanks();
        let is_whole = scan.at == text.len();
        is_whole.then_some(Self { text, values: scan.values, has_escapes: scan.has_escapes })
    }

    /// The text of the value to which a path leads.
    pub(super) fn find(&self, path: &[Step]) -> Option<&'t str> {
        let mut place = 0;
        for step in path {
            let opening = self.text.as_bytes()[self.values[place].begin as usize];
            place = match (opening, step) {
                (b'{', Step::Member(name)) => {
                    self.inside(place).filter(|&member| self.is_named(member, name)).last()?
                }
                (b'[', Step::Element(index)) => self.inside(place).nth(*index)?,
                _ => return None,
            };
        }
        let found = self.values[place];
        Some(&self.text[found.begin as usize..found.end as usize])
    }

    /// The members or elements of an object or list.
    fn inside(&self, outer: usize) -> impl Iterator<Item = usize> {
        let end = self.values[outer].next as usize;
        let mut place = outer + 1;
        std::iter::from_fn(move || {
            let inner = (place < end).then_some(place)?;
            place = self.values[inner].next as usize;
            Some(inner)
        })
    }

    fn is_named(&self, member: usize, name: &str) -> bool {
        let quote = self.values[member].name as usize;
        let written = &self.text.as_bytes()[quote + 1..];
        // The name that is looked for has neither quotes nor escapes.
        if written.get(name.len()) == Some(&b'"') && written.starts_with(name.as_bytes()) {
            return true;
        }
        self.has_escapes
            && string_end(self.text.as_bytes(), quote).is_some_and(|(end, has_escapes)| {
                has_escapes && serde_json::from_str::<String>(&self.text[quote..end]).is_ok_and(|read| read == name)
            })
    }
}

/// The pass that checks a text. Its steps give `None` where it is not certainly JSON.
struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    values: Vec<Placed>,
    has_escapes: bool,
}

impl Scan<'_> {
    /// A value, whose name begins at `name` if it has one.
    fn value(&mut self, name: usize, depth: usize) -> Option<()> {
        let own = self.values.len();
        let begin = self.at as u32;
        self.values.push(Placed { name: name as u32, begin, end: begin, next: 0 });
        match self.peek()? {
            b'"' => self.string()?,
            b'{' => self.container(depth, b'}')?,
            b'[' => self.container(depth, b']')?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        let next = self.values.len() as u32;
        let placed = &mut self.values[own];
        (placed.end, placed.next) = (self.at as u32, next);
        Some(())
    }

    fn container(&mut self, depth: usize, close: u8) -> Option<()> {
        if depth == DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.blanks();
        if self.peek()? != close {
            loop {
                let name = self.at;
                if close == b'}' {
                    self.name()?;
                }
                self.value(name, depth + 1)?;
                self.blanks();
                match self.peek()? {
                    b',' => self.at += 1,
                    byte if byte == close => break,
                    _ => return None,
                }
                self.blanks();
            }
        }
        self.at += 1;
        Some(())
    }

    /// The name of a member, the colon and the blanks behind it.
    fn name(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.string()?;
        self.blanks();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        self.blanks();
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let (end, has_escapes) = string_end(self.bytes, self.at)?;
        self.at = end;
        self.has_escapes |= has_escapes;
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let starts_with_zero = self.peek()? == b'0';
        let whole = self.digits();
        if whole == 0 || whole > WHOLE_DIGITS_MAX || (starts_with_zero && whole > 1) {
            return None;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let b'+' | b'-' = self.peek()? {
                self.at += 1;
            }
            if !(1..=EXPONENT_DIGITS_MAX).contains(&self.digits()) {
                return None;
            }
        }
        Some(())
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.at < self.bytes.len() && self.bytes[self.at].is_ascii_digit() {
            self.at += 1;
        }
        self.at - from
    }

    fn blanks(&mut self) {
        while self.at < self.bytes.len() && matches!(self.bytes[self.at], b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// Just behind the string that begins at a quote, and whether it has escapes; `None` if it is not certainly valid.
fn string_end(bytes: &[u8], quote: usize) -> Option<(usize, bool)> {
    let mut at = quote + 1;
    let mut has_escapes = false;
    loop {
        while let Some(eight) = bytes[at..].first_chunk::<8>() {
            let special = special_bytes(u64::from_le_bytes(*eight));
            if special != 0 {
                at += special.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match *bytes.get(at)? {
            b'"' => return Some((at + 1, has_escapes)),
            b'\\' => {
                at += escape_length(&bytes[at..])?;
                has_escapes = true;
            }
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

/// Nonzero if one of eight bytes is a quote, a backslash or a control character; the lowest bit that is set is the
/// highest of the first such byte.
fn special_bytes(eight: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let is_zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let quote = is_zero(eight ^ (ONES * b'"' as u64));
    let backslash = is_zero(eight ^ (ONES * b'\\' as u64));
    let control = eight.wrapping_sub(ONES * 0x20) & !eight;
    (quote | backslash | control) & HIGHEST
}

/// Length of the escape at the beginning; that of a pair of surrogates is both. One alone is no character.
fn escape_length(bytes: &[u8]) -> Option<usize> {
    match *bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match unit(bytes)? {
            0xd800..=0xdbff => matches!(unit(&bytes[6..])?, 0xdc00..=0xdfff).then_some(12),
            0xdc00..=0xdfff => None,
            _ => Some(6),
        },
        _ => None,
    }
}

/// The four hexadecimal digits behind `\u`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests;
