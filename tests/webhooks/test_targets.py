"""Where webhooks never go, however it is written, and whatever a name means a moment later."""

import socket
from typing import Any

import pytest
from yarl import URL

from siklus.activities.webhooks import sender as sending
from siklus.activities.webhooks.sender import Fault, Sender, found_at
from siklus.activities.webhooks.targets import TargetNotAllowed, Targets
from siklus.services.clock import Clock
from tests.webhooks.receiver import Receiver

PUBLIC = Targets()
HEADERS = {"webhook-id": "evt_1"}

REFUSED_URLS = [
    "http://example.com/",  # not over TLS
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "//example.com/",
    "https:example.com",
    "https:///events",
    "example.com/events",
    "https://user:secret@example.com/",
    "https://user@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com/#fragment",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/\r\nHost: inside",
    "https://exam ple.com/",
    "https://example.com/\x00",
    "https://example.com./",  # a name with its root's dot
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:https/",
    f"https://{'a' * 64}.example/",
    f"https://example.{'a' * 64}/",
    f"https://{'a.' * 130}example/",
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://①②⑦.0.0.1/",
    "https://ｅxample.com/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",  # 6to4 of 127.0.0.1
    "https://[2001:0:7f00:1::]/",  # Teredo
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[100::1]/",
]
TAKEN_URLS = [
    "https://example.com",
    "https://esb.example.go.id/events?agency=contoh",
    "https://example.com:8443/a/b",
    "https://93.184.216.34/",
    "https://[2606:4700::1]/",
    "https://xn--mnchen-3ya.example/",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
async def test_these_are_refused_when_they_are_given_and_when_something_is_sent(url: str) -> None:
    with pytest.raises(TargetNotAllowed):
        PUBLIC.checked(url)

    async with Sender(PUBLIC, Clock().now) as sender:
        outcome = await sender.post(url, HEADERS, "{}")
    assert (outcome.fault, outcome.status) == (Fault.TARGET_NOT_ALLOWED, 0)


@pytest.mark.parametrize("url", TAKEN_URLS)
def test_these_are_taken(url: str) -> None:
    assert str(PUBLIC.checked(url)) == url


async def test_a_name_of_this_machine_is_refused_though_it_is_a_name() -> None:
    url = PUBLIC.checked("https://localhost/")
    addresses = await found_at(url)

    assert addresses
    with pytest.raises(TargetNotAllowed, match="public"):
        PUBLIC.must_permit(addresses, plain=False)


async def test_a_name_that_moved_inside_since_it_was_looked_at_is_not_followed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = "93.184.216.34"

    def addresses(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (meant, port))]

    monkeypatch.setattr(sending, "_addresses", addresses)
    url = f"https://rebound.example:{receiver.port}/"
    PUBLIC.must_permit(await found_at(PUBLIC.checked(url)), plain=False)

    meant = "127.0.0.1"
    async with Sender(PUBLIC, Clock().now) as sender:
        assert (await sender.post(url, HEADERS, "{}")).fault is Fault.TARGET_NOT_ALLOWED
    assert receiver.came == []


async def test_one_inner_address_among_outer_ones_refuses_a_name(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def addresses(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (meant, port))
            for meant in ("127.0.0.1", "93.184.216.34")
        ]

    monkeypatch.setattr(sending, "_addresses", addresses)
    async with Sender(PUBLIC, Clock().now) as sender:
        outcome = await sender.post(f"https://both.example:{receiver.port}/", HEADERS, "{}")
    assert (outcome.fault, receiver.came) == (Fault.TARGET_NOT_ALLOWED, [])


async def test_the_address_is_looked_at_once_more_when_a_socket_is_made(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address in a URL meets no resolver: were the URL not looked at, the socket would be."""
    monkeypatch.setattr(Targets, "checked", lambda self, url: URL(url))
    async with Sender(PUBLIC, Clock().now) as sender:
        outcome = await sender.post(receiver.url, HEADERS, "{}")
    assert (outcome.fault, receiver.came) == (Fault.TARGET_NOT_ALLOWED, [])


async def test_an_operator_may_allow_a_network_and_http_within_it_alone() -> None:
    inside = Targets.of("10.20.0.0/16, 127.0.0.1 ,fd00:1::/32")

    assert str(inside.checked("http://10.20.3.4:8080/x")) == "http://10.20.3.4:8080/x"
    assert str(inside.checked("https://[fd00:1::5]/")) == "https://[fd00:1::5]/"
    for url in ("https://10.21.0.1/", "http://93.184.216.34/", "https://127.0.0.2/"):
        with pytest.raises(TargetNotAllowed):
            inside.checked(url)
    assert not inside.permits("93.184.216.34", plain=True)
    with pytest.raises(ValueError, match="does not appear"):
        Targets.of("esb.internal")


async def test_neither_proxies_nor_passwords_of_the_environment_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login admin password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with Receiver() as proxy, Receiver() as plain:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with Sender(Targets.of("127.0.0.0/8"), Clock().now) as sender:
            assert (await sender.post(plain.url, HEADERS, "{}")).status == 204
        (came,) = plain.came

    assert proxy.came == []
    assert not {"authorization", "cookie", "proxy-authorization"} & set(came.headers)


async def test_nothing_can_be_smuggled_into_a_header() -> None:
    async with Receiver() as plain, Sender(Targets.of("127.0.0.0/8"), Clock().now) as sender:
        for bad in ("a\r\nx-admin: yes", "a\nb", "a\x00b"):
            outcome = await sender.post(plain.url, {"webhook-id": bad}, "{}")
            assert not outcome.delivered
        assert plain.came == []
