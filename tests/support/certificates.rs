//! Certificates for servers of the tests.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes an authority, `ca.pem`, and a certificate signed by it for `127.0.0.1` and `localhost`, `server.pem` with
/// `server.key`: clients refuse an authority's certificate as that of a server.
pub fn make_certificates(folder: &Path) {
    let configuration = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
";
    fs::write(folder.join("openssl.cnf"), configuration).expect("the configuration of openssl");
    let make = |arguments: &str| {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder).stdin(Stdio::null());
        let output = openssl.args(arguments.split_whitespace()).output();
        let output = output.expect("openssl is missing: run scripts/test.sh, which installs it");
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let key = "-config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    make(&format!("req -x509 {key} -extensions authority -subj /CN=Test-authority -keyout ca.key -out ca.pem"));
    make(&format!("req -x509 {key} -extensions server -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem"));
}
