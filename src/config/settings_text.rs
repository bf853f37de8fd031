//! The settings that hold, as a configuration file that says them all: what `akrida check-config` prints. Secrets are
//! masked.

use std::fmt::Display;

use super::credentials::TlsFiles;
use super::logging::{LogFormat, LoggingConfig};
use super::monitoring::MonitoringConfig;
use super::quantity::{bytes_text, span_text};
use super::secret::{MASK, Secret};
use super::written::{loss_policy_word, strategy_word};
use super::{MasterConfig, NodeConfig, WorkerConfig};

impl MasterConfig {
    /// The settings as YAML. Read again, they give the same, secrets aside.
    #[must_use]
    pub fn settings_text(&self) -> String {
        let mut yaml = Yaml::default();
        yaml.comment(&format!("settings of {}, with its data in {}", self.node.name, self.data_dir.display()));
        yaml.section("master_cluster", |yaml| {
            yaml.plain("enabled", true);
            yaml.section("nodes", |yaml| self.nodes.iter().for_each(|node| yaml.node(node)));
            yaml.section("election", |yaml| {
                yaml.plain("enabled", true);
                yaml.plain("timeout", span_text(self.election.timeout));
                yaml.plain("heartbeat_interval", span_text(self.election.heartbeat_interval));
            });
            yaml.section("synchronization", |yaml| {
                yaml.plain("enabled", true);
                yaml.plain("sync_interval", span_text(self.sync_interval));
                yaml.plain("conflict_resolution", "latest_wins");
            });
        });
        yaml.section("master", |yaml| {
            yaml.section("bind", |yaml| {
                yaml.text("host", &self.bind.host);
                yaml.plain("port", self.bind.port);
            });
            self.web_text(yaml);
            self.workers_text(yaml);
            yaml.section("resources", |yaml| {
                yaml.or("max_memory_usage", self.resources.max_memory_bytes.map(bytes_text), "no limit");
                yaml.or(
                    "max_cpu_usage",
                    self.resources.max_cpu_percent.map(|percent| format!("{percent}%")),
                    "no limit",
                );
                yaml.plain("max_connections", self.resources.max_connections);
            });
            let root = self.data_dir.parent().unwrap_or(&self.data_dir);
            yaml.text("data_dir", &root.display().to_string());
            yaml.trust(self.secret.as_ref(), self.tls.as_ref());
            yaml.monitoring(&self.monitoring);
            yaml.logging(&self.logging);
            yaml.section("drills", |yaml| yaml.plain("enabled", self.drills_enabled));
        });
        yaml.text
    }

    fn web_text(&self, yaml: &mut Yaml) {
        yaml.section("web", |yaml| {
            yaml.text("host", &self.web.host);
            yaml.plain("port", self.web.port);
            if !self.web.base_path.is_empty() {
                yaml.text("base_path", &self.web.base_path);
            }
            match (&self.web.auth_credentials, &self.web.auth_hash) {
                (Some(credentials), _) => yaml.text("auth_credentials", &format!("{}:{MASK}", credentials.user)),
                (None, Some(credentials)) => yaml.text("auth_hash", &format!("{}:{MASK}", credentials.user)),
                (None, None) => yaml.comment("auth_credentials: everybody is let in"),
            }
            let proxies: Vec<String> = self.web.trusted_proxies.iter().map(ToString::to_string).collect();
            yaml.texts("trusted_proxies", &proxies);
        });
    }

    fn workers_text(&self, yaml: &mut Yaml) {
        yaml.section("workers", |yaml| {
            yaml.plain("expect_workers", self.workers.expect_workers);
            yaml.or("expect_workers_max_wait", self.workers.expect_wait.map(span_text), "without end");
            yaml.plain("heartbeat_liveness", self.workers.heartbeat_liveness);
            yaml.plain("heartbeat_interval", span_text(self.workers.heartbeat_interval));
        });
        yaml.section("load_distribution", |yaml| {
            yaml.plain("strategy", strategy_word(self.strategy));
            yaml.plain("rebalance_interval", span_text(self.rebalance_interval));
        });
        yaml.section("fault_tolerance", |yaml| {
            yaml.plain("worker_timeout", span_text(self.worker_timeout));
            yaml.plain("retry_failed_workers", self.retry_failed_workers);
            yaml.plain("max_retries", self.max_retries);
            yaml.plain("on_loss", loss_policy_word(self.on_loss));
        });
    }
}

impl WorkerConfig {
    /// The settings as YAML. Read again, they give the same, secrets aside.
    #[must_use]
    pub fn settings_text(&self) -> String {
        let mut yaml = Yaml::default();
        yaml.section("worker", |yaml| {
            yaml.section("master", |yaml| {
                let hosts: Vec<String> = self.masters.iter().map(ToString::to_string).collect();
                yaml.texts("hosts", &hosts);
                yaml.plain("connection_timeout", span_text(self.connection_timeout));
                yaml.plain("reconnect_interval", span_text(self.reconnect_interval));
                yaml.or("max_reconnect_attempts", self.max_reconnect_attempts, "without end");
            });
            yaml.section("identity", |yaml| {
                yaml.text("node_id", &self.node_id);
                yaml.texts("tags", &self.tags);
            });
            yaml.section("resources", |yaml| {
                yaml.or("max_users", self.max_users, "any number");
                yaml.plain("cpu_limit", format!("{}m", self.cpu_millis));
                yaml.or("memory_limit", self.memory_bytes.map(bytes_text), "no limit");
            });
            if self.performance.connection_pool_size.or(self.performance.dns_cache_size).is_some() {
                yaml.section("performance", |yaml| {
                    yaml.or("connection_pool_size", self.performance.connection_pool_size, "the program's own");
                    yaml.or("dns_cache_size", self.performance.dns_cache_size, "the program's own");
                });
            }
            yaml.trust(self.secret.as_ref(), self.tls.as_ref());
            yaml.monitoring(&self.monitoring);
            yaml.logging(&self.logging);
        });
        yaml.text
    }
}

/// Writes YAML in blocks.
#[derive(Default)]
struct Yaml {
    text: String,
    depth: usize,
}

impl Yaml {
    fn line(&mut self, line: &str) {
        self.text.push_str(&"  ".repeat(self.depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn comment(&mut self, comment: &str) {
        self.line(&format!("# {comment}"));
    }

    fn section(&mut self, key: &str, content: impl FnOnce(&mut Self)) {
        self.line(&format!("{key}:"));
        self.depth += 1;
        content(self);
        self.depth -= 1;
    }

    /// A value that needs no quotes.
    fn plain(&mut self, key: &str, value: impl Display) {
        self.line(&format!("{key}: {value}"));
    }

    /// A value that needs no quotes, or a word on what holds without one.
    fn or(&mut self, key: &str, value: Option<impl Display>, otherwise: &str) {
        match value {
            Some(value) => self.plain(key, value),
            None => self.comment(&format!("{key}: {otherwise}")),
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        self.plain(key, quoted(text));
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        self.plain(key, format!("[{}]", texts.join(", ")));
    }

    fn node(&mut self, node: &NodeConfig) {
        let NodeConfig { name, host, port, web_port, priority } = node;
        self.line(&format!("- name: {}", quoted(name)));
        self.depth += 1;
        self.text("host", host);
        self.plain("port", port);
        self.plain("web_port", web_port);
        self.plain("priority", priority);
        self.depth -= 1;
    }

    fn trust(&mut self, secret: Option<&Secret>, tls: Option<&TlsFiles>) {
        if secret.is_none() && tls.is_none() {
            return self.comment("cluster: neither a secret nor TLS");
        }
        self.section("cluster", |yaml| {
            if secret.is_some() {
                yaml.text("secret", MASK);
            }
            if let Some(TlsFiles { ca, certificate, key }) = tls {
                yaml.section("tls", |yaml| {
                    for (name, path) in [("ca", ca), ("certificate", certificate), ("key", key)] {
                        yaml.text(name, &path.display().to_string());
                    }
                });
            }
        });
    }

    fn monitoring(&mut self, monitoring: &MonitoringConfig) {
        self.section("monitoring", |yaml| {
            yaml.plain("metrics_enabled", monitoring.metrics_enabled);
            yaml.plain("metrics_port", monitoring.metrics_port);
            yaml.or("health_check_port", monitoring.health_check_port, "none");
        });
    }

    fn logging(&mut self, logging: &LoggingConfig) {
        self.section("logging", |yaml| {
            yaml.plain("level", logging.level.name());
            yaml.plain("format", if logging.format == LogFormat::Json { "json" } else { "text" });
            match &logging.file {
                Some(file) => yaml.text("file", &file.display().to_string()),
                None => yaml.comment("file: standard error"),
            }
            yaml.or("max_size", logging.max_bytes.map(bytes_text), "no limit");
            yaml.plain("backup_count", logging.backups);
        });
    }
}

/// A text in double quotes, as YAML and JSON have them; `${` stays two characters when it is read again.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}
