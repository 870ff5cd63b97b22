//! TLS to the server: rustls with ring, and what of the server's certificate is checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::SettingsError;

/// What is checked of the certificate that the server shows, against the certificates of a file or the machine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: who listens in reads nothing, who stands in between reads all.
    Nothing,
    /// That somebody who is trusted signed it.
    Certificate(Option<PathBuf>),
    /// And that it names the host.
    CertificateAndName(Option<PathBuf>),
}

/// Makes the connector.
pub(crate) fn connector(check: &Check) -> Result<MakeRustlsConnect, SettingsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError(format!("TLS: {error}")))?;
    let verifier: Arc<dyn ServerCertVerifier> = match check {
        Check::Nothing => Arc::new(Lenient {
            trusted: None,
            provider,
        }),
        Check::Certificate(roots) => Arc::new(Lenient {
            trusted: Some(verifier(roots.as_deref(), &provider)?),
            provider,
        }),
        Check::CertificateAndName(roots) => verifier(roots.as_deref(), &provider)?,
    };
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(
    file: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, SettingsError> {
    let certificates = match file {
        Some(file) => of_file(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    let place = file.map_or_else(
        || "this machine's list (Debian: install ca-certificates, or name a file as sslrootcert)".to_owned(),
        |file| file.display().to_string(),
    );
    if added == 0 {
        return Err(SettingsError(format!("TLS: no certificate to trust in {place}")));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| SettingsError(format!("TLS: the certificates of {place}: {error}")))
}

fn of_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let unreadable = |error| {
        SettingsError(format!(
            "TLS: the certificates to trust in {}: {error}",
            file.display()
        ))
    };
    CertificateDer::pem_file_iter(file)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)
}

/// Checks less than all: only who signed the certificate, or nothing.
#[derive(Debug)]
struct Lenient {
    trusted: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trusted) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        match trusted.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            // The name is looked at last, when the signatures were found good.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
