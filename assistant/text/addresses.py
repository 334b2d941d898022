"""URLs, e-mail, IP and hardware addresses, host names and ports → speech. Pure."""

from __future__ import annotations

import ipaddress
import re

from assistant.text import words
from assistant.text.rules import Rule, one_of, rule

_STOPS = ".,;:!?)]}'’*_"


def dotted(name: str) -> str:
    """ "nas.lan" → "nas dot lan"."""
    return f" {words.DOT} ".join(part for part in name.split(".") if part)


def _with_port(host: str, port: str | None) -> str:
    """The comma is a pause; without it 1.20 port 8096 is heard as 1.20.8096."""
    return f"{host}, {words.PORT} {port}" if port else host


@rule("URL", r"(?<!\w)[A-Za-z][A-Za-z0-9+-]{1,9}://[^\s<>\"|`]+")
def url(match: re.Match[str]) -> str:
    """The host and the port: nobody says the path, and a password in it is nobody's business."""
    whole = match.group().rstrip(_STOPS)
    stops = "".join(stop for stop in match.group()[len(whole) :] if stop in ".,;:!?)")
    authority = re.split(r"[/?#]", whole.split("://", 1)[1], maxsplit=1)[0].rsplit("@", 1)[-1]
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        return _with_port(words.IPV6_ADDRESS, re.sub(r"[^0-9]", "", port)) + stops
    host, _, port = authority.partition(":")
    said = dotted(re.sub(r"[^\w.-]", " ", host.removeprefix("www.")))
    return _with_port(said, re.sub(r"[^0-9]", "", port)) + stops


@rule("e-mail", r"(?<![\w.+-])([A-Za-z0-9][\w.+-]*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?![\w@])")
def email(match: re.Match[str]) -> str:
    return f"{dotted(match.group(1))} {words.AT} {dotted(match.group(2))}"


@rule("MAC address", r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?![\w-]|:\w)")
def mac(_: re.Match[str]) -> str:
    return words.MAC_ADDRESS


@rule("IPv6", r"(?<![\w:.])\[?((?:[0-9A-Fa-f]{0,4}:){2,8}[0-9A-Fa-f]{0,4}(?:\.[0-9]{1,3}){0,3})(?:%\w{1,20})?"
      r"(\]:[0-9]{2,5}\b|\])?(/[0-9]{1,3}\b)?(?![\w:])")  # fmt: skip
def ipv6(match: re.Match[str]) -> str:
    address, port, prefix = match.groups()
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return match.group()
    return _with_port(words.IPV6_NETWORK if prefix else words.IPV6_ADDRESS, re.sub(r"[^0-9]", "", port or ""))


_IPV4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"


@rule("addresses from to", rf"(?<![\w.])({_IPV4}) ?[-–—] ?(?={_IPV4}(?!\w)|[0-9]{{1,3}}(?![\w./-]))")
def ipv4_range(match: re.Match[str]) -> str:
    return f"{match.group(1)} {words.TO} "


@rule("IPv4", rf"(?<![\w.])({_IPV4})(?::([0-9]{{1,5}})|/([0-9]{{1,2}}))?(?!\w|\.[0-9])")
def ipv4(match: re.Match[str]) -> str:
    """Figure by figure: "one hundred thirteen" is heard as 130, "one one three" is not."""
    address, port, prefix = match.groups()
    if any(int(part) > 255 for part in address.split(".")):
        return match.group()
    said = dotted(re.sub(r"(?<=[0-9])(?=[0-9])", " ", address))
    return f"{said} {words.SLASH} {prefix}" if prefix else _with_port(said, port)


_LABELS = r"(?:[A-Za-z0-9_](?:[\w-]*\w)?\.)+"


@rule("host name", rf"(?<![\w.@-])({_LABELS}(?:{one_of(words.TOP_LEVELS)}))(?::([0-9]{{2,5}}))?(?![\w-]|\.\w|:\w)")
def host(match: re.Match[str]) -> str:
    return _with_port(dotted(match.group(1)), match.group(2))


@rule(
    "image",
    r"(?<![\w./:-])(?:(?:[\w.-]+(?::[0-9]+)?/)+([\w.-]*\w):(v?[0-9](?:[\w.+-]*\w)?|latest|stable|main)"
    r"|([A-Za-z][\w-]*):(v?[0-9]+(?:\.[0-9]+)+(?:-\w+)*|latest))(?!\w|\.[0-9])",
)
def image(match: re.Match[str]) -> str:
    """A container image: its name and its version."""
    return f"{match.group(1) or match.group(3)} {match.group(2) or match.group(4)}"


@rule("host and port", r"(?<![\w.:/-])([A-Za-z][\w-]*):([0-9]{2,5})(?![\w:]|[.,][0-9])")
def host_port(match: re.Match[str]) -> str:
    """A service and its port, or an image and its version where the number is too small for a port."""
    name, port = match.groups()
    if name.casefold() in words.NOT_HOSTS:
        return f"{name} {port}"
    return _with_port(name, port) if int(port) >= 80 or int(port) in (21, 22, 25, 53) else f"{name} {port}"


@rule("port", rf"(?<!\w)({words.PORT}) ([1-9][0-9])([1-9][0-9])(?!\w|[.,:/-][0-9])", re.IGNORECASE)
def port_number(match: re.Match[str]) -> str:
    """In two halves, as people say it: "eight thousand ninety-six" is heard as 8996. 3000 and 3001 are understood."""
    return " ".join(match.groups())


RULES: tuple[Rule, ...] = (email, mac, ipv6, ipv4_range, ipv4, image, host, host_port, port_number)
