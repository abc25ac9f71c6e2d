//! TLS, as far as `sslmode` asks for it.

use std::path::Path;
use std::sync::Arc;

use ommi_core::{Error, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::options::{Options, Trust};

/// What makes the TLS of connections; `None` where there is none.
///
/// # Errors
///
/// `Config` if the root certificates cannot be read.
pub(crate) fn connector(options: &Options) -> Result<Option<MakeRustlsConnect>> {
    if options.trust == Trust::Plain {
        return Ok(None);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let config = match options.trust {
        Trust::Host => {
            builder.with_root_certificates(roots(options.root_certificates.as_deref())?).with_no_client_auth()
        }
        Trust::Authority => {
            let roots = Arc::new(roots(options.root_certificates.as_deref())?);
            let chain = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
            let verifier = Lenient::OfAuthority(chain.map_err(unusable)?);
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        Trust::Anyone | Trust::Plain => {
            let verifier = Lenient::Anyone(provider);
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    };
    Ok(Some(MakeRustlsConnect::new(config)))
}

#[cold]
fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::config(format!("TLS cannot be set up: {error}")).with_source(error)
}

/// The certificates of authorities in a file, or those of the system.
fn roots(path: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match path {
        Some(path) if path != Path::new("system") => {
            let unreadable = |problem: String| {
                Error::config(format!("the root certificates `{}` cannot be read: {problem}", path.display()))
            };
            let found = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(unreadable("there is no certificate in it".into()));
            }
        }
        _ => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(Error::config("the system has no root certificates: name a file with `sslrootcert`"));
            }
        }
    }
    Ok(roots)
}

/// A look at the server's certificate that leaves its name, or all of it, aside.
#[derive(Debug)]
enum Lenient {
    Anyone(Arc<CryptoProvider>),
    OfAuthority(Arc<WebPkiServerVerifier>),
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Lenient::OfAuthority(chain) = self else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(certificate, intermediates, name, response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match self {
            Lenient::OfAuthority(chain) => chain.verify_tls12_signature(message, certificate, signature),
            Lenient::Anyone(provider) => rustls::crypto::verify_tls12_signature(
                message,
                certificate,
                signature,
                &provider.signature_verification_algorithms,
            ),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match self {
            Lenient::OfAuthority(chain) => chain.verify_tls13_signature(message, certificate, signature),
            Lenient::Anyone(provider) => rustls::crypto::verify_tls13_signature(
                message,
                certificate,
                signature,
                &provider.signature_verification_algorithms,
            ),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        match self {
            Lenient::OfAuthority(chain) => chain.supported_verify_schemes(),
            Lenient::Anyone(provider) => provider.signature_verification_algorithms.supported_schemes(),
        }
    }
}
