//! What people and programs prove who they are with.

use std::path::PathBuf;

use super::secret::Secret;

/// The password that the reference configuration shows, and that everybody can therefore know.
const SAMPLE: (&str, &str) = ("admin", "secure_password");

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name; no colon in it.
    pub user: String,
    /// The password as it is.
    pub password: Secret,
}

/// A name and what a password is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedCredentials {
    /// The name; no colon in it.
    pub user: String,
    /// The hash of the password, in the form that the web server writes and reads.
    pub hash: Secret,
}

impl Credentials {
    /// Reads `user:password`.
    ///
    /// # Errors
    /// What is wrong, without the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (user, password) = user_and_rest(text, "password")?;
        Ok(Self { user: user.to_owned(), password: Secret::new(password) })
    }

    /// Whether these are the ones of the reference configuration.
    #[must_use]
    pub fn are_the_sample(&self) -> bool {
        (self.user.as_str(), self.password.expose()) == SAMPLE
    }
}

impl HashedCredentials {
    /// Reads `user:hash`.
    ///
    /// # Errors
    /// What is wrong, without the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (user, hash) = user_and_rest(text, "hash")?;
        Ok(Self { user: user.to_owned(), hash: Secret::new(hash) })
    }
}

fn user_and_rest<'t>(text: &'t str, rest_name: &str) -> Result<(&'t str, &'t str), String> {
    match text.split_once(':') {
        Some((user, rest)) if !user.is_empty() && !rest.is_empty() => Ok((user, rest)),
        _ => Err(format!("this is not a user and a {rest_name}, expected `user:{rest_name}`")),
    }
}

/// The files of mutual TLS between masters and workers, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that all certificates of the cluster are signed by.
    pub ca: PathBuf,
    /// The own certificate chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}
