//! One live feed: an actor for each connection.
//!
//! An event is followed by a ping with its number, which every WebSocket answers in turn. Until the answer has come
//! nothing more is sent, and then what is newest: whoever is slow skips, and nothing piles up here.

use std::sync::Arc;

use actix::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_web::web::Payload;
use actix_web::{Error, HttpRequest, HttpResponse};
use actix_web_actors::ws::{CloseCode, CloseReason, Message, ProtocolError, WebsocketContext, WsResponseBuilder};
use akrida_core::ids::LogIndex;
use akrida_core::limits;
use futures_util::stream::unfold;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::board::{Beat, Board};

/// A connection.
struct Session {
    board: Arc<Board>,
    /// Up to where the other side knows everything.
    at: Option<LogIndex>,
    /// Up to where this master had applied the log, and since when it has not gone on.
    stands_at: (LogIndex, Instant),
    /// The number of the event sent last.
    number: u64,
    /// Since when the other side has an event to take.
    unanswered: Option<Instant>,
    /// Whether there was something to say meanwhile.
    has_skipped: bool,
    _place: OwnedSemaphorePermit,
}

/// Answers a request for a feed that goes on after an entry.
///
/// # Errors
/// When it is no request for a WebSocket.
pub(super) fn start(
    request: &HttpRequest,
    payload: Payload,
    board: &Arc<Board>,
    after: Option<LogIndex>,
    place: OwnedSemaphorePermit,
) -> Result<HttpResponse, Error> {
    let session = Session {
        board: Arc::clone(board),
        at: after,
        stands_at: (board.index(), Instant::now()),
        number: 0,
        unanswered: None,
        has_skipped: false,
        _place: place,
    };
    WsResponseBuilder::new(session, request, payload).frame_size(limits::WEB_FEED_FRAME_BYTES_MAX).start()
}

impl Session {
    fn say(&mut self, context: &mut WebsocketContext<Self>) {
        if let Some(since) = self.unanswered {
            self.has_skipped = true;
            if since.elapsed() > limits::WEB_FEED_TAKE_WAIT {
                context.stop();
            }
            return;
        }
        let index = self.board.index();
        if index != self.stands_at.0 {
            self.stands_at = (index, Instant::now());
        }
        let is_behind = self.at.is_some_and(|at| index < at);
        if is_behind && self.stands_at.1.elapsed() > limits::WEB_FEED_CATCH_UP_WAIT {
            // This master will not get there: it is of another cluster, or of a restored one.
            self.at = None;
        }
        let event = self.board.event(self.at);
        self.at = event.index.or(self.at);
        self.number += 1;
        self.unanswered = Some(Instant::now());
        self.has_skipped = false;
        context.text(&*event.text);
        context.ping(self.number.to_string().as_bytes());
    }

    fn hear_pong(&mut self, payload: &[u8], context: &mut WebsocketContext<Self>) {
        if payload != self.number.to_string().as_bytes() {
            return;
        }
        self.unanswered = None;
        if self.has_skipped {
            self.say(context);
        }
    }
}

impl Actor for Session {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let beats = unfold(self.board.beats(), async |mut beats| {
            beats.changed().await.ok()?;
            let beat = *beats.borrow_and_update();
            Some((beat, beats))
        });
        context.add_stream(beats);
        self.say(context);
    }
}

impl StreamHandler<Beat> for Session {
    fn handle(&mut self, beat: Beat, context: &mut Self::Context) {
        if beat.is_last {
            // The other side is to look for another master.
            context.close(Some(CloseReason::from(CloseCode::Restart)));
            return context.stop();
        }
        self.say(context);
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, message: Result<Message, ProtocolError>, context: &mut Self::Context) {
        match message {
            Ok(Message::Ping(payload)) => context.pong(&payload),
            Ok(Message::Pong(payload)) => self.hear_pong(&payload, context),
            Ok(Message::Close(reason)) => {
                context.close(reason);
                context.stop();
            }
            // Nothing is expected, and what comes all the same is let go.
            Ok(Message::Text(_) | Message::Binary(_) | Message::Continuation(_) | Message::Nop) => {}
            Err(problem) => {
                tracing::debug!(%problem, "a live feed ends");
                context.stop();
            }
        }
    }
}
