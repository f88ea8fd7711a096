//! Raft's way to other members. A quorum of one has none.

use openraft::error::{InstallSnapshotError, RPCError, RaftError, Unreachable};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};

use super::Types;

type RpcError<E = openraft::error::Infallible> =
    RPCError<u64, openraft::BasicNode, RaftError<u64, E>>;

/// Answers every call with "unreachable".
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoPeers {
    target: u64,
}

impl NoPeers {
    pub(crate) const fn new() -> Self {
        Self { target: u64::MAX }
    }

    fn unreachable<E: std::error::Error>(self) -> RpcError<E> {
        let why = std::io::Error::other(format!("node {} has no address", self.target));
        RPCError::Unreachable(Unreachable::new(&why))
    }
}

impl RaftNetworkFactory<Types> for NoPeers {
    type Network = Self;

    async fn new_client(&mut self, target: u64, _node: &openraft::BasicNode) -> Self {
        Self { target }
    }
}

impl RaftNetwork<Types> for NoPeers {
    async fn append_entries(
        &mut self,
        _rpc: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RpcError> {
        Err(self.unreachable())
    }

    async fn install_snapshot(
        &mut self,
        _rpc: InstallSnapshotRequest<Types>,
        _option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, RpcError<InstallSnapshotError>> {
        Err(self.unreachable())
    }

    async fn vote(
        &mut self,
        _rpc: VoteRequest<u64>,
        _option: RPCOption,
    ) -> Result<VoteResponse<u64>, RpcError> {
        Err(self.unreachable())
    }
}
