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

/// The weight of each platform that hardly anyone has. Together they are a ninth.
const TAIL: u64 = 20;

/// Every platform: a few that most have, and a long tail.
pub(crate) const PLATFORMS: &[Platform] = &[
    platform("Windows_NT", "10.0", "x86-64", 5050),
    platform("Windows_NT", "10.0", "x86", 719),
    platform("Windows_NT", "6.1", "x86-64", 1867),
    platform("Windows_NT", "6.1", "x86", 1249),
    platform("Windows_NT", "6.3", "x86-64", 254),
    platform("Windows_NT", "6.3", "x86", 49),
    platform("Windows_NT", "6.2", "x86-64", 9),
    platform("Windows_NT", "6.2", "x86", 8),
    platform("Windows_NT", "6.0", "x86", 8),
    platform("Windows_NT", "5.1", "x86", 64),
    platform("Windows_NT", "5.2", "x86", 8),
    platform("Darwin", "16.5.0", "x86-64", 298),
    platform("Darwin", "16.4.0", "x86-64", 99),
    platform("Darwin", "16.6.0", "x86-64", 27),
    platform("Darwin", "15.6.0", "x86-64", 87),
    platform("Darwin", "14.5.0", "x86-64", 31),
    platform("Darwin", "13.4.0", "x86-64", 19),
    platform("Darwin", "12.6.0", "x86-64", 8),
    platform("Darwin", "11.4.2", "x86-64", 8),
    platform("Linux", "4.8.0-46-generic", "x86-64", 54),
    platform("Linux", "4.4.0-72-generic", "x86-64", 44),
    platform("Linux", "4.10.8-200.fc25.x86_64", "x86-64", 23),
    platform("Linux", "4.9.20-1-lts", "x86-64", 12),
    platform("Linux", "3.16.0-4-amd64", "x86-64", 8),
    platform("Linux", "3.13.0-116-generic", "x86-64", 8),
    platform("Linux", "4.4.0-72-generic", "x86", 8),
    platform("Linux", "3.19.0-80-generic", "x86-64", 8),
    platform("Linux", "2.6.32-696.el6.x86_64", "x86-64", 8),
    platform("Linux", "3.2.0-4-686-pae", "x86", 8),
    platform("Darwin", "16.3.0", "x86-64", TAIL),
    platform("Darwin", "16.1.0", "x86-64", TAIL),
    platform("Darwin", "16.0.0", "x86-64", TAIL),
    platform("Darwin", "15.5.0", "x86-64", TAIL),
    platform("Darwin", "15.4.0", "x86-64", TAIL),
    platform("Darwin", "15.3.0", "x86-64", TAIL),
    platform("Darwin", "15.2.0", "x86-64", TAIL),
    platform("Darwin", "15.0.0", "x86-64", TAIL),
    platform("Darwin", "14.4.0", "x86-64", TAIL),
    platform("Darwin", "14.3.0", "x86-64", TAIL),
    platform("Darwin", "14.1.0", "x86-64", TAIL),
    platform("Darwin", "14.0.0", "x86-64", TAIL),
    platform("Darwin", "13.3.0", "x86-64", TAIL),
    platform("Darwin", "13.2.0", "x86-64", TAIL),
    platform("Darwin", "13.1.0", "x86-64", TAIL),
    platform("Darwin", "13.0.0", "x86-64", TAIL),
    platform("Darwin", "12.5.0", "x86-64", TAIL),
    platform("Darwin", "12.4.0", "x86-64", TAIL),
    platform("Darwin", "12.3.0", "x86-64", TAIL),
    platform("Darwin", "12.2.1", "x86-64", TAIL),
    platform("Darwin", "12.0.0", "x86-64", TAIL),
    platform("Darwin", "11.3.0", "x86-64", TAIL),
    platform("Darwin", "10.8.0", "x86-64", TAIL),
    platform("Darwin", "17.0.0", "x86-64", TAIL),
    platform("Linux", "4.0.4-301.fc22", "x86-64", TAIL),
    platform("Linux", "4.0.4-301.fc22", "x86", TAIL),
    platform("Linux", "4.2.0-42-generic", "x86-64", TAIL),
    platform("Linux", "4.2.0-42-generic", "x86", TAIL),
    platform("Linux", "4.3.3-arch", "x86-64", TAIL),
    platform("Linux", "4.3.3-arch", "x86", TAIL),
    platform("Linux", "4.5.7-300.fc24", "x86-64", TAIL),
    platform("Linux", "4.5.7-300.fc24", "x86", TAIL),
    platform("Linux", "4.6.4-1-lts", "x86-64", TAIL),
    platform("Linux", "4.6.4-1-lts", "x86", TAIL),
    platform("Linux", "4.7.10-100.fc23", "x86-64", TAIL),
    platform("Linux", "4.7.10-100.fc23", "x86", TAIL),
    platform("Linux", "4.8.17-server", "x86-64", TAIL),
    platform("Linux", "4.8.17-server", "x86", TAIL),
    platform("Linux", "4.9.0-3-686-pae", "x86-64", TAIL),
    platform("Linux", "4.9.0-3-686-pae", "x86", TAIL),
    platform("Linux", "3.0.101-0-pae", "x86-64", TAIL),
    platform("Linux", "3.0.101-0-pae", "x86", TAIL),
    platform("Linux", "3.2.0-126-generic", "x86-64", TAIL),
    platform("Linux", "3.2.0-126-generic", "x86", TAIL),
    platform("Linux", "3.4.11-rt", "x86-64", TAIL),
    platform("Linux", "3.4.11-rt", "x86", TAIL),
    platform("Linux", "3.5.0-54-generic", "x86-64", TAIL),
    platform("Linux", "3.5.0-54-generic", "x86", TAIL),
    platform("Linux", "3.6.11-4.fc16", "x86-64", TAIL),
    platform("Linux", "3.6.11-4.fc16", "x86", TAIL),
    platform("Linux", "3.7.10-desktop", "x86-64", TAIL),
    platform("Linux", "3.7.10-desktop", "x86", TAIL),
    platform("Linux", "3.8.0-44-generic", "x86-64", TAIL),
    platform("Linux", "3.8.0-44-generic", "x86", TAIL),
    platform("Linux", "3.9.10-arch", "x86-64", TAIL),
    platform("Linux", "3.9.10-arch", "x86", TAIL),
    platform("Linux", "3.10.0-514.el7", "x86-64", TAIL),
    platform("Linux", "3.10.0-514.el7", "x86", TAIL),
    platform("Linux", "2.6.18-419.el5", "x86-64", TAIL),
    platform("Linux", "2.6.18-419.el5", "x86", TAIL),
    platform("Windows_NT", "6.3", "arm", TAIL),
    platform("Windows_NT", "10.0", "arm", TAIL),
    platform("Windows_NT", "6.0", "x86-64", TAIL),
    platform("Windows_NT", "5.2", "x86-64", TAIL),
];
