//! TLS, as far as `sslmode` asks for it.

use std::path::Path;
use std::process::Command;

use ommi::prelude::*;

use crate::process::Server;

/// Makes an authority, and a certificate of it for `localhost`.
fn certificates(directory: &Path, authority: &str) {
    let run = |arguments: &[&str]| {
        let output = Command::new("openssl").current_dir(directory).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (key, certificate) = (format!("{authority}.key"), format!("{authority}.pem"));
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
    run(&[&new[..], &["-subj", "/CN=Authority", "-keyout", &key, "-out", &certificate]].concat());
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"];
    run(&[&new[..], &["-keyout", "server.key", "-out", "server.csr"]].concat());
    std::fs::write(directory.join("server.ext"), "subjectAltName=DNS:localhost\n").unwrap();
    let sign = ["x509", "-req", "-in", "server.csr", "-days", "30", "-extfile", "server.ext", "-out", "server.pem"];
    run(&[&sign[..], &["-CA", &certificate, "-CAkey", &key, "-CAcreateserial"]].concat());
}

async fn is_encrypted(url: &str) -> Result<bool> {
    let db = ommi::connect(url).await?;
    let rows: Vec<(bool,)> = db.raw("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").tuples().await?;
    db.close().await?;
    Ok(rows == [(true,)])
}

#[tokio::test]
async fn tls_is_used_and_looked_at_as_the_mode_says() {
    let Some(mut server) = Server::start("tls", "").await else { return };
    let directory = server.directory().to_owned();
    let (ours, theirs) = (directory.join("tls"), directory.join("other"));
    for directory in [&ours, &theirs] {
        std::fs::create_dir(directory).unwrap();
        certificates(directory, "authority");
    }
    server.encrypt(&ours);
    server.kill();
    server.run().await;

    let by_name = |options: &str| server.url(options).replace("127.0.0.1", "localhost");
    let (ours, theirs) = (ours.join("authority.pem"), theirs.join("authority.pem"));
    let (ours, theirs) = (ours.display(), theirs.display());
    assert!(!is_encrypted(&by_name("sslmode=disable")).await.unwrap());
    assert!(is_encrypted(&by_name("")).await.unwrap());
    assert!(is_encrypted(&by_name("sslmode=require")).await.unwrap());
    assert!(is_encrypted(&by_name(&format!("sslmode=verify-full&sslrootcert={ours}"))).await.unwrap());
    // the certificate is for `localhost`, not for the address
    assert!(is_encrypted(&server.url(&format!("sslmode=verify-ca&sslrootcert={ours}"))).await.unwrap());
    for url in [
        server.url(&format!("sslmode=verify-full&sslrootcert={ours}")),
        by_name(&format!("sslmode=verify-full&sslrootcert={theirs}")),
        by_name(&format!("sslmode=verify-ca&sslrootcert={theirs}")),
        by_name(&format!("sslmode=require&sslrootcert={theirs}")),
    ] {
        let error = is_encrypted(&url).await.unwrap_err();
        assert!(error.is_connection() && error.message().contains("`sslrootcert`"), "{url}: {error}");
    }
}
