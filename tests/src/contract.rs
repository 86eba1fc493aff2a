use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::Answer;

static OPENAPI: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read_to_string(root().join("openapi.yaml")).expect("openapi.yaml is there");
    yaml_serde::from_str(&text).expect("openapi.yaml is YAML")
});

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every operation of `openapi.yaml`, as `METHOD /path`.
///
/// # Panics
/// Where `openapi.yaml` has no paths.
#[must_use]
pub fn operations() -> Vec<String> {
    let paths = OPENAPI["paths"].as_object().expect("openapi.yaml has paths");
    let is_method = |key: &&String| ["get", "post", "put", "patch", "delete"].contains(&key.as_str());
    let methods = |item: &Value| {
        let keys = item.as_object().into_iter().flatten().map(|(key, _)| key);
        keys.filter(is_method).cloned().collect::<Vec<_>>()
    };
    paths
        .iter()
        .flat_map(|(path, item)| {
            methods(item).into_iter().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

/// Holds an answer against `openapi.yaml`: status, media type, required headers and body. What the gateway answers by itself
/// is no operation, and passes.
///
/// # Panics
/// Where `openapi.yaml` does not say that the operation answers so.
#[track_caller]
pub fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    let Some(operation) = operation(method, path) else { return };
    let status = answer.status.as_str();
    let at = format!("{method} {path} {status}");
    let response = resolve(&operation["responses"][status]);
    assert!(response.is_object(), "{at} is not in openapi.yaml: {}", answer.body);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = resolve(header);
        match answer.headers.get(name) {
            Some(value) => {
                let text = value.to_str().expect("a header is text");
                let is_integer = header["schema"]["type"] == "integer";
                let value = if is_integer { text.parse::<u64>().map_or(json!(text), Value::from) } else { json!(text) };
                validate(&header["schema"], &value, &format!("{at}, header {name}"));
            }
            None => assert_ne!(header["required"], json!(true), "{at} lacks the header {name}"),
        }
    }
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
    let content = &response["content"][media_type];
    assert!(content.is_object(), "{at} is {media_type}, which is not in openapi.yaml");
    let body = if media_type.ends_with("json") { answer.json() } else { json!(answer.body) };
    validate(&content["schema"], &body, &at);
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == segments.len()
            && parts.iter().zip(&segments).all(|(part, segment)| part.starts_with('{') || part == segment)
    };
    let item = OPENAPI["paths"].as_object()?.iter().find(|(template, _)| fits(template))?.1;
    item.get(method.to_lowercase())
}

fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            resolve(OPENAPI.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere"))
        }
        None => value,
    }
}

#[track_caller]
fn validate(schema: &Value, instance: &Value, at: &str) {
    // References are from the root of the document, so its components come along.
    let root = json!({"allOf": [schema], "components": OPENAPI["components"]});
    let validator =
        jsonschema::draft202012::options().should_validate_formats(true).build(&root).expect("a schema is valid");
    let errors: Vec<String> = validator.iter_errors(instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{at} is not as openapi.yaml says: {errors:?} in {instance}");
}
