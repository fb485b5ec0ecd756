"""Where webhooks may go: over TLS to public addresses, and where the operator allows more.

A URL is looked at when it is given, so that a mistake is told at once. What protects the network is
the look at the address when a connection is made to it (`sender.py`): names may change what they
mean in between.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Self
from urllib.parse import urlsplit

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PRINTABLE: Final = re.compile(r"[!-~]+")
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z][a-z0-9-]{0,62}"
)
_PUBLIC_IPV6: Final = ip_network("2000::/3")
# What the standard library's lists lack in one version or another.
_NEVER: Final[tuple[Network, ...]] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers' customers; also a cloud's metadata
        "168.63.129.16/32",  # a cloud's own services, on a public address
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    )
)
_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


class TargetNotAllowed(OSError):  # noqa: N818 - it says what is so
    """Nothing is sent there; the message says why and is safe to show.

    An OSError, as which what connects for us passes it on.
    """


@dataclass(frozen=True, slots=True)
class Targets:
    """What an operator allows besides public addresses: networks, which http may reach as well."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, written: str) -> Self:
        """Read networks and addresses with commas between them; raises ValueError for others."""
        parts = [part.strip() for part in written.split(",")]
        return cls(tuple(ip_network(part) for part in parts if part))

    def permits(self, address: str, *, plain: bool) -> bool:
        """Tell whether a connection may be made to an address; `plain` is one without TLS."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if any(found in network for network in self.allowed):
            return True
        return not plain and all(_public(each) for each in _meant(found))

    def checked(self, written: str) -> URL:
        """Return a URL as it is kept, or raise TargetNotAllowed.

        What a name stands for is not asked here.
        """
        if not _PRINTABLE.fullmatch(written) or "\\" in written or "#" in written:
            raise TargetNotAllowed("a URL has printable ASCII characters, and no fragment")
        try:
            url = URL(written)
            host, port = url.raw_host, url.port
        except ValueError:
            raise TargetNotAllowed("this is not a URL") from None
        if url.scheme not in {"https", "http"}:
            raise TargetNotAllowed("events are sent to https:// alone")
        plain = url.scheme == "http"
        if plain and not self.allowed:
            raise TargetNotAllowed("events are sent to https:// alone")
        if "@" in urlsplit(written).netloc:
            raise TargetNotAllowed("a URL with a user or a password would be kept in the clear")
        if not host or not port:
            raise TargetNotAllowed("a URL names a host, and a port between 1 and 65535")
        self._look_at(host.lower(), plain=plain)
        return url

    def _look_at(self, host: str, *, plain: bool) -> None:
        try:
            ip_address(host)
        except ValueError:
            # `2130706433`, `0x7f.1`, `127.1`: some systems read these as addresses. A name's last
            # word begins with a letter, and no name ends in a dot.
            if not _NAME.fullmatch(host):
                raise TargetNotAllowed("the host is neither a name nor a usual address") from None
        else:
            self.must_permit([host], plain=plain)

    def must_permit(self, addresses: Iterable[str], *, plain: bool) -> None:
        """Raise TargetNotAllowed if one of the addresses of a host may not be connected to."""
        if not all(self.permits(address, plain=plain) for address in addresses):
            raise TargetNotAllowed("the host is not at a public address")


def _meant(address: Address) -> tuple[Address, ...]:
    """Return an address with all those that it may lead to by a translation on the way."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    inner: list[Address] = [address]
    if address.sixtofour:
        inner.append(address.sixtofour)
    return tuple(inner)


def _public(address: Address) -> bool:
    if any(address in network for network in (*_NEVER, *_NAT64)):
        return False
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    odd = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not odd
