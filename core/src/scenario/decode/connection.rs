//! How users connect.

use core::net::IpAddr;

use super::Decoder;
use super::cursor::Cursor;
use super::keys::CONNECTION;
use crate::document::problem::shown;
use crate::limits::{CONNECTION_AGE_MAX, SOURCES_MAX};
use crate::scenario::connection::{ConnectionRules, Proxy};

const HTTP2: &str = "`auto` or `never`";

const PROXY: &str = "`http://host:port`, perhaps with `user:password@` before the host";

impl<'n> Decoder<'n> {
    /// Rules for connections, on top of those around them.
    pub(super) fn connection(&mut self, cursor: &Cursor<'n>, around: &ConnectionRules) -> Option<ConnectionRules> {
        let object = self.object(cursor, &CONNECTION)?;
        let max_age = self.optional(&object, "max_age", |decoder, at| {
            let age = decoder.duration(at, "a time such as `60s`", CONNECTION_AGE_MAX)?;
            if age.is_zero() {
                decoder.problem(at, "an age is longer than nothing; `max_requests: 1` keeps no connection");
                return None;
            }
            Some(age)
        });
        let max_requests = self.optional(&object, "max_requests", |decoder, at| decoder.whole(at, 1, u64::MAX));
        let sources = self.optional(&object, "source", Self::sources);
        let proxy = self.optional(&object, "proxy", Self::proxy);
        let http2 = self.optional(&object, "http2", Self::http2);
        Some(ConnectionRules {
            max_age: max_age?.or(around.max_age),
            max_requests: max_requests?.or(around.max_requests),
            sources: sources?.map_or_else(|| around.sources.clone(), Into::into),
            proxy: proxy?.or_else(|| around.proxy.clone()),
            http2: http2?.unwrap_or(around.http2),
        })
    }

    fn http2(&mut self, cursor: &Cursor<'n>) -> Option<bool> {
        match self.text(cursor, HTTP2)? {
            "auto" => Some(true),
            "never" => Some(false),
            other => {
                self.problem(cursor, format!("found {:?}, expected {HTTP2}", shown(other)));
                None
            }
        }
    }

    fn sources(&mut self, cursor: &Cursor<'n>) -> Option<Vec<IpAddr>> {
        let texts = self.texts(cursor, "an IP address or a list of them")?;
        if texts.is_empty() || texts.len() > SOURCES_MAX {
            self.problem(cursor, format!("expected 1 to {SOURCES_MAX} IP addresses"));
            return None;
        }
        self.all(texts, |decoder, (at, text)| {
            let address = text.parse().ok();
            if address.is_none() {
                decoder.problem(&at, format!("{:?} is no IP address", shown(text)));
            }
            address
        })
    }

    fn proxy(&mut self, cursor: &Cursor<'n>) -> Option<Proxy> {
        let text = self.text(cursor, PROXY)?;
        match Proxy::parse(text) {
            Ok(proxy) => Some(proxy),
            Err(reason) => {
                self.problem(cursor, format!("no proxy: {reason}, expected {PROXY}"));
                None
            }
        }
    }
}
