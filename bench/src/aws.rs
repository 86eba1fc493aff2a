//! What stands between a function and AWS, and not between a function and the database in this process: TLS, and Secrets
//! Manager.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Where Linux systems keep the roots that they trust, as a function in Lambda would read them too.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A door of TLS before a server of this machine.
pub(crate) struct TlsDoor {
    pub(crate) url: String,
    /// The system's roots and the door's own.
    pub(crate) roots: PathBuf,
}

impl TlsDoor {
    /// Opens one before the server at an address such as `127.0.0.1:8000`.
    pub(crate) async fn before(upstream: String) -> anyhow::Result<Self> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let roots = std::env::temp_dir().join(format!("freehold-bench-{}.pem", std::process::id()));
        let system = std::fs::read_to_string(SYSTEM_ROOTS).context(SYSTEM_ROOTS)?;
        std::fs::write(&roots, format!("{system}\n{}", cert.pem()))?;

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
                tokio::spawn(async move {
                    let mut outside = acceptor.accept(stream).await?;
                    let mut inside = TcpStream::connect(upstream).await?;
                    tokio::io::copy_bidirectional(&mut outside, &mut inside).await
                });
            }
        });
        Ok(Self { url, roots })
    }
}

impl Drop for TlsDoor {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.roots);
    }
}

/// A Secrets Manager that knows one secret, which was never rotated: its address.
pub(crate) async fn secrets_manager(secret: String) -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let secret = secret.clone();
            let service = service_fn(move |request| answer(request, secret.clone()));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(url)
}

async fn answer(request: Request<Incoming>, secret: String) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_current = asked["VersionStage"] == "AWSCURRENT";
    let answer = if is_current {
        json!({"ARN": asked["SecretId"], "Name": "application-secret", "SecretString": secret})
    } else {
        json!({"__type": "ResourceNotFoundException"})
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
    if !is_current {
        *response.status_mut() = hyper::StatusCode::BAD_REQUEST;
    }
    Ok(response)
}
