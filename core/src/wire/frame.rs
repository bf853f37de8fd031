//! Frames: how messages are cut out of a stream of bytes.
//!
//! ```text
//! length of the body, u32 big endian | kind u8 | version u8 | CRC-32 of kind, version and body, u32 big endian | body
//! ```
//!
//! The body is msgpack ([`super::body`]), except that of [`FrameKind::Raft`] and [`FrameKind::Formation`], which is
//! whatever the sender says, and that of a ping and a pong, which is empty.

use bytes::{Buf, Bytes, BytesMut};

use crate::limits;

/// Bytes before a body.
pub const HEADER_BYTES: usize = 10;

/// Bodies up to this size are copied out of the buffer of their stream, so that a small one that is kept does not keep
/// all of the buffer.
const COPIED_BYTES_MAX: usize = 16 * 1024;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// The first frame: who calls.
    Hello = 1,
    /// Prove it.
    Challenge = 2,
    /// The proof.
    Proof = 3,
    /// Welcome, and who answers.
    Accepted = 4,
    /// Not wanted, and why. The last frame.
    Refused = 5,
    /// A [`super::ToWorker`].
    ToWorker = 6,
    /// A [`super::FromWorker`].
    FromWorker = 7,
    /// A [`super::Leadership`].
    Leadership = 8,
    /// Is somebody there?
    Ping = 9,
    /// Yes.
    Pong = 10,
    /// A message of the Raft group.
    Raft = 11,
    /// A message of masters that form a group, or change it.
    Formation = 12,
    /// Where the masters are: a list of [`super::MasterPlace`].
    Masters = 13,
}

impl FrameKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Hello,
        Self::Challenge,
        Self::Proof,
        Self::Accepted,
        Self::Refused,
        Self::ToWorker,
        Self::FromWorker,
        Self::Leadership,
        Self::Ping,
        Self::Pong,
        Self::Raft,
        Self::Formation,
        Self::Masters,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// One message on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// The protocol version that its body is written in.
    pub version: u8,
    /// The message.
    pub body: Bytes,
}

impl Frame {
    /// The bytes before the body.
    ///
    /// # Errors
    /// When the body is longer than [`limits::FRAME_BYTES_MAX`].
    pub fn header(&self) -> Result<[u8; HEADER_BYTES], FrameError> {
        let mut checksum = Checksum::new(self.kind as u8, self.version);
        checksum.update(&self.body);
        self.header_with(checksum)
    }

    /// The bytes before the body, with a checksum over all of it: for long bodies, which are summed up piece by piece.
    ///
    /// # Errors
    /// When the body is longer than [`limits::FRAME_BYTES_MAX`].
    pub fn header_with(&self, checksum: Checksum) -> Result<[u8; HEADER_BYTES], FrameError> {
        let length = check_length(self.body.len() as u64, limits::FRAME_BYTES_MAX)? as u32;
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&length.to_be_bytes());
        header[4] = self.kind as u8;
        header[5] = self.version;
        header[6..].copy_from_slice(&checksum.0.finalize().to_be_bytes());
        Ok(header)
    }

    /// Appends the frame to a buffer.
    ///
    /// # Errors
    /// When the body is longer than [`limits::FRAME_BYTES_MAX`].
    pub fn encode(&self, into: &mut BytesMut) -> Result<(), FrameError> {
        let header = self.header()?;
        into.reserve(HEADER_BYTES + self.body.len());
        into.extend_from_slice(&header);
        into.extend_from_slice(&self.body);
        Ok(())
    }
}

/// The checksum of a frame, summed up piece by piece.
#[derive(Clone, Debug)]
pub struct Checksum(crc32fast::Hasher);

impl Checksum {
    /// That of a frame without a body.
    #[must_use]
    pub fn new(kind: u8, version: u8) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&[kind, version]);
        Self(hasher)
    }

    /// Adds the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
}

/// Bytes that are no frames. Nothing that follows them on the same stream can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An HTTP request or answer.
    #[error("this is HTTP; links and the web UI have ports of their own")]
    Http,
    /// A TLS handshake, or an alert.
    #[error("this is TLS; one side has TLS set up for links and the other has not")]
    Tls,
    /// A body is longer than allowed, or the bytes are no frame at all.
    #[error("a frame of {bytes} bytes is longer than the {bytes_max} allowed here, or this is another protocol")]
    TooLong {
        /// Its length.
        bytes: u64,
        /// What is allowed.
        bytes_max: usize,
    },
    /// The bytes changed on their way, or are no frame.
    #[error("the checksum of a frame is wrong")]
    Corrupt,
    /// The stream ended within a frame.
    #[error("the connection ended within a frame")]
    Truncated,
}

/// Cuts frames out of a stream. It takes memory for what has arrived, never for what a length promises.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    body_bytes_max: usize,
    skipped: u64,
    /// The checksum of what has arrived of the current body, and how much that is.
    summed: Option<(Checksum, usize)>,
}

impl Decoder {
    /// A decoder that takes bodies up to a size.
    #[must_use]
    pub fn new(body_bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), body_bytes_max, skipped: 0, summed: None }
    }

    /// Changes the largest size of a body.
    pub fn allow(&mut self, body_bytes_max: usize) {
        self.body_bytes_max = body_bytes_max;
    }

    /// Where the next bytes of the stream are to be appended.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Frames of kinds that this build does not know, and has skipped.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The next frame, if all of it has arrived.
    ///
    /// # Errors
    /// When the bytes are no frame; from then on always.
    pub fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            let Some((kind, version, body)) = self.take_any()? else { return Ok(None) };
            match FrameKind::of(kind) {
                Some(kind) => return Ok(Some(Frame { kind, version, body })),
                None => self.skipped += 1,
            }
        }
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// When it ended within a frame.
    pub fn end(&self) -> Result<(), FrameError> {
        if self.buffer.is_empty() { Ok(()) } else { Err(FrameError::Truncated) }
    }

    fn take_any(&mut self) -> Result<Option<(u8, u8, Bytes)>, FrameError> {
        let Some((header, arrived)) = self.buffer.split_first_chunk::<HEADER_BYTES>() else {
            if let Some(length) = self.buffer.first_chunk::<4>() {
                check_length(u32::from_be_bytes(*length).into(), self.body_bytes_max)?;
            }
            return Ok(None);
        };
        let [l0, l1, l2, l3, kind, version, c0, c1, c2, c3] = *header;
        let length = check_length(u32::from_be_bytes([l0, l1, l2, l3]).into(), self.body_bytes_max)?;
        let here = arrived.len().min(length);
        let (checksum, summed) = self.summed.get_or_insert_with(|| (Checksum::new(kind, version), 0));
        checksum.update(&arrived[*summed..here]);
        *summed = here;
        if here < length {
            return Ok(None);
        }
        if checksum.clone().0.finalize() != u32::from_be_bytes([c0, c1, c2, c3]) {
            return Err(FrameError::Corrupt);
        }
        self.summed = None;
        self.buffer.advance(HEADER_BYTES);
        Ok(Some((kind, version, self.take_body(length))))
    }

    fn take_body(&mut self, length: usize) -> Bytes {
        if length > COPIED_BYTES_MAX {
            return self.buffer.split_to(length).freeze();
        }
        let body = Bytes::copy_from_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        body
    }
}

fn check_length(bytes: u64, bytes_max: usize) -> Result<usize, FrameError> {
    match usize::try_from(bytes) {
        Ok(length) if length <= bytes_max => Ok(length),
        _ => Err(other_protocol(bytes).unwrap_or(FrameError::TooLong { bytes, bytes_max })),
    }
}

/// What another protocol begins with, where a length is expected.
fn other_protocol(bytes: u64) -> Option<FrameError> {
    match u32::try_from(bytes).ok()?.to_be_bytes() {
        [b'G', b'E', b'T', b' ']
        | [b'P', b'O', b'S', b'T']
        | [b'H', b'E', b'A', b'D']
        | [b'P', b'U', b'T', b' ']
        | [b'O', b'P', b'T', b'I']
        | [b'H', b'T', b'T', b'P']
        | [b'P', b'R', b'I', b' '] => Some(FrameError::Http),
        // A record of TLS: a handshake or an alert, in any version.
        [0x15 | 0x16, 3, ..] => Some(FrameError::Tls),
        _ => None,
    }
}
