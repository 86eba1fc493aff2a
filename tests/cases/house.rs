//! The rules of the house, held against its files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tests::{operations, root};

use crate::template::{all, template};

/// The functions: the folders under `functions/`.
fn functions() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("functions")).unwrap();
    folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect()
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that is tracked or could be, with one of these endings.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["target", ".git", "node_modules"].contains(&name.as_str()) {
                walk(&path, found);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.retain(|path| path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)));
    found
}

#[test]
fn template_functions_events_flows_and_test_modules_agree() {
    let functions = functions();
    let template = template();
    let mut deployed = Vec::new();
    all(&template, "CodeUri", &mut deployed);
    let folder =
        |uri: &&Value| uri.as_str().unwrap().trim_start_matches("target/lambda/").trim_end_matches('/').to_owned();
    assert_eq!(
        deployed.iter().map(folder).collect::<BTreeSet<_>>(),
        functions,
        "template.yaml deploys other functions"
    );

    let events = fs::read_dir(root().join("events")).unwrap();
    let event = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_string_lossy().into_owned();
    let events: BTreeSet<String> = events.map(|entry| event(entry.unwrap())).collect();
    assert_eq!(events, functions, "events/ has other functions");

    let (flows, modules) = (read("shared/service/src/flow.rs"), read("tests/cases/main.rs"));
    for function in &functions {
        let module = function.replace('-', "_");
        assert!(modules.contains(&format!("mod {module};")), "{function} has no test module");
        // `me` and the authorizer are two doors of one flow.
        let flow = if ["me", "authorizer"].contains(&function.as_str()) { "authenticate" } else { &module };
        assert!(flows.contains(&format!("mod {flow};")), "{function} has no flow");
    }
}

#[test]
fn every_test_module_is_listed() {
    let listed = read("tests/cases/main.rs");
    for entry in fs::read_dir(root().join("tests/cases")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(name == "main" || listed.contains(&format!("mod {name};")), "tests/cases/{name}.rs is not in main.rs");
    }
}

#[test]
fn template_openapi_and_the_router_of_cargo_lambda_have_the_same_routes() {
    let template = local::Template::read(&root().join("template.yaml")).unwrap();
    let routes: BTreeMap<String, String> =
        template.routes.iter().map(|route| (route.key().to_owned(), route.function().to_owned())).collect();
    assert_eq!(
        routes.keys().cloned().collect::<BTreeSet<_>>(),
        operations().into_iter().collect(),
        "openapi.yaml differs"
    );

    let metadata = cargo_metadata();
    let watch = metadata["metadata"]["lambda"]["watch"]["router"].as_object().expect("Cargo.toml has a router");
    let mut watched = BTreeMap::new();
    for (path, targets) in watch {
        for target in targets.as_array().expect("a path has a list of targets") {
            let text = |name: &str| target[name].as_str().unwrap().to_owned();
            watched.insert(format!("{} {path}", text("method")), text("function"));
        }
    }
    assert_eq!(watched, routes, "the router in Cargo.toml differs");
}

/// The two contracts, `template.yaml` and `openapi.yaml`, are one document each by their formats.
#[test]
fn no_file_of_code_has_more_than_five_hundred_lines() {
    for path in files(&["rs", "py", "sh"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines}", path.display());
    }
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["TODO", "FIXME", "XXX"].map(|mark| format!("{mark}{}", ':'));
    for path in files(&["rs", "yaml", "toml", "py", "md"]) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!marks.iter().any(|mark| text.contains(mark)), "{}", path.display());
    }
}

#[test]
fn arrows_go_one_way() {
    let order = [
        "freehold-crypto",
        "freehold-domain",
        "freehold-service",
        "freehold-http",
        "functions",
        "local",
        "tests",
        "bench",
    ];
    let rank = |name: &str| {
        let name = if functions().contains(name) { "functions" } else { name };
        order.iter().position(|other| *other == name)
    };
    let metadata = cargo_metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let Some(own) = package["name"].as_str().and_then(rank) else { continue };
        if !package["source"].is_null() {
            continue;
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            if let (Some(theirs), true) = (dependency["name"].as_str().and_then(rank), dependency["source"].is_null()) {
                assert!(theirs < own, "{} depends on {}", package["name"], dependency["name"]);
            }
        }
    }
}

#[test]
fn every_dependency_has_a_licence_that_we_accept() {
    // One of the alternatives of each expression must be among these.
    let accepted = [
        "MIT",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "ISC",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "Unicode-3.0",
        "Zlib",
        "Unlicense",
        "0BSD",
        "CC0-1.0",
        "CDLA-Permissive-2.0",
        "MIT-0",
        "BSL-1.0",
        "OpenSSL",
    ];
    let is_accepted = |expression: &str| {
        let expression = expression.replace('/', " OR ");
        let all_of = |part: &str| {
            part.split(" AND ").all(|licence| accepted.contains(&licence.trim().trim_matches(['(', ')']).trim()))
        };
        // `(A OR B) AND C` does not occur with anything that is not accepted: every name of such a one must be.
        expression.split(" OR ").any(all_of)
    };
    for package in cargo_metadata()["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_accepted(licence), "{} is under {licence}", package["name"]);
    }
}

#[test]
fn the_rsa_crate_is_in_nothing_that_is_deployed() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges", "normal", "--prefix", "none", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("aws-lc-rs"), "cargo tree said nothing: {}", String::from_utf8_lossy(&output.stderr));
    assert!(!tree.lines().any(|line| line.starts_with("rsa v")), "RUSTSEC-2023-0071");
}

/// Of this machine's platform alone: what others need is not downloaded here.
fn cargo_metadata() -> Value {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
