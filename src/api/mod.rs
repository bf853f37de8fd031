//! What masters and their clients say to each other over HTTP: plain data.
//!
//! Bodies are JSON. A request that starts a run may also be MessagePack ([`MSGPACK`]), which carries data files without
//! blowing them up; the view of a run is always MessagePack. Unknown keys are ignored, so that a client and a master of
//! different versions understand each other.

pub mod cluster;
pub mod error;
pub mod masters;
pub mod paths;
pub mod runs;

pub use cluster::{
    AddMember, ClusterStatus, LeaderAddress, MasterRole, MemberStatus, NamedMember, StateDigest, Transfer, WorkerStatus,
};
pub use error::ApiError;
pub use masters::MasterAddress;
pub use runs::{Done, EditRun, RunListed, StartRun, Started, run_id};

/// The media type of JSON.
pub const JSON: &str = "application/json";

/// The media type of MessagePack.
pub const MSGPACK: &str = "application/msgpack";

/// The web port of a master unless it is named.
pub const WEB_PORT: u16 = 8089;

/// The header that makes a repeated request harmless: the same key stands for the same request.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header of a request that a master passed on: its name.
pub const FORWARDED_BY: &str = "x-akrida-forwarded";

/// The header of an answer of a master that was asked as the leader, and is not.
pub const NOT_LEADER: &str = "x-akrida-not-leader";
