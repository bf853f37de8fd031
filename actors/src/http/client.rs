//! A user's HTTP client: what is the same whatever speaks HTTP underneath.

use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use akrida_core::ids::UserIndex;
use akrida_core::scenario::connection::ConnectionRules;
use akrida_core::stats::recorder::Phases;

use super::connect::{Network, UserConnector};
use super::cookies::Cookies;
use super::error::HttpError;
use super::meter::Meter;
use super::proxy;
use super::redirect::{Hop, next_hop};
use super::request::{Outgoing, is_idempotent};
use super::response::Response;
use super::target::Target;
use super::transport::{AnyTransport, Exchange, Transport};
use super::watchdog::{Elapsed, Watchdog};
use super::websocket::{self, WebSocket};
use super::{HeaderValue, Method};
use crate::observe::Watch;

/// The HTTP client of one user: its own connections and cookies.
pub struct Client {
    session: Session<AnyTransport>,
    watchdog: Watchdog,
}

/// What became of a request.
#[derive(Debug)]
pub struct Outcome<T = Response> {
    /// The last response, or why there is none.
    pub result: Result<T, HttpError>,
    /// From the start to the last byte, redirects included.
    pub latency: Duration,
    /// When it ended.
    pub ended: Instant,
    /// Parts of the latency: connections and handshakes of all hops, and the time to the first byte of the last response.
    pub phases: Phases,
    /// Exchanges, as counted by the rule of [`super`].
    pub exchanges: u32,
}

impl Client {
    /// A client without connections and cookies.
    #[must_use]
    pub fn new(network: Rc<Network>, user: UserIndex) -> Self {
        Self::with_rules(network, user, Rc::default())
    }

    /// The same for a user that connects by rules.
    #[must_use]
    pub fn with_rules(network: Rc<Network>, user: UserIndex, rules: Rc<ConnectionRules>) -> Self {
        let meter = Rc::new(Meter::default());
        let connector = UserConnector { network, meter, user, rules };
        let transport = AnyTransport::new(connector.clone());
        let session = Session { transport, connector, cookies: Cookies::default() };
        Self { session, watchdog: Watchdog::default() }
    }

    /// What is known of the request under way, also after its future was dropped.
    #[must_use]
    pub fn meter(&self) -> Rc<Meter> {
        Rc::clone(&self.session.connector.meter)
    }

    /// Sends a request and follows its redirects. Ends by the request's time-out at the latest.
    pub async fn send(&mut self, request: &Outgoing) -> Outcome {
        let Self { session, watchdog } = self;
        let meter = Rc::clone(&session.connector.meter);
        let began = Began::now(&meter, request);
        let result = {
            // Dropped before anything is counted: what is still under way then is over.
            let follow = pin!(session.follow(request));
            watchdog.watch(began.deadline(), follow).await
        };
        began.ended(result)
    }

    /// Opens a WebSocket. Follows no redirects.
    pub async fn open_websocket(&mut self, request: &Outgoing) -> Outcome<WebSocket> {
        let Self { session, watchdog } = self;
        let meter = Rc::clone(&session.connector.meter);
        let began = Began::now(&meter, request);
        let result = {
            let open = pin!(session.open_websocket(request));
            watchdog.watch(began.deadline(), open).await
        };
        began.ended(result)
    }
}

/// A request under way.
struct Began<'a> {
    meter: &'a Meter,
    at: Instant,
    timeout: Duration,
}

impl<'a> Began<'a> {
    fn now(meter: &'a Meter, request: &Outgoing) -> Self {
        meter.begin_request();
        Self { meter, at: Instant::now(), timeout: request.timeout }
    }

    fn deadline(&self) -> tokio::time::Instant {
        self.at.checked_add(self.timeout).unwrap_or(self.at + FAR).into()
    }

    fn ended<T>(self, result: Result<Result<T, HttpError>, Elapsed>) -> Outcome<T> {
        let Self { meter, at, timeout } = self;
        meter.end_exchange();
        let result = result.unwrap_or(Err(HttpError::TimedOut(timeout)));
        let ended = Instant::now();
        let since_start = |then: Instant| then.saturating_duration_since(at).as_micros() as u64;
        let phases = Phases {
            connect_us: meter.connect().map(|took| took.as_micros() as u64),
            tls_us: meter.tls().map(|took| took.as_micros() as u64),
            first_byte_us: meter.first_byte().map(since_start),
        };
        Outcome { result, latency: ended - at, ended, phases, exchanges: meter.exchanges_over() }
    }
}

/// Stands for a deadline that no clock can hold.
const FAR: Duration = Duration::from_secs(365 * 86_400);

struct Session<T> {
    transport: T,
    connector: UserConnector,
    cookies: Cookies,
}

impl<T: Transport> Session<T> {
    async fn follow(&mut self, request: &Outgoing) -> Result<Response, HttpError> {
        let mut hop: Option<Hop> = None;
        let mut followed = 0;
        loop {
            let (method, target, with_body) = match &hop {
                None => (&request.method, &request.target, true),
                Some(hop) => (&hop.method, &hop.target, hop.with_body),
            };
            let response = self.exchange(request, method, target, with_body).await?;
            if request.redirects_max == 0 {
                return Ok(response);
            }
            let Some(mut next) = next_hop(&response, method, target)? else { return Ok(response) };
            if followed == request.redirects_max {
                return Err(HttpError::TooManyRedirects(request.redirects_max));
            }
            followed += 1;
            next.with_body &= with_body;
            hop = Some(next);
        }
    }

    /// One hop, repeated once on a new connection when the server had closed the old one.
    async fn exchange(
        &mut self,
        request: &Outgoing,
        method: &Method,
        target: &Target,
        with_body: bool,
    ) -> Result<Response, HttpError> {
        self.connector.network.check_allowed(target)?;
        let cookie: Option<HeaderValue> = self.cookies.header(target);
        let with_secrets = request.target.same_origin(target);
        let proxy = self.connector.rules.proxy.as_ref().filter(|_| !target.https());
        let exchange = Exchange { method, target, request, with_body, with_secrets, proxy, cookie };
        let mut result = self.once(&exchange).await;
        if result.as_ref().is_err_and(|error| self.may_repeat(error, method)) {
            self.connector.meter.end_exchange();
            result = self.once(&exchange).await;
        }
        self.connector.meter.end_exchange();
        let response = result?;
        if proxy.is_some() && response.status == proxy::CREDENTIALS_WANTED {
            return Err(proxy::refusal(response.status));
        }
        self.cookies.keep(&response.headers, target);
        Ok(response)
    }

    async fn open_websocket(&mut self, request: &Outgoing) -> Result<WebSocket, HttpError> {
        let target = &request.target;
        self.connector.network.check_allowed(target)?;
        let cookie = self.cookies.header(target);
        let (method, with_body, with_secrets, proxy) = (&Method::GET, false, true, None);
        let exchange = Exchange { method, target, request, with_body, with_secrets, proxy, cookie };
        Box::pin(websocket::open(&self.connector, &exchange)).await
    }

    async fn once(&self, exchange: &Exchange<'_>) -> Result<Response, HttpError> {
        let watch = self
            .connector
            .network
            .observer
            .as_deref()
            .map(|observer| Watch::begin(observer, exchange, &self.connector.meter));
        let result = self.transport.exchange(exchange).await;
        if let Some(watch) = watch {
            watch.end(&result);
        }
        result
    }

    /// Whether the server hung up on a connection that was kept from before, and nothing can have been done twice: not
    /// a byte was written, or the method is idempotent and not a byte came back (RFC 9112, section 9.3.1).
    fn may_repeat(&self, error: &HttpError, method: &Method) -> bool {
        let meter = &self.connector.meter;
        error.is_hang_up()
            && meter.reused()
            && meter.first_byte().is_none()
            && (!meter.wrote() || is_idempotent(method))
    }
}

#[cfg(test)]
mod tests {
    use super::super::HttpOptions;
    use super::*;

    /// A user that awaits a request carries this future whether it runs or not.
    #[test]
    fn a_request_under_way_is_small() {
        let mut client = Client::new(Rc::new(Network::new(&HttpOptions::default())), UserIndex(0));
        let request = Outgoing {
            method: Method::GET,
            target: Rc::new(Target::parse("http://server.test/").expect("valid")),
            headers: Rc::from([]),
            body: None,
            timeout: Duration::from_secs(1),
            redirects_max: 0,
            keep_body: false,
        };
        let bytes = std::mem::size_of_val(&client.send(&request));
        assert!(bytes <= 1_024, "{bytes} bytes");
    }
}
