//! Which addresses a connection may go to: the IANA special-purpose registries, denied by default.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, such as `127.0.0.0/8` or `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of addresses (such as 127.0.0.0/8 or fd00::/8)")]
pub struct NetworkError(String);

impl Network {
    /// This machine itself, in both families.
    pub const LOOPBACK: [Self; 2] = [Self::v4(127, 0, 0, 8), Self { address: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 }];

    const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), prefix }
    }

    const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Self {
        Self { address: IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)), prefix }
    }

    /// Whether `address` lies in the range. An IPv4 address written as IPv6 (`::ffff:127.0.0.1`) is
    /// looked up as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                u32::from(base) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                u128::from(base) & mask == u128::from(address) & mask
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = || NetworkError(text.chars().take(60).collect());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| refused())?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| refused())?;
        // Addresses are looked up as what they are, so a range written so would hold none.
        if address != address.to_canonical() {
            return Err(refused());
        }
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest { Err(refused()) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The whole IANA IPv4 special-purpose registry, plus multicast and class E.
const SPECIAL_V4: [Network; 18] = [
    Network::v4(0, 0, 0, 8),
    Network::v4(10, 0, 0, 8),
    Network::v4(100, 64, 0, 10),
    Network::v4(127, 0, 0, 8),
    Network::v4(169, 254, 0, 16),
    Network::v4(172, 16, 0, 12),
    Network::v4(192, 0, 0, 24),
    Network::v4(192, 0, 2, 24),
    Network::v4(192, 31, 196, 24),
    Network::v4(192, 52, 193, 24),
    Network::v4(192, 88, 99, 24),
    Network::v4(192, 168, 0, 16),
    Network::v4(192, 175, 48, 24),
    Network::v4(198, 18, 0, 15),
    Network::v4(198, 51, 100, 24),
    Network::v4(203, 0, 113, 24),
    Network::v4(224, 0, 0, 4),
    Network::v4(240, 0, 0, 4),
];

/// The only part of IPv6 that is handed out as global unicast.
const UNICAST_V6: Network = Network::v6(0x2000, 0, 0, 3);

/// What is special inside it: protocol assignments (Teredo, ORCHID, benchmarking), documentation, 6to4, AS112.
const SPECIAL_V6: [Network; 5] = [
    Network::v6(0x2001, 0, 0, 23),
    Network::v6(0x2001, 0xdb8, 0, 32),
    Network::v6(0x2002, 0, 0, 16),
    Network::v6(0x2620, 0x4f, 0x8000, 48),
    Network::v6(0x3fff, 0, 0, 20),
];

/// Whether an address is globally reachable. IPv4 inside IPv6 is not, whatever it holds.
#[must_use]
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !SPECIAL_V4.iter().any(|network| network.contains(address)),
        IpAddr::V6(_) => UNICAST_V6.contains(address) && !SPECIAL_V6.iter().any(|network| network.contains(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// List L1 of security.md §2.3.
    const NOT_GLOBAL: &str = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.254 127.0.0.1 127.127.127.127 \
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 \
        192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 \
        255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:93.184.216.34 ::127.0.0.1 \
        ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 \
        2001:db8::1 2002:7f00:1::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";

    #[test]
    fn sec_094_no_special_address_is_global() {
        for text in NOT_GLOBAL.split_whitespace() {
            assert!(!is_global(text.parse().unwrap()), "{text} must be refused");
        }
    }

    #[test]
    fn ordinary_addresses_at_the_edges_of_the_special_ranges_are_global() {
        for text in "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 172.15.255.255 \
             172.32.0.0 192.0.1.1 192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255 93.184.216.34 \
             2001:200::1 2001:db9::1 2003::1 2606:4700::1 2a01:e0a::1 2620:4f:8001::1 3ffe:ffff::1"
            .split_whitespace()
        {
            assert!(is_global(text.parse().unwrap()), "{text} is an ordinary address");
        }
    }

    #[test]
    fn ranges_are_read_and_printed() {
        for text in ["127.0.0.0/8", "fd00::/8", "0.0.0.0/0", "::/0", "10.1.2.3/32"] {
            assert_eq!(text.parse::<Network>().map(|network| network.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("::1".parse::<Network>().map(|network| network.to_string()).as_deref(), Ok("::1/128"));
        for text in ["", "127.0.0.0/33", "::/129", "lyon", "127.0.0.0/", "127.1/8", "10.0.0.0/-1"] {
            assert!(text.parse::<Network>().is_err(), "{text} is not a range");
        }
    }

    #[test]
    fn f_9_a_range_holds_its_own_beginning_or_is_none() {
        for text in ["::ffff:10.0.0.0/104", "::ffff:0:0/96", "::ffff:127.0.0.1"] {
            assert!(text.parse::<Network>().is_err(), "{text} would hold nothing: addresses are looked up as IPv4");
        }
        for text in ["10.1.2.3/8", "fd00::1/8", "::/0", "::1", "0.0.0.0/0"] {
            let (range, base) = (text.parse::<Network>().unwrap(), text.split('/').next().unwrap());
            assert!(range.contains(base.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_written_as_ipv6_is_looked_up_as_what_it_is() {
        let loopback: Network = "127.0.0.0/8".parse().unwrap();
        assert!(loopback.contains("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!loopback.contains("::1".parse().unwrap()));
        assert!("::/0".parse::<Network>().unwrap().contains("2a01::1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("8.8.8.8".parse().unwrap()));
    }
}
