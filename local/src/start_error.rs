use std::net::SocketAddr;
use std::path::PathBuf;

/// Why nothing was started, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The template is missing, broken, or lacks what is needed of it.
    #[error("cannot use the template {}: {reason}", path.display())]
    Template {
        /// The template.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of triggers is missing or broken.
    #[error("cannot use the triggers {}: {reason}", path.display())]
    Triggers {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The template has a function that this program does not.
    #[error("the route `{route}` leads to the function `{folder}`, which `local` does not know")]
    UnknownFunction {
        /// The route's key.
        route: String,
        /// The function's folder.
        folder: String,
    },
    /// A file or a folder cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Data {
        /// The file or the folder.
        path: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// The application secret is unusable.
    #[error("{0}")]
    Secret(#[from] freehold_crypto::application_secret::WeakSecret),
    /// The functions refuse their environment.
    #[error(transparent)]
    Config(#[from] freehold_service::StartError),
    /// The database cannot be opened, or refuses the table.
    #[error("cannot use the database: {0}")]
    Database(String),
}
