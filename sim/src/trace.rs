//! What happened, as text: printed, or only as a hash by which two runs of a seed are compared.

use std::fmt::{self, Write};

/// What is done with the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceMode {
    /// Nothing.
    #[default]
    Off,
    /// Its hash is computed.
    Hash,
    /// It is printed to standard output.
    Print,
}

/// The trace of a seed.
#[derive(Debug)]
pub(crate) struct Trace {
    mode: TraceMode,
    hash: Hasher,
}

/// FNV-1a: the same everywhere and always.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher(u64);

impl Hasher {
    pub(crate) const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        // Eight bytes at a time: states are large.
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let word =
                u64::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7]]);
            self.mix(word);
        }
        chunks.remainder().iter().for_each(|byte| self.mix(u64::from(*byte) | 0x100));
    }

    fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// The hash of some bytes.
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = Hasher::NEW;
    hasher.add(bytes);
    hasher.value()
}

impl Write for Hasher {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text.as_bytes());
        Ok(())
    }
}

impl Trace {
    pub(crate) fn new(mode: TraceMode) -> Self {
        Self { mode, hash: Hasher::NEW }
    }

    /// Notes what happened. The text is made only if somebody wants it.
    pub(crate) fn note(&mut self, now_us: u64, what: fmt::Arguments<'_>) {
        match self.mode {
            TraceMode::Off => {}
            TraceMode::Hash => {
                self.hash.add(&now_us.to_le_bytes());
                // A hasher takes everything.
                let _ = self.hash.write_fmt(what);
            }
            TraceMode::Print => println!("{:>11.6} {what}", now_us as f64 / 1e6),
        }
    }

    /// The hash of everything so far; the same for nothing at all.
    pub(crate) fn hash(&self) -> u64 {
        self.hash.value()
    }
}
