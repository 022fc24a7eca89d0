//! The lists L1, L2 and L3 of security.md §2.3.

/// L1: addresses that are not public.
pub const ADDRESSES: &str = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.254 127.0.0.1 127.127.127.127 169.254.169.254 \
    172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 \
    198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 \
    ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:20::1 2001:db8::1 \
    2002:7f00:1::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";

/// L2: spellings of addresses.
pub const LITERALS: [&str; 16] = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "①②⑦.0.0.1",
    "[::1]",
    "[::ffff:7f00:1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[fe80::1%25eth0]",
    "127.0.0.1.",
    "0",
    "3232235521",
];

/// L3: names for local use; the last one is ours.
pub const NAMES: [&str; 16] = [
    "localhost",
    "localhost.",
    "LOCALHOST",
    "foo.localhost",
    "ip6-localhost",
    "localhost.localdomain",
    "x.local",
    "x.internal",
    "metadata.google.internal",
    "x.home.arpa",
    "x.onion",
    "x.i2p",
    "host.docker.internal",
    "kubernetes.default.svc",
    "city-a.test",
    "city-a.test.",
];
