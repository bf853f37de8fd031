//! A user's cookies. A user that never gets one has no jar.

use cookie_store::CookieStore;
use url::Url;

use super::HeaderValue;
use super::response::ResponseHeaders;
use super::target::Target;

/// The cookies of one user.
#[derive(Debug, Default)]
pub(super) struct Cookies(Option<Box<CookieStore>>);

impl Cookies {
    /// Keeps what a response sets. A cookie that is not for its server is ignored, as in a browser.
    pub(super) fn keep(&mut self, headers: &ResponseHeaders, target: &Target) {
        let mut cookies = headers.cookies().peekable();
        if cookies.peek().is_none() {
            return;
        }
        let Some(url) = target.url() else { return };
        let jar = self.0.get_or_insert_default();
        for cookie in cookies {
            let _ = jar.parse(cookie, url);
        }
    }

    /// The value of `Cookie` for a server, if there are cookies for it.
    pub(super) fn header(&self, target: &Target) -> Option<HeaderValue> {
        let jar = self.0.as_ref()?;
        let url: &Url = target.url()?;
        let mut text = String::new();
        for (name, value) in jar.get_request_values(url) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        if text.is_empty() { None } else { HeaderValue::try_from(text).ok() }
    }
}

#[cfg(test)]
mod tests {
    use actix_http::header::{HeaderMap, SET_COOKIE};

    use super::*;

    fn set(value: &'static str) -> ResponseHeaders {
        let mut map = HeaderMap::new();
        map.append(SET_COOKIE, HeaderValue::from_static(value));
        ResponseHeaders::new(map)
    }

    #[test]
    fn cookies_go_to_the_server_and_path_that_they_are_for() {
        let target = |text| Target::parse(text).expect("valid");
        let mut cookies = Cookies::default();
        cookies.keep(&set("a=1; Path=/x"), &target("http://one.test/x/y"));
        assert_eq!(cookies.header(&target("http://one.test/x/z")).expect("sent"), "a=1");
        assert!(cookies.header(&target("http://one.test/")).is_none());
        assert!(cookies.header(&target("http://two.test/x/z")).is_none());
        cookies.keep(&set("b=2; Domain=two.test"), &target("http://one.test/"));
        assert!(cookies.header(&target("http://two.test/")).is_none(), "a cookie for another server is ignored");
        cookies.keep(&set("a=1; Path=/x; Max-Age=0"), &target("http://one.test/x/y"));
        assert!(cookies.header(&target("http://one.test/x/z")).is_none());
    }
}
