//! A user's RSA key pair: 2048 bits, both halves kept as PKCS#1 PEM (RFC 8017, appendix A.1).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};
use pkcs8::der::pem::LineEnding;
use pkcs8::{Document, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

const PRIVATE_LABEL: &str = "RSA PRIVATE KEY";
const PUBLIC_LABEL: &str = "RSA PUBLIC KEY";

/// A key could not be made or read. Nothing of the key is in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the RSA key could not be {0}")]
pub struct KeyError(&'static str);

/// Both halves of a new key pair.
#[derive(Debug)]
pub struct KeyPair {
    /// The half that is sealed before it is stored.
    pub private: PrivateKeyPem,
    /// The half that everybody may read.
    pub public: PublicKey,
}

impl KeyPair {
    /// Makes a key pair. This takes 65 ms of CPU on average and sometimes four times that.
    ///
    /// # Errors
    /// [`KeyError`], where the generator or an encoder fails.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError("made"))?;
        let pkcs8 = pair.as_der().map_err(|_| KeyError("encoded"))?;
        // PKCS#8 is an envelope around PKCS#1, and PKCS#1 is what other libraries expect under this label.
        let info = PrivateKeyInfoRef::try_from(pkcs8.as_ref()).map_err(|_| KeyError("encoded"))?;
        let pem = SecretDocument::try_from(info.private_key.as_bytes())
            .and_then(|pkcs1| pkcs1.to_pem(PRIVATE_LABEL, LineEnding::LF))
            .map_err(|_| KeyError("encoded"))?;
        Ok(Self { private: PrivateKeyPem(pem), public: PublicKey::from_der(pair.public_key().as_ref())? })
    }
}

/// A private key as PKCS#1 PEM. It is wiped when it is dropped, and does not print itself.
pub struct PrivateKeyPem(Zeroizing<String>);

impl PrivateKeyPem {
    /// Takes what an envelope held. It is read when a signer is made of it.
    ///
    /// # Errors
    /// [`KeyError`], where it is not text.
    pub fn from_opened(bytes: &[u8]) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(bytes).map_err(|_| KeyError("read"))?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The PEM, to be sealed and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The live key: it signs three times faster than a PEM that is parsed for each signature.
    pub(crate) fn live(&self) -> Result<RsaKeyPair, KeyError> {
        let (label, der) = SecretDocument::from_pem(&self.0).map_err(|_| KeyError("read"))?;
        if label != PRIVATE_LABEL {
            return Err(KeyError("read"));
        }
        RsaKeyPair::from_der(der.as_bytes()).map_err(|_| KeyError("read"))
    }
}

impl std::fmt::Debug for PrivateKeyPem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKeyPem(..)")
    }
}

/// A public key, as it is stored and as the parts of a JSON Web Key (RFC 7517, RFC 7518 section 6.3).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
    modulus: String,
    exponent: String,
    thumbprint: String,
}

impl PublicKey {
    /// Reads what [`PublicKey::to_stored`] wrote: the base64 of a PKCS#1 PEM.
    ///
    /// # Errors
    /// [`KeyError`] for everything else.
    pub fn from_stored(text: &str) -> Result<Self, KeyError> {
        let pem = STANDARD.decode(text).map_err(|_| KeyError("read"))?;
        Self::from_pem(std::str::from_utf8(&pem).map_err(|_| KeyError("read"))?)
    }

    /// Reads a PKCS#1 PEM.
    ///
    /// # Errors
    /// [`KeyError`] for everything else.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, document) = Document::from_pem(pem).map_err(|_| KeyError("read"))?;
        if label != PUBLIC_LABEL {
            return Err(KeyError("read"));
        }
        Self::from_der(document.as_bytes())
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = DecodingKey::from_rsa_der(der);
        let jwk = Jwk::from_decoding_key(&key, Some(Algorithm::RS256)).map_err(|_| KeyError("read"))?;
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyError("read"))?;
        let AlgorithmParameters::RSA(parameters) = jwk.algorithm else {
            return Err(KeyError("read"));
        };
        Ok(Self { der: der.to_vec(), modulus: parameters.n, exponent: parameters.e, thumbprint })
    }

    /// The key as PKCS#1 PEM.
    ///
    /// # Errors
    /// [`KeyError`], where the encoder fails.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let document = Document::try_from(&self.der[..]).map_err(|_| KeyError("encoded"))?;
        document.to_pem(PUBLIC_LABEL, LineEnding::LF).map_err(|_| KeyError("encoded"))
    }

    /// The text to store: the base64 of the PKCS#1 PEM.
    ///
    /// # Errors
    /// [`KeyError`], where the encoder fails.
    pub fn to_stored(&self) -> Result<String, KeyError> {
        Ok(STANDARD.encode(self.to_pem()?))
    }

    /// The key's id: its SHA-256 thumbprint as base64url (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// `n` of the JSON Web Key: the modulus as base64url.
    #[must_use]
    pub fn modulus(&self) -> &str {
        &self.modulus
    }

    /// `e` of the JSON Web Key: the exponent as base64url.
    #[must_use]
    pub fn exponent(&self) -> &str {
        &self.exponent
    }

    pub(crate) fn decoding_key(&self) -> DecodingKey {
        DecodingKey::from_rsa_der(&self.der)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.thumbprint)
    }
}
