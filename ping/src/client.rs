//! A client's id in its normal form: the only one of which anything is computed (sketches of users, samples).

use std::fmt;

use crate::document::is_hyphenated_uuid;

/// Bytes of a UUID with hyphens.
const LENGTH: usize = 36;

/// The id that Firefox gives every client whose data are not to be uploaded: shared by millions, so nobody's.
const CANARY: &str = "c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0";

/// What stands where no id was made yet.
const ZEROS: &str = "00000000-0000-0000-0000-000000000000";

/// The id of one client: a UUID with hyphens, in lower case. Ids that differ in case only are one id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId([u8; LENGTH]);

/// Why a text is the id of no client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoClient {
    /// It has the shape of an id and stands for none: Firefox's canary, or all zeros.
    Placeholder,
    /// It is no UUID with hyphens.
    NotAnId,
}

impl ClientId {
    /// Reads an id as it was sent.
    ///
    /// # Errors
    /// When it names no client.
    pub fn parse(sent: &str) -> Result<Self, NoClient> {
        let bytes: Result<[u8; LENGTH], _> = sent.as_bytes().try_into();
        let mut bytes = bytes
            .ok()
            .filter(|_| is_hyphenated_uuid(sent))
            .ok_or(NoClient::NotAnId)?;
        bytes.make_ascii_lowercase();
        let id = Self(bytes);
        if [CANARY, ZEROS].contains(&id.as_str()) {
            return Err(NoClient::Placeholder);
        }
        Ok(id)
    }

    /// The id as text.
    ///
    /// # Panics
    /// Never: it is ASCII.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits and hyphens")
    }
}

impl fmt::Debug for ClientId {
    /// Not the id: what is printed for debugging may reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_form_whatever_its_case() {
        let lower = "5f3a1c2e-0000-4000-8000-00000000000b";
        for sent in [
            lower,
            "5F3A1C2E-0000-4000-8000-00000000000B",
            "5f3A1c2E-0000-4000-8000-00000000000b",
        ] {
            let id = ClientId::parse(sent).expect("an id");
            assert_eq!(id.as_str(), lower);
            assert!(!format!("{id:?}").contains("5f3a"), "no id reaches a log");
        }
    }

    #[test]
    fn placeholders_and_what_is_no_id_name_nobody() {
        for sent in [
            "c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0",
            "C0FFEEC0-FFEE-C0FF-EEC0-FFEEC0FFEEC0",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(ClientId::parse(sent), Err(NoClient::Placeholder), "{sent}");
        }
        for sent in [
            "",
            "me",
            "unknown",
            "5f3a1c2e00004000800000000000000b",
            "{5f3a1c2e-0000-4000-8000-00000000000b}",
            " 5f3a1c2e-0000-4000-8000-00000000000b",
            "5f3a1c2e-0000-4000-8000-00000000000g",
            "5f3a1c2e-0000-4000-80000-0000000000b",
            "5f3a1c2e-0000-4000-8000-0000000000é",
        ] {
            assert_eq!(ClientId::parse(sent), Err(NoClient::NotAnId), "{sent}");
        }
        assert!(ClientId::parse("c0ffee00-0000-4000-8000-000000000001").is_ok());
    }
}
