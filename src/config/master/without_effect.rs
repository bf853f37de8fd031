//! Keys that are accepted and do nothing in this version.

use super::MasterConfig;

impl MasterConfig {
    /// What is configured and does nothing in this version: a warning for each, loud where somebody may rely on it.
    #[must_use]
    pub fn without_effect(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let web = &self.web;
        if web.auth_credentials.is_some() || web.auth_hash.is_some() {
            warnings.push(format!(
                "NOBODY IS ASKED FOR A PASSWORD: master.web.auth_credentials and auth_hash have no effect yet; whoever \
                 reaches port {} can start and stop runs",
                web.port
            ));
        }
        if !web.trusted_proxies.is_empty() {
            warnings
                .push("master.web.trusted_proxies has no effect yet: no X-Forwarded-* header is believed".to_owned());
        }
        if self.drills_enabled {
            warnings.push("master.drills.enabled has no effect yet: there are no drills".to_owned());
        }
        warnings
    }
}
