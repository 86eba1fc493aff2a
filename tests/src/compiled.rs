use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::root;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(compile);

/// Compiles the functions and the local server, once, into the folder that this test was compiled into: that folder.
///
/// # Panics
/// Where they do not compile.
pub async fn compiled() -> PathBuf {
    tokio::task::spawn_blocking(|| FOLDER.clone()).await.expect("the compiler runs")
}

fn compile() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let folder = test.parent().and_then(Path::parent).expect("a test lies in a folder of cargo's").to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace", "--bins", "--locked", "--offline"]).current_dir(root());
    cargo.arg("--target-dir").arg(folder.parent().expect("a profile lies in a folder of cargo's"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs").success(), "the programs do not compile");
    folder
}
