//! A second judgement on addresses: the special-purpose registries of IANA as they are published, and
//! every way of writing an IPv4 address as a number.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The IANA IPv4 Special-Purpose Address Registry, and the blocks of multicast.
const SPECIAL_V4: &str = "0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 \
    192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24 \
    192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 \
    255.255.255.255/32 224.0.0.0/4";

/// The IANA IPv6 Special-Purpose Address Registry, and multicast, site-local and IPv4-compatible addresses.
const SPECIAL_V6: &str = "::1/128 ::/128 ::ffff:0:0/96 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 \
    2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 \
    2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8";

/// An address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u32::from(address).into(), 32),
        IpAddr::V6(address) => (address.into(), 128),
    }
}

/// Whether an address lies in a network, written `address/length`.
///
/// # Panics
/// When the network is none.
#[must_use]
pub fn lies_in(address: IpAddr, network: &str) -> bool {
    let (base, length) = network.split_once('/').expect("a length");
    let (base, length): (IpAddr, u32) = (base.parse().expect("an address"), length.parse().expect("a number"));
    let ((base, width), (address, other)) = (bits(base), bits(address));
    // What is shifted out on the right is the part that may differ.
    width == other && (base ^ address).checked_shr(width - length).unwrap_or(0) == 0
}

/// Whether an address is one of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let special = if address.is_ipv4() { SPECIAL_V4 } else { SPECIAL_V6 };
    (address.is_ipv4() || lies_in(address, "2000::/3")) && !special.split_whitespace().any(|network| lies_in(address, network))
}

/// Whether the standard library knows an address as one of a class that nobody may be sent to, or it holds
/// such an IPv4 address in one of the ways in which IPv6 carries one.
#[must_use]
pub fn is_forbidden_class(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_unspecified()
                || v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
        }
        IpAddr::V6(v6) => {
            v6.is_unspecified()
                || v6.is_loopback()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || carried(v6).into_iter().any(|v4| is_forbidden_class(IpAddr::V4(v4)))
        }
    }
}

/// IPv4 addresses that an IPv6 address may stand for: mapped, compatible, NAT64, 6to4, Teredo.
fn carried(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let [a, b, c, ..] = address.segments();
    let octets = address.octets();
    let at = |from: usize| Ipv4Addr::new(octets[from], octets[from + 1], octets[from + 2], octets[from + 3]);
    let mut found: Vec<Ipv4Addr> = address.to_ipv4().into_iter().collect();
    if lies_in(IpAddr::V6(address), "64:ff9b::/96") {
        found.push(at(12));
    }
    if a == 0x2002 {
        found.push(at(2));
    }
    if (a, b) == (0x2001, 0) {
        let server = Ipv4Addr::from((u32::from(b) << 16) | u32::from(c));
        let client = Ipv4Addr::from(!u32::from(at(12)));
        found.extend([server, client, at(4)]);
    }
    found
}

/// The IPv4 address that the C library reads in a host: one to four numbers, decimal, octal or hexadecimal,
/// the last one filling what is left.
#[must_use]
pub fn as_c_reads_it(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = host.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    let mut numbers = Vec::new();
    for part in &parts {
        let lower = part.to_ascii_lowercase();
        let (digits, radix) = match lower.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
            None => (&*lower, 10),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        numbers.push(u64::from_str_radix(digits, radix).ok()?);
    }
    let (last, first) = numbers.split_last()?;
    let room = 8 * (4 - first.len());
    if first.iter().any(|number| *number > 255) || *last >= 1 << room {
        return None;
    }
    let high = first.iter().fold(0, |sum, number| (sum << 8) | number);
    u32::try_from((high << room) | last).ok().map(Ipv4Addr::from)
}
