//! Visitors and customers of a small shop, over HTTP.
//!
//! ```console
//! akrida target --port 8000
//! cargo run --example shop -- -H http://127.0.0.1:8000 -u 100 -r 20 -t 30s
//! ```

use akrida::prelude::*;
use serde::Deserialize;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    App::new()
        .user::<Visitor>()
        .user::<Customer>()
        .host("http://127.0.0.1:8000")
        .settings("thresholds: [ 'fail_ratio < 1%' ]")
        .main()
}

/// Looks around. It remembers nothing, and the code for both tasks is a function of its own.
struct Visitor;

impl User for Visitor {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Visitor")
            .weight(3)
            .wait_time(wait::between(Duration::from_millis(50), Duration::from_millis(200)))
            .task("home", 1, Self::home)
            .task("product", 3, Self::product)
    }

    async fn start(_: &mut UserContext) -> TaskResult<Self> {
        Ok(Self)
    }
}

#[derive(Deserialize)]
struct Product {
    id: u32,
    price: f64,
}

impl Visitor {
    async fn home(&mut self, context: &mut UserContext) -> TaskResult {
        context.http().get("/").name("home").send().await?;
        Ok(())
    }

    async fn product(&mut self, context: &mut UserContext) -> TaskResult {
        let id = context.random().u32(1..1_000);
        let is_right = move |response: &Response| match response.json::<Product>() {
            Ok(product) if product.id == id && product.price > 0.0 => Ok(()),
            Ok(_) => Err("another product".to_owned()),
            Err(_) => Err("no product".to_owned()),
        };
        // One line in the statistics for all of them, and a check that decides whether the request passed.
        context.http().get(format!("/products/{id}")).name("/products/[id]").check(is_right).send().await?;
        Ok(())
    }
}

/// Logs in when it starts, and buys.
struct Customer {
    token: String,
    bought: u32,
}

impl User for Customer {
    fn describe() -> UserDescription<Self> {
        UserDescription::new("Customer").wait_time(wait::poisson(10.0)).tags(["checkout"]).task("buy", 1, Self::buy)
    }

    async fn start(context: &mut UserContext) -> TaskResult<Self> {
        #[derive(Deserialize)]
        struct Login {
            token: String,
        }
        let name = format!("customer{}", context.index());
        let form = [("username", name.as_str()), ("password", "secret")];
        let Login { token } = context.http().post("/login").form(form).send().await?.json()?;
        Ok(Self { token, bought: 0 })
    }

    async fn stop(&mut self, context: &mut UserContext) {
        context.log(format_args!("bought {} things", self.bought));
    }
}

impl Customer {
    async fn buy(&mut self, context: &mut UserContext) -> TaskResult {
        let token = &self.token;
        // A transaction of its own in the statistics; it fails when one of its requests does.
        context
            .group("checkout", async |context| {
                let cart = context.http().post("/cart").bearer_auth(token).json(&json!({"product": 7}));
                let added = cart.expect_status(201).send().await?;
                let place = added.header("location").ok_or_else(|| TaskError::new("no place of the cart"))?;
                context.http().get(place).name("/cart/[id]").bearer_auth(token).send().await?;
                Ok(())
            })
            .await?;
        self.bought += 1;
        Ok(())
    }
}
