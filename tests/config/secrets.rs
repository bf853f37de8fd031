//! Secrets come in, and never come out by mistake.

use super::machine::Machine;

const FILE: &str = "
master_cluster: { nodes: [{ name: a, host: 10.0.0.1 }] }
master:
  web: { auth_credentials: 'ann:${PASSWORD}' }
  cluster: { secret: '${SECRET}' }
";

fn machine() -> Machine {
    Machine::default().variable("PASSWORD", "pa:ss-hidden").variable("SECRET", "cluster-hidden-secret")
}

#[test]
fn secrets_are_masked_wherever_settings_are_shown() {
    let config = machine().master(FILE, "");
    assert_eq!(config.secret.as_ref().unwrap().expose(), "cluster-hidden-secret");
    assert_eq!(config.web.auth_credentials.as_ref().unwrap().password.expose(), "pa:ss-hidden");
    let hash = machine().master("master: { web: { auth_hash: 'ann:$argon2id$hidden' } }", "");
    assert_eq!(hash.web.auth_hash.as_ref().unwrap().hash.expose(), "$argon2id$hidden");
    let written = machine().read(FILE).unwrap();
    let worker = machine().worker("worker: { cluster: { secret: '${SECRET}' } }");
    for shown in [
        config.settings_text(),
        format!("{config:?}"),
        format!("{written:?}"),
        hash.settings_text(),
        format!("{hash:?}"),
        worker.settings_text(),
        format!("{worker:?}"),
        config.warnings.join("\n"),
    ] {
        assert!(!shown.contains("hidden"), "{shown}");
    }
    assert!(config.settings_text().contains("auth_credentials: \"ann:***\""));
    assert!(config.settings_text().contains("secret: \"***\""));
}

#[test]
fn a_secret_may_be_in_a_file_beside_the_configuration() {
    let text = "worker: { cluster: { secret_file: keys/secret } }";
    let config = Machine::default().file("etc/keys/secret", b"from a file\n").worker(text);
    assert_eq!(config.secret.unwrap().expose(), "from a file");
    let path = "worker.cluster.secret_file";
    assert_eq!(
        Machine::default().problems(text),
        [format!("1:35: {path}: etc/keys/secret cannot be read: entity not found")]
    );
    for (content, message) in [(&b"\n"[..], "the secret is empty"), (b"\xff", "etc/keys/secret is not valid UTF-8")] {
        let machine = Machine::default().file("etc/keys/secret", content);
        assert_eq!(machine.problems(text), [format!("1:35: {path}: {message}")]);
    }
}

#[test]
fn no_message_repeats_a_secret() {
    for text in [
        "master: { web: { auth_credentials: hidden } }",
        "master: { web: { auth_credentials: ':hidden' } }",
        "master: { web: { auth_hash: hidden } }",
        "master: { web: { auth_credentials: 'a:hidden${' } }",
        "master: { web: { auth_credentials: 'a:${hidden!}' } }",
        "master: { web: { auth_credentials: 'a:${UNSET_${hidden}' } }",
        "master: { web: { auth_credentials: 'a:hidden', auth_hash: 'a:hidden' } }",
        "master: { web: { auth_credentials: [hidden] } }",
        "master: { cluster: { secret: [hidden] } }",
        "master: { cluster: { secret: hidden, secret_file: hidden } }",
        "master: { cluster: { secret: '${UNSET}hidden' } }",
    ] {
        let problems = Machine::default().problems(text);
        assert!(!problems.is_empty() && !problems.concat().contains("hidden"), "{text}: {problems:?}");
    }
}
