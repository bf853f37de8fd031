//! One GET after another, each body read: what the other generators of the comparison do.

use std::env;

use goose::prelude::*;

async fn get(user: &mut GooseUser) -> TransactionResult {
    let path = env::var("GOOSE_PATH").unwrap_or_else(|_| "/s".to_owned());
    let goose = user.get(&path).await?;
    if let Ok(response) = goose.response {
        let _ = response.bytes().await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    GooseAttack::initialize()?
        .register_scenario(scenario!("OneGet").register_transaction(transaction!(get)))
        .execute()
        .await?;
    Ok(())
}
