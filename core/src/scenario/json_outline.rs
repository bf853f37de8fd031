//! Looking up single places of a JSON text without building all of its values.
//!
//! An outline is made in one pass that checks the whole text and notes where each object and list ends. A lookup then
//! follows its path from member to member and hops over what is beside it.
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

/// A valid JSON text and the ends of its objects and lists.
#[derive(Debug)]
pub(super) struct JsonOutline<'t> {
    text: &'t str,
    /// In the order in which they begin.
    containers: Vec<Container>,
    /// Whether a name may be written otherwise than it reads.
    has_escapes: bool,
}

/// An object or list.
#[derive(Clone, Copy, Debug)]
struct Container {
    /// Just behind its closing bracket.
    end: u32,
    /// The first container that begins behind it.
    next: u32,
}

/// The beginning of a value.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    /// The first container that begins there or later.
    container: usize,
}

/// Nesting that is outlined; `serde_json` refuses 128 levels, and the stack has to hold.
const DEPTH_MAX: usize = 100;
/// Digits before the point and of the exponent, with which a number is within the range of 64 bits.
const WHOLE_DIGITS_MAX: usize = 18;
const EXPONENT_DIGITS_MAX: usize = 2;

impl<'t> JsonOutline<'t> {
    /// Outlines a text; `None` if it is not JSON, or perhaps not.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let mut scan = Scan { bytes: text.as_bytes(), at: 0, containers: Vec::with_capacity(16), has_escapes: false };
        scan.blanks();
        scan.value(0)?;
        scan.blanks();
        let is_whole = scan.at == text.len();
        is_whole.then_some(Self { text, containers: scan.containers, has_escapes: scan.has_escapes })
    }

    /// The text of the value to which a path leads.
    pub(super) fn find(&self, path: &[Step]) -> Option<&'t str> {
        let mut place = Place { at: skip_blanks(self.text.as_bytes(), 0), container: 0 };
        for step in path {
            place = match (self.byte(place.at), step) {
                (b'{', Step::Member(name)) => self.member(place, name)?,
                (b'[', Step::Element(index)) => self.element(place, *index)?,
                _ => return None,
            };
        }
        Some(&self.text[place.at..self.behind(place).at])
    }

    fn member(&self, object: Place, name: &str) -> Option<Place> {
        let bytes = self.text.as_bytes();
        let mut found = None;
        let mut place = Place { at: skip_blanks(bytes, object.at + 1), container: object.container + 1 };
        while self.byte(place.at) == b'"' {
            let (end, _) = string_end(bytes, place.at)?;
            let is_wanted = self.is_name(place.at, end, name);
            // Behind the colon.
            place.at = skip_blanks(bytes, skip_blanks(bytes, end) + 1);
            if is_wanted {
                found = Some(place);
            }
            place = self.next(place)?;
        }
        found
    }

    fn is_name(&self, at: usize, end: usize, name: &str) -> bool {
        let written = &self.text.as_bytes()[at + 1..end - 1];
        if written == name.as_bytes() {
            return true;
        }
        self.has_escapes
            && written.contains(&b'\\')
            && serde_json::from_str::<String>(&self.text[at..end]).is_ok_and(|read| read == name)
    }

    fn element(&self, list: Place, index: usize) -> Option<Place> {
        let mut place = Place { at: skip_blanks(self.text.as_bytes(), list.at + 1), container: list.container + 1 };
        for _ in 0..index {
            if self.byte(place.at) == b']' {
                return None;
            }
            place = self.next(place)?;
        }
        (self.byte(place.at) != b']').then_some(place)
    }

    /// The member or element that follows a value, or the bracket that closes what it is in.
    fn next(&self, place: Place) -> Option<Place> {
        let bytes = self.text.as_bytes();
        let Place { at, container } = self.behind(place);
        let at = skip_blanks(bytes, at);
        let at = if *bytes.get(at)? == b',' { skip_blanks(bytes, at + 1) } else { at };
        Some(Place { at, container })
    }

    /// Just behind a value.
    fn behind(&self, Place { at, container }: Place) -> Place {
        let bytes = self.text.as_bytes();
        match self.byte(at) {
            b'{' | b'[' => self.containers.get(container).map_or(Place { at: bytes.len(), container }, |skipped| {
                Place { at: skipped.end as usize, container: skipped.next as usize }
            }),
            b'"' => Place { at: string_end(bytes, at).map_or(bytes.len(), |(end, _)| end), container },
            _ => {
                let mut end = at;
                while end < bytes.len() && !matches!(bytes[end], b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') {
                    end += 1;
                }
                Place { at: end, container }
            }
        }
    }

    /// A byte of the text; 0 behind its end.
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }
}

/// The pass that checks a text. Its steps give `None` where it is not certainly JSON.
struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    containers: Vec<Container>,
    has_escapes: bool,
}

impl Scan<'_> {
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.container(depth, b'}'),
            b'[' => self.container(depth, b']'),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn container(&mut self, depth: usize, close: u8) -> Option<()> {
        if depth == DEPTH_MAX {
            return None;
        }
        let own = self.containers.len();
        self.containers.push(Container { end: 0, next: 0 });
        self.at += 1;
        self.blanks();
        if self.peek()? != close {
            loop {
                if close == b'}' {
                    self.name()?;
                }
                self.value(depth + 1)?;
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
        self.containers[own] = Container { end: self.at as u32, next: self.containers.len() as u32 };
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
        self.at = skip_blanks(self.bytes, self.at);
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && matches!(bytes[at], b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// Just behind the string that begins at a quote, and whether it has escapes; `None` if it is not certainly valid.
fn string_end(bytes: &[u8], quote: usize) -> Option<(usize, bool)> {
    let mut at = quote + 1;
    let mut has_escapes = false;
    loop {
        while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
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

/// Length of the escape at the beginning. Half of a surrogate pair is left to the full parse, and so are whole ones.
fn escape_length(bytes: &[u8]) -> Option<usize> {
    match *bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => {
            let digits = bytes.get(2..6)?;
            let is_surrogate = digits[0].eq_ignore_ascii_case(&b'd') && digits[1] >= b'8';
            (digits.iter().all(u8::is_ascii_hexdigit) && !is_surrogate).then_some(6)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
