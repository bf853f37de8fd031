//! A live feed as a page would follow it, over a blocking WebSocket of another library than the server's.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket};

/// No test waits longer for an event.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection. It answers pings when it is read.
#[derive(Debug)]
pub struct Feed(WebSocket<TcpStream>);

impl Feed {
    /// A feed of the master with this base address that goes on after an entry, if there is one.
    pub fn open(url: &str, after: Option<u64>) -> Self {
        Self::try_open(url, after, &[]).expect("a feed")
    }

    /// The same with more headers; the status of the answer if there is none.
    pub fn try_open(url: &str, after: Option<u64>, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let place = url.strip_prefix("http://").expect("an http address");
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let mut request = format!("ws://{place}/api/v1/feed{after}").into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a value"));
        }
        let stream = TcpStream::connect(place).expect("a master that listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(problem) => panic!("{problem}"),
        }
    }

    /// The next event; `None` once the connection is over.
    pub fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

/// What a page knows of a run.
#[derive(Debug, Default)]
pub struct Page {
    /// The last entry of the log that it has seen.
    pub index: Option<u64>,
    /// The run, without its series.
    pub run: Value,
    /// Its series by second and start.
    pub series: BTreeMap<(u64, u64), Value>,
    /// How often the whole series came.
    pub whole: u32,
}

impl Page {
    /// Takes an event in, and says whether it told of the run.
    pub fn take(&mut self, event: &Value) -> bool {
        if event["kind"] != "state" {
            assert_eq!(event["kind"], "heartbeat", "{event}");
            return false;
        }
        let index = event["index"].as_u64().expect("an entry");
        assert!(self.index.is_none_or(|known| known < index), "{index} after {:?}", self.index);
        self.index = Some(index);
        self.run = event["run"].clone();
        if event["series"]["is_whole"] == true {
            self.whole += 1;
            self.series.clear();
        }
        for point in event["series"]["points"].as_array().expect("points") {
            let number = |key: &str| point[key].as_u64().expect("a number");
            self.series.insert((number("second"), number("unix_ms")), point.clone());
        }
        // Something that was taken back since would show here; nothing is in these tests.
        let requests: u64 = self.series.values().filter_map(|point| point["requests"].as_u64()).sum();
        let sums = serde_json::json!({"points": self.series.len(), "requests": requests});
        assert_eq!(event["series"]["sums"], sums);
        true
    }

    /// Where the run stands.
    pub fn status(&self) -> &str {
        self.run["run"]["status"].as_str().unwrap_or("ready")
    }
}
