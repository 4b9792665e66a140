"""Who may be connected to."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.addresses import Allow, refusal

NOBODY = Allow()


@pytest.mark.parametrize("ip", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2001:4860:4860::8888"])
def test_public_addresses_may_be_connected_to(ip: str) -> None:
    assert refusal(ip, 443, NOBODY) is None


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.8.8", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.1", "private"),
        ("fd00::1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "site-local"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.251", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("198.18.0.1", "benchmark"),
        ("192.0.2.1", "documentation"),
        ("2001:db8::1", "documentation"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b:1::1", "NAT64"),
        ("2002:7f00:1::", "6to4"),
        ("192.88.99.1", "6to4 relay"),
        ("2001:0:1::1", "Teredo"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::7f00:1", "IPv4-compatible"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
    ],
)
def test_other_addresses_are_refused_by_name(ip: str, kind: str) -> None:
    assert f"a {kind} address" in (refusal(ip, 80, NOBODY) or "").replace("an ", "a ")


def test_the_refusal_says_what_to_do() -> None:
    assert (
        refusal("127.0.0.1", 8123, NOBODY)
        == '127.0.0.1:8123 is a loopback address; to allow it, add "127.0.0.1:8123" to fetch.allow'
    )


def test_the_refusal_of_a_name_says_where_it_leads() -> None:
    assert (
        refusal("::1", 80, NOBODY, "intranet.example")
        == 'intranet.example leads to [::1]:80, which is a loopback address; to allow it, add "[::1]:80" to fetch.allow'
    )


@pytest.mark.parametrize(
    ("line", "ip", "port", "host", "allowed"),
    [
        ("127.0.0.1:8123", "127.0.0.1", 8123, None, True),
        ("127.0.0.1:8123", "127.0.0.1", 8124, None, False),
        ("127.0.0.1:8123", "127.0.0.2", 8123, None, False),
        ("127.0.0.1", "127.0.0.1", 1, None, True),
        ("10.0.0.0/8", "10.200.0.1", 443, None, True),
        ("10.0.0.0/8", "192.168.0.1", 443, None, False),
        ("10.0.0.0/8:8080", "10.0.0.1", 8080, None, True),
        ("[::1]:80", "::1", 80, None, True),
        ("[::1]:80", "::1", 81, None, False),
        ("[fd00::/8]:80", "fd00::9", 80, None, True),
        ("::1", "::1", 9, None, True),
        ("fd00::/8", "fd12::1", 9, None, True),
        ("localhost:9000", "127.0.0.1", 9000, "localhost", True),
        ("localhost:9000", "127.0.0.1", 9000, "LOCALHOST.", True),
        ("localhost:9000", "127.0.0.1", 9000, None, False),
        ("localhost:9000", "127.0.0.1", 9000, "other.example", False),
        ("Feeds.Example.", "10.0.0.1", 9000, "feeds.example", True),
    ],
)
def test_a_line_of_the_allow_list_opens_what_it_names(
    line: str, ip: str, port: int, host: str | None, allowed: bool
) -> None:
    assert (refusal(ip, port, Allow.parse([line]), host) is None) is allowed


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "http://127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "127.0.0.1:",
        "300.1.1.1",
        "10.0.0.5/8",
        "10.0.0.0/99",
        "[::1",
        "a b",
        "*.example",
        "-",
        "x" * 300,
    ],
)
def test_junk_in_the_allow_list_is_refused(junk: str) -> None:
    with pytest.raises(ValueError, match=r"is no address|a port lies between"):
        Allow.parse([junk])


def test_a_network_with_bits_behind_the_mask_is_told_so() -> None:
    with pytest.raises(ValueError, match="behind the mask"):
        Allow.parse(["10.0.0.5/8"])


@given(st.ip_addresses())
def test_an_address_that_python_calls_private_is_never_let_through(address: object) -> None:
    if not getattr(address, "is_global", True):
        assert refusal(str(address), 80, NOBODY)


@given(st.text())
def test_the_allow_list_raises_nothing_but_value_errors(text: str) -> None:
    with suppress(ValueError):
        Allow.parse([text])
