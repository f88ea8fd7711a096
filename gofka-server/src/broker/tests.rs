//! A node as the binaries run it, started and stopped in this process.

use std::collections::BTreeMap;
use std::path::Path;

use super::start::Running;
use super::{Logging, ServerConfig};
use crate::config::{Inputs, Role};

fn config(role: Role, dir: &Path, more: &[(&str, String)]) -> ServerConfig {
    let mut flags = BTreeMap::from([
        ("addr".to_owned(), "127.0.0.1:0".to_owned()),
        ("http.addr".to_owned(), "127.0.0.1:0".to_owned()),
        ("raft.addr".to_owned(), "127.0.0.1:0".to_owned()),
        ("log.dir".to_owned(), dir.display().to_string()),
    ]);
    flags.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let inputs = Inputs { role, file: None, environment: Vec::new(), flags };
    ServerConfig::load(&inputs).unwrap()
}

async fn start(config: ServerConfig) -> Result<Running, String> {
    Running::start(config, Logging::silent("info")).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_starts_stops_cleanly_and_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let running = start(config(Role::Combined, dir.path(), &[])).await.unwrap();
        let line = running.ready_line().to_owned();
        assert!(line.contains("listening on 127.0.0.1:"), "{line}");
        assert!(line.contains(&dir.path().display().to_string()), "{line}");
        assert!(line.contains("durability fsync") && line.contains("kcat -b 127.0.0.1:"), "{line}");
        running.stop().await.unwrap();
        assert!(dir.path().join(".kafka_cleanshutdown").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_runs_without_http() {
    let dir = tempfile::tempdir().unwrap();
    let none = ("http.addr", "none".to_owned());
    let running = start(config(Role::Combined, dir.path(), &[none])).await.unwrap();
    let line = running.ready_line();
    assert!(line.contains("metrics and health turned off"), "{line}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(config(Role::Combined, dir.path(), &[])).await.unwrap();
    let error = start(config(Role::Combined, dir.path(), &[])).await.err().unwrap();
    let expected = format!("log directory {} is in use by another broker", dir.path().display());
    assert_eq!(error, expected);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_use_is_refused_before_anything_is_touched() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    for name in ["addr", "http.addr", "raft.addr"] {
        let config = config(Role::Combined, &dir, &[(name, address.clone())]);
        let error = start(config).await.err().unwrap();
        assert!(error.contains(&address) && error.contains("in use"), "{error}");
        assert!(!dir.exists(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_metadata_directory_that_cannot_be_made_leaves_the_others_alone() {
    let parent = tempfile::tempdir().unwrap();
    let (file, data) = (parent.path().join("file"), parent.path().join("data"));
    std::fs::write(&file, "mine").unwrap();
    let inside = file.join("raft").display().to_string();
    let error = start(config(Role::Combined, &data, &[("raft.dir", inside)])).await.err().unwrap();
    assert!(error.starts_with("metadata directory") && error.contains("file/raft"), "{error}");
    assert!(!data.exists());

    let raft = parent.path().join("raft");
    let name = ("raft.dir", raft.display().to_string());
    start(config(Role::Combined, &file, &[name])).await.err().expect("the data is no folder");
    assert!(!raft.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_keeps_its_number_and_another_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let named = |word: &str| config(Role::Broker, dir.path(), &[("node.id", word.to_owned())]);
    start(named("b1")).await.unwrap().stop().await.unwrap();
    let meta = std::fs::read_to_string(dir.path().join("meta.properties")).unwrap();
    assert!(meta.contains("node.id=1000000"), "{meta}");
    start(named("b1")).await.unwrap().stop().await.unwrap();
    assert!(start(named("b2")).await.err().unwrap().contains("b1, not to b2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_controller_runs_alone() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(config(Role::Controller, dir.path(), &[])).await.unwrap();
    assert!(running.ready_line().starts_with("gofka controller is listening on 127.0.0.1:"));
    running.stop().await.unwrap();
    assert!(dir.path().join("__cluster_metadata-0").exists());
}
