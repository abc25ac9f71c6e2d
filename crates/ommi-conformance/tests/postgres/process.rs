//! A server of a test's own, with durability on, which may be killed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ommi_conformance::server;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of a test's own, with durability on, which may be killed.
pub(crate) struct Server {
    directory: PathBuf,
    programs: PathBuf,
    pub(crate) port: u16,
    process: Option<Child>,
}

/// A command that runs as the server's user: the server refuses to be root.
fn as_server(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    command
}

/// Whether the tests run as root: who runs a process owns its directory.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|of| of.uid() == 0)
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    /// Makes a server with some settings and starts it; `None` where its programs are not named.
    pub(crate) async fn start(name: &str, settings: &str) -> Option<Server> {
        let programs = PathBuf::from(server::address("OMMI_POSTGRES_PROGRAMS")?);
        let directory = std::env::temp_dir().join(format!("ommi-postgres-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        let password = directory.join("password");
        fs::write(&password, "secret word\n").unwrap();
        if is_root() {
            done(Command::new("chown").args(["-R", "postgres:"]).arg(&directory));
        }
        done(
            as_server(&programs.join("initdb"))
                .args(["-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"])
                .args(["--locale=C.UTF-8", "--no-sync", "-D"])
                .arg(directory.join("data"))
                .arg(format!("--pwfile={}", password.display())),
        );
        let configuration = directory.join("data/postgresql.conf");
        let mut text = fs::read_to_string(&configuration).unwrap();
        text.push_str(&format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\n{settings}\n",
            directory.display()
        ));
        fs::write(&configuration, text).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut server = Server { directory, programs, port, process: None };
        server.run().await;
        Some(server)
    }

    /// Where data, password and sockets are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The URL of the database that every server has, with some options.
    pub(crate) fn url(&self, options: &str) -> String {
        format!("postgres://postgres:secret%20word@127.0.0.1:{}/postgres?{options}", self.port)
    }

    /// Starts the server, and waits until it answers.
    pub(crate) async fn run(&mut self) {
        let begun = Instant::now();
        while !self.try_run().await {
            assert!(begun.elapsed() < PATIENCE, "the server does not start: {}", self.directory.display());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether the server runs; it does not while those of one that was killed are about to end.
    async fn try_run(&mut self) -> bool {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.directory.join("log")).unwrap();
        let mut process = as_server(&self.programs.join("postgres"))
            .arg("-D")
            .arg(self.directory.join("data"))
            .args(["-p", &self.port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        while process.try_wait().unwrap().is_none() {
            let ready = Command::new(self.programs.join("pg_isready"))
                .arg("-q")
                .arg("-h")
                .arg(&self.directory)
                .args(["-p", &self.port.to_string()])
                .status();
            if ready.unwrap().success() {
                self.process = Some(process);
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// Gives the server a key and a certificate, which it has from its next start on.
    pub(crate) fn encrypt(&self, certificates: &Path) {
        let data = self.directory.join("data");
        for (from, to) in [("server.key", "server.key"), ("server.pem", "server.crt")] {
            fs::copy(certificates.join(from), data.join(to)).unwrap();
        }
        if is_root() {
            done(Command::new("chown").arg("postgres:").args([data.join("server.key"), data.join("server.crt")]));
        }
        done(Command::new("chmod").arg("600").arg(data.join("server.key")));
        let configuration = data.join("postgresql.conf");
        let text = fs::read_to_string(&configuration).unwrap();
        fs::write(&configuration, text + "ssl = on\n").unwrap();
    }

    /// Kills the server, which has no time to say good-bye.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let id = process.id();
            let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
            let _ = process.kill();
            let _ = process.wait();
            // those that serve connections go on until they notice that the first process is gone
            let _ = Command::new("kill").arg("-9").args(children.split_whitespace()).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // the server's processes notice within moments that the first one is gone
        for _ in 0..100 {
            if fs::remove_dir_all(&self.directory).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
