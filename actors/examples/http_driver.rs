//! Sends one GET over and over, to measure what a transport costs: `http_driver URL TRANSPORT USERS REQUESTS PAUSE_MS`.
//!
//! One thread, one task a user, every request recorded. Prints requests, failures, CPU and memory of this process.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use akrida_actors::http::client::Client;
use akrida_actors::http::connect::Network;
use akrida_actors::http::request::Outgoing;
use akrida_actors::http::target::Target;
use akrida_actors::http::tls::{self, TlsOptions};
use akrida_actors::http::{HeaderName, HeaderValue, HttpOptions, Method, TransportKind, USER_AGENT};
use akrida_core::ids::UserIndex;
use akrida_core::limits;
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::recorder::{Recorder, Sample};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, transport, users, requests, pause_ms] = &arguments[..] else {
        eprintln!("usage: http_driver URL lean|awc USERS REQUESTS PAUSE_MS");
        std::process::exit(2);
    };
    let number = |text: &String| text.parse::<u64>().expect("a number");
    let (users, requests, pause) = (number(users), number(requests), Duration::from_millis(number(pause_ms)));
    let options = HttpOptions {
        transport: if transport == "awc" { TransportKind::Awc } else { TransportKind::Lean },
        tls: url
            .starts_with("https")
            .then(|| tls::build(&TlsOptions { insecure: true, ..TlsOptions::default() }).expect("TLS")),
        ..HttpOptions::default()
    };
    let request = Rc::new(Outgoing {
        method: Method::GET,
        target: Rc::new(Target::parse(url).expect("a URL")),
        headers: Rc::from([(HeaderName::from_static("user-agent"), HeaderValue::from_static(USER_AGENT))]),
        body: None,
        timeout: limits::REQUEST_TIMEOUT,
        redirects_max: limits::REDIRECTS_MAX,
        keep_body: false,
    });
    let (started, cpu) = (Instant::now(), cpu_ticks());
    let (sent, failed) = actix_rt::System::new().block_on(run(options, request, users, requests, pause));
    let cpu_s = (cpu_ticks() - cpu) as f64 / 100.0;
    println!(
        "transport={transport} requests={sent} failed={failed} wall_s={:.2} cpu_s={cpu_s:.2} per_cpu_s={:.0} rss_kb={}",
        started.elapsed().as_secs_f64(),
        sent as f64 / cpu_s,
        status("VmRSS"),
    );
}

async fn run(options: HttpOptions, request: Rc<Outgoing>, users: u64, requests: u64, pause: Duration) -> (u64, u64) {
    let network = Rc::new(Network::new(&options));
    let recorder = Rc::new(RefCell::new(Recorder::default()));
    let (left, failed) = (Rc::new(Cell::new(requests)), Rc::new(Cell::new(0_u64)));
    let endpoint = recorder.borrow_mut().endpoint(&EndpointKey::request("GET", "/"));
    let tasks: Vec<_> = (0..users)
        .map(|user| {
            let mut client = Client::new(Rc::clone(&network), UserIndex(user));
            let (request, recorder) = (Rc::clone(&request), Rc::clone(&recorder));
            let (left, failed) = (Rc::clone(&left), Rc::clone(&failed));
            actix_rt::spawn(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    let outcome = client.send(&request).await;
                    let text = outcome.result.as_ref().err().map(ToString::to_string);
                    failed.set(failed.get() + u64::from(text.is_some()));
                    let sample = Sample {
                        endpoint,
                        latency_us: outcome.latency.as_micros() as u64,
                        failure: text.as_deref(),
                        content_bytes: outcome.result.as_ref().map_or(0, |response| response.content_bytes),
                        phases: outcome.phases,
                        lag_us: None,
                        ended_us: 0,
                    };
                    recorder.borrow_mut().count_exchange();
                    recorder.borrow_mut().record(&sample);
                    if !pause.is_zero() {
                        actix_rt::time::sleep(pause).await;
                    }
                }
                client
            })
        })
        .collect();
    let mut clients = Vec::new();
    for task in tasks {
        clients.push(task.await.expect("no panic"));
    }
    (requests, failed.get())
}

fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields[11..13].iter().map(|field| field.parse::<u64>().expect("a number")).sum()
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(key)).expect("known");
    line.split_whitespace().nth(1).expect("a value").parse().expect("a number")
}
