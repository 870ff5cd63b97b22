//! The machines that clients run on: operating systems, their versions, architectures, and how frequent each is.

/// An operating system with an architecture.
pub(crate) struct Platform {
    pub(crate) os: &'static str,
    pub(crate) version: &'static str,
    /// Of the application, as `application.architecture` writes it.
    pub(crate) architecture: &'static str,
    /// Clients out of all weights' sum.
    pub(crate) weight: u64,
}

impl Platform {
    pub(crate) fn is_windows(&self) -> bool {
        self.os == "Windows_NT"
    }

    /// The binary interface, as `xpcomAbi` writes it.
    pub(crate) fn abi(&self) -> &'static str {
        match (self.is_windows(), self.architecture) {
            (true, "x86") => "x86-msvc",
            (true, _) => "x86_64-msvc",
            (false, "x86") => "x86-gcc3",
            (false, _) => "x86_64-gcc3",
        }
    }
}

const fn platform(
    os: &'static str,
    version: &'static str,
    architecture: &'static str,
    weight: u64,
) -> Platform {
    Platform {
        os,
        version,
        architecture,
        weight,
    }
}

/// Every platform, the long tail too.
pub(crate) const PLATFORMS: &[Platform] = &[
    platform("Windows_NT", "10.0", "x86-64", 330),
    platform("Windows_NT", "10.0", "x86", 90),
    platform("Windows_NT", "6.1", "x86-64", 170),
    platform("Windows_NT", "6.1", "x86", 130),
    platform("Windows_NT", "6.3", "x86-64", 45),
    platform("Windows_NT", "6.3", "x86", 15),
    platform("Windows_NT", "6.2", "x86-64", 5),
    platform("Windows_NT", "6.2", "x86", 4),
    platform("Windows_NT", "6.0", "x86", 4),
    platform("Windows_NT", "5.1", "x86", 18),
    platform("Windows_NT", "5.2", "x86", 2),
    platform("Darwin", "16.5.0", "x86-64", 50),
    platform("Darwin", "16.4.0", "x86-64", 24),
    platform("Darwin", "16.6.0", "x86-64", 10),
    platform("Darwin", "15.6.0", "x86-64", 22),
    platform("Darwin", "14.5.0", "x86-64", 11),
    platform("Darwin", "13.4.0", "x86-64", 8),
    platform("Darwin", "12.6.0", "x86-64", 3),
    platform("Darwin", "11.4.2", "x86-64", 2),
    platform("Linux", "4.8.0-46-generic", "x86-64", 16),
    platform("Linux", "4.4.0-72-generic", "x86-64", 14),
    platform("Linux", "4.10.8-200.fc25.x86_64", "x86-64", 9),
    platform("Linux", "4.9.20-1-lts", "x86-64", 6),
    platform("Linux", "3.16.0-4-amd64", "x86-64", 4),
    platform("Linux", "3.13.0-116-generic", "x86-64", 4),
    platform("Linux", "4.4.0-72-generic", "x86", 3),
    platform("Linux", "3.19.0-80-generic", "x86-64", 2),
    platform("Linux", "2.6.32-696.el6.x86_64", "x86-64", 1),
    platform("Linux", "3.2.0-4-686-pae", "x86", 1),
];
