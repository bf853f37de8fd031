//! A small shop: an account behind a login, products and a cart.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::cookie::Cookie;
use actix_web::http::header::{AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;

use super::basics::bad_request;

/// The password of every account.
const PASSWORD: &str = "secret";

/// The cookie that holds the token of a login.
const SESSION: &str = "session";

/// What the shop knows. It keeps no sessions: a token proves itself, so any number of users may log in.
#[derive(Debug, Default)]
pub(super) struct Shop {
    key: RandomState,
    carts: AtomicU64,
}

impl Shop {
    /// The token of a user: the name and a keyed hash of it. Good for a test target, no more.
    fn token(&self, username: &str) -> String {
        format!("{}.{:016x}", URL_SAFE_NO_PAD.encode(username), self.key.hash_one(username))
    }

    /// Whose token this is, if it is one of this shop.
    fn user_of_token(&self, token: &str) -> Option<String> {
        let (name, _) = token.split_once('.')?;
        let username = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        (self.token(&username) == token).then_some(username)
    }

    /// Who sent the request, by session cookie, bearer token or basic authentication.
    fn user(&self, request: &HttpRequest) -> Option<String> {
        if let Some(user) = request.cookie(SESSION).and_then(|cookie| self.user_of_token(cookie.value())) {
            return Some(user);
        }
        let (scheme, credentials) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.user_of_token(credentials.trim());
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
            let (username, password) = decoded.split_once(':')?;
            return (password == PASSWORD).then(|| username.to_owned());
        }
        None
    }
}

/// The fields of the login form; others, such as a CSRF token, are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Login {
    username: String,
    password: String,
}

/// `POST /login`: a form; the right password gives a token, as JSON and as a cookie.
pub(super) async fn log_in(shop: web::Data<Shop>, login: web::Form<Login>) -> HttpResponse {
    if login.password != PASSWORD {
        return HttpResponse::Unauthorized().json(json!({"error": "wrong password"}));
    }
    let token = shop.token(&login.username);
    let cookie = Cookie::build(SESSION, token.clone()).path("/").http_only(true).finish();
    HttpResponse::Ok().cookie(cookie).json(json!({"token": token}))
}

/// `GET /account`: who is logged in.
pub(super) async fn account(shop: web::Data<Shop>, request: HttpRequest) -> HttpResponse {
    match shop.user(&request) {
        Some(username) => HttpResponse::Ok().json(json!({"username": username})),
        None => HttpResponse::Unauthorized()
            .insert_header((WWW_AUTHENTICATE, "Basic realm=\"target\""))
            .json(json!({"error": "not logged in"})),
    }
}

/// `GET /products/ID`
pub(super) async fn product(id: web::Path<u64>) -> HttpResponse {
    let price_cents = 100 + *id % 9_900;
    HttpResponse::Ok().json(json!({
        "id": *id,
        "name": format!("product {id}"),
        "price": price_cents as f64 / 100.0,
    }))
}

/// `POST /cart`: any JSON object makes a new cart. It is not kept.
pub(super) async fn add_to_cart(shop: web::Data<Shop>, item: web::Json<serde_json::Value>) -> HttpResponse {
    if !item.is_object() {
        return bad_request("the item is a JSON object");
    }
    let id = shop.carts.fetch_add(1, Ordering::Relaxed) + 1;
    HttpResponse::Created().insert_header((LOCATION, format!("/cart/{id}"))).json(json!({"id": id}))
}

/// `GET /cart/ID`: any cart that has been made.
pub(super) async fn cart(shop: web::Data<Shop>, id: web::Path<u64>) -> HttpResponse {
    if (1..=shop.carts.load(Ordering::Relaxed)).contains(&*id) {
        HttpResponse::Ok().json(json!({"id": *id}))
    } else {
        HttpResponse::NotFound().json(json!({"error": "no such cart"}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_user_and_no_other_token_does() {
        let shop = Shop::default();
        for username in ["ann", "", "b.o b", "žofie"] {
            assert_eq!(shop.user_of_token(&shop.token(username)).as_deref(), Some(username));
        }
        let forged = format!("{}.{}", URL_SAFE_NO_PAD.encode("ann"), "0".repeat(16));
        for token in ["", ".", "ann", &forged, &Shop::default().token("ann")] {
            assert_eq!(shop.user_of_token(token), None, "{token}");
        }
    }
}
