//! Requests shown back to the client, and cookies set at its wish.

use actix_web::cookie::Cookie;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::basics::bad_request;

/// `/echo`: method, path, headers, query and body of the request. Values of a repeated name are joined by `, `; bytes
/// that are not UTF-8 are replaced.
pub(super) async fn echo(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes())));
    let query = form_urlencoded::parse(request.query_string().as_bytes());
    HttpResponse::Ok().json(json!({
        "method": request.method().as_str(),
        "path": request.path(),
        "headers": joined(headers),
        "query": joined(query.map(|(name, value)| (name.into_owned(), value))),
        "body": String::from_utf8_lossy(&body),
    }))
}

fn joined<'a>(pairs: impl Iterator<Item = (String, std::borrow::Cow<'a, str>)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in pairs {
        match object.get_mut(&name) {
            Some(Value::String(values)) => {
                values.push_str(", ");
                values.push_str(&value);
            }
            _ => drop(object.insert(name, Value::String(value.into_owned()))),
        }
    }
    object
}

/// `/cookies/set/NAME/VALUE`: a cookie for every path.
pub(super) async fn set_cookie(pair: web::Path<(String, String)>) -> HttpResponse {
    let (name, value) = pair.into_inner();
    if !is_token(&name) || !value.bytes().all(is_cookie_byte) {
        return bad_request("the name or the value is not allowed in a cookie");
    }
    let set = json!({"set": {&name: &value}});
    HttpResponse::Ok().cookie(Cookie::build(name, value).path("/").finish()).json(set)
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// RFC 6265, section 4.1.1.
fn is_cookie_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}
