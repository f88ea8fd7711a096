//! From texts to settings, and every complaint that a user may see.

use super::*;

fn inputs(flags: &[(&str, &str)]) -> Inputs {
    let flags = flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Inputs { role: Role::Combined, file: None, environment: Vec::new(), flags }
}

fn load(flags: &[(&str, &str)]) -> ServerConfig {
    ServerConfig::load(&inputs(flags)).unwrap()
}

fn problems(flags: &[(&str, &str)]) -> Vec<String> {
    ServerConfig::load(&inputs(flags)).unwrap_err().0
}

#[test]
fn nothing_set_is_a_node_on_loopback() {
    let config = load(&[]);
    assert_eq!(config.listeners[0].to_string(), "PLAINTEXT://localhost:9092");
    let http = config.http.unwrap();
    assert_eq!(http.address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.raft.address.to_string(), "127.0.0.1:19093");
    assert!(!http.asked_for && !config.raft.asked_for);
    assert_eq!(config.log_dirs, [PathBuf::from("./gofka-data")]);
    assert_eq!(config.raft_dir, config.log_dirs[0]);
    assert_eq!(config.node.to_string(), "0");
    assert!(config.fixed.0.is_empty());
}

#[test]
fn addr_is_short_for_listeners() {
    let config = load(&[("addr", ":9092")]);
    assert_eq!(config.fixed.0["listeners"], "PLAINTEXT://:9092");
    assert!(!config.fixed.0.contains_key("addr"));
    let both = problems(&[("addr", ":1"), ("listeners", "PLAINTEXT://:2")]);
    assert_eq!(both, ["the flags: addr and listeners say the same; give one"]);
}

#[test]
fn a_stronger_layer_wins_also_under_the_other_name() {
    let mut inputs = inputs(&[("log.dir", "/flag"), ("addr", "127.0.0.1:1")]);
    inputs.environment = [("GOFKA_LOG_DIRS", "/a,/b"), ("GOFKA_LISTENERS", "PLAINTEXT://:2")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .to_vec();
    let config = ServerConfig::load(&inputs).unwrap();
    assert_eq!(config.log_dirs, [PathBuf::from("/flag")]);
    assert_eq!(config.listeners[0].to_string(), "PLAINTEXT://127.0.0.1:1");
}

#[test]
fn log_dir_may_name_several() {
    let dirs = load(&[("log.dir", "/a, /b")]).log_dirs;
    assert_eq!(dirs, [PathBuf::from("/a"), PathBuf::from("/b")]);
}

#[test]
fn all_problems_are_listed_at_once() {
    let found = problems(&[
        ("num.partition", "3"),
        ("num.partitions", "0"),
        ("listeners", "SSL://:1"),
        ("node.id", "a b"),
        ("zzzzzz", "1"),
    ]);
    assert_eq!(found.len(), 5, "{found:?}");
    for part in [
        "num.partition is no setting; did you mean num.partitions?",
        "configuration num.partitions",
        "SSL, which is not served yet",
        "node.id: \"a b\"",
        "zzzzzz is no setting",
    ] {
        assert!(found.iter().any(|problem| problem.contains(part)), "{part}: {found:?}");
    }
}

#[test]
fn other_processes_are_refused_and_the_node_itself_is_no_other() {
    let refused = problems(&[("peers", "localhost:19094")]);
    assert!(refused[0].contains("peers: localhost:19094 is another process"), "{refused:?}");
    load(&[("peers", "localhost:19093"), ("bootstrap", "true")]);
    let mut broker = inputs(&[("peers", "localhost:19093")]);
    broker.role = Role::Broker;
    assert!(ServerConfig::load(&broker).is_err());
    let voters = problems(&[("controller.quorum.voters", "1@a:1,2@b:1")]);
    assert!(voters[0].contains("controller.quorum.voters: 2 nodes"), "{voters:?}");
    let other = problems(&[("controller.quorum.voters", "7@a:1"), ("node.id", "1")]);
    assert_eq!(other, ["controller.quorum.voters: the only voter is 7, and node.id is 1"]);
    load(&[("controller.quorum.voters", "1@localhost:9093"), ("node.id", "1")]);
}

#[test]
fn kafkas_own_file_for_one_node_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("server.properties");
    let text = "process.roles=broker,controller\nnode.id=1\n\
        controller.quorum.bootstrap.servers=localhost:9093\n\
        listeners=PLAINTEXT://:9092,CONTROLLER://:9093\ninter.broker.listener.name=PLAINTEXT\n\
        advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
        controller.listener.names=CONTROLLER\n\
        listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL\n\
        num.network.threads=3\nlog.dirs=/tmp/kraft-combined-logs\nnum.partitions=1\n\
        offsets.topic.replication.factor=1\ntransaction.state.log.min.isr=1\n";
    std::fs::write(&path, text).unwrap();
    let config = ServerConfig::load(&Inputs { file: Some(path), ..inputs(&[]) }).unwrap();
    assert_eq!(config.node.to_string(), "1");
    assert_eq!(config.listeners.len(), 1);
    assert_eq!(config.raft.address.to_string(), ":9093");
    assert_eq!(config.advertised[0].to_string(), "PLAINTEXT://localhost:9092");
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("without effect in Gofka: "), "{:?}", config.warnings);
    assert!(config.warnings[0].contains(", num.network.threads, "), "{:?}", config.warnings);
}

#[test]
fn what_cannot_be_honoured_yet_is_refused() {
    let found = problems(&[
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("super.users", "User:admin"),
        ("inter.broker.listener.name", "INTERNAL"),
        ("max.connections.per.ip", "0"),
        ("max.connections.per.ip.overrides", "x"),
    ]);
    for part in [
        "the flags: authorizer.class.name = org.apache.kafka",
        "the flags: super.users: access control is not served yet",
        "inter.broker.listener.name: INTERNAL is not in listeners",
        "configuration max.connections.per.ip.overrides: x is no address and limit",
    ] {
        assert!(found.iter().any(|problem| problem.contains(part)), "{part}: {found:?}");
    }
    assert_eq!(found.len(), 4, "{found:?}");
    let shut = problems(&[("max.connections.per.ip", "0")]);
    assert!(shut[0].contains("0 lets nobody in"), "{shut:?}");
}

#[test]
fn an_authorizer_that_lets_everybody_in_is_no_promise() {
    let authorizer =
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    let config = load(&[
        authorizer,
        ("super.users", "User:admin"),
        ("allow.everyone.if.no.acl.found", "TRUE"),
    ]);
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("there are no ACLs"), "{:?}", config.warnings);
    let shut = problems(&[authorizer, ("allow.everyone.if.no.acl.found", "false")]);
    assert_eq!(shut.len(), 2, "{shut:?}");
    let other = ("authorizer.class.name", "any.Authorizer");
    let shut = problems(&[other, ("allow.everyone.if.no.acl.found", "true")]);
    assert_eq!(shut.len(), 2, "{shut:?}");
}

#[test]
fn two_sockets_on_one_port_are_refused() {
    let map = ("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT");
    let found = problems(&[("listeners", "A://:1,B://localhost:1"), map]);
    assert_eq!(found, ["listener B and listener A cannot both be on localhost:1"]);
    let found = problems(&[("addr", ":1"), ("http.addr", ":1"), ("raft.addr", "127.0.0.1:1")]);
    assert_eq!(found.len(), 3, "{found:?}");
    load(&[("listeners", "A://127.0.0.1:1,B://[::1]:1"), map]);
    load(&[("addr", ":8080")]);
}

#[test]
fn listeners_with_none_for_clients_are_refused() {
    let found =
        problems(&[("listeners", "CONTROLLER://:1"), ("controller.listener.names", "CONTROLLER")]);
    assert_eq!(found, ["listeners: none is left for clients"]);
}

#[test]
fn two_different_ids_are_refused() {
    let found = problems(&[("node.id", "1"), ("broker.id", "2")]);
    assert_eq!(found, ["node.id is 1, and its older name broker.id is 2"]);
    load(&[("node.id", "1"), ("broker.id", "1")]);
}

#[test]
fn advertised_listeners_are_checked() {
    let found = problems(&[("advertised.listeners", "X://a:1")]);
    assert_eq!(found, ["advertised.listeners: X is not in listeners"]);
    let found = problems(&[("advertised.listeners", "PLAINTEXT://:1")]);
    assert_eq!(found, ["advertised.listeners: PLAINTEXT://:1 names no host to connect to"]);
}

#[test]
fn a_controller_has_its_own_default_port() {
    let mut inputs = inputs(&[]);
    inputs.role = Role::Controller;
    let port = |inputs: &Inputs| ServerConfig::load(inputs).unwrap().http.unwrap().address.port;
    assert_eq!(port(&inputs), 8081);
    inputs.flags.insert("http.addr".to_owned(), ":8080".to_owned());
    assert_eq!(port(&inputs), 8080);
}

#[test]
fn http_can_be_turned_off() {
    for value in ["", " ", "none"] {
        assert_eq!(load(&[("http.addr", value), ("raft.addr", ":8080")]).http, None, "{value:?}");
    }
    let wrong = problems(&[("http.addr", "nowhere")]);
    assert_eq!(wrong, ["http.addr: \"nowhere\" is no host:port"]);
}

#[test]
fn the_largest_request_holds_the_largest_batch() {
    assert_eq!(load(&[]).request_bytes_max(), 104_857_600);
    let large = load(&[("message.max.bytes", "200000000")]);
    assert!(large.request_bytes_max() > 200_000_000);
}

#[test]
fn broker_id_is_the_older_name() {
    assert_eq!(load(&[("broker.id", "7")]).node.to_string(), "7");
    assert_eq!(load(&[("broker.id", "-1")]).node.to_string(), "0");
    assert_eq!(load(&[("node.id", "b1")]).node, NodeName::Word("b1".to_owned()));
}

#[test]
fn settings_of_products_around_kafka_are_named_and_left_out() {
    let config = load(&[
        ("confluent.license.topic.replication.factor", "1"),
        ("cruise.control.metrics.topic.auto.create", "true"),
    ]);
    let [warning] = &config.warnings[..] else { panic!("{:?}", config.warnings) };
    let expected = "the flags: no settings of Kafka's own, without effect: \
                    confluent.license.topic.replication.factor, \
                    cruise.control.metrics.topic.auto.create";
    assert_eq!(warning, expected);
    let refused = problems(&[("confluent", "1"), ("my.plugin.url", "x")]);
    assert_eq!(refused.len(), 2, "{refused:?}");
}

#[test]
fn more_replicas_than_nodes_are_warned_of() {
    let warnings = |replicas| load(&[("default.replication.factor", replicas)]).warnings;
    assert!(warnings("1").is_empty());
    let found = warnings("3");
    let [warning] = &found[..] else { panic!("{found:?}") };
    assert!(warning.contains("is 3, and this cluster has 1 node"), "{warning}");
    assert!(warning.ends_with("set default.replication.factor to 1"), "{warning}");
}
