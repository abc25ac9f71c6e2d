//! Connecting by URL: the registry of drivers, and the options that URLs have.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::{BoxFuture, Driver};
use crate::error::{Error, Result};

/// Makes drivers for the URLs of some schemes.
pub trait Connector: Send + Sync {
    /// The schemes, without the colon.
    fn schemes(&self) -> &'static [&'static str];

    /// Connects.
    ///
    /// # Errors
    ///
    /// `Config` for an option that is unknown or has a wrong value, with those that are known;
    /// `Connection` if the database can't be reached.
    fn connect<'a>(&'a self, options: &'a ConnectOptions) -> BoxFuture<'a, Result<Arc<dyn Driver>>>;
}

static CONNECTORS: RwLock<BTreeMap<&'static str, Arc<dyn Connector>>> = RwLock::new(BTreeMap::new());

/// Makes a driver available to [`connect`] under its schemes; a later one takes a scheme over.
pub fn register(connector: Arc<dyn Connector>) {
    let mut connectors = CONNECTORS.write().unwrap_or_else(PoisonError::into_inner);
    for scheme in connector.schemes() {
        connectors.insert(scheme, Arc::clone(&connector));
    }
}

/// The schemes that [`connect`] knows, sorted.
pub fn registered_schemes() -> Vec<&'static str> {
    CONNECTORS.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
}

/// Connects a driver.
///
/// # Errors
///
/// `Config` for a URL without a known scheme or with wrong options, `Connection` if the database
/// can't be reached.
pub async fn connect(options: &ConnectOptions) -> Result<Arc<dyn Driver>> {
    let scheme = options.scheme();
    let connector = CONNECTORS.read().unwrap_or_else(PoisonError::into_inner).get(scheme).cloned();
    match connector {
        Some(connector) => connector.connect(options).await,
        None => Err(unknown_scheme(scheme)),
    }
}

/// The schemes of the drivers that Ommi comes with, and the feature that has each.
const BUILT_IN: &[(&str, &str)] = &[
    ("memory", "memory"),
    ("mongodb", "mongodb"),
    ("mongodb+srv", "mongodb-srv"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("sqlite", "sqlite"),
];

#[cold]
fn unknown_scheme(scheme: &str) -> Error {
    let known = registered_schemes();
    let known = match known.as_slice() {
        [] => "no driver is compiled in".to_owned(),
        known => {
            format!("this program knows {}", known.iter().map(|s| format!("`{s}:`")).collect::<Vec<_>>().join(", "))
        }
    };
    if scheme.is_empty() {
        return Error::config(format!("the URL has no scheme: write `sqlite://file.db`, for example; {known}"));
    }
    match BUILT_IN.iter().find(|(built_in, _)| *built_in == scheme) {
        Some((_, feature)) => Error::config(format!(
            "the driver for `{scheme}:` URLs is not compiled in: add the feature `{feature}` to the `ommi` dependency; {known}"
        )),
        None => Error::config(format!("no driver is registered for `{scheme}:` URLs; {known}")),
    }
}

/// A URL and the options of a connection.
#[derive(Clone)]
pub struct ConnectOptions {
    url: String,
    options: BTreeMap<String, String>,
}

impl ConnectOptions {
    /// Options from a URL: `scheme:rest?name=value&name=value`.
    ///
    /// # Errors
    ///
    /// `Config` if an option is given twice.
    pub fn from_url(url: &str) -> Result<Self> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut options = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if options.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Error::config(format!("the option `{name}` is given twice in {}", RedactedUrl(url))));
            }
        }
        Ok(ConnectOptions { url: base.to_owned(), options })
    }

    /// The scheme, without the colon; empty if there is none.
    pub fn scheme(&self) -> &str {
        self.url.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// What follows the scheme and its colon, the options excluded.
    pub fn rest(&self) -> &str {
        self.url.split_once(':').map_or(&self.url, |(_, rest)| rest)
    }

    /// The URL without options, as it was given: it may hold a password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets an option, as the URL would.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.options.insert(name.to_owned(), value.into());
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Refuses options that are not among those known.
    ///
    /// # Errors
    ///
    /// `Config`, with the options that are known.
    pub fn check_known(&self, known: &[&str]) -> Result<()> {
        let unknown: Vec<String> = self
            .options
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| format!("`{name}`"))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Error::config(format!(
            "unknown option {} for `{}:` URLs, which know {}",
            unknown.join(", "),
            self.scheme(),
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        )))
    }

    /// An option that is one of some words.
    ///
    /// # Errors
    ///
    /// `Config`, with the words that are possible.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                Err(self
                    .wrong(name, &choices.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(" or ")))
            }
        }
    }

    /// An option that is a whole number of a range.
    ///
    /// # Errors
    ///
    /// `Config`, with the range.
    pub fn number(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.parse::<u64>() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(self.wrong(name, &format!("a whole number from {} to {}", range.start(), range.end()))),
        }
    }

    /// An option that is a duration: `250ms`, `5s`, `2m`, or milliseconds without a unit.
    ///
    /// # Errors
    ///
    /// `Config`, with the form.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = value.split_at(digits);
        let unit = match unit {
            "" | "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return Err(self.wrong(name, "a duration such as `250ms`, `5s` or `2m`")),
        };
        match number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)) {
            Some(millis) => Ok(Some(Duration::from_millis(millis))),
            None => Err(self.wrong(name, "a duration such as `250ms`, `5s` or `2m`")),
        }
    }

    #[cold]
    fn wrong(&self, name: &str, wanted: &str) -> Error {
        Error::config(format!(
            "the option `{name}` is `{}`, where {wanted} is wanted",
            self.get(name).unwrap_or_default()
        ))
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.options.keys().collect();
        f.debug_struct("ConnectOptions")
            .field("url", &format_args!("{}", RedactedUrl(&self.url)))
            .field("options", &names)
            .finish()
    }
}

/// Shows a URL without its password.
#[derive(Clone, Copy)]
pub struct RedactedUrl<'a>(pub &'a str);

impl fmt::Display for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // a password may hold any character unescaped: all up to the last `@` is taken for it
        let parts = self.0.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
        match parts {
            Some((scheme, (user, host))) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                let hidden = if name.len() < user.len() { ":***" } else { "" };
                write!(f, "{scheme}://{name}{hidden}@{}", without_options(host))
            }
            None => f.write_str(without_options(self.0)),
        }
    }
}

fn without_options(url: &str) -> &str {
    url.split_once('?').map_or(url, |(base, _)| base)
}

impl fmt::Debug for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let shown = RedactedUrl("postgres://ada:s3cr@t@host/db?password=x").to_string();
        assert_eq!(shown, "postgres://ada:***@host/db");
        let question = RedactedUrl("postgres://ada:s3?cr@t@host/db").to_string();
        assert_eq!(question, "postgres://ada:***@host/db");
        assert_eq!(RedactedUrl("sqlite://a.db?mode=ro").to_string(), "sqlite://a.db");
    }

    #[test]
    fn wrong_options_name_what_is_possible() {
        let options = ConnectOptions::from_url("sqlite://a.db?mode=rw&busy=1x").unwrap();
        assert!(options.check_known(&["mode"]).unwrap_err().message().contains("`busy`"));
        assert!(options.choice("mode", &[("ro", 1), ("rwc", 2)]).unwrap_err().message().contains("`ro` or `rwc`"));
        assert!(options.duration("busy").unwrap_err().is_config());
        assert!(ConnectOptions::from_url("sqlite://a.db?mode=rw&mode=ro").unwrap_err().is_config());
    }
}
