//! How much memory this process uses.

/// Resident memory in bytes; 0 where the system does not tell.
#[must_use]
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    resident_bytes_of(&status)
}

/// The same from the text of `/proc/self/status`, which counts in KiB whatever the size of a page is.
fn resident_bytes_of(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_resident_size() {
        assert_eq!(resident_bytes_of("Name:\takrida\nVmHWM:\t  9000 kB\nVmRSS:\t    8123 kB\n"), 8_123 * 1_024);
        assert_eq!(resident_bytes_of(""), 0);
        assert!(resident_bytes() > 0);
    }
}
