//! The chunked transfer coding (RFC 9112, section 7.1), one byte at a time where there are no data.

use akrida_core::limits;

use super::super::error::HttpError;

/// Where in a chunked body the next byte is.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// Bytes of the current chunk that are still to come.
    left: u64,
    /// Bytes of the current size line, or of all trailers.
    line_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    SizeFirst,
    Size,
    SizeSpace,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    Done,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self { state: State::SizeFirst, left: 0, line_bytes: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes bytes from the front of `input` and returns the next piece of data among them; `None` when all bytes are
    /// taken or the body is at its end.
    ///
    /// # Errors
    /// When it is no chunked body, or a line is longer than anybody needs.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<&'a [u8]>, HttpError> {
        while self.state != State::Done {
            if self.state == State::Data {
                let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
                let (data, rest) = input.split_at(length);
                *input = rest;
                self.left -= length as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                if data.is_empty() {
                    return Ok(None);
                }
                return Ok(Some(data));
            }
            let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
            *input = rest;
            self.state = self.step(byte)?;
        }
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Result<State, HttpError> {
        self.line_bytes += 1;
        let limit = if self.in_trailers() { limits::RESPONSE_HEAD_BYTES_MAX } else { limits::CHUNK_LINE_BYTES_MAX };
        if self.line_bytes > limit {
            return Err(HttpError::InvalidResponse);
        }
        Ok(match (self.state, byte) {
            (State::SizeFirst | State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                let size = self.left.checked_mul(16).ok_or(HttpError::InvalidResponse)?;
                self.left = size + u64::from(digit);
                State::Size
            }
            (State::Size | State::SizeSpace, b' ' | b'\t') => State::SizeSpace,
            (State::Size | State::SizeSpace, b';') => State::Extension,
            (State::Size | State::SizeSpace | State::Extension, b'\r') => State::SizeLf,
            (State::Extension, b'\t' | 0x20..=0x7e | 0x80..) => State::Extension,
            (State::SizeLf, b'\n') => {
                self.line_bytes = 0;
                if self.left == 0 { State::TrailerStart } else { State::Data }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.line_bytes = 0;
                State::SizeFirst
            }
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::TrailerStart | State::Trailer, b'\t' | 0x20..=0x7e | 0x80..) => State::Trailer,
            (State::Trailer, b'\r') => State::TrailerLf,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::EndLf, b'\n') => State::Done,
            _ => return Err(HttpError::InvalidResponse),
        })
    }

    fn in_trailers(&self) -> bool {
        matches!(self.state, State::TrailerStart | State::Trailer | State::TrailerLf | State::EndLf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(body: &[u8], piece: usize) -> Result<(Vec<u8>, usize, bool), HttpError> {
        let (mut chunked, mut data, mut unused) = (Chunked::new(), Vec::new(), 0);
        for mut input in body.chunks(piece) {
            while let Some(piece) = chunked.next(&mut input)? {
                data.extend_from_slice(piece);
            }
            unused += input.len();
        }
        Ok((data, unused, chunked.is_done()))
    }

    #[test]
    fn data_are_the_same_in_whatever_pieces_they_come() {
        let body = b"4\r\nWiki\r\n06 ;a=\"b\"\r\npedia \r\nE;x\r\nin \r\n\r\nchunks.\r\n0\r\nA: b\r\nC: d\r\n\r\nnext";
        for piece in 1..=body.len() {
            let (data, unused, done) = decode(body, piece).expect("valid");
            assert_eq!((data.as_slice(), done), (b"Wikipedia in \r\n\r\nchunks.".as_slice(), true), "{piece}");
            assert_eq!(unused, 4, "what follows is not taken");
        }
        assert!(!decode(&body[..body.len() - 5], 7).expect("valid so far").2);
    }

    #[test]
    fn what_is_not_chunked_is_refused() {
        for body in [
            "x\r\n",
            "\r\n",
            ";a\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            "1 1\r\n",
            "1\n",
            "1\r\nab",
            "1\r\na\n",
            "0\r\n\n",
            "10000000000000000\r\n",
            "1;\x01\r\n",
            "0\r\nA: b\n\r\n",
        ] {
            assert_eq!(decode(body.as_bytes(), 3), Err(HttpError::InvalidResponse), "{body:?}");
        }
    }

    #[test]
    fn lines_are_bounded() {
        for (start, limit) in [("1;", limits::CHUNK_LINE_BYTES_MAX), ("0\r\nA: ", limits::RESPONSE_HEAD_BYTES_MAX)] {
            let long = format!("{start}{}", "x".repeat(limit));
            assert_eq!(decode(long.as_bytes(), 1_000), Err(HttpError::InvalidResponse), "{start:?}");
        }
        let many = format!("0\r\n{}", "A: b\r\n".repeat(limits::RESPONSE_HEAD_BYTES_MAX / 6 + 1));
        assert_eq!(decode(many.as_bytes(), 1_000), Err(HttpError::InvalidResponse));
    }
}
