//! How users connect, from the options and the hosts of the scenario.

use std::collections::BTreeSet;
use std::fmt;
use std::net::UdpSocket;
use std::time::Duration;

use akrida_actors::http::HttpOptions;
use akrida_actors::http::allowed_hosts::AllowedHost;
use akrida_actors::http::dns::{self, DnsPolicy};
use akrida_actors::http::tls::{self, TlsOptions};
use akrida_actors::user::program::Program;
use akrida_core::scenario::hosts;
use akrida_core::scenario::model::Scenario;
use anyhow::{Context, anyhow, bail, ensure};
use url::Url;

use crate::cli::RunOptions;
use crate::cli::flags::connection::DnsPolicy as Asked;

/// How long an answer of the name service is used with `--dns ttl`. The system's resolver does not tell the time to
/// live of a record, so this stands for it.
const NAME_KEPT: Duration = Duration::from_secs(60);

/// Refuses a scenario with requests that cannot be sent, builds the TLS settings and looks up the hosts.
pub(super) async fn http_options(scenario: &Scenario, options: &RunOptions) -> anyhow::Result<HttpOptions> {
    let problems = Program::problems(scenario);
    if !problems.is_empty() {
        bail!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
    let tls = TlsOptions {
        insecure: options.tls.insecure,
        ca_file: options.tls.ca.clone(),
        client_certificate: options.tls.client.as_ref().map(|client| client.certificate.clone()),
        client_key: options.tls.client.as_ref().map(|client| client.key.clone()),
    };
    let policy = match options.dns {
        Asked::Once => DnsPolicy::Once,
        Asked::Ttl => DnsPolicy::Ttl(NAME_KEPT),
        Asked::Connection => DnsPolicy::PerConnection,
    };
    check_sources(scenario)?;
    check_hosts(scenario, &options.allowed_hosts)?;
    let addresses = match policy {
        DnsPolicy::PerConnection => Default::default(),
        DnsPolicy::Once | DnsPolicy::Ttl(_) => {
            dns::look_up_all(&names(scenario)).await.context("look-up before the run")?
        }
    };
    let allowed = &options.allowed_hosts;
    let allowed = (!allowed.is_empty()).then(|| allowed.clone().into());
    Ok(HttpOptions { tls: Some(tls::build(&tls)?), dns: policy, addresses, allowed, ..HttpOptions::default() })
}

/// The names to connect to: where there is a proxy its own, for it resolves the others.
fn names(scenario: &Scenario) -> BTreeSet<String> {
    let proxies = scenario.classes.iter().filter_map(|class| class.connection.proxy.as_ref());
    let urls = hosts::direct_base_urls(scenario).filter_map(|base| Url::parse(base).ok());
    let hosts = urls.filter_map(|url| url.host_str().map(str::to_owned));
    hosts.chain(proxies.map(|proxy| proxy.host.to_string())).collect()
}

/// Refuses hosts that requests may not go to, as far as they are known now.
fn check_hosts(scenario: &Scenario, allowed: &[AllowedHost]) -> anyhow::Result<()> {
    if allowed.is_empty() {
        return Ok(());
    }
    let refused = |server: &dyn fmt::Display| {
        let list = allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        anyhow!("host not allowed: {server}; --allow-host names {list}")
    };
    for target in Program::known_targets(scenario) {
        ensure!(allowed.iter().any(|host| host.permits(&target)), refused(target.authority()));
    }
    // Those of other protocols are no targets of HTTP requests.
    for url in hosts::base_urls(scenario).filter_map(|base| Url::parse(base).ok()) {
        let (server, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
        ensure!(allowed.iter().any(|host| host.permits_server(server, port)), refused(&server));
    }
    Ok(())
}

/// Refuses source addresses that are not this machine's.
fn check_sources(scenario: &Scenario) -> anyhow::Result<()> {
    for source in scenario.classes.iter().flat_map(|class| &*class.connection.sources) {
        UdpSocket::bind((*source, 0)).with_context(|| format!("connection.source {source} cannot be used"))?;
    }
    Ok(())
}
