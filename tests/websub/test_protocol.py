"""What goes over the wire, as tables."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from monitor.websub import protocol
from monitor.websub.protocol import Intent
from monitor.websub.settings import WebSubSettings
from storage.feed_records import Subscription
from tests.websub.hub import sign

PUBLIC = "https://monitor.example.org/push"
BODY = "<rss>Größe</rss>".encode()
HELD = Subscription(7, "https://hub.example/", "https://wire.example/feed", "token-1", "the secret")


@pytest.mark.parametrize(
    ("signature", "flaw"),
    [
        pytest.param(sign("s", BODY), None, id="sha256 is required"),
        pytest.param(sign("s", BODY, "sha384"), None, id="sha384 is better"),
        pytest.param(sign("s", BODY, "sha512"), None, id="sha512 is better still"),
        pytest.param(sign("s", BODY).upper(), None, id="capitals are the same digits"),
        pytest.param(None, "not signed", id="no header"),
        pytest.param("", "not signed", id="an empty header"),
        pytest.param(sign("s", BODY, "sha1"), "signed with sha1, and sha256 is required", id="sha1 is too weak"),
        pytest.param("md5=00", "signed with md5, and sha256 is required", id="a method WebSub does not have"),
        pytest.param("sha256", "signed with another", id="no digest"),
        pytest.param(sign("other", BODY), "signed with another", id="another secret"),
        pytest.param(sign("s", BODY + b" "), "signed with another", id="a changed body"),
        pytest.param(sign("s", BODY)[:-1], "signed with another", id="a digit short"),
        pytest.param("sha256=\udcff\xe9", "signed with another", id="what is not even hexadecimal"),
    ],
)
def test_a_push_counts_only_with_a_good_signature(signature: str | None, flaw: str | None) -> None:
    found = protocol.flaw(signature, "s", BODY)
    assert found is None if flaw is None else found is not None and found.startswith(flaw)


@pytest.mark.parametrize(
    ("query", "intent"),
    [
        pytest.param(
            b"hub.mode=subscribe&hub.topic=https%3A%2F%2Fa.b%2F&hub.challenge=x%2By&hub.lease_seconds=86400",
            Intent("subscribe", "https://a.b/", b"x+y", timedelta(days=1)),
            id="all there",
        ),
        pytest.param(
            b"hub.mode=denied&hub.topic=t&hub.reason=not+today",
            Intent("denied", "t", reason="not today"),
            id="a refusal with a reason",
        ),
        pytest.param(
            b"hub.mode=subscribe&hub.topic=t&hub.challenge=%FF%00%E9",
            Intent("subscribe", "t", b"\xff\x00\xe9"),
            id="a challenge that is no text comes back byte for byte",
        ),
        pytest.param(
            b"hub.mode=subscribe&hub.topic=t&hub.challenge=\xff",
            Intent("subscribe", "t", b"\xff"),
            id="even unescaped",
        ),
        pytest.param(b"hub.mode=subscribe&hub.topic=t&hub.topic=u", Intent("subscribe", "t"), id="the first topic"),
        pytest.param(b"hub.topic=t&hub.challenge=x", None, id="no mode"),
        pytest.param(b"hub.mode=subscribe&hub.challenge=x", None, id="no topic"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"&".join([b"a=b"] * 51), None, id="more fields than anybody needs"),
    ],
)
def test_the_query_of_a_hub(query: bytes, intent: Intent | None) -> None:
    assert protocol.read_intent(query) == intent


@pytest.mark.parametrize(
    ("lease", "understood"),
    [
        ("864000", timedelta(days=10)),
        ("1", timedelta(seconds=1)),
        ("999999999999", timedelta(days=90)),
        ("9" * 5000, None),
        ("0", None),
        ("-5", None),
        ("1e9", None),
        ("٣", None),
        ("", None),
    ],
)
def test_a_lease_is_a_number_of_seconds_that_makes_sense(lease: str, understood: timedelta | None) -> None:
    query = f"hub.mode=subscribe&hub.topic=t&hub.lease_seconds={lease}".encode()
    intent = protocol.read_intent(query)
    assert intent is not None
    assert intent.lease == understood


def test_a_subscription_is_asked_for_with_the_secret_and_its_end_without() -> None:
    settings = WebSubSettings(public_url=PUBLIC, lease=timedelta(days=2))
    asked = protocol.form("subscribe", HELD, settings)
    assert asked == {
        "hub.mode": "subscribe",
        "hub.topic": "https://wire.example/feed",
        "hub.callback": "https://monitor.example.org/push/token-1",
        "hub.verify": "async",
        "hub.lease_seconds": "172800",
        "hub.secret": "the secret",
    }
    left = protocol.form("unsubscribe", HELD, settings)
    assert left == {name: asked[name] for name in ("hub.topic", "hub.callback", "hub.verify")} | {
        "hub.mode": "unsubscribe"
    }


def test_a_token_belongs_to_one_public_address() -> None:
    token = protocol.new_token(PUBLIC, "0123")
    assert protocol.belongs(token, PUBLIC)
    assert not protocol.belongs(token, "https://monitor.example.org/other")


@pytest.mark.parametrize("path", ["/push/token-1", "/token-1", "/a/b/c/token-1"])
def test_a_proxy_may_keep_or_strip_the_path_before_the_token(path: str) -> None:
    assert protocol.token_in(path) == "token-1"


@pytest.mark.parametrize(
    ("hub", "address"),
    [
        pytest.param(
            "http://hub.example/?a=b", "https://hub.example/?a=b", id="the secret does not travel in the clear"
        ),
        pytest.param("HTTP://hub.example", "https://hub.example", id="without a path"),
        pytest.param("https://hub.example/", "https://hub.example/", id="https stays"),
        pytest.param("http://hub.example:8080/", "http://hub.example:8080/", id="a port of its own stays"),
        pytest.param("http://[::1]:80/", "http://[::1]:80/", id="and so does an address with one"),
        pytest.param("file:///etc/passwd", "file:///etc/passwd", id="anything else is for the fetcher to refuse"),
    ],
)
def test_a_hub_is_asked_over_tls(hub: str, address: str) -> None:
    assert protocol.asked_at(hub) == address


def test_what_a_stranger_says_is_one_short_line() -> None:
    assert protocol.one_line("no\x1b[31m\r\nway \u202e" + "x" * 999) == ("no [31m way " + "x" * 999)[:200]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("public_url", "monitor.example.org/push"),
        ("public_url", "ftp://monitor.example.org/"),
        ("public_url", "https://user:password@monitor.example.org/"),
        ("public_url", "https://monitor.example.org/?a=b"),
        ("listen", "8002"),
        ("listen", "127.0.0.1"),
        ("listen", "127.0.0.1:0"),
        ("listen", "127.0.0.1:70000"),
        ("listen", "::1:8002"),
        ("lease", "5m"),
        ("secret", "x"),
    ],
)
def test_settings_that_cannot_work_are_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        WebSubSettings.model_validate({field: value})


def test_settings_in_use() -> None:
    settings = WebSubSettings.model_validate({"public_url": PUBLIC + "/", "listen": "[::1]:8002", "lease": "2d"})
    assert (settings.public_url, settings.place) == (PUBLIC, ("::1", 8002))
    assert WebSubSettings().public_url is None
    assert WebSubSettings(listen="localhost:80").place == ("localhost", 80)
