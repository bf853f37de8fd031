//! What code of a class looks up by name, kept for all its users on an arbiter: lines of the statistics and URLs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use akrida_core::limits;
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::recorder::{EndpointId, Recorder};

use super::super::request_program::is_absolute;
use crate::http::target::Target;

/// The names that are known. Those beyond the bound are looked up anew each time.
#[derive(Debug)]
pub(in crate::user) struct NativeNames {
    host: Option<Arc<str>>,
    /// The host that paths are appended to, or why there is none.
    base: Option<Result<Rc<Target>, String>>,
    /// By method.
    endpoints: RefCell<HashMap<Box<str>, EndpointsByName>>,
    targets: RefCell<HashMap<Box<str>, Rc<Target>>>,
}

type EndpointsByName = HashMap<Box<str>, EndpointId>;

impl NativeNames {
    pub(in crate::user) fn new(host: Option<&Arc<str>>, base: Option<Result<Rc<Target>, String>>) -> Self {
        Self { host: host.cloned(), base, endpoints: RefCell::default(), targets: RefCell::default() }
    }

    /// The host as it is written.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The line of a request.
    pub(super) fn endpoint(&self, recorder: &RefCell<Recorder>, method: &str, name: &str) -> EndpointId {
        let mut methods = self.endpoints.borrow_mut();
        if let Some(&known) = methods.get(method).and_then(|names| names.get(name)) {
            return known;
        }
        let endpoint = recorder.borrow_mut().endpoint(&EndpointKey::request(method, name));
        if methods.values().map(HashMap::len).sum::<usize>() < limits::ENDPOINTS_MAX {
            methods.entry(method.into()).or_default().insert(name.into(), endpoint);
        }
        endpoint
    }

    /// The target of a URL, or of a path on the host.
    ///
    /// # Errors
    /// When it is no URL for HTTP, or a path without a host.
    pub(super) fn target(&self, url: &str) -> Result<Rc<Target>, String> {
        if let Some(known) = self.targets.borrow().get(url) {
            return Ok(Rc::clone(known));
        }
        let target = match &self.base {
            _ if is_absolute(url) => Target::parse(url),
            Some(base) => base.as_ref().map_err(String::clone)?.join(url),
            None => return Err("the class has no host, and the URL names none".to_owned()),
        };
        let target = Rc::new(target.map_err(|error| error.to_string())?);
        let mut targets = self.targets.borrow_mut();
        if targets.len() < limits::ENDPOINTS_MAX {
            targets.insert(url.into(), Rc::clone(&target));
        }
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_up_to_the_bound_and_right_beyond_it() {
        let base = Target::parse("http://server.test").map(Rc::new).map_err(|error| error.to_string());
        let names = NativeNames::new(None, Some(base));
        let recorder = RefCell::<Recorder>::default();
        for _ in 0..2 {
            for at in 0..limits::ENDPOINTS_MAX + 3 {
                let path = format!("/{at}");
                assert_eq!(names.target(&path).expect("valid").uri().path(), path);
                let known = recorder.borrow_mut().endpoint(&EndpointKey::request("GET", &path));
                assert_eq!(names.endpoint(&recorder, "GET", &path), known);
            }
        }
        assert_eq!(names.targets.borrow().len(), limits::ENDPOINTS_MAX);
        assert_ne!(names.endpoint(&recorder, "GET", "/0"), names.endpoint(&recorder, "GET", "/1"));
    }

    #[test]
    fn a_path_needs_a_host_and_a_url_does_not() {
        let names = NativeNames::new(None, None);
        assert!(names.target("/").is_err() && names.target("http://a.test/").is_ok());
        let names = NativeNames::new(None, Some(Err("host: not HTTP".to_owned())));
        assert_eq!(names.target("/").expect_err("refused"), "host: not HTTP");
    }
}
