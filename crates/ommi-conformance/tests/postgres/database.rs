//! A database of a test's own.

use ommi::{Db, Result};
use ommi_conformance::server;

/// A database of a test's own.
pub(crate) struct Database {
    server: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    /// Makes a database; `None` if there is no server.
    pub(crate) async fn make(name: &str, options: &str) -> Option<Database> {
        let server = server::address("OMMI_POSTGRES_URL")?;
        let name = format!("ommi_{name}_{}", std::process::id());
        let base = server.split_once('?').map_or(&*server, |(base, _)| base);
        let (host, _) = base.rsplit_once('/').unwrap();
        let url = format!("{host}/{name}?pool=8{options}");
        let db = ommi::connect(&server).await.unwrap();
        db.raw(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).execute().await.unwrap();
        db.raw(format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).execute().await.unwrap();
        db.close().await.unwrap();
        Some(Database { server, name, url })
    }

    pub(crate) async fn drop(&self) {
        let db = ommi::connect(&self.server).await.unwrap();
        db.raw(format!("DROP DATABASE {} WITH (FORCE)", self.name)).execute().await.unwrap();
        db.close().await.unwrap();
    }
}

/// A handle on an emptied database.
pub(crate) async fn emptied(url: &str) -> Result<Db> {
    let db = ommi::connect(url).await?;
    for table in db.inspect().await?.tables {
        let schema = table.schema.map(|schema| format!("\"{schema}\".")).unwrap_or_default();
        let kind = if table.is_view { "VIEW" } else { "TABLE" };
        let name = table.name.replace('"', "\"\"");
        db.raw(format!("DROP {kind} IF EXISTS {schema}\"{name}\" CASCADE")).execute().await?;
    }
    Ok(db)
}
