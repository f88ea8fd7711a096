//! openraft's own checks of a storage, run on ours: all but those that write logs with gaps,
//! which raft never does and our log refuses.

use std::sync::Arc;

use gofka_core::time::Now;
use openraft::testing::{StoreBuilder, Suite};

use super::{LogStore, QuorumState, StateMachine, StorageError, Types};

struct Builder;

impl StoreBuilder<Types, LogStore, StateMachine, tempfile::TempDir> for Builder {
    async fn build(&self) -> Result<(tempfile::TempDir, LogStore, StateMachine), StorageError> {
        let dir = tempfile::tempdir().unwrap();
        let quorum = QuorumState {
            cluster_id: "test".to_owned(),
            node_id: 0,
            node_name: None,
            leader_epoch: 0,
            voted_id: -1,
            leader_known: false,
            data_version: 1,
        };
        let clock: Arc<dyn Fn() -> Now + Send + Sync> = Arc::new(Now::default);
        let log = LogStore::open(dir.path(), quorum, Arc::clone(&clock)).unwrap();
        let (machine, _) = StateMachine::open(dir.path(), "test", log.clone(), clock).unwrap();
        Ok((dir, log, machine))
    }
}

type Checks = Suite<Types, LogStore, StateMachine, Builder, tempfile::TempDir>;

macro_rules! checks {
    ($($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn $name() {
                let (_dir, log, machine) = Builder.build().await.unwrap();
                Checks::$name(log, machine).await.unwrap();
            }
        )*
    };
}

checks! {
    last_membership_in_log_initial
    get_membership_initial
    get_membership_from_empty_log_and_sm
    get_initial_state_without_init
    get_initial_state_with_state
    get_initial_state_last_log_gt_sm
    get_initial_state_log_ids
    save_vote
    get_log_entries
    limited_get_log_entries
    try_get_log_entry
    initial_logs
    get_log_state
    get_log_id
    last_id_in_log
    last_applied_state
    purge_logs_upto_0
    purge_logs_upto_5
    purge_logs_upto_20
    delete_logs_since_11
    delete_logs_since_0
    append_to_log
    snapshot_meta
    apply_single
    apply_multiple
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn transfer_snapshot() {
    Checks::transfer_snapshot(&Builder).await.unwrap();
}
