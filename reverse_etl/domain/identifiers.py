"""The four identifiers by which Klaviyo knows a person, and the one text by which we know a row.

An identity is `<type>:<canonical value>`, for example `email:ann@example.com`. It is the diff's key, together
with the list id.
"""

from __future__ import annotations

import re
from enum import StrEnum

# Unicode's white space, and what takes no width at all: spreadsheets and web forms leave both around a value.
BLANKS = (
    " \t\n\r\f\v\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
PUNCTUATION = "().-"  # what people write between a phone's digits


class IdentifierType(StrEnum):
    """The identifiers that Klaviyo's profile resource has; the order here is only the default order."""

    EMAIL = "email"
    PHONE = "phone_e164"
    EXTERNAL_ID = "external_id"
    PROFILE_ID = "klaviyo_profile_id"


UNIQUE_IDENTIFIERS = (IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID)  # two people never share these
PERSONAL_IDENTIFIERS = (
    IdentifierType.EMAIL,
    *UNIQUE_IDENTIFIERS,
)  # nor, as a rule, an e-mail; a phone they may


def canonicalize(kind: IdentifierType, value: str | None) -> str | None:
    """Return the form in which an identifier is compared, or None when it is blank.

    The SQL of `sql.identifiers.canonical_sql` says the same of a column: an e-mail is trimmed and
    lower-cased, a phone loses its blanks and punctuation, a Klaviyo id is trimmed, an external id is taken as
    it is.
    """
    if value is None or not value.strip(BLANKS):
        return None
    match kind:
        case IdentifierType.EMAIL:
            return _lower(value.strip(BLANKS))
        case IdentifierType.PHONE:
            return "".join(character for character in value if character not in BLANKS + PUNCTUATION) or None
        case IdentifierType.PROFILE_ID:
            return value.strip(BLANKS)
        case IdentifierType.EXTERNAL_ID:
            return value


def _lower(text: str) -> str:
    """Return `text` in lower case as warehouses have it: character by character."""
    return text.lower() if text.isascii() else "".join(character.lower()[0] for character in text)


def split_identity(identity: str) -> tuple[IdentifierType, str]:
    """Return the type and the canonical value of an identity, `<type>:<value>`."""
    kind, _, value = identity.partition(":")
    return IdentifierType(kind), value


def mask_identity(identity: str) -> str:
    """Return an identity as it may be shown: enough to recognise it, too little to write to.

    >>> mask_identity("email:ann@example.com")
    'a**@e******.com'
    >>> mask_identity("phone_e164:+14155550100")
    '+14*******00'
    >>> mask_identity("external_id:ann@example.com"), mask_identity("external_id:17")
    ('external_id a**@e******.com', 'external_id 17')
    """
    kind, value = split_identity(identity)
    match kind:
        case IdentifierType.EMAIL:
            local, _, domain = value.partition("@")
            name, dot, suffix = domain.rpartition(".")
            return (
                f"{_mask_tail(local, 1)}@{_mask_tail(name, 1)}{dot}{suffix}"
                if domain
                else _mask_tail(value, 1)
            )
        case IdentifierType.PHONE:
            visible = 5  # country and last two digits
            hidden = "*" * max(len(value) - visible, 0)
            return value[:3] + hidden + value[-2:] if len(value) > visible else "*" * len(value)
        case IdentifierType.EXTERNAL_ID | IdentifierType.PROFILE_ID:
            return f"{kind} {mask_text(value)}"  # some shops take the e-mail for an id


def mask_text(text: str) -> str:
    """Return a text as it may be shown: the e-mails and phones in it are masked.

    >>> mask_text("ann@example.com or +14155550100")
    'a**@e******.com or +14*******00'
    """
    text = _EMAILS.sub(lambda match: mask_identity(f"{IdentifierType.EMAIL}:{match[0]}"), text)
    return _PHONES.sub(lambda match: mask_identity(f"{IdentifierType.PHONE}:{match[0]}"), text)


def mask_value(value: object) -> object:
    """Return a value of any column as it may be shown, with the texts in it masked at any depth.

    >>> mask_value({"friends": ["ann@example.com"], "orders": 3})
    {'friends': ['a**@e******.com'], 'orders': 3}
    """
    match value:
        case str():
            return mask_text(value)
        case dict():
            return {key: mask_value(item) for key, item in value.items()}
        case list() | tuple():
            return [mask_value(item) for item in value]
        case _:
            return value


_EMAILS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
_PHONES = re.compile(r"\+\d{6,15}")


def _mask_tail(text: str, count: int) -> str:
    """Return the first characters, and a star for each other; a text of no more is hidden whole."""
    return text[:count] + "*" * (len(text) - count) if len(text) > count else "*" * len(text)
