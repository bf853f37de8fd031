//! The outline against the full parse.

use proptest::prelude::*;
use serde_json::Value;

use super::super::body::ParsedBody;
use super::super::json_query::JsonQuery;
use super::super::response::{Headers, ResponseView};
use super::*;

struct NoHeaders;

impl Headers for NoHeaders {
    fn header(&self, _: &str) -> Option<&str> {
        None
    }

    fn set_cookie(&self, _: &str) -> Option<String> {
        None
    }
}

fn view(body: &[u8]) -> ResponseView<'_> {
    ResponseView { status: 200, headers: &NoHeaders, body, body_cut: false, elapsed: std::time::Duration::ZERO }
}

/// What a query finds in a body, and what it finds when all of it is parsed first.
fn both(body: &[u8], query: &str) -> [Result<Option<Value>, String>; 2] {
    let query = JsonQuery::parse(query).expect("valid");
    let parsed_whole = ParsedBody::of(&view(body)).json().cloned().map(|document| query.find(&document));
    [ParsedBody::of(&view(body)).find(&query), parsed_whole]
}

fn assert_same(body: &[u8], query: &str) {
    let [found, expected] = both(body, query);
    // As text, too: the order of keys and the kind of numbers are to be the same.
    let text =
        |result: &Result<Option<Value>, String>| result.clone().map(|found| found.map(|value| value.to_string()));
    assert_eq!(text(&found), text(&expected), "{query} in {:?}", String::from_utf8_lossy(body));
    assert_eq!(found, expected, "{query} in {:?}", String::from_utf8_lossy(body));
}

const QUERIES: &[&str] = &[
    "$.a",
    "$.b",
    "$.a.b",
    "$.a.b.a",
    "$.a[0]",
    "$[0]",
    "$[1].a",
    "$['a']",
    "$[\"b\"][1]",
    "$.é",
    "$['a b']",
    "$.a['b'][0].a",
    "$[2][0]",
    "$['']",
    "$.a.a",
];

#[test]
fn what_the_texts_of_json_are_famous_for() {
    let deep = |depth: usize| format!("{{\"b\": {}1{}, \"a\": 2}}", "[".repeat(depth), "]".repeat(depth));
    let numbers = [
        "0",
        "-0",
        "-0.0",
        "1e5",
        "1E+5",
        "1e-5",
        "1e99",
        "1e999",
        "-1e999",
        "1e-999",
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "18446744073709551615",
        "18446744073709551616",
        "9007199254740993",
        "-9223372036854775809",
        "0x1",
        "NaN",
        "0.1234567890123456789012345678901234567890",
        "123456789012345678901234567890",
        "1.7976931348623157e308",
        "2e308",
        "-Infinity",
    ];
    let strings = [
        "",
        "plain",
        "\\n\\t\\\"\\\\\\/\\b\\f\\r",
        "\\u0041",
        "\\u00e9é",
        "\\ud83d\\ude00",
        "\\ud83d\\ud83d",
        "\\ud83d\\n0000",
        "\\ud83d\\ude0",
        "\\u+123",
        "\\ud83d",
        "\\ude00",
        "\\uD800x",
        "\\uDC",
        "\\u12",
        "\\x41",
        "\\",
        "\u{1}",
        "\n",
        "\u{7f}",
        "12345678\\",
        "1234567\"",
        "𝄞 and more of it",
        "\\u000",
    ];
    let mut texts: Vec<String> = [98, 99, 100, 101, 125, 126, 127, 128, 10_000].into_iter().map(deep).collect();
    texts.extend(numbers.iter().map(|number| format!("{{\"a\":{number},\"b\":1}}")));
    texts
        .extend(strings.iter().flat_map(|text| [format!("{{\"a\":\"{text}\"}}"), format!("{{\"{text}\":1,\"a\":2}}")]));
    texts.extend(
        [
            "",
            " ",
            "null",
            "3",
            "\"a\"",
            "{}",
            "[]",
            "{} x",
            "{}{}",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":1 \"b\":2}",
            "[1 2]",
            "[1}",
            "{\"a\":1]",
            "\u{feff}{}",
            "tru",
            "trux",
            "[true1]",
            "{\"a\":1}\n \t\r",
            "{\"a\":1}\u{b}",
            "{\"a\":1}\0",
            "[nul]",
            "/* */{}",
            "{\"\\u0061\":1}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"a\":{\"b\":1},\"a\":{}}",
            "{\"a\":{},\"a\":{\"b\":1}}",
            "{\"a\":1,\"b\":{\"a\":3},\"a\":[5]}",
            "[[],[{}],[[7]]]",
            " [ { \"a\" : [ ] } , { \"a\" : \"x\" } ] ",
            "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
        ]
        .map(str::to_owned),
    );
    for text in &texts {
        QUERIES.iter().for_each(|query| assert_same(text.as_bytes(), query));
    }
    for bytes in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":1}\xc3", b"\xff\xfe{\x00}\x00"] {
        QUERIES.iter().for_each(|query| assert_same(bytes, query));
    }
}

#[test]
fn an_ordinary_text_has_an_outline() {
    let text = "{\"a\": [1, -2.5e3, {\"b\": \"x\\u00e9\\n\"}], \"c\": {\"d\": [true, false, null]}}";
    let outline = JsonOutline::of(text).expect("certainly JSON");
    let element = [Step::Member("a".into()), Step::Element(2)];
    assert_eq!(outline.find(&element), Some("{\"b\": \"x\\u00e9\\n\"}"));
    assert_eq!(outline.find(&[Step::Member("c".into()), Step::Element(0)]), None);
}

#[test]
fn eight_bytes_at_a_time_find_what_one_at_a_time_finds() {
    for special in 0..=u8::MAX {
        for at in 0..8 {
            let mut eight = *b"abcdefgh";
            eight[at] = special;
            eight[7] = if at == 7 { special } else { b'"' };
            let first = eight.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let found = special_bytes(u64::from_le_bytes(eight));
            assert_eq!((found != 0).then(|| found.trailing_zeros() as usize / 8), first, "{eight:?}");
        }
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "é", "a b", "", "\\u0061", "b\\n", "\\u00e9"])
}

/// Values without others inside that are JSON for certain.
fn valid_leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        (-10_i64.pow(18) + 1..10_i64.pow(18)).prop_map(|number| number.to_string()),
        (-1e15_f64..1e15).prop_map(|number| serde_json::json!(number).to_string()),
        "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        prop::sample::select(vec!["true", "false", "null", "{}", "[]", "\"\\u00e9\\n\"", "\"\\ud83d\\uDe00.\""])
            .prop_map(str::to_owned),
        ".{0,12}".prop_map(|text| Value::from(text).to_string()),
    ]
}

/// Values without others inside, some of which are not JSON.
fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => valid_leaf(),
        1 => any::<f64>().prop_map(|number| serde_json::json!(number).to_string()),
        1 => "-?[0-9]{1,21}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        1 => prop::sample::select(vec!["\"\\ud83d\\ude00\"", "\"\\ud83d\"", "nul"]).prop_map(str::to_owned),
        1 => "[a-z\\\\\"u0-9]{0,4}".prop_map(|text| format!("\"{text}\"")),
    ]
}

/// JSON as text, with blanks, escapes and names that occur twice.
fn json(leaf: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    let blank = || prop::sample::select(vec!["", "", " ", "\n\t"]);
    leaf.prop_recursive(5, 64, 5, move |inner| {
        let members = prop::collection::vec((name(), blank(), inner.clone()), 0..5);
        let elements = prop::collection::vec((blank(), inner), 0..5);
        prop_oneof![
            members.prop_map(|members| {
                let written: Vec<String> = members
                    .into_iter()
                    .map(|(name, blank, value)| format!("{blank}\"{name}\"{blank}:{blank}{value}{blank}"))
                    .collect();
                format!("{{{}}}", written.join(","))
            }),
            elements.prop_map(|elements| {
                let written: Vec<String> =
                    elements.into_iter().map(|(blank, value)| format!("{blank}{value}{blank}")).collect();
                format!("[{}]", written.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_lookup_finds_what_the_full_parse_finds(text in json(leaf())) {
        QUERIES.iter().for_each(|query| assert_same(text.as_bytes(), query));
    }

    #[test]
    fn what_is_json_has_an_outline(text in json(valid_leaf())) {
        prop_assert!(JsonOutline::of(&text).is_some(), "{}", text);
        QUERIES.iter().for_each(|query| assert_same(text.as_bytes(), query));
    }

    #[test]
    fn neither_differs_on_texts_that_were_damaged(
        text in json(leaf()),
        cut in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![prop::sample::select(b"{}[]\",:\\ue0-.\x01\x80 ".to_vec()), any::<u8>()],
        does_insert in any::<bool>(),
    ) {
        let mut bytes = text.into_bytes();
        let cut_text = &bytes[..cut.index(bytes.len() + 1)];
        QUERIES.iter().for_each(|query| assert_same(cut_text, query));
        let at = at.index(bytes.len());
        if does_insert {
            bytes.insert(at, byte);
        } else {
            bytes[at] = byte;
        }
        QUERIES.iter().for_each(|query| assert_same(&bytes, query));
    }
}
