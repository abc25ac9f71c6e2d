//! What a URL says.

use std::path::PathBuf;
use std::time::Duration;

use ommi_core::driver::ConnectOptions;
use ommi_core::{Error, Result};
use ommi_pool::Settings;
use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{LoadBalanceHosts, SslMode, TargetSessionAttrs};

/// The options that URLs may have.
const KNOWN: &[&str] = &[
    "acquire_timeout",
    "application_name",
    "connect_timeout",
    "host",
    "idle_timeout",
    "keepalives_idle",
    "load_balance_hosts",
    "max_lifetime",
    "password",
    "pool",
    "port",
    "prepare",
    "search_path",
    "sslmode",
    "sslrootcert",
    "statement_cache",
    "statement_timeout",
    "target_session_attrs",
    "user",
];

/// How far the server's certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// There is no TLS.
    Plain,
    /// It is not looked at.
    Anyone,
    /// It is signed by an authority that is trusted.
    Authority,
    /// It is that of the host.
    Host,
}

/// What a URL says.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) pool: Settings,
    pub(crate) connect_timeout: Duration,
    /// Whether statements are prepared by name and kept: not behind a pooler that gives each
    /// transaction another connection.
    pub(crate) prepares: bool,
    pub(crate) statement_cache: usize,
    /// The servers and the database, without user and password.
    pub(crate) shown: String,
}

impl Options {
    pub(crate) fn parse(options: &ConnectOptions) -> Result<Self> {
        options.check_known(KNOWN)?;
        let mut config = Config::new();
        let base = Base::parse(options)?;
        let connect_timeout = options.duration("connect_timeout")?.unwrap_or(Duration::from_secs(10));
        config.connect_timeout(connect_timeout);
        for (host, port) in &base.hosts {
            config.host(host);
            config.port(*port);
        }
        config.dbname(&base.database).user(&base.user);
        if let Some(password) = &base.password {
            config.password(password);
        }
        config.application_name(options.get("application_name").unwrap_or("ommi"));
        if let Some(idle) = options.duration("keepalives_idle")? {
            config.keepalives_idle(idle);
        }
        let attributes = [
            ("any", TargetSessionAttrs::Any),
            ("read-write", TargetSessionAttrs::ReadWrite),
            ("primary", TargetSessionAttrs::ReadWrite),
            ("read-only", TargetSessionAttrs::ReadOnly),
            ("standby", TargetSessionAttrs::ReadOnly),
        ];
        if let Some(wanted) = options.choice("target_session_attrs", &attributes)? {
            config.target_session_attrs(wanted);
        }
        let balance = [("disable", LoadBalanceHosts::Disable), ("random", LoadBalanceHosts::Random)];
        if let Some(balance) = options.choice("load_balance_hosts", &balance)? {
            config.load_balance_hosts(balance);
        }
        if let Some(settings) = startup_settings(options)? {
            config.options(settings);
        }
        let modes = [("disable", 0), ("prefer", 1), ("require", 2), ("verify-ca", 3), ("verify-full", 4)];
        let (mode, mut trust) = match options.choice("sslmode", &modes)? {
            Some(0) => (SslMode::Disable, Trust::Plain),
            Some(2) => (SslMode::Require, Trust::Anyone),
            Some(3) => (SslMode::Require, Trust::Authority),
            Some(4) => (SslMode::Require, Trust::Host),
            _ => (SslMode::Prefer, Trust::Anyone),
        };
        let root_certificates = options.get("sslrootcert").map(PathBuf::from);
        if trust == Trust::Anyone && mode == SslMode::Require && root_certificates.is_some() {
            // as libpq has it: who names an authority wants it to be asked
            trust = Trust::Authority;
        }
        config.ssl_mode(mode);
        Ok(Options {
            config,
            trust,
            root_certificates,
            pool: pool_settings(options)?,
            connect_timeout,
            prepares: options.choice("prepare", &[("on", true), ("off", false)])?.unwrap_or(true),
            statement_cache: size(options, "statement_cache", 1..=100_000)?.unwrap_or(256),
            shown: base.shown(),
        })
    }
}

fn size(options: &ConnectOptions, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<usize>> {
    Ok(options.number(name, range)?.and_then(|number| usize::try_from(number).ok()))
}

fn pool_settings(options: &ConnectOptions) -> Result<Settings> {
    let usual = Settings::default();
    let time = |name, usual| Ok::<_, Error>(options.duration(name)?.unwrap_or(usual));
    Ok(Settings {
        size: size(options, "pool", 1..=10_000)?.unwrap_or(usual.size),
        acquire_timeout: time("acquire_timeout", usual.acquire_timeout)?,
        max_lifetime: time("max_lifetime", usual.max_lifetime)?,
        idle_timeout: time("idle_timeout", usual.idle_timeout)?,
        ..usual
    })
}

/// The settings that a session begins with, as the server's command line has them.
fn startup_settings(options: &ConnectOptions) -> Result<Option<String>> {
    let mut settings = Vec::new();
    if let Some(path) = options.get("search_path") {
        settings.push(format!("-c search_path={}", escaped(path)));
    }
    if let Some(limit) = options.duration("statement_timeout")? {
        settings.push(format!("-c statement_timeout={}", limit.as_millis()));
    }
    Ok((!settings.is_empty()).then(|| settings.join(" ")))
}

/// Spaces and backslashes of a startup setting stand behind backslashes.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        if character.is_whitespace() || character == '\\' {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// The part of a URL before its options.
struct Base {
    user: String,
    password: Option<String>,
    hosts: Vec<(String, u16)>,
    database: String,
}

const FORM: &str = "postgres://user:password@host:5432/database, with percent signs for what a URL cannot have";

impl Base {
    fn parse(options: &ConnectOptions) -> Result<Base> {
        let rest = options.rest();
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(Error::config(format!("the URL has no `//` behind its scheme: write {FORM}")));
        };
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            Some((user, password)) => (decoded(user)?, Some(decoded(password)?).filter(|text| !text.is_empty())),
            None => (String::new(), None),
        };
        let given = |name: &str| options.get(name).map(str::to_owned);
        let user = given("user").or(Some(user)).filter(|user| !user.is_empty());
        let user = user.or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "postgres".into());
        let database = Some(decoded(database)?).filter(|name| !name.is_empty()).unwrap_or_else(|| user.clone());
        let mut hosts = hosts.split(',').filter(|host| !host.is_empty()).map(host).collect::<Result<Vec<_>>>()?;
        let port = options.number("port", 1..=65_535)?.and_then(|port| u16::try_from(port).ok());
        if let Some(place) = options.get("host") {
            hosts = vec![(place.to_owned(), port.unwrap_or(5432))];
        }
        if hosts.is_empty() {
            hosts = vec![("localhost".into(), port.unwrap_or(5432))];
        }
        Ok(Base { user, password: given("password").or(password), hosts, database })
    }

    fn shown(&self) -> String {
        let hosts: Vec<String> = self
            .hosts
            .iter()
            .map(
                |(host, port)| {
                    if host.starts_with('/') { format!("{host}/.s.PGSQL.{port}") } else { format!("{host}:{port}") }
                },
            )
            .collect();
        format!("`{}` at {}", self.database, hosts.join(", "))
    }
}

/// A host with its port; one that begins with a slash is the directory of a socket.
fn host(text: &str) -> Result<(String, u16)> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None | Some("") => 5432,
        Some(port) => port.parse().map_err(|_| Error::config(format!("`{port}` is no port: write {FORM}")))?,
    };
    Ok((decoded(host)?, port))
}

fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded =
        decoded.map_err(|_| Error::config("a part of the URL is not UTF-8 after its percent signs are decoded"))?;
    if decoded.contains('\0') {
        return Err(Error::config("a part of the URL has a NUL character"));
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_postgres::config::Host;

    fn parse(url: &str) -> Result<Options> {
        Options::parse(&ConnectOptions::from_url(url)?)
    }

    #[test]
    fn urls_name_users_hosts_and_databases() {
        let options = parse("postgres://ada:p%40ss%2Fword@db.example:5433,other/my%20data?pool=3").unwrap();
        assert_eq!(options.config.get_user(), Some("ada"));
        assert_eq!(options.config.get_password(), Some(&b"p@ss/word"[..]));
        assert_eq!(options.config.get_dbname(), Some("my data"));
        assert_eq!(options.config.get_hosts(), [Host::Tcp("db.example".into()), Host::Tcp("other".into())]);
        assert_eq!(options.config.get_ports(), [5433, 5432]);
        assert_eq!(options.pool.size, 3);
        assert_eq!(options.shown, "`my data` at db.example:5433, other:5432");
    }

    #[test]
    fn sockets_and_addresses_of_version_six_are_hosts() {
        let socket = parse("postgresql:///library?host=/run/postgresql&user=ada").unwrap();
        assert_eq!(socket.config.get_hosts(), [Host::Unix("/run/postgresql".into())]);
        let socket = parse("postgres://ada@%2Frun%2Fpg:5433/library").unwrap();
        assert_eq!(socket.config.get_hosts(), [Host::Unix("/run/pg".into())]);
        assert_eq!(socket.shown, "`library` at /run/pg/.s.PGSQL.5433");
        let six = parse("postgres://ada@[::1]:5433/library").unwrap();
        assert_eq!(six.config.get_hosts(), [Host::Tcp("::1".into())]);
    }

    #[test]
    fn wrong_urls_say_what_is_possible() {
        let message = |url| {
            let error = parse(url).map(|_| ()).unwrap_err();
            assert!(error.is_config());
            error.message().to_owned()
        };
        assert!(message("postgres:x").contains("postgres://user"));
        assert!(message("postgres://a:b@c:d/e").contains("`d` is no port"));
        assert!(message("postgres://a@c/e?sslmode=on").contains("`verify-full`"));
        assert!(message("postgres://a@c/e?pool=0").contains("1 to 10000"));
        assert!(message("postgres://a@c/e?pools=1").contains("`pool`"));
    }

    #[test]
    fn who_names_an_authority_wants_it_asked() {
        assert_eq!(parse("postgres://h/d?sslmode=require").unwrap().trust, Trust::Anyone);
        assert_eq!(parse("postgres://h/d?sslmode=require&sslrootcert=ca.pem").unwrap().trust, Trust::Authority);
        assert_eq!(parse("postgres://h/d?sslmode=verify-full").unwrap().trust, Trust::Host);
        assert_eq!(parse("postgres://h/d").unwrap().config.get_ssl_mode(), SslMode::Prefer);
    }
}
