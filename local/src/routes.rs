//! Which function a request is for, by the rules of an HTTP API.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// A route of the template: a method, a path with parameters in braces, and the folder of a function.
#[derive(Debug, Clone)]
pub struct Route {
    key: String,
    function: String,
    method: String,
    segments: Vec<Segment>,
}

/// A part of a path between slashes. Declared in the order in which the gateway prefers them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Static(String),
    Parameter(String),
}

impl Route {
    /// Reads a route key such as `GET /users/{id}`.
    ///
    /// # Errors
    /// A sentence, where the key is not a method and a path, or uses `ANY`, `$default` or a greedy parameter.
    pub fn new(key: &str, function: &str) -> Result<Self, String> {
        let (method, path) = key.split_once(" /").ok_or_else(|| format!("`{key}` is not a method and a path"))?;
        if method == "ANY" || path.contains("+}") {
            return Err(format!("the route `{key}` is of a kind that `local` does not imitate"));
        }
        Ok(Self {
            key: key.to_owned(),
            function: function.to_owned(),
            method: method.to_owned(),
            segments: path.split('/').map(Segment::new).collect(),
        })
    }

    /// The method and the path, as the template writes them.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The folder of the function.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The path's parameters, where the path is this route's.
    fn parameters(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let given: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        if given.len() != self.segments.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (segment, given) in self.segments.iter().zip(given) {
            match segment {
                Segment::Static(text) if text == given => {}
                Segment::Parameter(name) if !given.is_empty() => {
                    parameters.insert(name.clone(), decoded(given));
                }
                Segment::Static(_) | Segment::Parameter(_) => return None,
            }
        }
        Some(parameters)
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Self::Parameter(name.to_owned()),
            None => Self::Static(text.to_owned()),
        }
    }
}

/// All routes, the most specific first.
#[derive(Debug)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Sorts routes so that a literal part of a path wins over a parameter.
    #[must_use]
    pub fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by(|a, b| a.segments.cmp(&b.segments));
        Self(routes)
    }

    /// The route of a request and its path's parameters, percent-decoded as the gateway does.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<(&Route, BTreeMap<String, String>)> {
        let mut of_method = self.0.iter().filter(|route| route.method == method);
        of_method.find_map(|route| Some((route, route.parameters(path)?)))
    }

    /// The routes, for people to read.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }
}

/// Percent-decodes a path or a part of one; bytes that are not UTF-8 become replacement characters.
#[must_use]
pub fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let keys = ["GET /{pool}/users/{id}", "GET /me", "POST /me", "GET /{pool}/users/me", "GET /{anything}"];
        Routes::new(keys.map(|key| Route::new(key, "f").unwrap()).into())
    }

    #[test]
    fn a_literal_part_wins_over_a_parameter() {
        for (path, key) in [
            ("/me", "GET /me"),
            ("/you", "GET /{anything}"),
            ("/p/users/me", "GET /{pool}/users/me"),
            ("/p/users/7", "GET /{pool}/users/{id}"),
        ] {
            assert_eq!(routes().find("GET", path).unwrap().0.key(), key, "{path}");
        }
    }

    #[test]
    fn the_method_and_every_part_must_match() {
        assert!(routes().find("POST", "/me").is_some());
        for (method, path) in [("DELETE", "/me"), ("POST", "/me/"), ("GET", "/"), ("GET", "/p/users/"), ("GET", "")] {
            assert!(routes().find(method, path).is_none(), "{method} {path}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_never_span_a_slash() {
        let routes = routes();
        let (_, parameters) = routes.find("GET", "/a%20b/users/c%2Fd").unwrap();
        assert_eq!(parameters["pool"], "a b");
        assert_eq!(parameters["id"], "c/d");
    }

    #[test]
    fn kinds_of_route_that_are_not_imitated_are_refused() {
        for key in ["$default", "ANY /me", "GET /{proxy+}", "GET me"] {
            assert!(Route::new(key, "f").is_err(), "{key}");
        }
    }
}
