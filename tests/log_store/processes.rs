//! A store in another process: killed in the middle of its work, out of space, without the right to write.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use akrida::raft::store::{LogStore, RedbStore, StoreError};

use super::{copy_folder, entries, entry, hard_state, open, reload, snapshot};

/// Tells the other process what to do, in which folder.
const TASK: &str = "AKRIDA_TEST_STORE_TASK";
const FOLDER: &str = "AKRIDA_TEST_STORE_FOLDER";

/// The body of the other process. Without a task, as among the other tests, there is nothing to do.
#[test]
fn in_another_process() {
    let Ok(task) = std::env::var(TASK) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let outcome = match task.as_str() {
        "open" => RedbStore::open(&folder).map(drop),
        "write" => write(&folder, true),
        "fill" => write(&folder, false),
        other => panic!("no task {other}"),
    };
    println!("\nended: {}", outcome.map_or_else(|error| error.to_string(), |()| "well".to_owned()));
}

/// Appends for ever, and says after each append what is acknowledged. Saves snapshots and compacts, unless the log is to
/// grow.
fn write(folder: &Path, compacts: bool) -> Result<(), StoreError> {
    let mut store = RedbStore::open(folder)?;
    let mut last = store.load()?.entries.last().map_or(0, |entry| entry.index);
    let turn = |store: &mut RedbStore, last: u64| {
        store.append(&entries(last + 1..=last + 3, 1), Some(hard_state(1, 1, last)))?;
        println!("\nacknowledged {}", last + 3);
        if compacts && last > 0 && last.is_multiple_of(5) {
            store.save_snapshot(&snapshot(last, 1))?;
            store.compact(last - 2)?;
        }
        Ok(())
    };
    loop {
        if let Err(error) = turn(&mut store, last) {
            let later = store.append(&[entry(last + 1, 1)], None).unwrap_err();
            assert!(matches!(later, StoreError::Failed), "{later}");
            return Err(error);
        }
        last += 3;
    }
}

fn command(program: &str, arguments: &[&str], task: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).args(["processes::in_another_process", "--exact", "--nocapture"]);
    command.env(TASK, task).env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn this_program() -> String {
    std::env::current_exe().unwrap().into_os_string().into_string().unwrap()
}

/// What the process says until it has acknowledged `until` times, or to its end: the last number that it acknowledged,
/// and how it ended.
fn listen(child: &mut Child, until: usize) -> (u64, String) {
    let (mut last, mut heard, mut ended) = (0, 0, String::new());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while heard < until
        && let Some(line) = lines.next()
    {
        let line = line.unwrap();
        if let Some(number) = line.strip_prefix("acknowledged ") {
            (last, heard) = (number.parse().unwrap(), heard + 1);
        }
        if let Some(reason) = line.strip_prefix("ended: ") {
            reason.clone_into(&mut ended);
        }
    }
    (last, ended)
}

#[test]
fn what_a_killed_process_had_acknowledged_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let mut acknowledged = 0;
    for _ in 0..12 {
        let mut child = command(&this_program(), &[], "write", folder.path()).spawn().unwrap();
        let (last, _) = listen(&mut child, random.usize(1..40));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(last > acknowledged, "{last}");
        acknowledged = last;
        let stored = reload(folder.path());
        let first = stored.entries[0].index;
        let end = stored.entries.last().unwrap().index;
        assert!(end >= acknowledged, "{end} after {acknowledged}");
        assert_eq!(stored.entries, entries(first..=end, 1));
        assert!(first <= stored.snapshot.map_or(0, |snapshot| snapshot.index) + 1);
        acknowledged = end;
    }
}

#[test]
fn a_full_disk_is_an_error_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    // The limit on the size of a file stands for the end of the disk; without the trap it would be a signal.
    let script = r#"trap "" XFSZ; ulimit -f 250; exec "$0" "$@""#;
    let program = this_program();
    let mut child = command("sh", &["-c", script, &program], "fill", folder.path()).spawn().unwrap();
    let (last, ended) = listen(&mut child, usize::MAX);
    assert!(ended.contains("cannot") && ended.contains(folder.path().to_str().unwrap()), "{ended}");
    assert!(child.wait().unwrap().success());
    let stored = reload(folder.path());
    assert!(stored.entries.last().unwrap().index >= last && last > 0, "{last}");
    open(folder.path()).append(&[entry(stored.entries.last().unwrap().index + 1, 1)], None).unwrap();
}

#[test]
fn a_folder_that_another_process_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(&this_program(), &[], "write", folder.path()).spawn().unwrap();
    let id = child.id();
    listen(&mut child, 1);
    let error = RedbStore::open(folder.path()).err();
    child.kill().unwrap();
    child.wait().unwrap();
    let error = error.expect("a refusal").to_string();
    assert!(error.contains(&format!("in use by process {id}")), "{error}");
    open(folder.path());
}

#[test]
fn a_read_only_folder_is_an_error_that_names_it() {
    let outer = tempfile::tempdir().unwrap();
    fs::set_permissions(outer.path(), Permissions::from_mode(0o755)).unwrap();
    let [empty, used] = ["empty", "used"].map(|name| outer.path().join(name));
    fs::create_dir(&empty).unwrap();
    drop(open(&used));
    // Root may write anywhere, so the other process is nobody then, and gets a copy of the program that it may run.
    let program = outer.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let is_root = fs::metadata(outer.path()).unwrap().uid() == 0;
    for folder in [&empty, &used] {
        fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
        let mut command = command(program.to_str().unwrap(), &[], "open", folder);
        if is_root {
            command.uid(65_534).gid(65_534).current_dir("/");
        }
        let mut child = command.spawn().unwrap();
        let (_, ended) = listen(&mut child, usize::MAX);
        child.wait().unwrap();
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        assert!(ended.contains("Permission denied") && ended.contains(folder.to_str().unwrap()), "{ended}");
    }
}

#[test]
fn a_copy_of_a_running_folder_is_whole_or_refused() {
    let [folder, copy] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut child = command(&this_program(), &[], "write", folder.path()).spawn().unwrap();
    listen(&mut child, 20);
    child.kill().unwrap();
    child.wait().unwrap();
    copy_folder(folder.path(), copy.path());
    assert_eq!(reload(copy.path()), reload(folder.path()));
}
