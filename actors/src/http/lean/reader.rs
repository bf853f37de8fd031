//! Bytes as a response, whatever pieces they come in.

use akrida_core::limits;

use super::super::error::HttpError;
use super::super::response::{Response, ResponseHeaders};
use super::chunked::Chunked;
use super::content::{Content, Kept};
use super::head::{self, Framing, Head};
use super::header_block::HeaderBlock;

/// Reads the response to one request.
pub(super) struct ResponseReader {
    answers_head: bool,
    keep_body: bool,
    /// Bytes of a head that is not complete, at most `limits::RESPONSE_HEAD_BYTES_MAX` and one read.
    unfinished: Vec<u8>,
    /// How long the unfinished head is to be before another look is worth it: a head that comes byte by byte is read a
    /// few times and not once a byte.
    look_again_at: usize,
    interim: u32,
    body: Option<Body>,
}

struct Body {
    head: Head,
    block: HeaderBlock,
    end: End,
    content: Content,
    /// Its length so far, as it was sent.
    bytes: u64,
}

enum End {
    After(u64),
    Chunked(Chunked),
    WithConnection,
}

/// A response that is complete.
pub(super) struct Received {
    pub(super) response: Response,
    /// Whether the connection can be used for another exchange.
    pub(super) reusable: bool,
}

/// How far a response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More bytes are needed.
    Partial,
    /// It is complete.
    Complete {
        /// Whether bytes followed that nobody asked for.
        surplus: bool,
    },
}

impl ResponseReader {
    /// A reader of the response to a request, which may be one for the head alone.
    pub(super) fn new(answers_head: bool, keep_body: bool) -> Self {
        Self { answers_head, keep_body, unfinished: Vec::new(), look_again_at: 0, interim: 0, body: None }
    }

    /// Takes the next bytes. Not to be called after the response is complete.
    ///
    /// # Errors
    /// When this is no valid response.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Progress, HttpError> {
        if self.body.is_some() {
            return self.read_body(bytes);
        }
        if self.unfinished.is_empty() {
            return self.read_heads(bytes);
        }
        let known = self.unfinished.len();
        self.unfinished.extend_from_slice(bytes);
        if !self.is_worth_a_look(known) {
            return Ok(Progress::Partial);
        }
        let all = std::mem::take(&mut self.unfinished);
        self.read_heads(&all)
    }

    /// The connection has ended; `clean` unless its end may have been forged, as it may over TLS.
    ///
    /// # Errors
    /// When the response is not complete.
    pub(super) fn end(&mut self, clean: bool) -> Result<(), HttpError> {
        match &self.body {
            Some(body) if clean && matches!(body.end, End::WithConnection) => Ok(()),
            Some(_) => Err(HttpError::EndedEarly),
            // Something else than HTTP rather than too little of it.
            None => head::parse(&self.unfinished, self.answers_head).and(Err(HttpError::EndedEarly)),
        }
    }

    /// The response, once it is complete.
    ///
    /// # Errors
    /// When its body cannot be decoded to the end.
    pub(super) fn finish(self) -> Result<Received, HttpError> {
        let Body { head, block, content, bytes, .. } = self.body.ok_or(HttpError::EndedEarly)?;
        // An encoded body that is empty is no encoded body.
        let kept = if bytes > 0 { content.finish()? } else { Kept::default() };
        let response = Response {
            status: head.status,
            headers: ResponseHeaders::of_block(block, head.sets_cookies),
            body: kept.bytes.into(),
            body_cut: kept.cut,
            content_bytes: bytes,
        };
        Ok(Received { response, reusable: head.keep_alive })
    }

    /// Reads heads up to that of the final response, and what follows it.
    fn read_heads(&mut self, mut bytes: &[u8]) -> Result<Progress, HttpError> {
        loop {
            let Some(head) = head::parse(bytes, self.answers_head)? else {
                self.unfinished = bytes.to_vec();
                self.look_again_at = bytes.len() * 2;
                return Ok(Progress::Partial);
            };
            let (block, rest) = bytes.split_at(head.bytes);
            match head.status {
                // Nobody asked for another protocol.
                101 => return Err(HttpError::InvalidResponse),
                100..=199 => {
                    self.interim += 1;
                    if self.interim > limits::INTERIM_RESPONSES_MAX {
                        return Err(HttpError::InvalidResponse);
                    }
                    bytes = rest;
                }
                _ => {
                    self.body = Some(Body::new(head, block, self.keep_body));
                    return self.read_body(rest);
                }
            }
        }
    }

    /// Whether the unfinished head, of which `known` bytes were there before, may be complete or is much longer now.
    fn is_worth_a_look(&self, known: usize) -> bool {
        let length = self.unfinished.len();
        let ends = || {
            let new = &self.unfinished[known.saturating_sub(3)..];
            new.windows(2).any(|pair| pair == b"\n\n") || new.windows(3).any(|three| three == b"\n\r\n")
        };
        length >= self.look_again_at || length >= limits::RESPONSE_HEAD_BYTES_MAX || ends()
    }

    fn read_body(&mut self, mut bytes: &[u8]) -> Result<Progress, HttpError> {
        let Some(body) = &mut self.body else { return Ok(Progress::Partial) };
        let Body { end, content, bytes: received, .. } = body;
        let mut push = |piece: &[u8]| {
            *received += piece.len() as u64;
            content.push(piece)
        };
        let done = match end {
            End::After(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                let (piece, rest) = bytes.split_at(length);
                *left -= length as u64;
                let done = *left == 0;
                bytes = rest;
                push(piece)?;
                done
            }
            End::Chunked(chunked) => {
                while let Some(piece) = chunked.next(&mut bytes)? {
                    push(piece)?;
                }
                chunked.is_done()
            }
            End::WithConnection => {
                push(bytes)?;
                false
            }
        };
        Ok(if done { Progress::Complete { surplus: !bytes.is_empty() } } else { Progress::Partial })
    }
}

impl Body {
    fn new(head: Head, block: &[u8], keep: bool) -> Self {
        let (end, expected) = match head.framing {
            Framing::Length(length) => (End::After(length), Some(length)),
            Framing::Chunked => (End::Chunked(Chunked::new()), None),
            Framing::UntilClose => (End::WithConnection, None),
        };
        let content = if keep { Content::new(head.coding, expected) } else { Content::Unwanted };
        Self { head, block: HeaderBlock::new(block), end, content, bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Status, body and length of what a server sends in pieces before it closes.
    fn read(pieces: &[&[u8]]) -> Result<(u16, Vec<u8>, u64), HttpError> {
        let mut reader = ResponseReader::new(false, true);
        let mut complete = false;
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            complete = reader.feed(piece)? != Progress::Partial;
            assert!(reader.unfinished.len() < limits::RESPONSE_HEAD_BYTES_MAX, "an unfinished head is bounded");
            if complete {
                break;
            }
        }
        if !complete {
            reader.end(true)?;
        }
        let response = reader.finish()?.response;
        Ok((response.status, response.body.to_vec(), response.content_bytes))
    }

    #[test]
    fn an_end_that_may_be_forged_ends_no_body() {
        let mut reader = ResponseReader::new(false, true);
        assert_eq!(reader.feed(b"HTTP/1.1 200 OK\r\n\r\nhel"), Ok(Progress::Partial));
        assert_eq!(reader.end(false), Err(HttpError::EndedEarly));
        assert_eq!(reader.end(true), Ok(()));
    }

    #[test]
    fn interim_responses_and_endless_heads_are_bounded() {
        let interim = b"HTTP/1.1 103 Hints\r\n\r\n".repeat(limits::INTERIM_RESPONSES_MAX as usize);
        let last = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(&[&interim, last]), Ok((200, Vec::new(), 0)));
        assert_eq!(read(&[&interim, &interim[..22], last]), Err(HttpError::InvalidResponse));
        let line = b"A: bcdefg\r\n".repeat(100);
        let mut endless: Vec<&[u8]> = vec![b"HTTP/1.1 200 OK\r\n"];
        endless.resize(1_000, &line);
        assert_eq!(read(&endless), Err(HttpError::InvalidResponse));
    }

    fn like_a_response() -> impl Strategy<Value = Vec<u8>> {
        let parts: [&[u8]; 12] = [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 204 None\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"Content-Length: 3\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Content-Encoding: deflate\r\n",
            b"\r\n",
            b"\n\n",
            b"3\r\nabc\r\n",
            b"0\r\n\r\n",
            b"0\r\nA: b\r\n\r\n",
            b"fffffffffffffffff\r\n",
        ];
        let known = proptest::sample::select(parts.map(<[u8]>::to_vec).to_vec());
        let part = prop_oneof![4 => known, 1 => proptest::collection::vec(any::<u8>(), 0..80)];
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_mean_the_same_in_whatever_pieces_they_come(
            bytes in like_a_response(),
            sizes in proptest::collection::vec(1_usize..9, 1..6),
        ) {
            let mut pieces: Vec<&[u8]> = Vec::new();
            let mut rest = &bytes[..];
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at((*size).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            prop_assert_eq!(read(&pieces), read(&[&bytes]));
        }
    }
}
