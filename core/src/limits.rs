//! Every bound in one place.
//!
//! A bound that an operator may change is a default here and a key in the configuration.

use std::time::Duration;

/// Slots into which the users of a plan are dealt.
pub const SLOTS: usize = 65_536;

/// Largest number of users of one plan.
pub const USERS_MAX: u64 = 10_000_000;

/// Largest spawn rate, in users per second.
pub const SPAWN_RATE_MAX_PER_S: f64 = 1_000_000.0;

/// Distinct (method, name) pairs kept apart in a run; samples of further ones are counted under [`OTHER`].
pub const ENDPOINTS_MAX: usize = 500;

/// Longest name or method of an endpoint that is kept; the rest is cut, and what then has the same name is counted
/// together.
pub const ENDPOINT_NAME_CHARS_MAX: usize = 1_000;

/// Distinct (endpoint, error text) pairs kept apart in a run; further ones are counted under [`OTHER`].
pub const ERRORS_MAX: usize = 500;

/// Distinct exceptions kept apart in a run; further ones are counted under [`OTHER`].
pub const EXCEPTIONS_MAX: usize = 200;

/// The name that collects what exceeds a bound.
pub const OTHER: &str = "(other)";

/// Longest error text that is kept; the rest is cut.
pub const ERROR_TEXT_CHARS_MAX: usize = 500;

/// Width of one statistics interval.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Sealed deltas that a worker keeps until they are acknowledged. When they are that many, the open delta grows coarser.
pub const OUTBOX_DELTAS_MAX: usize = 600;

/// Points of the one-second series of a run; beyond it the older half is thinned to every second point.
pub const SERIES_POINTS_MAX: usize = 2_000;

/// Window of the current rate and of the current percentiles.
pub const CURRENT_WINDOW: Duration = Duration::from_secs(10);

/// Longest latency that a histogram tells apart; longer ones count in its last bucket (the maximum stays exact).
pub const LATENCY_MAX: Duration = Duration::from_secs(3_600);

/// Significant decimal digits of total latencies.
pub const LATENCY_DIGITS: u8 = 3;

/// Significant decimal digits of phases (connect, TLS, first byte) and of the schedule lag.
pub const PHASE_DIGITS: u8 = 2;

/// Time-out of one HTTP request unless the scenario says otherwise.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Redirects that one request follows unless the scenario says otherwise.
pub const REDIRECTS_MAX: u32 = 30;

/// Messages of a WebSocket that are kept until they are asked for; beyond it nothing is read.
pub const WEBSOCKET_MESSAGES_KEPT_MAX: usize = 1_024;

/// How long a user waits for the other side to close a WebSocket.
pub const WEBSOCKET_CLOSE_WAIT: Duration = Duration::from_secs(1);

/// Longest age that a scenario may allow a connection.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Source addresses of one user class.
pub const SOURCES_MAX: usize = 4_096;

/// Bytes of a response body kept for checks and extractions; the rest is read, counted and dropped.
pub const BODY_KEPT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Length of the head of a response, and of the trailers behind a chunked body.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 64 * 1024;

/// Headers of one response.
pub const RESPONSE_HEADERS_MAX: usize = 96;

/// Interim responses (1xx) to one request.
pub const INTERIM_RESPONSES_MAX: u32 = 16;

/// Length of the line before a chunk: its size and extensions.
pub const CHUNK_LINE_BYTES_MAX: usize = 4_096;

/// Time that requests in flight get to end once their user was told to stop without a stop time-out.
pub const STOP_GRACE: Duration = Duration::from_secs(1);

/// Size of a scenario file.
pub const SCENARIO_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Depth of nesting in a scenario file.
pub const SCENARIO_DEPTH_MAX: usize = 64;

/// Values that the aliases of a YAML file may repeat.
pub const SCENARIO_ALIAS_NODES_MAX: usize = 100_000;

/// Problems of one scenario file that are shown; further ones are counted.
pub const SCENARIO_PROBLEMS_MAX: usize = 200;

/// What `use` of named task sets and what defaults of all classes may repeat, by its size in the file.
pub const SCENARIO_REUSED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Depth of nesting of task sets, named sets included.
pub const TASK_SET_DEPTH_MAX: usize = 32;

/// Code of one expression of a template, or of all its statements, strings aside.
pub const TEMPLATE_CODE_BYTES_MAX: usize = 1_024;

/// Instructions that one template may take each time it is rendered.
pub const TEMPLATE_INSTRUCTIONS_MAX: u64 = 1_000_000;

/// Regular expressions of one scenario.
pub const PATTERNS_MAX: usize = 500;

/// Size of one compiled regular expression.
pub const PATTERN_BYTES_MAX: usize = 1024 * 1024;

/// Tags in one list.
pub const TAGS_MAX: usize = 32;

/// Filters of one JSONPath.
pub const JSONPATH_FILTERS_MAX: usize = 8;

/// Opening brackets of one JSONPath.
pub const JSONPATH_BRACKETS_MAX: usize = 64;

/// Longest wait time, pacing or mean of a Poisson wait.
pub const WAIT_MAX: Duration = Duration::from_secs(24 * 3_600);

/// Largest rate of a `throughput` or `poisson` wait time of one user.
pub const USER_RATE_MAX_PER_S: f64 = 1_000_000.0;

/// Longest time-out of a request that a scenario may ask for.
pub const REQUEST_TIMEOUT_MAX: Duration = Duration::from_secs(3_600);

/// Most redirects that a scenario may ask to follow.
pub const REDIRECTS_LIMIT_MAX: u32 = 1_000;

/// Largest weight of a user class or task.
pub const WEIGHT_MAX: u32 = 1_000_000;

/// Largest `repeat` count or `iterations` of a task set.
pub const REPEAT_MAX: u64 = 1_000_000;

/// Users that a worker starts or stops at once; more follow at the next tick.
pub const USERS_CHANGED_PER_TICK_MAX: u64 = 2_000;

/// How old a launch may be when a worker takes plan time from it. One that may be older, because the worker or the network
/// stood still, is answered with a heartbeat, whose answer tells plan time anew.
pub const LAUNCH_AGE_MAX: Duration = Duration::from_millis(500);

/// How long a worker that is to launch asks for plan time until it takes whatever answer comes.
pub const LAUNCH_WAIT: Duration = Duration::from_secs(3);

/// Characters of the reason that a worker gives for not taking part in a run.
pub const REASON_CHARS_MAX: usize = 1_000;

/// How long a leader waits for the last deltas of a run beyond the stop time-out before it ends the run without them.
pub const LAST_DELTAS_WAIT: Duration = Duration::from_secs(15);

/// How often the coordinator looks at the clock.
pub const COORDINATOR_TICK: Duration = Duration::from_millis(50);

/// Messages that wait for the coordinator.
pub const COORDINATOR_MAILBOX: usize = 1_024;

/// Messages that wait for a worker.
pub const WORKER_MAILBOX: usize = 256;

/// Messages that wait for the host of an arbiter's users.
pub const HOST_MAILBOX: usize = 256;

/// Servers to which one user keeps an idle connection unless the configuration says otherwise.
pub const IDLE_SERVERS_MAX: usize = 8;

/// Names whose addresses an arbiter remembers unless the configuration says otherwise; with one more it starts anew.
pub const RESOLVED_NAMES_MAX: usize = 1_024;

/// Mean pause of a user whose request this machine could not make (no file handles, no ports).
pub const GENERATOR_FAULT_PAUSE: Duration = Duration::from_millis(100);

/// Pause before a user starts again whose code has panicked.
pub const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// Thresholds of one scenario.
pub const THRESHOLDS_MAX: usize = 200;

/// Longest text of a threshold.
pub const THRESHOLD_CHARS_MAX: usize = 500;

/// Longest `for` and `after` of a threshold.
pub const THRESHOLD_SPAN_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Largest rate that a threshold may name.
pub const THRESHOLD_RATE_MAX_PER_S: u64 = 1_000_000_000;

/// How long after the start of the statistics a threshold that aborts is first judged, unless it says otherwise.
pub const THRESHOLD_ABORT_AFTER: Duration = Duration::from_secs(10);

/// Largest rate of arrivals.
pub const ARRIVAL_RATE_MAX_PER_S: f64 = 10_000_000.0;

/// Longest plan of arrivals that ends.
pub const ARRIVAL_PLAN_MAX: Duration = Duration::from_secs(10 * 86_400);

/// How long an arrival waits for a free user before it is dropped.
pub const LATE_ARRIVAL_WAIT: Duration = Duration::from_secs(60);

/// Arrivals of one class that wait on one arbiter; further ones are dropped.
pub const LATE_ARRIVALS_MAX: usize = 1_000_000;

/// Users that serve arrivals unless the scenario says otherwise.
pub const ARRIVAL_USERS_MAX_DEFAULT: u64 = 1_000;

/// How long thresholds wait for a worker that does not report.
pub const WATERMARK_WAIT: Duration = Duration::from_secs(3);

/// Arrivals that an arbiter hands out before it lets its users run.
pub const ARRIVALS_PER_TURN_MAX: usize = 1_000;

/// Size of a data file, and of all its cells together.
pub const DATA_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Rows of a data file.
pub const DATA_ROWS_MAX: u64 = 100_000_000;

/// Columns of a data file.
pub const DATA_COLUMNS_MAX: usize = 1_000;

/// Data feeders of one scenario.
pub const FEEDERS_MAX: usize = 100;

/// Rows leased to a worker at once.
pub const ROW_LEASE_MAX: u64 = 1_000_000;

/// Rows that a worker leases at least at once, unless users draw only one.
pub const ROW_LEASE_MIN: u64 = 64;

/// How long the rows that a worker leases should last.
pub const ROW_LEASE_SPAN: Duration = Duration::from_secs(10);

/// Ranges in which rows are leased or settled at once.
pub const ROW_LEASE_RANGES_MAX: usize = 1_000;

/// Stages of a load.
pub const LOAD_STAGES_MAX: usize = 1_000;

/// How often workers that came later are taken into a run, at most, unless the configuration says otherwise.
pub const REBALANCE_EVERY: Duration = Duration::from_secs(30);

/// How often workers send heartbeats unless the configuration says otherwise.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// The most often that a leader can ask for heartbeats.
pub const HEARTBEAT_MIN: Duration = Duration::from_millis(10);

/// How long a worker waits for an answer before it says the same again.
pub const SAY_AGAIN: Duration = Duration::from_secs(3);

/// How often a worker says by itself that it has released slots. Later it does so when it is asked.
pub const RELEASED_SAID_MAX: u32 = 10;

/// Deltas that are on their way to a leader at once.
pub const DELTAS_IN_FLIGHT_MAX: usize = 32;

/// How far ahead the arrivals of slots change hands: long enough for all arbiters to hear of it, and more than the plan
/// clocks of two workers differ.
pub const HANDOVER_AHEAD: Duration = Duration::from_millis(100);

/// How long a worker that leaves waits for its last deltas to be safe.
pub const RETIRE_WAIT: Duration = Duration::from_secs(30);

/// How long a silent worker stays part of its run unless the configuration says otherwise.
pub const LOST_AFTER: Duration = Duration::from_secs(60);

/// How long a leader waits for participants to get ready for a run.
pub const READY_WAIT: Duration = Duration::from_secs(60);

/// How far ahead of its first user a leader launches a run, so that every worker has heard of it at 0.
pub const LAUNCH_AHEAD: Duration = Duration::from_millis(200);

/// How long the users of a worker whose lease has ended may take to stop.
pub const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Requests with an idempotency key that are remembered at least so long.
pub const REQUESTS_KEPT: Duration = Duration::from_secs(120);

/// Requests with an idempotency key that are remembered however old they seem: the clocks of two leaders may differ by
/// hours, and then a request of a moment ago looks old.
pub const REQUESTS_KEPT_MIN: usize = 1_000;

/// Requests with an idempotency key that are remembered at most.
pub const REQUESTS_KEPT_MAX: usize = 10_000;

/// Runs of the past that are kept.
pub const RUNS_KEPT_MAX: usize = 50;

/// Size of the runs of the past that are kept, as they are written in a snapshot; the oldest go first. A snapshot is one
/// message between masters, and the rest of it is for the run that goes on.
pub const HISTORY_BYTES_MAX: usize = FRAME_BYTES_MAX / 2;

/// Size of a scenario with all its data files, as it is replicated.
pub const BUNDLE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Largest body of a frame between masters and workers.
pub const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long a proposal or a read may wait for the log before it counts as lost.
pub const PROPOSAL_WAIT: Duration = Duration::from_secs(5);

/// Proposals of one leader that wait for the log.
pub const PROPOSALS_MAX: usize = 1_024;

/// How often the view of a run is made anew while it goes on.
pub const VIEW_EVERY: Duration = Duration::from_millis(250);

/// Size of the body of a request to a master, other than one that starts a run.
pub const WEB_BODY_BYTES_MAX: usize = 64 * 1024;

/// Size of the body of a request that starts a run: a scenario with its data files, and the options of the run.
pub const WEB_START_BYTES_MAX: usize = BUNDLE_BYTES_MAX + 1024 * 1024;

/// Size of an answer that a master passes on from the leader, or that a client reads.
pub const WEB_ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Requests that start a run and are read or carried out at once by one master; further ones are told to come again.
pub const WEB_STARTS_AT_ONCE_MAX: usize = 4;

/// Documents of a run, and looks at its scenario, that one master makes at once; further ones wait their turn.
pub const WEB_DOCUMENTS_AT_ONCE_MAX: usize = 2;

/// How long a body may take to come.
pub const WEB_BODY_WAIT: Duration = Duration::from_secs(30);

/// How long a request waits for a leader before it is told to come again. Balancers wait longer than this.
pub const WEB_HOLD: Duration = Duration::from_secs(5);

/// How often a held request looks for a leader.
pub const WEB_HOLD_STEP: Duration = Duration::from_millis(100);

/// How long the leader may take to start a run: it reads a scenario and its data.
pub const WEB_START_WAIT: Duration = Duration::from_secs(30);

/// How long a master waits for the leader's view of the cluster before it tells its own.
pub const WEB_STATUS_WAIT: Duration = Duration::from_secs(1);

/// How long a request may wait for news of a run.
pub const WEB_NEWS_WAIT_MAX: Duration = Duration::from_secs(10);

/// Live feeds that a master serves at once.
pub const WEB_FEEDS_MAX: usize = 512;

/// How often a live feed says something.
pub const WEB_FEED_EVERY: Duration = Duration::from_secs(1);

/// How often a master looks whether there is something that a live feed says at once.
pub const WEB_FEED_LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long a live feed waits for its master to have applied what the browser has seen elsewhere, before it starts anew.
pub const WEB_FEED_CATCH_UP_WAIT: Duration = Duration::from_secs(5);

/// How long a live feed waits for the other side to take an event, before it is closed.
pub const WEB_FEED_TAKE_WAIT: Duration = Duration::from_secs(30);

/// Size of what the other side of a live feed may say at once: it has nothing to say.
pub const WEB_FEED_FRAME_BYTES_MAX: usize = 1_024;

/// How long a master without a leader is still ready, at least.
pub const WEB_READY_GRACE_MIN: Duration = Duration::from_secs(10);

/// Connections to the web port of a master, for each of its threads.
pub const WEB_CONNECTIONS_MAX: usize = 1_024;

/// Threads that serve the web port of a master.
pub const WEB_THREADS: usize = 2;

/// Connections to the web port that wait to be accepted.
pub const WEB_BACKLOG: u32 = 512;

/// How long an idle connection to the web port is kept: longer than balancers keep theirs.
pub const WEB_KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long the head of a request to the web port may take to come.
pub const WEB_HEAD_WAIT: Duration = Duration::from_secs(5);

/// How long requests in flight get when the web port closes.
pub const WEB_STOP_GRACE: Duration = Duration::from_secs(6);

/// Lines of its own log that a process keeps for those who look on from elsewhere.
pub const LOG_LINES_KEPT_MAX: usize = 500;

/// Bytes of such a line.
pub const LOG_LINE_KEPT_BYTES_MAX: usize = 2_048;

/// Lines of its log that a worker tells the leader.
pub const WORKER_LOG_LINES_MAX: usize = 100;

/// Bytes of such a line.
pub const WORKER_LOG_LINE_BYTES_MAX: usize = 512;

/// How often a worker looks whether its log says anything new.
pub const WORKER_LOG_EVERY: Duration = Duration::from_secs(5);

/// Connections to a port for metrics or health checks.
pub const MONITORING_CONNECTIONS_MAX: usize = 64;

/// How long a process may take to say how it is before it counts as stuck.
pub const MONITORING_ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Characters of an idempotency key.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

/// Masters that a client is told of.
pub const CLIENT_MASTERS_MAX: usize = 16;

/// How long a client repeats a request until a master answers it: longer than any election.
pub const CLIENT_PATIENCE: Duration = Duration::from_secs(60);

/// How long a client first waits before it asks all masters again.
pub const CLIENT_PAUSE_MIN: Duration = Duration::from_millis(200);

/// How long a client waits at most before it asks all masters again.
pub const CLIENT_PAUSE_MAX: Duration = Duration::from_secs(2);

/// How long a client waits for the answer of one master: longer than that master holds a request.
pub const CLIENT_ANSWER_WAIT: Duration = Duration::from_secs(8);

/// How long a client waits for the answer to a request that starts a run or reads a whole state.
pub const CLIENT_LONG_ANSWER_WAIT: Duration = Duration::from_secs(40);

/// How long a client waits for a connection to one master.
pub const CLIENT_CONNECT_WAIT: Duration = Duration::from_secs(2);

/// How often a client that follows a run asks for its figures.
pub const CLIENT_VIEW_EVERY: Duration = Duration::from_secs(1);

/// How long a client follows a run that no master tells of.
pub const CLIENT_RUN_LOST_AFTER: Duration = Duration::from_secs(300);

/// Orders of an operator that wait to be sent to the cluster.
pub const CLIENT_ORDERS_WAITING_MAX: usize = 64;

/// Memory for pages of a master's log file.
pub const LOG_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Snapshots that a master keeps on disk: the newest, and the one before in case the newest is damaged.
pub const SNAPSHOTS_KEPT: usize = 2;

/// Size of a configuration file of a master or worker, and of a file with a secret.
pub const CONFIG_BYTES_MAX: usize = 1024 * 1024;

/// Masters of one cluster: each entry of the log goes to all of them.
pub const MASTERS_MAX: usize = 9;

/// Length of the name of a master or worker.
pub const NODE_NAME_CHARS_MAX: usize = 200;

/// Length of a host name.
pub const HOST_NAME_CHARS_MAX: usize = 253;

/// Addresses of masters that a worker may be given.
pub const MASTER_ADDRESSES_MAX: usize = 32;

/// Proxies that a master may be told to trust.
pub const TRUSTED_PROXIES_MAX: usize = 256;

/// Workers that a run may be told to wait for.
pub const EXPECTED_WORKERS_MAX: u64 = 100_000;

/// Connections that a master may be told to accept.
pub const CONFIGURED_CONNECTIONS_MAX: u64 = 1_000_000;

/// Shortest interval and time-out between masters and workers that can be configured.
pub const TIMER_MIN: Duration = Duration::from_millis(20);

/// Longest interval and time-out between masters and workers that can be configured.
pub const TIMER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// How long a request that needs a leader is held while there is none.
pub const LEADER_WAIT: Duration = Duration::from_secs(5);

/// Workers that are known, present or not. When one more registers, one that is gone is forgotten.
pub const WORKERS_MAX: usize = 10_000;

/// Participants of one run, those counted again that came back.
pub const PARTICIPANTS_MAX: usize = 20_000;

/// Workers lost in one run that are kept by name, and changes of leader; further ones are only counted.
pub const INCIDENTS_KEPT_MAX: usize = 500;

/// Size of the deltas that one entry of the log merges; one that is larger has an entry of its own.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// Statistics that a leader proposes per second, before it waits for more of them to be merged into one entry.
pub const MERGE_BYTES_PER_S_MAX: u64 = 2_000_000;

/// The widest interval between two entries of statistics.
pub const SYNC_INTERVAL: Duration = Duration::from_secs(10);

/// Size of the deltas that a leader keeps until they are proposed; workers send further ones again.
pub const DELTAS_BUFFERED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long a new leader waits for a majority of the participants to say where they are in plan time; then one is enough.
pub const PLAN_TIME_WAIT: Duration = Duration::from_secs(1);

/// How long a new leader waits for any participant to say where it is in plan time before it goes by the statistics.
pub const PLAN_TIME_GUESS_AFTER: Duration = Duration::from_secs(10);

/// How far ahead in plan time an edit takes effect, so that every worker has heard of it by then.
pub const EDIT_AHEAD: Duration = LAUNCH_AHEAD;

/// How soon a leader says something again that a worker has not confirmed.
pub const REMIND_EVERY: Duration = Duration::from_secs(2);

/// How soon a leader sends a scenario again to a worker that does not seem to have it.
pub const SEND_SCENARIO_AGAIN: Duration = Duration::from_secs(10);

/// How long a leader waits for the next delta of a worker before it tells the worker what it has.
pub const DELTAS_OVERDUE: Duration = Duration::from_secs(5);

/// Share of all slots below which evening out a load is not worth a move, as a divisor.
pub const REBALANCE_SLOTS_DIVISOR: u64 = 50;

/// How often a leader repeats the plan to the workers of a run, whether it has changed or not.
pub const REPEAT_PLAN_EVERY: Duration = Duration::from_secs(5);

/// How soon a worker asks again whose name another process has.
pub const NOT_NOW_RETRY: Duration = Duration::from_secs(5);

/// Heartbeats that a worker may miss before another process may take its name.
pub const RIVAL_HEARTBEATS: u32 = 2;

/// How long a leader remembers that a process was turned away whose name another one has.
pub const RIVAL_REMEMBERED: Duration = Duration::from_secs(30);

/// Processes that a leader remembers to have turned away because another one has their name.
pub const RIVALS_MAX: usize = 100;

/// How often it is said again that callers of one address are refused for one reason.
pub const REFUSED_SAID_EVERY: Duration = Duration::from_secs(10);

/// How long an operator is shown that callers were refused.
pub const REFUSED_SHOWN: Duration = Duration::from_secs(60);

/// Addresses and reasons of refused callers that are told apart; further ones are counted together.
pub const REFUSED_KINDS_MAX: usize = 256;

/// Refused callers that an operator is shown, each with its reason.
pub const REFUSED_SHOWN_MAX: usize = 10;

/// Characters kept of what a caller that is refused says that its name is.
pub const REFUSED_NAME_CHARS_MAX: usize = 64;

/// Largest body of a frame before the other side has proved who it is.
pub const HANDSHAKE_FRAME_BYTES_MAX: usize = 4 * 1024;

/// How long a handshake may take, TLS included.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);

/// Handshakes under way at once. Few enough that their cryptography does not keep the other links of the thread waiting.
pub const HANDSHAKES_MAX: usize = 400;

/// How long a handshake has before it may be ended because others wait.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(1);

/// How long a refused connection stays, so that the reason gets to the other side.
pub const REFUSED_LINGER: Duration = Duration::from_secs(1);

/// Longest name of a master or worker.
pub const NODE_NAME_BYTES_MAX: usize = 255;

/// Connections that a master takes unless the configuration says otherwise.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Connections that a master takes from one other master: two, and two more while those before them are dying.
pub const PEER_CONNECTIONS_MAX: usize = 4;

/// How long nothing may come on a link before it counts as broken, unless the configuration says otherwise.
pub const LINK_IDLE: Duration = Duration::from_secs(15);

/// How long after it heard of them a worker looks which masters it has no link to.
pub const MASTER_LEARNED_AFTER: Duration = Duration::from_secs(1);

/// How long a worker tries to connect to one address of a master, unless the configuration says otherwise.
pub const LINK_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Shortest pause between two attempts of a worker to reach a master, unless the configuration says otherwise.
pub const RECONNECT_INTERVAL: Duration = Duration::from_secs(5);

/// Longest pause between two attempts, in shortest ones.
pub const RECONNECT_INTERVALS_MAX: u32 = 5;

/// Shortest pause after a refusal.
pub const REFUSED_RETRY: Duration = Duration::from_secs(15);

/// Frames that wait to be written to a worker or master; if it does not keep up with them, its link ends.
pub const LINK_QUEUE_FRAMES_MAX: usize = 1_024;

/// Bytes that wait to be written to a worker or master.
pub const LINK_QUEUE_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// Bytes that are read from a link, or put together for it, at once.
pub const LINK_CHUNK_BYTES: usize = 64 * 1024;

/// Largest message to another master that goes with the urgent ones; larger ones have a connection of their own.
pub const PEER_URGENT_BYTES_MAX: usize = 256 * 1024;

/// How long a master tries to connect to another one.
pub const PEER_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Shortest pause between two attempts of a master to reach another one.
pub const PEER_RECONNECT_MIN: Duration = Duration::from_millis(100);

/// Longest pause between two attempts of a master to reach another one.
pub const PEER_RECONNECT_MAX: Duration = Duration::from_secs(1);

/// How long a link that is closed in good order may take to write what is queued.
pub const LINK_CLOSE_WAIT: Duration = Duration::from_secs(2);

/// Pause before a server accepts again after the system could not give it a connection.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Entries in one message of Raft; a larger entry travels alone.
pub const RAFT_MESSAGE_BYTES_MAX: u64 = 1024 * 1024;

/// Messages with entries that a leader sends to a follower before it hears of the first.
pub const RAFT_INFLIGHT_MESSAGES_MAX: usize = 64;

/// Largest record that may be proposed.
pub const RAFT_RECORD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Records that a leader holds before they are committed; further ones are dropped.
pub const RAFT_UNCOMMITTED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads that wait for a quorum; further ones are dropped.
pub const RAFT_READS_MAX: usize = 1_024;

/// Committed entries that were handed out and are not applied; further ones wait in the log.
pub const RAFT_UNAPPLIED_ENTRIES_MAX: u64 = 1_024;

/// Size of such entries. One entry may exceed it alone.
pub const RAFT_UNAPPLIED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Entries after which a snapshot is taken.
pub const RAFT_SNAPSHOT_ENTRIES: u64 = 20_000;

/// Size of the entries after which a snapshot is taken.
pub const RAFT_SNAPSHOT_BYTES: usize = 64 * 1024 * 1024;

/// Entries before a snapshot that stay in the log, so that a follower that is a little behind needs no snapshot.
pub const RAFT_TAIL_ENTRIES: u64 = 1_000;

/// Size of such entries.
pub const RAFT_TAIL_BYTES: usize = 32 * 1024 * 1024;

/// How far a follower may be behind to count as caught up, in entries.
pub const RAFT_CAUGHT_UP_ENTRIES: u64 = 100;

/// How long a better master must have been healthy and caught up before it is given the lead.
pub const FAIL_BACK_STEADY: Duration = Duration::from_secs(30);

/// Least time between two such transfers.
pub const FAIL_BACK_REST: Duration = Duration::from_secs(5 * 60);

/// What waits for the raft thread; more messages of other masters are lost, more proposals dropped.
pub const RAFT_INBOX: usize = 2_048;

/// Writes that wait for the disk. At half as many the raft thread takes no new work.
pub const RAFT_WRITES_MAX: usize = 1_024;

/// Work that the raft thread takes before it looks at the clock again.
pub const RAFT_TURN: usize = 256;

/// Least time between two looks at the group that others are shown.
pub const RAFT_STATUS_EVERY: Duration = Duration::from_millis(100);

/// How often a master without data asks the others.
pub const FORMATION_STEP: Duration = Duration::from_millis(250);

/// How often a master that waits says why.
pub const FORMATION_SAYS_EVERY: Duration = Duration::from_secs(15);

/// How long a master that waits to join is remembered after it was last heard.
pub const JOINER_REMEMBERED: Duration = Duration::from_secs(10);
