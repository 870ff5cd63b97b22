//! The shape of an identifier: what is another text for every user, device or request. Pure functions of one text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Hexadecimal digits that are an identifier, if digits and letters are among them: a short hash of a commit has 7 to 12.
const HEX_MIXED_MIN: usize = 16;

/// Hexadecimal digits that are one whatever they are.
const HEX_MIN: usize = 32;

/// Letters and digits in a row that may be a token: model names, ciphers and times have fewer, or seldom change kind.
const TOKEN_MIN: usize = 20;

/// In a token at least every so many-th character begins another kind.
const TOKEN_KINDS: usize = 4;

/// Whether a text has the shape of an identifier. Where versions are expected, four numbers with dots are one, no address.
#[must_use]
pub(crate) fn is_identifier(text: &str, expects_versions: bool) -> bool {
    let bare = text.trim_matches(|sign| "{}()[]<>\"' ".contains(sign));
    is_hex(bare)
        || has_uuid(text.as_bytes())
        || is_mac(bare.as_bytes())
        || is_mail(bare)
        || is_address(text, bare, expects_versions)
        || has_token(text)
}

fn is_hex(text: &str) -> bool {
    let is_hex = text.len() >= HEX_MIXED_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_both = || {
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    is_hex && (text.len() >= HEX_MIN || has_both())
}

/// A UUID with hyphens, whatever stands around it.
fn has_uuid(text: &[u8]) -> bool {
    text.windows(36).any(|window| {
        window.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

/// The address of a network card: six pairs of hexadecimal digits.
fn is_mac(text: &[u8]) -> bool {
    let sign = text.get(2).copied().unwrap_or_default();
    text.len() == 17
        && b":-".contains(&sign)
        && text.iter().enumerate().all(|(place, byte)| match place % 3 {
            2 => *byte == sign,
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Something at a host whose last part has letters only: `react@18.2.0` is none.
fn is_mail(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    let Some((hosts, last)) = host.rsplit_once('.') else {
        return false;
    };
    let is_name = |sign: char| !sign.is_whitespace() && !"/:@".contains(sign);
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|sign| sign.is_alphanumeric() || "-_".contains(sign))
    };
    !name.is_empty()
        && name.chars().all(is_name)
        && hosts.split('.').all(is_part)
        && last.chars().count() >= 2
        && last.chars().all(char::is_alphabetic)
}

/// An address of the internet, with a port or without.
fn is_address(text: &str, bare: &str, expects_versions: bool) -> bool {
    let whole = without_zone(bare);
    let is_whole = match whole.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => !expects_versions,
        // `abc::def` is more likely a name in a program.
        Ok(IpAddr::V6(_)) => whole.bytes().any(|byte| byte.is_ascii_digit()),
        Err(_) => false,
    };
    is_whole || has_port(text)
}

fn has_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
        && match inside {
            Some(host) => without_zone(host).parse::<Ipv6Addr>().is_ok(),
            None => host.parse::<Ipv4Addr>().is_ok(),
        }
}

fn without_zone(address: &str) -> &str {
    address.split('%').next().unwrap_or_default()
}

/// What a letter or digit is for a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Digit,
    Capital,
    Small,
}

/// A row of letters and digits that looks drawn, in a text that does not begin as a version does: behind one stands a hash.
fn has_token(text: &str) -> bool {
    if text.len() < TOKEN_MIN || begins_as_version(text.as_bytes()) {
        return false;
    }
    let rows = text.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
    rows.filter(|row| row.len() >= TOKEN_MIN).any(|row| {
        let kinds = row.iter().map(|byte| match byte {
            b'0'..=b'9' => Kind::Digit,
            b'A'..=b'Z' => Kind::Capital,
            _ => Kind::Small,
        });
        let pairs = kinds.clone().zip(kinds.skip(1));
        let begun = pairs.filter(|pair| pair.0 != pair.1 && *pair != (Kind::Capital, Kind::Small));
        let has_digit = row.iter().any(u8::is_ascii_digit);
        let has_letter = row.iter().any(u8::is_ascii_alphabetic);
        has_digit && has_letter && begun.count() * TOKEN_KINDS >= row.len()
    })
}

/// `2.4`, `v2.4`.
fn begins_as_version(text: &[u8]) -> bool {
    let numbers = text
        .strip_prefix(b"v")
        .or_else(|| text.strip_prefix(b"V"))
        .unwrap_or(text);
    let digits = numbers.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(numbers[digits..], [b'.', b'0'..=b'9', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_text_for_every_user_is_known_by_its_shape() {
        for text in [
            "550e8400-e29b-41d4-a716-446655440000",
            "550E8400-E29B-41D4-A716-446655440000",
            "{550e8400-e29b-41d4-a716-446655440000}",
            "00000000-0000-0000-0000-000000000000",
            "urn:uuid:550e8400-e29b-41d4-a716-446655440000",
            "install_550e8400-e29b-41d4-a716-446655440000.json",
            "550e8400e29b41d4a716446655440000",
            "{550e8400e29b41d4a716446655440000}",
            "9774d56d682e549c",
            "01234567890123456789012345678901",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "ann@example.org",
            "Ann.B+tag@Mail.Example.co.uk",
            "jürgen@müller.example",
            "<ann@example.org>",
            "192.168.0.17",
            "203.0.113.9:8443",
            "2001:db8::8a2e:370:7334",
            "fe80::1ff:fe23:4567:890a%eth2",
            "[2001:db8::1]:443",
            "::ffff:203.0.113.9",
            "00:1A:2b:3c:4d:5e",
            "00-1a-2b-3c-4d-5e",
            "4eC39HqLyjWDarjtT1zdp7dc",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "auth0|5f7c8ec7c33c6c004bbafe82",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
            "c9x2k4qv7m1z8p3w5r6t",
        ] {
            assert!(is_identifier(text, false), "{text}");
        }
    }

    #[test]
    fn what_many_users_share_is_none() {
        for text in [
            // Versions.
            "3",
            "2.4.1",
            "2.4.1+g1a2b3c4d",
            "2.4.1-14-g1a2b3c4d5e6f",
            "2.4.1+5114f85ab3c6d0e2f8f1a9b7c6d5e4f3a2b1c0d9",
            "v1.0.0-rc.1+20261001123456.sha.5114f85",
            "10.0.19045.3803",
            "6.8.0-45-generic",
            "5.15.146.1-microsoft-standard-WSL2",
            "115.12.0esr",
            "react@18.2.0",
            "@scope/package@1.2.3",
            // Builds.
            "20261001",
            "202610011234",
            "20261001123456",
            "20261001123456-g1a2b3c4d",
            "20261001-1a2b3c4d5e6f",
            "1a2b3c4",
            "1a2b3c4d5e6f",
            "release-1a2b3c4d5e6f",
            "UP1A.231005.007.A1",
            "G973FXXSGHWC2",
            "samsung/beyond1ltexx/beyond1:12/SP1A.210812.016/G973FXXSGHWC2:user/release-keys",
            "TQ3A.230805.001",
            // Times.
            "2026-10-01",
            "2026-10-01T12:34:56.123456+02:00",
            "2026-10-01T12-34-56Z",
            "20261001T123456Z",
            "20261001T123456000000Z",
            "12:34:56",
            "1790856000",
            "1790856000000",
            // Languages and countries.
            "de",
            "zh-Hant-TW",
            "ca-ES-valencia",
            "sr-Latn-RS-u-ca-gregory-nu-latn",
            "en_US.UTF-8",
            "DE",
            "Bosnia and Herzegovina",
            "America/Argentina/Buenos_Aires",
            "UTC+02:00",
            // Systems, machines, programs.
            "Windows_NT",
            "Windows10Enterprise64bitEdition",
            "Ubuntu 24.04.1 LTS (Noble Numbat)",
            "x86_64-unknown-linux-gnu",
            "aarch64-apple-darwin22.1.0",
            "armv7-unknown-linux-gnueabihf",
            "iPhone14,2",
            "SM-G998B/DS",
            "NVIDIA GeForce RTX 4090 Laptop GPU/PCIe/SSE2",
            "Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz",
            "ANGLE (Intel, Intel(R) UHD Graphics 620 Direct3D11 vs_5_0 ps_5_0, D3D11)",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "GenuineIntel",
            "com.example.app.debug",
            "std::collections::HashMap",
            "abc::def",
            "internationalization",
            "ABCDEFABCDEFABCDEF",
            "CRASHED_IN_SHUTDOWN_HANDLER_2",
            "user@host",
            "git@github.com:inky/press.git",
            "https://me@example.org/a",
            "an e-mail: ann@example.org",
            "true",
            "OTHER",
            "UNKNOWN",
            "-9223372036854775808",
            "",
        ] {
            assert!(!is_identifier(text, false), "{text}");
        }
    }

    #[test]
    fn four_numbers_are_a_version_where_one_is_expected() {
        for text in ["10.0.1.2", "122.0.0.0", "1.2.3.4"] {
            assert!(!is_identifier(text, true), "{text}");
            assert!(is_identifier(text, false), "{text}");
        }
        assert!(is_identifier("ann@example.org", true));
        assert!(is_identifier("2001:db8::1", true));
    }
}
