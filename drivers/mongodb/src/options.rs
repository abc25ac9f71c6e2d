//! What a URL says.

use std::time::Duration;

use mongodb::options::{ClientOptions, ReadConcern, SelectionCriteria, WriteConcern};
use ommi_core::driver::ConnectOptions;
use ommi_core::{Error, Result};

use crate::error::{Work, from_mongo, one_line};

/// The options that URLs may have: those of every MongoDB driver.
const KNOWN: &[&str] = &[
    "appName",
    "authMechanism",
    "authMechanismProperties",
    "authSource",
    "connectTimeoutMS",
    "directConnection",
    "heartbeatFrequencyMS",
    "journal",
    "loadBalanced",
    "localThresholdMS",
    "maxConnecting",
    "maxIdleTimeMS",
    "maxPoolSize",
    "maxStalenessSeconds",
    "minPoolSize",
    "readConcernLevel",
    "readPreference",
    "readPreferenceTags",
    "replicaSet",
    "retryReads",
    "retryWrites",
    "serverSelectionTimeoutMS",
    "socketTimeoutMS",
    "ssl",
    "tls",
    "tlsAllowInvalidCertificates",
    "tlsCAFile",
    "tlsCertificateKeyFile",
    "tlsInsecure",
    "w",
    "wTimeoutMS",
];

/// How long a server is looked for, where the URL does not say.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The database of URLs that name none: that of MongoDB's own tools.
const DATABASE: &str = "test";

/// What a URL says.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) client: ClientOptions,
    pub(crate) database: String,
    pub(crate) read_concern: Option<ReadConcern>,
    pub(crate) write_concern: Option<WriteConcern>,
    pub(crate) selection: Option<SelectionCriteria>,
    pub(crate) retry_reads: bool,
}

impl Options {
    /// # Errors
    ///
    /// `Config` for what is wrong in the URL, `Connection` if the hosts of a `mongodb+srv:` URL
    /// cannot be found.
    pub(crate) async fn parse(options: &ConnectOptions) -> Result<Self> {
        let mut known = KNOWN.to_vec();
        known.sort_unstable();
        options.check_known(&known)?;
        let given: Vec<(&str, &str)> =
            known.iter().filter_map(|name| options.get(name).map(|value| (*name, value))).collect();
        let query: Vec<String> = given.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let mut url = options.url().to_owned();
        if !query.is_empty() {
            if url.split_once("://").is_some_and(|(_, rest)| !rest.contains('/')) {
                url.push('/');
            }
            url.push('?');
            url.push_str(&query.join("&"));
        }
        if cfg!(not(feature = "srv")) && options.scheme() == "mongodb+srv" {
            return Err(Error::config(
                "`mongodb+srv:` URLs need the feature `mongodb-srv` of the `ommi` dependency, or write the hosts in a `mongodb:` URL",
            ));
        }
        let mut client = ClientOptions::parse(&url).await.map_err(|error| match &*error.kind {
            mongodb::error::ErrorKind::InvalidArgument { message, .. } => {
                Error::config(format!("the URL is wrong: {}", one_line(message)))
            }
            _ => from_mongo(error, Work::Read, None),
        })?;
        client.server_selection_timeout.get_or_insert(SELECTION_TIMEOUT);
        let database = client.default_database.clone().unwrap_or_else(|| DATABASE.to_owned());
        Ok(Options {
            database,
            read_concern: client.read_concern.clone(),
            write_concern: client.write_concern.clone(),
            selection: client.selection_criteria.clone(),
            retry_reads: client.retry_reads != Some(false),
            client,
        })
    }
}

fn escaped(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b',' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
