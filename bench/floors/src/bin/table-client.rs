//! A function that builds a client of DynamoDB, as most functions do, and does nothing with it.

use aws_config::BehaviorVersion;
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let _table = aws_sdk_dynamodb::Client::new(&sdk);
    run(service_fn(|_: Request| async { Ok::<_, Error>("hello") })).await
}
