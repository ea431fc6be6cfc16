"""The origins to which the key may be sent."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

KLAVIYO_ORIGIN: Final = "https://a.klaviyo.com"


def parse_allowed_origin(text: str) -> str | None:
    """Return an allowed origin as `scheme://host[:port]`, or None if the key may not be sent there.

    Allowed are Klaviyo's origin, and loopback addresses over http.

    >>> parse_allowed_origin("https://a.klaviyo.com:443/"), parse_allowed_origin("http://127.0.0.2:8080")
    ('https://a.klaviyo.com', 'http://127.0.0.2:8080')
    >>> parse_allowed_origin("http://127.0.0.1.example.com")
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.query or parts.fragment or parts.path.strip("/") or port == 0:
        return None
    if parts.scheme == "https" and host == "a.klaviyo.com" and port in {None, 443}:
        return KLAVIYO_ORIGIN
    if parts.scheme != "http" or not is_loopback(host):
        return None
    url_host = f"[{host}]" if ":" in host else host
    return f"http://{url_host}:{port}" if port else f"http://{url_host}"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
