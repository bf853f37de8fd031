//! Frames: any split of a stream gives the same ones, and no bytes make a decoder panic or take memory on credit.

#![allow(clippy::unwrap_used, reason = "tests")]

use akrida_core::limits;
use akrida_core::wire::frame::{Checksum, Decoder, Frame, FrameError, FrameKind, HEADER_BYTES};
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let body = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (any::<u8>(), 16_000_usize..40_000).prop_map(|(byte, length)| vec![byte; length]),
    ];
    let frame = (prop::sample::select(&FrameKind::ALL[..]), any::<u8>(), body)
        .prop_map(|(kind, version, body)| Frame { kind, version, body: body.into() });
    prop::collection::vec(frame, 0..8)
}

fn encoded(frames: &[Frame]) -> BytesMut {
    let mut bytes = BytesMut::new();
    for frame in frames {
        frame.encode(&mut bytes).unwrap();
    }
    bytes
}

/// What comes out of pieces of a stream.
fn decoded<'a>(decoder: &mut Decoder, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Frame>, FrameError> {
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.buffer().extend_from_slice(piece);
        while let Some(frame) = decoder.take()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(sent in frames(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30)) {
        let bytes = encoded(&sent);
        let mut decoder = Decoder::new(limits::FRAME_BYTES_MAX);
        prop_assert_eq!(decoded(&mut decoder, pieces(&bytes, &cuts)), Ok(sent));
        prop_assert_eq!(decoder.end(), Ok(()));
    }

    #[test]
    fn a_stream_that_ends_early_is_truncated(sent in frames(), cut in any::<prop::sample::Index>()) {
        let bytes = encoded(&sent);
        let cut = cut.index(bytes.len() + 1);
        let mut decoder = Decoder::new(limits::FRAME_BYTES_MAX);
        let received = decoded(&mut decoder, [&bytes[..cut]]).unwrap();
        prop_assert_eq!(&sent[..received.len()], &received[..]);
        let is_whole = encoded(&received).len() == cut;
        prop_assert_eq!(decoder.end(), if is_whole { Ok(()) } else { Err(FrameError::Truncated) });
    }

    #[test]
    fn a_changed_byte_never_passes_for_what_was_sent(sent in frames(), at in any::<prop::sample::Index>(), by in 1_u8..) {
        let mut bytes = encoded(&sent);
        prop_assume!(!bytes.is_empty());
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        let mut decoder = Decoder::new(limits::FRAME_BYTES_MAX);
        if let Ok(received) = decoded(&mut decoder, [&bytes[..]]) {
            // A longer length may still wait for its bytes; what came before it is untouched.
            prop_assert!(received.len() < sent.len());
            prop_assert_eq!(&sent[..received.len()], &received[..]);
            prop_assert_eq!(decoder.end(), Err(FrameError::Truncated));
        }
    }

    #[test]
    fn garbage_is_an_error_or_waits_for_more_and_takes_no_memory(
        bytes in prop::collection::vec(any::<u8>(), 0..3_000),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut decoder = Decoder::new(limits::FRAME_BYTES_MAX);
        let _ = decoded(&mut decoder, pieces(&bytes, &cuts));
        prop_assert!(decoder.buffer().capacity() <= 4 * 3_000);
    }
}

#[test]
fn a_length_of_four_gigabytes_is_refused_at_its_last_byte() {
    let mut decoder = Decoder::new(limits::FRAME_BYTES_MAX);
    let error = decoded(&mut decoder, [&[0xff, 0xff, 0xff][..], &[0xff]]);
    assert_eq!(error, Err(FrameError::TooLong { bytes: u32::MAX.into(), bytes_max: limits::FRAME_BYTES_MAX }));
    assert!(decoder.buffer().capacity() < 1_000);
    assert!(decoder.take().is_err(), "what follows on a broken stream is not trusted either");
}

#[test]
fn a_bound_holds_for_what_comes_and_can_be_widened() {
    let frame = Frame { kind: FrameKind::Hello, version: 1, body: Bytes::from(vec![7; 5_000]) };
    let bytes = encoded(std::slice::from_ref(&frame));
    let mut decoder = Decoder::new(4_999);
    assert_eq!(decoded(&mut decoder, [&bytes[..]]), Err(FrameError::TooLong { bytes: 5_000, bytes_max: 4_999 }));
    let mut decoder = Decoder::new(4_999);
    decoder.allow(5_000);
    assert_eq!(decoded(&mut decoder, [&bytes[..]]), Ok(vec![frame]));
}

#[test]
fn a_body_that_is_too_long_is_not_encoded() {
    let body = Bytes::from(vec![0; limits::FRAME_BYTES_MAX + 1]);
    let frame = Frame { kind: FrameKind::Raft, version: 1, body };
    assert!(matches!(frame.encode(&mut BytesMut::new()), Err(FrameError::TooLong { .. })));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut bytes = encoded(&[Frame { kind: FrameKind::Ping, version: 1, body: Bytes::new() }]);
    bytes[HEADER_BYTES - 1] ^= 1;
    assert_eq!(decoded(&mut Decoder::new(100), [&bytes[..]]), Err(FrameError::Corrupt));
}

#[test]
fn unknown_kinds_are_skipped_and_counted() {
    let known = Frame { kind: FrameKind::Pong, version: 3, body: Bytes::from_static(b"here") };
    let mut unknown = encoded(std::slice::from_ref(&known));
    unknown[4] = 200;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&[200, 3]);
    checksum.update(b"here");
    unknown[6..10].copy_from_slice(&checksum.finalize().to_be_bytes());
    let stream = [&unknown[..], &encoded(std::slice::from_ref(&known))[..], &unknown[..]].concat();
    let mut decoder = Decoder::new(100);
    assert_eq!(decoded(&mut decoder, [&stream[..]]), Ok(vec![known]));
    assert_eq!((decoder.skipped(), decoder.end()), (2, Ok(())));
}

#[test]
fn a_checksum_by_pieces_is_the_same() {
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let frame = Frame { kind: FrameKind::Raft, version: 1, body: body.into() };
    let mut checksum = Checksum::new(frame.kind as u8, frame.version);
    for piece in frame.body.chunks(1_000) {
        checksum.update(piece);
    }
    assert_eq!(frame.header_with(checksum), frame.header());
}

#[test]
fn the_kinds_keep_their_numbers() {
    let numbers: Vec<u8> = FrameKind::ALL.iter().map(|kind| *kind as u8).collect();
    assert_eq!(numbers, (1..=13).collect::<Vec<u8>>());
}
