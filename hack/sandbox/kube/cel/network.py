"""URLs, IP addresses and networks. Source: k8s.io/apiserver pkg/cel/library/{urls,ip,cidr}.go."""

import ipaddress
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import EvaluationError
from hack.sandbox.kube.wire.causes import go_quote

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Interface | ipaddress.IPv6Interface


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL or path."""

    cel_type: ClassVar[str] = "kubernetes.URL"
    parts: SplitResult

    def __str__(self) -> str:
        return self.parts.geturl()


@dataclass(frozen=True, slots=True)
class Ip:
    """An address."""

    cel_type: ClassVar[str] = "net.IP"
    address: _Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Cidr:
    """A network, which keeps the address as written."""

    cel_type: ClassVar[str] = "net.CIDR"
    interface: _Network

    def __str__(self) -> str:
        return str(self.interface)


@LIBRARY.function("url(string): kubernetes.URL")
def _url(text: str) -> Url:
    why = "invalid URI for request" if text else "empty url"
    fault = EvaluationError(f'URL parse error during conversion from string: parse "{text}": {why}')
    if not text or any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):
        raise fault
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as exc:
        raise fault from exc
    if " " in parts.netloc or (not parts.scheme and not text.startswith("/")):
        raise fault
    return Url(parts)


@LIBRARY.function("isURL(string): bool")
def _is_url(text: str) -> bool:
    return _parses(_url, text)


def _parses(parse: Any, *arguments: Any) -> bool:
    try:
        parse(*arguments)
    except EvaluationError:
        return False
    return True


@LIBRARY.function("<kubernetes.URL>.getScheme(): string")
def _scheme(url: Url) -> str:
    return url.parts.scheme


@LIBRARY.function("<kubernetes.URL>.getHost(): string")
def _host(url: Url) -> str:
    return url.parts.netloc.rpartition("@")[2]


@LIBRARY.function("<kubernetes.URL>.getHostname(): string")
def _hostname(url: Url) -> str:
    host = _host(url)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


@LIBRARY.function("<kubernetes.URL>.getPort(): string")
def _port(url: Url) -> str:
    return str(url.parts.port) if url.parts.port is not None else ""


@LIBRARY.function("<kubernetes.URL>.getEscapedPath(): string")
def _path(url: Url) -> str:
    return quote(url.parts.path, safe="/%:@!$&'()*+,;=~")


@LIBRARY.function("<kubernetes.URL>.getQuery(): map(string, list(string))")
def _query(url: Url) -> dict[str, list[str]]:
    return parse_qs(url.parts.query, keep_blank_values=True)


@LIBRARY.function("ip(string): net.IP")
def _ip(text: str) -> Ip:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as exc:
        why = f"ParseAddr({go_quote(text)}): unable to parse IP"
        raise EvaluationError(f'IP Address "{text}" parse error during conversion from string: {why}') from exc
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            raise EvaluationError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
        if address.scope_id:
            raise EvaluationError(f'IP address "{text}" with zone value is not allowed')
    return Ip(address)


@LIBRARY.function("isIP(string): bool")
def _is_ip(text: str) -> bool:
    return _parses(_ip, text)


@LIBRARY.function("ip.isCanonical(string): bool")
def _is_canonical(text: str) -> bool:
    return str(_ip(text)) == text


@LIBRARY.function("<net.IP>.family(): int")
def _family(ip: Ip) -> int:
    return ip.address.version


@LIBRARY.function("<net.IP>.isUnspecified(): bool")
def _is_unspecified(ip: Ip) -> bool:
    return ip.address.is_unspecified


@LIBRARY.function("<net.IP>.isLoopback(): bool")
def _is_loopback(ip: Ip) -> bool:
    return ip.address.is_loopback


@LIBRARY.function("<net.IP>.isLinkLocalMulticast(): bool")
def _is_link_local_multicast(ip: Ip) -> bool:
    if isinstance(ip.address, ipaddress.IPv4Address):
        return ip.address in ipaddress.IPv4Network("224.0.0.0/24")
    return ip.address in ipaddress.IPv6Network("ff02::/16")


@LIBRARY.function("<net.IP>.isLinkLocalUnicast(): bool")
def _is_link_local_unicast(ip: Ip) -> bool:
    return ip.address.is_link_local


@LIBRARY.function("<net.IP>.isGlobalUnicast(): bool")
def _is_global_unicast(ip: Ip) -> bool:
    address = ip.address
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and str(address) != "255.255.255.255"


@LIBRARY.function("cidr(string): net.CIDR")
def _cidr(text: str) -> Cidr:
    why = "network address parse error during conversion from string: "
    if "/" not in text:
        raise EvaluationError(f"{why * 2}netip.ParsePrefix({go_quote(text)}): no '/'")
    try:
        return Cidr(ipaddress.ip_interface(text))
    except ValueError as exc:
        raise EvaluationError(f"{why * 2}netip.ParsePrefix({go_quote(text)}): {exc}") from exc


@LIBRARY.function("isCIDR(string): bool")
def _is_cidr(text: str) -> bool:
    return _parses(_cidr, text)


@LIBRARY.function("<net.CIDR>.containsIP(string): bool", "<net.CIDR>.containsIP(net.IP): bool")
def _contains_ip(cidr: Cidr, ip: Any) -> bool:
    address = ip if isinstance(ip, Ip) else _ip(ip)
    return address.address in cidr.interface.network


@LIBRARY.function("<net.CIDR>.containsCIDR(string): bool", "<net.CIDR>.containsCIDR(net.CIDR): bool")
def _contains_cidr(cidr: Cidr, other: Any) -> bool:
    inner = (other if isinstance(other, Cidr) else _cidr(other)).interface.network
    outer = cidr.interface.network
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


@LIBRARY.function("<net.CIDR>.ip(): net.IP")
def _cidr_ip(cidr: Cidr) -> Ip:
    return Ip(cidr.interface.ip)


@LIBRARY.function("<net.CIDR>.masked(): net.CIDR")
def _masked(cidr: Cidr) -> Cidr:
    return Cidr(ipaddress.ip_interface(str(cidr.interface.network)))


@LIBRARY.function("<net.CIDR>.prefixLength(): int")
def _prefix_length(cidr: Cidr) -> int:
    return cidr.interface.network.prefixlen


@LIBRARY.function("string(net.IP): string", "string(net.CIDR): string")
def _text(value: Ip | Cidr) -> str:
    return str(value)
