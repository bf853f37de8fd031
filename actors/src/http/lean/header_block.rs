//! Headers that are looked up in the bytes they came in: most are never asked for.

/// The head of a response that was found to be valid.
#[derive(Debug, Default)]
pub(crate) struct HeaderBlock(Box<[u8]>);

impl HeaderBlock {
    /// Copies a head.
    pub(crate) fn new(head: &[u8]) -> Self {
        Self(head.into())
    }

    /// The values of a header, in order.
    pub(crate) fn values<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.lines().filter_map(move |line| {
            let (found, value) = line.split_at_checked(name.len())?;
            let value = value.trim_ascii_start().strip_prefix(b":")?;
            found.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
        })
    }

    /// Names and values of all headers, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines().filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()))
        })
    }

    /// The lines after the first, which is the status.
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.0.split(|byte| *byte == b'\n').skip_while(|line| line.trim_ascii().is_empty());
        lines.skip(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_whatever_the_case_and_the_space_around_them() {
        let block = HeaderBlock::new(b"\r\nHTTP/1.1 200 a: b\r\nA:1\r\nAb: 2\r\na :\t 3 \nEmpty:\r\nC: x:y\r\n\r\n");
        let values =
            |name| block.values(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>();
        assert_eq!(values("A"), ["1", "3"]);
        assert_eq!(values("aB"), ["2"]);
        assert_eq!(values("c"), ["x:y"]);
        assert_eq!(values("empty"), [""]);
        assert_eq!(block.all().map(|(name, _)| name).collect::<Vec<_>>(), [b"A", &b"Ab"[..], b"a", b"Empty", b"C"]);
        assert!(values("b").is_empty() && values("").is_empty() && values("HTTP/1.1 200 a").is_empty());
    }
}
