//! A redirect does not lead to a host that is not on the list.

use std::rc::Rc;

use akrida_actors::http::client::Client;
use akrida_actors::http::connect::Network;
use akrida_actors::http::{HttpOptions, Method};
use akrida_core::ids::UserIndex;

use crate::play::{BOTH, OK, line_of, request};
use crate::server::{Server, answer, hold};

#[actix_rt::test]
async fn a_redirect_to_another_host_is_not_followed() {
    for transport in BOTH {
        let other = Server::start(vec![hold(answer(&[OK]))]).await;
        let redirect =
            format!("HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n", other.address);
        let server = Server::start(vec![hold(answer(&[&redirect]))]).await;
        let allowed = [server.address.to_string().parse().unwrap()];
        let options = HttpOptions { transport, allowed: Some(allowed.into()), ..HttpOptions::default() };
        let mut client = Client::new(Rc::new(Network::new(&options)), UserIndex(0));
        let line = line_of(&client.send(&request(server.address, Method::GET)).await);
        assert_eq!(line, format!("host not allowed: {} x1", other.address), "{transport:?}");
        assert!(other.requests.borrow().is_empty(), "there was a connection");
    }
}
