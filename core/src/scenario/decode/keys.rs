//! The keys of each object of a scenario file, in one place. The published schema is compared with these tables.

/// The keys that an object may have.
#[derive(Debug)]
pub(crate) struct Keys {
    /// What the definitions of the schema call the object.
    #[cfg(test)]
    pub(crate) name: &'static str,
    /// Its keys, in the order in which messages list them.
    pub(crate) keys: &'static [&'static str],
}

macro_rules! tables {
    ($($(#[$doc:meta])* $constant:ident = $name:literal [$($key:literal)*];)*) => {
        $($(#[$doc])* pub(crate) const $constant: Keys = Keys { #[cfg(test)] name: $name, keys: &[$($key),*] };)*

        /// Every table.
        #[cfg(test)]
        pub(crate) const ALL: &[&Keys] = &[$(&$constant),*];
    };
}

tables! {
    /// The document itself.
    SCENARIO = "scenario" [
        "host" "users" "task_sets" "variables" "headers" "auth" "timeout" "redirects" "connection" "load" "data"
        "thresholds"
    ];
    /// An entry of `users`.
    CLASS = "user_class" [
        "weight" "fixed_count" "host" "wait_time" "variables" "headers" "auth" "timeout" "redirects" "on_start"
        "on_stop" "order" "sequential" "tags" "tasks" "data" "connection"
        "on_unauthorized"
    ];
    /// An entry of `task_sets`.
    TASK_SET = "task_set" ["order" "sequential" "wait_time" "iterations" "tasks"];
    /// An entry of `tasks`.
    TASK = "task" ["weight" "tags" "steps" "tasks" "use" "order" "sequential" "wait_time" "iterations"];
    /// A step that sends a request.
    REQUEST_STEP = "request_step" [
        "get" "post" "put" "patch" "delete" "head" "options" "request" "name" "headers" "query" "json" "form"
        "multipart" "body" "auth" "timeout" "redirects" "check" "extract"
    ];
    /// The value of `request`.
    REQUEST_LINE = "request_line" ["method" "url"];
    /// A step that talks over a WebSocket.
    WEBSOCKET_STEP = "websocket_step" ["websocket" "name" "headers" "query" "auth" "timeout" "steps"];
    /// A step over a WebSocket that sends.
    WEBSOCKET_SEND = "websocket_send" ["send"];
    /// A step over a WebSocket that waits for a message.
    WEBSOCKET_EXPECT = "websocket_expect" ["expect" "name" "timeout" "extract"];
    /// A step over a WebSocket that pauses.
    WEBSOCKET_WAIT = "websocket_wait" ["wait"];
    /// What is expected of a message.
    WEBSOCKET_MATCH = "websocket_match" ["contains" "regex" "json"];
    /// A step that pauses.
    WAIT_STEP = "wait_step" ["wait"];
    /// A step that branches.
    IF_STEP = "if_step" ["if" "then" "else"];
    /// A step that repeats.
    REPEAT_STEP = "repeat_step" ["repeat" "steps"];
    /// A step that times other steps.
    GROUP_STEP = "group_step" ["group" "steps"];
    /// A step that logs.
    LOG_STEP = "log_step" ["log"];
    /// A step that sets variables.
    SET_STEP = "set_step" ["set"];
    /// A step that leaves a nested task set.
    INTERRUPT_STEP = "interrupt_step" ["interrupt"];
    /// A step that ends the user.
    STOP_USER_STEP = "stop_user_step" ["stop_user"];
    /// The value of `auth`.
    AUTH = "auth" ["basic" "bearer"];
    /// The value of `auth.basic`.
    BASIC = "basic" ["username" "password"];
    /// A part of `multipart`.
    PART = "part" ["content" "file_name" "content_type"];
    /// The value of `check`.
    CHECK = "check" ["status" "header" "body" "regex" "json" "time"];
    /// What `check.header` expects of one header.
    HEADER_CHECK = "header_check" ["equals" "contains" "regex" "present"];
    /// The value of `check.body`.
    BODY_CHECK = "body_check" ["contains" "not_contains"];
    /// What `check.json` expects at one path.
    JSON_CHECK = "json_check" ["equals" "contains" "regex" "exists"];
    /// An entry of `extract`.
    EXTRACT = "extract" ["json" "regex" "group" "css" "attribute" "header" "cookie" "default"];
    /// An entry of `data` that says more than its file.
    FEEDER = "feeder" ["file" "format" "delimiter" "pick" "on_exhausted" "per"];
    /// The value of `connection`.
    CONNECTION = "connection" ["max_age" "max_requests" "source" "proxy" "http2"];
    /// An entry of `thresholds` that says more than its expression.
    THRESHOLD = "threshold" ["expr" "abort" "after"];
    /// The value of `load`.
    LOAD = "load" ["arrival_rate" "distribution" "max_users" "late_arrivals" "users" "warm_up"];
    /// A stage of `load.arrival_rate`.
    RATE_STAGE = "rate_stage" ["rate" "for"];
    /// A stage of `load.users`.
    USER_STAGE = "user_stage" ["users" "spawn_rate" "for"];
}

/// What a program says in a text of its own beside the users that are code: a part of the document, so the published
/// schema does not have it.
pub(crate) const SETTINGS: Keys = Keys {
    #[cfg(test)]
    name: "settings",
    keys: &["host", "load", "thresholds"],
};

/// The steps by the key that says what a step does.
pub(crate) const STEPS: &[(&str, &Keys)] = &[
    ("get", &REQUEST_STEP),
    ("post", &REQUEST_STEP),
    ("put", &REQUEST_STEP),
    ("patch", &REQUEST_STEP),
    ("delete", &REQUEST_STEP),
    ("head", &REQUEST_STEP),
    ("options", &REQUEST_STEP),
    ("request", &REQUEST_STEP),
    ("websocket", &WEBSOCKET_STEP),
    ("wait", &WAIT_STEP),
    ("if", &IF_STEP),
    ("repeat", &REPEAT_STEP),
    ("group", &GROUP_STEP),
    ("log", &LOG_STEP),
    ("set", &SET_STEP),
    ("interrupt", &INTERRUPT_STEP),
    ("stop_user", &STOP_USER_STEP),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_has_the_same_keys() {
        let schema: serde_json::Value = serde_json::from_str(crate::scenario::schema::SCHEMA).expect("JSON");
        for table in ALL {
            let object = if table.name == "scenario" { &schema } else { &schema["$defs"][table.name] };
            let properties = object["properties"].as_object().expect(table.name);
            let mut published: Vec<&str> = properties.keys().map(String::as_str).collect();
            let mut accepted = table.keys.to_vec();
            published.sort_unstable();
            accepted.sort_unstable();
            assert_eq!(published, accepted, "keys of {}", table.name);
            assert_eq!(object["additionalProperties"], serde_json::json!(false), "{}", table.name);
        }
    }

    #[test]
    fn every_object_of_the_schema_with_fixed_keys_has_a_table() {
        let schema: serde_json::Value = serde_json::from_str(crate::scenario::schema::SCHEMA).expect("JSON");
        let definitions = schema["$defs"].as_object().expect("definitions");
        for (name, _) in definitions.iter().filter(|(_, definition)| definition.get("properties").is_some()) {
            assert!(ALL.iter().any(|table| table.name == name), "{name} has no table of keys");
        }
    }
}
