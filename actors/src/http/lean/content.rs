//! What is kept of a body: decoded, and no more than the limit. A body that nobody looks at is not decoded.

use std::io::{self, Write};

use akrida_core::limits;
use flate2::write::{GzDecoder, ZlibDecoder};

use super::super::error::HttpError;

/// How a body is encoded; other codings are left as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all, or in a way that is not undone here.
    #[default]
    Identity,
    /// `gzip`
    Gzip,
    /// `deflate`, which is zlib.
    Deflate,
}

impl Coding {
    /// From the value of `Content-Encoding`.
    pub(crate) fn of(value: &[u8]) -> Self {
        let value = value.trim_ascii();
        if value.eq_ignore_ascii_case(b"gzip") {
            Self::Gzip
        } else if value.eq_ignore_ascii_case(b"deflate") {
            Self::Deflate
        } else {
            Self::Identity
        }
    }
}

/// A body that is being read.
pub(crate) enum Content {
    /// Nothing of it is kept.
    Unwanted,
    /// Not encoded.
    Identity(Kept),
    /// Boxed, as the next one: decoders are large and rare.
    Gzip(Box<GzDecoder<Kept>>),
    /// See [`Coding::Deflate`].
    Deflate(Box<ZlibDecoder<Kept>>),
}

/// The beginning of a decoded body.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    /// Whether the body was longer.
    pub(crate) cut: bool,
}

/// Room made for a body of known length before any of it came. A server may promise more than it sends.
const ROOM_BYTES_MAX: u64 = 64 * 1024;

impl Content {
    /// An empty body that is to be kept. `expected` is the length of what will come, if that is known.
    pub(crate) fn new(coding: Coding, expected: Option<u64>) -> Self {
        match coding {
            Coding::Identity => {
                let room = expected.unwrap_or(0).min(ROOM_BYTES_MAX);
                Self::Identity(Kept { bytes: Vec::with_capacity(room as usize), cut: false })
            }
            Coding::Gzip => Self::Gzip(Box::new(GzDecoder::new(Kept::default()))),
            Coding::Deflate => Self::Deflate(Box::new(ZlibDecoder::new(Kept::default()))),
        }
    }

    /// Takes the next piece, as it came.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), HttpError> {
        match self {
            Self::Unwanted => Ok(()),
            Self::Identity(kept) => {
                kept.push(piece);
                Ok(())
            }
            Self::Gzip(decoder) => decoder.write_all(piece).map_err(undecodable),
            Self::Deflate(decoder) => decoder.write_all(piece).map_err(undecodable),
        }
    }

    /// Ends the body.
    ///
    /// # Errors
    /// When an encoded body is not complete.
    pub(crate) fn finish(self) -> Result<Kept, HttpError> {
        match self {
            Self::Unwanted => Ok(Kept::default()),
            Self::Identity(kept) => Ok(kept),
            Self::Gzip(decoder) => decoder.finish().map_err(undecodable),
            Self::Deflate(decoder) => decoder.finish().map_err(undecodable),
        }
    }
}

impl Kept {
    fn push(&mut self, piece: &[u8]) {
        let room = limits::BODY_KEPT_BYTES_MAX - self.bytes.len();
        self.cut |= piece.len() > room;
        self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

impl Write for Kept {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.push(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn undecodable(_: io::Error) -> HttpError {
    HttpError::UndecodableBody
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn read(coding: Coding, body: &[u8], piece: usize) -> Result<Vec<u8>, HttpError> {
        let mut content = Content::new(coding, None);
        for piece in body.chunks(piece) {
            content.push(piece)?;
        }
        content.finish().map(|kept| kept.bytes)
    }

    #[test]
    fn a_coding_is_undone_in_whatever_pieces_it_comes() {
        let text = b"hello ".repeat(100);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).expect("compresses");
        zlib.write_all(&text).expect("compresses");
        for (name, body) in [
            ("GZIP", gzip.finish().expect("compresses")),
            (" deflate ", zlib.finish().expect("compresses")),
            ("br", text.clone()),
        ] {
            let coding = Coding::of(name.as_bytes());
            for piece in [1, 7, body.len()] {
                assert_eq!(read(coding, &body, piece).as_ref(), Ok(&text), "{name} {piece}");
            }
            let broken = read(coding, &[&body[..12], b"xxxxxxxx"].concat(), 5);
            assert_eq!(broken.is_err(), coding != Coding::Identity, "{name}");
        }
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let piece = vec![0; limits::BODY_KEPT_BYTES_MAX / 2];
        let mut content = Content::new(Coding::Identity, Some(u64::MAX));
        for _ in 0..2 {
            content.push(&piece).expect("no coding");
        }
        assert!(matches!(&content, Content::Identity(kept) if !kept.cut), "all of it");
        content.push(b"x").expect("no coding");
        let kept = content.finish().expect("no coding");
        assert_eq!((kept.bytes.len(), kept.cut), (limits::BODY_KEPT_BYTES_MAX, true));
    }
}
