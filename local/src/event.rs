//! An HTTP request as a function receives it: the HTTP API's event, payload 2.0, read by `lambda_http` itself.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::routes::{Route, decoded};

/// The event of a request that came in on a route.
pub(crate) fn event(
    request: &Parts,
    body: &[u8],
    caller: IpAddr,
    route: &Route,
    path_parameters: &BTreeMap<String, String>,
) -> Value {
    let mut headers = joined(&request.headers);
    // A caller's own X-Forwarded-For stays in front, as it does behind the gateway: it proves nothing.
    let forwarded = headers.get("x-forwarded-for").map(|earlier| format!("{earlier},")).unwrap_or_default();
    headers.insert("x-forwarded-for", format!("{forwarded}{caller}"));
    headers.insert("x-forwarded-proto", "http".to_owned());
    let cookies = headers.remove("cookie").map(|cookies| cookies.split("; ").map(str::to_owned).collect::<Vec<_>>());
    let path = decoded(request.uri.path());
    let (body, is_base64) =
        encoded(request.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()), body);
    json!({
        "version": "2.0",
        "routeKey": route.key(),
        "rawPath": path,
        "rawQueryString": request.uri.query().unwrap_or_default(),
        "cookies": cookies,
        "headers": headers,
        "pathParameters": path_parameters,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": headers.get("host"),
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": caller,
                "userAgent": headers.get("user-agent"),
            },
            "routeKey": route.key(),
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": is_base64,
    })
}

/// The headers by their lower-case names, each with its values joined; what is not text is left out.
fn joined(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        let separator = if name == header::COOKIE { "; " } else { "," };
        joined
            .entry(name.as_str())
            .and_modify(|earlier| {
                earlier.push_str(separator);
                earlier.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    joined
}

/// The body, and whether it is in base64: the gateway passes on only these types as text, so that forms are not.
fn encoded(content_type: Option<&str>, body: &[u8]) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let kind = content_type.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/xml" | "application/javascript");
    match std::str::from_utf8(body) {
        Ok(text) if is_text => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::request::RequestContext;
    use lambda_http::{Body, RequestExt as _};

    use super::*;
    use crate::routes::Routes;
    use crate::template::Template;

    fn request(event: &Value) -> lambda_http::Request {
        lambda_http::request::from_str(&event.to_string()).unwrap()
    }

    fn event_of(builder: http::request::Builder, body: &[u8]) -> Value {
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        let route = Route::new("POST /a/{id}", "f").unwrap();
        event(&parts, body, IpAddr::from([203, 0, 113, 7]), &route, &BTreeMap::from([("id".into(), "b c".into())]))
    }

    #[test]
    fn a_request_arrives_as_lambda_http_reads_it_behind_the_gateway() {
        let builder = http::Request::post("/a/b%20c?x=1&x=2&y=%26")
            .header("Host", "127.0.0.1:3000")
            .header("Content-Type", "application/json; charset=utf-8")
            .header("Cookie", "one=1; two=2")
            .header("Accept", "text/html")
            .header("Accept", "text/plain")
            .header("X-Forwarded-For", "198.51.100.1");
        let request = request(&event_of(builder, b"{}"));

        assert_eq!(request.method(), "POST");
        assert_eq!(request.raw_http_path(), "/a/b c");
        assert_eq!(request.path_parameters().first("id"), Some("b c"));
        assert_eq!(request.query_string_parameters().all("x"), Some(vec!["1", "2"]));
        assert_eq!(request.query_string_parameters().first("y"), Some("&"));
        assert_eq!(request.headers()["cookie"], "one=1; two=2");
        assert_eq!(request.headers()["accept"], "text/html,text/plain");
        assert_eq!(request.headers()["x-forwarded-for"], "198.51.100.1,203.0.113.7");
        assert_eq!(request.body(), &Body::Text("{}".into()));
        let RequestContext::ApiGatewayV2(context) = request.request_context() else { panic!("another kind of event") };
        assert_eq!(context.http.source_ip.as_deref(), Some("203.0.113.7"));
    }

    #[test]
    fn the_example_of_every_function_is_an_event_of_one_of_its_routes() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let routes = Routes::new(Template::read(&root.join("template.yaml")).unwrap().routes);
        for route in routes.iter() {
            let path = root.join(format!("events/{}.json", route.function()));
            let example = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let RequestContext::ApiGatewayV2(context) =
                lambda_http::request::from_str(&example).unwrap().request_context()
            else {
                panic!("{}: another kind of event", path.display())
            };
            let (found, _) =
                routes.find(context.http.method.as_str(), context.http.path.as_deref().unwrap_or_default()).unwrap();
            assert_eq!(found.function(), route.function());
            assert_eq!(Some(found.key()), context.route_key.as_deref());
        }
    }

    #[test]
    fn forms_and_untyped_bodies_arrive_as_bytes() {
        let form = http::Request::post("/a/b").header("Content-Type", "application/x-www-form-urlencoded");
        assert_eq!(request(&event_of(form, b"a=b")).body(), &Body::Binary(b"a=b".to_vec()));
        let untyped = http::Request::post("/a/b");
        assert_eq!(request(&event_of(untyped, b"{}")).body(), &Body::Binary(b"{}".to_vec()));
        let not_text = http::Request::post("/a/b").header("Content-Type", "application/json");
        assert_eq!(request(&event_of(not_text, b"\xff")).body(), &Body::Binary(b"\xff".to_vec()));
        assert_eq!(request(&event_of(http::Request::post("/a/b"), b"")).body(), &Body::Empty);
    }
}
