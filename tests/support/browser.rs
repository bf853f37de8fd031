//! A real Chromium, driven as a person would drive it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::cluster::free_ports;
use super::waiting::listens;

/// No test waits longer for a page to get somewhere.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Chromium without a window, in a sandbox's container, which asks nobody but the page's own server.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    runtime: Runtime,
    _driver: Driver,
    _profile: TempDir,
}

/// What drives the browser.
#[derive(Debug)]
struct Driver(Child);

impl Browser {
    /// A browser that shows this address.
    ///
    /// # Panics
    /// When Chromium or its driver is missing or does not start.
    pub fn open(url: &str) -> Self {
        let port = free_ports(1)[0];
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut driver = Driver(command.spawn().expect("chromedriver; scripts/install-test-tools.sh installs it"));
        assert!(listens(&mut driver.0, port), "chromedriver does not answer");
        let profile = tempfile::Builder::new().prefix("chromium-").tempdir().expect("a temporary folder");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            let driver_url = format!("http://127.0.0.1:{port}");
            builder.capabilities(capabilities(&profile)).connect(&driver_url).await.expect("a session")
        });
        let browser = Self { client, runtime, _driver: driver, _profile: profile };
        browser.go_to(url);
        browser
    }

    /// Shows an address.
    pub fn go_to(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).expect("a page");
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.runtime.block_on(self.client.refresh()).expect("a page");
    }

    /// Clicks on what this selector finds first, once it is there.
    pub fn click(&self, selector: &str) {
        self.runtime.block_on(async { self.find(selector).await.click().await.expect("a click") });
    }

    /// Clicks on the link or button with this text.
    pub fn press(&self, text: &str) {
        let path = format!("//*[self::a or self::button][starts-with(normalize-space(), '{text}')]");
        self.runtime.block_on(async { self.found(Locator::XPath(&path)).await.click().await.expect("a click") });
    }

    /// Types a text into a field in the place of what is there.
    pub fn fill(&self, selector: &str, text: &str) {
        self.runtime.block_on(async {
            let field = self.find(selector).await;
            field.clear().await.expect("an empty field");
            field.send_keys(text).await.expect("keys");
        });
    }

    /// What an expression of JavaScript gives in the page.
    pub fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        self.runtime.block_on(self.client.execute(&script, Vec::new())).expect("a value")
    }

    /// Runs JavaScript in the page.
    pub fn run(&self, script: &str) {
        self.runtime.block_on(self.client.execute(script, Vec::new())).expect("a script that runs");
    }

    /// The text that an element shows; empty if there is none.
    pub fn text(&self, selector: &str) -> String {
        let value = self.value(&format!("document.querySelector({selector:?})?.innerText ?? ''"));
        value.as_str().expect("a text").to_owned()
    }

    /// Waits until an expression of JavaScript is true in the page.
    ///
    /// # Panics
    /// When it never is; shows what the page shows.
    pub fn await_that(&self, expression: &str) {
        let since = Instant::now();
        while self.value(expression) != true {
            let shown = || self.value("document.body.innerText + '\\n' + location.href");
            assert!(since.elapsed() < PATIENCE, "waited in vain for {expression}\n{}", shown());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    async fn find(&self, selector: &str) -> Element {
        self.found(Locator::Css(selector)).await
    }

    async fn found(&self, locator: Locator<'_>) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(locator).await;
        found.unwrap_or_else(|problem| panic!("{locator:?}: {problem}"))
    }
}

fn capabilities(profile: &TempDir) -> Map<String, Value> {
    let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    arguments.push("--window-size=1400,1000".to_owned());
    let options = json!({"args": arguments});
    // The certificates of tests are signed by an authority of their own.
    Map::from_iter([("goog:chromeOptions".to_owned(), options), ("acceptInsecureCerts".to_owned(), true.into())])
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with the session; killed, it would leave it behind.
        let client = self.client.clone();
        let _ = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, client.close()).await });
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
