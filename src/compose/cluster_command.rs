//! `akrida cluster`: the masters of a cluster.

use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::cluster_run::exit_of;
use super::{logging, print_all, print_to_stderr, restore_command};
use crate::api::{AddMember, MasterAddress};
use crate::cli::checked::Log;
use crate::cli::{ClusterCommand, Exit};
use crate::client::{ClientError, ClusterClient, Patience, status_text};
use crate::raft::store::backup;

/// Does what was asked of a cluster.
pub(super) fn carry_out(masters: Vec<MasterAddress>, command: ClusterCommand) -> anyhow::Result<Exit> {
    logging::start(&Log::default(), BoxMakeWriter::new(std::io::stderr))?;
    actix_rt::System::new().block_on(async {
        let client = ClusterClient::new(masters, Patience::default());
        match done(&client, command).await {
            Ok(()) => Ok(Exit::Passed),
            Err(error) => match error.downcast_ref::<ClientError>() {
                Some(refused) => {
                    print_to_stderr(&format!("akrida: {refused}\n"));
                    Ok(exit_of(refused))
                }
                None => Err(error),
            },
        }
    })
}

async fn done(client: &ClusterClient, command: ClusterCommand) -> anyhow::Result<()> {
    match command {
        ClusterCommand::Status { json } => {
            let status = client.status().await?;
            let text =
                if json { format!("{:#}\n", serde_json::to_value(&status)?) } else { status_text::status(&status) };
            return print_all(text);
        }
        ClusterCommand::Transfer { to } => {
            client.transfer(&to).await?;
            say(&format!("{to} leads"))
        }
        ClusterCommand::Add { name, host, port, web_port, priority } => {
            client.add(&AddMember { name: name.clone(), host, port, web_port, priority }).await?;
            say(&format!("{name} is a master"))
        }
        ClusterCommand::Remove { name } => {
            client.remove(&name).await?;
            say(&format!("{name} is no master any more"))
        }
        ClusterCommand::Replace { name } => {
            client.replace(&name).await?;
            say(&format!("{name} is let in with its new data folder"))
        }
        ClusterCommand::Snapshot { file } => {
            let bytes = client.snapshot().await?;
            let (snapshot, origin) = backup::of_bytes(&file, bytes.clone())?;
            backup::write(&file, &snapshot, &origin)?;
            let (index, master) = (snapshot.index, origin.master);
            say(&format!("{} holds {} bytes: entry {index}, as {master} has it", file.display(), bytes.len()))
        }
        ClusterCommand::Restore(restore) => restore_command::restore(&restore)?,
    }
    Ok(())
}

fn say(done: &str) {
    print_to_stderr(&format!("{done}\n"));
}
