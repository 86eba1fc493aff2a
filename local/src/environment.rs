//! The environment variables that a function has in Lambda, with the values that it needs here.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use freehold_crypto::token::Secret;

use crate::StartError;
use crate::kms::KEY_ARN;

pub(crate) const REGION: &str = "us-east-1";
const POOL_ID: &str = "us-east-1_Freehold1";
const TABLE_NAME: &str = "freehold";
const ACCESS_KEY: &str = "local";

/// Where everything listens.
pub(crate) struct Addresses<'a> {
    pub(crate) api: &'a str,
    pub(crate) services: &'a str,
    pub(crate) dynamodb: &'a str,
}

/// All variables of all functions, and those by which the AWS SDK finds the services. `given` wins over the rest.
pub(crate) fn of_functions(
    addresses: &Addresses<'_>,
    application_secret: String,
    given: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let usual = [
        ("TABLE_NAME", TABLE_NAME.to_owned()),
        ("POOL_ID", POOL_ID.to_owned()),
        ("PUBLIC_URL", addresses.api.to_owned()),
        ("ALLOWED_ORIGINS", String::new()),
        ("MAIL_FROM", "no-reply@freehold.example".to_owned()),
        ("DEAD_LETTER_QUEUE_URL", format!("{}/000000000000/dead-mail", addresses.services)),
        ("APPLICATION_SECRET", application_secret),
        ("LOG_LEVEL", "WARN".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", addresses.dynamodb.to_owned()),
        ("AWS_ENDPOINT_URL_SESV2", addresses.services.to_owned()),
        ("AWS_ENDPOINT_URL_SQS", addresses.services.to_owned()),
        ("AWS_ENDPOINT_URL_KMS", addresses.services.to_owned()),
        ("CUSTOM_SENDER_KEY", KEY_ARN.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.to_owned()),
    ];
    let usual = usual.into_iter().map(|(name, value)| (name.to_owned(), value));
    usual.chain(given).collect()
}

/// What the owner's own functions need of it: the services, and who mail comes from. The secrets of the pool stay with it.
pub(crate) fn of_triggers(functions: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_theirs = |name: &str| name.starts_with("AWS_") || ["MAIL_FROM", "CUSTOM_SENDER_KEY"].contains(&name);
    functions.iter().filter(|(name, _)| is_theirs(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What the AWS SDK needs to know to call a service at `endpoint`, without asking this process's own environment.
pub(crate) fn aws(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

/// The application secret: the one that a folder holds, or a new one, which the folder then keeps.
pub(crate) fn application_secret(folder: Option<&Path>) -> Result<String, StartError> {
    let new = STANDARD.encode(Secret::generate().expose_bytes());
    let Some(folder) = folder else { return Ok(new) };
    let path = folder.join("application-secret");
    let unusable = |source| StartError::Data { path: path.clone(), source };
    match private_file(&path) {
        Ok(mut file) => file.write_all(new.as_bytes()).map(|()| new).map_err(unusable),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::read_to_string(&path).map(|secret| secret.trim().to_owned()).map_err(unusable)
        }
        Err(error) => Err(unusable(error)),
    }
}

/// Writes variables to a file, as `cargo lambda watch --env-file` reads them.
pub(crate) fn write(environment: &BTreeMap<String, String>, path: &Path) -> Result<(), StartError> {
    let lines: Vec<_> = environment.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
    // A file of an earlier run may be there; it is replaced rather than written to, since others may be able to read it.
    let _ = std::fs::remove_file(path);
    private_file(path)
        .and_then(|mut file| file.write_all(lines.concat().as_bytes()))
        .map_err(|source| StartError::Data { path: path.to_path_buf(), source })
}

/// Creates a folder for its owner's eyes only, unless it is there: what is mailed and stored lies in it.
pub(crate) fn create_folder(path: &Path) -> Result<(), StartError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| StartError::Data { path: path.to_path_buf(), source })
}

/// Creates a file that must not exist yet, for its owner's eyes only.
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_secret_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("freehold-secret-{}", std::process::id()));
        create_folder(&folder).unwrap();
        create_folder(&folder).unwrap();
        let secret = application_secret(Some(&folder)).unwrap();
        assert_eq!(application_secret(Some(&folder)).unwrap(), secret);
        assert_ne!(application_secret(None).unwrap(), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&folder), mode(&folder.join("application-secret"))), (0o700, 0o600));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_given_variable_wins() {
        let addresses = Addresses { api: "http://a", services: "http://s", dynamodb: "http://d" };
        let given = BTreeMap::from([("PUBLIC_URL".to_owned(), "https://auth.example.com".to_owned())]);
        let environment = of_functions(&addresses, "secret".to_owned(), given);
        assert_eq!(environment["PUBLIC_URL"], "https://auth.example.com");
        assert_eq!(environment["AWS_ENDPOINT_URL_SQS"], "http://s");
    }
}
