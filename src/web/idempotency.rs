//! Keys that make the repetition of a request harmless.

use std::sync::Arc;

use akrida_core::limits;
use akrida_core::state::request::RequestKey;
use sha2::{Digest, Sha256};

/// Who asks, as long as nobody logs in.
const ANONYMOUS: &str = "anonymous";

/// A key as a client gave it; `None` if it is too long, empty, or not of visible ASCII characters.
pub(super) fn checked(key: &str) -> Option<Arc<str>> {
    let fits = (1..=limits::IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len());
    (fits && key.bytes().all(|byte| byte.is_ascii_graphic())).then(|| key.into())
}

/// A key for a request that came without one.
pub(super) fn drawn() -> Arc<str> {
    format!("{:032x}", fastrand::u128(..)).into()
}

/// The key bound to who asks for what, so that another request cannot use it.
pub(super) fn bound(key: &Arc<str>, method: &str, path: &str, body: &[u8]) -> RequestKey {
    let mut hash = Sha256::new();
    for part in [ANONYMOUS.as_bytes(), method.as_bytes(), path.as_bytes(), body] {
        // With its length, so that no two requests give the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let first = digest.first_chunk().copied().expect("a digest of 32 bytes");
    RequestKey { key: Arc::clone(key), fingerprint: u64::from_be_bytes(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_visible() {
        assert_eq!(checked("a-1").as_deref(), Some("a-1"));
        assert!(checked(&drawn()).is_some());
        for bad in ["", " ", "a b", "ä", "a\n", &"x".repeat(limits::IDEMPOTENCY_KEY_CHARS_MAX + 1)] {
            assert_eq!(checked(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn another_method_path_or_body_is_another_request() {
        let key: Arc<str> = "k".into();
        let first = bound(&key, "POST", "/a", b"x");
        assert_eq!(first, bound(&key, "POST", "/a", b"x"));
        for (method, path, body) in [("PUT", "/a", "x"), ("POST", "/b", "x"), ("POST", "/a", "y"), ("POST", "/ax", "")]
        {
            assert_ne!(first, bound(&key, method, path, body.as_bytes()));
        }
    }
}
