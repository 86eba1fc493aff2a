//! What `local` needs to know of `template.yaml`: routes, the table and CORS.
//!
//! The types are typed structs, which the YAML reader fills while it passes over tags such as `!Ref`:
//! `!GetAtt Login.Arn` reads as the text `Login.Arn`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::StartError;
use crate::routes::Route;

/// The parts of a template that `local` imitates.
#[derive(Debug)]
pub struct Template {
    /// Every route, with the folder of its function.
    pub routes: Vec<Route>,
    /// The one table.
    pub table: Table,
    /// What the gateway answers browsers of other origins, where such origins are configured.
    pub cors: CorsConfiguration,
}

/// The keys of the table and the attribute that ends an item's life.
#[derive(Debug)]
pub struct Table {
    /// The key's attributes, in order.
    pub key_schema: Vec<KeyElement>,
    /// The types of the key's attributes.
    pub attributes: Vec<AttributeDefinition>,
    /// The attribute that holds the second at which an item expires.
    pub expiry_attribute: String,
}

/// An attribute of the key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyElement {
    /// Its name.
    pub attribute_name: String,
    /// `HASH` or `RANGE`.
    pub key_type: String,
}

/// The type of a key's attribute.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributeDefinition {
    /// Its name.
    pub attribute_name: String,
    /// `S`, `N` or `B`.
    pub attribute_type: String,
}

/// The gateway's CORS settings. The origins are a parameter of the stack, so the template does not hold them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CorsConfiguration {
    /// Whether cookies may be sent along.
    #[serde(default)]
    pub allow_credentials: bool,
    /// The methods that a preflight allows.
    pub allow_methods: Vec<String>,
    /// The request headers that a preflight allows.
    #[serde(default)]
    pub allow_headers: Vec<String>,
    /// The response headers that scripts may read.
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// For how many seconds a browser may remember a preflight.
    #[serde(default)]
    pub max_age: u32,
}

impl Template {
    /// Reads the template at `path`.
    ///
    /// # Errors
    /// [`StartError::Template`] where the file cannot be read, or is not a template with routes, a table and an API.
    pub fn read(path: &Path) -> Result<Self, StartError> {
        let unusable = |reason: String| StartError::Template { path: path.to_path_buf(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        Self::parse(&text).map_err(unusable)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut file: File = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
        Ok(Self { routes: file.routes()?, table: file.take_table()?, cors: file.take_cors()? })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Properties {
    route_key: Option<String>,
    target: Option<String>,
    integration_uri: Option<String>,
    code_uri: Option<String>,
    key_schema: Option<Vec<KeyElement>>,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    time_to_live_specification: Option<TimeToLive>,
    cors_configuration: Option<If<CorsConfiguration>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
}

/// `!If [condition, then, otherwise]`.
#[derive(Deserialize)]
struct If<T>(IgnoredAny, T, IgnoredAny);

impl File {
    fn routes(&self) -> Result<Vec<Route>, String> {
        let routes = self.resources.values().filter(|resource| resource.kind == "AWS::ApiGatewayV2::Route");
        routes.map(|route| self.route(&route.properties)).collect()
    }

    /// Follows a route to its integration, from there to the function, and from there to its folder.
    fn route(&self, route: &Properties) -> Result<Route, String> {
        let key = route.route_key.as_deref().ok_or("a route has no RouteKey")?;
        let lost = |what: &str| format!("the route `{key}` has no {what}");
        let integration = route
            .target
            .as_deref()
            .and_then(|target| target.strip_prefix("integrations/${")?.strip_suffix('}'))
            .and_then(|name| self.resources.get(name))
            .ok_or_else(|| lost("integration"))?;
        let function = integration
            .properties
            .integration_uri
            .as_deref()
            .and_then(|arn| self.resources.get(arn.strip_suffix(".Arn")?))
            .ok_or_else(|| lost("function"))?;
        let folder = function
            .properties
            .code_uri
            .as_deref()
            .and_then(|uri| uri.trim_end_matches('/').rsplit('/').next())
            .ok_or_else(|| lost("function with a CodeUri"))?;
        Route::new(key, folder)
    }

    fn take_table(&mut self) -> Result<Table, String> {
        let table = self.take("AWS::DynamoDB::Table")?;
        Ok(Table {
            key_schema: table.key_schema.ok_or("the table has no KeySchema")?,
            attributes: table.attribute_definitions.ok_or("the table has no AttributeDefinitions")?,
            expiry_attribute: table
                .time_to_live_specification
                .ok_or("the table has no TimeToLiveSpecification")?
                .attribute_name,
        })
    }

    fn take_cors(&mut self) -> Result<CorsConfiguration, String> {
        let api = self.take("AWS::ApiGatewayV2::Api")?;
        Ok(api.cors_configuration.ok_or("the API has no CorsConfiguration under a condition")?.1)
    }

    fn take(&mut self, kind: &str) -> Result<Properties, String> {
        let found = self.resources.values_mut().find(|resource| resource.kind == kind);
        found.map(|resource| std::mem::take(&mut resource.properties)).ok_or_else(|| format!("it has no {kind}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = r"
Resources:
  LoginRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: POST /login
      Target: !Sub integrations/${LoginIntegration}
";

    fn own() -> Template {
        Template::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"))).unwrap()
    }

    #[test]
    fn every_route_of_the_template_leads_to_a_folder() {
        let template = own();
        let login = template.routes.iter().find(|route| route.key() == "POST /login").unwrap();
        assert_eq!(login.function(), "login");
        let resend = template.routes.iter().find(|route| route.key() == "POST /verify-email/resend").unwrap();
        assert_eq!(resend.function(), "resend-verification");
    }

    #[test]
    fn the_table_and_cors_are_read_through_cloudformations_tags() {
        let template = own();
        let keys: Vec<_> = template.table.key_schema.iter().map(|key| key.attribute_name.as_str()).collect();
        assert_eq!(keys, ["pk", "sk"]);
        assert_eq!(template.table.expiry_attribute, "expires_at");
        assert!(template.cors.allow_credentials);
        assert_eq!(template.cors.allow_methods, ["GET", "POST", "PATCH", "DELETE"]);
    }

    #[test]
    fn a_route_that_leads_nowhere_is_one_clear_line() {
        assert_eq!(Template::parse(ROUTE).unwrap_err(), "the route `POST /login` has no integration");
        let integration = format!("{ROUTE}  LoginIntegration:\n    Type: AWS::ApiGatewayV2::Integration\n");
        assert_eq!(Template::parse(&integration).unwrap_err(), "the route `POST /login` has no function");
    }

    #[test]
    fn a_missing_or_broken_file_is_one_clear_line() {
        let missing = Template::read(Path::new("/nowhere/template.yaml")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot use the template /nowhere/template.yaml: "), "{missing}");
        assert!(!Template::parse("Resources: [").unwrap_err().contains('\n'));
        assert_eq!(Template::parse("Resources: {}").unwrap_err(), "it has no AWS::DynamoDB::Table");
    }
}
