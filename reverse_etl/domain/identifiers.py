"""Identifiers of a person in Klaviyo, the identity of a row, and how both are masked for display.

An identity is the text `<type>:<canonical value>`, for example `email:ann@example.com`. Identity and list id
are the key of the diff. A surface may name other columns as the key of its rows: then
`key:<value>|<value>` takes its place, in which a `%` or `|` of a value is percent-encoded.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_TYPE: Final = "key"  # takes the place of the identifier type in a row's identity
KEY_PREFIX: Final = f"{KEY_TYPE}:"
KEY_SEPARATOR: Final = "|"
CodePoints: TypeAlias = tuple[tuple[int, int], ...]  # ranges, both ends included
# Unicode's space separators (Zs).
SPACES: Final[CodePoints] = (
    (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x202F, 0x202F), (0x205F, 0x205F),
    (0x3000, 0x3000),
)  # fmt: skip
# Characters that nobody sees; spreadsheets, web forms and phone books leave them in values: Unicode's control
# and format characters (Cc, Cf), line separators, default ignorable code points, the replacement character.
INVISIBLE: Final[CodePoints] = (
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD),
    (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFD), (0x110BD, 0x110BD), (0x110CD, 0x110CD),
    (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
# Characters that a name may not have: they break lines, write backwards or show nothing. The joiners and
# variation selectors of emoji are allowed.
UNPRINTABLE: Final[CodePoints] = (
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x200B, 0x200B), (0x200E, 0x200F),
    (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFD),
)  # fmt: skip
BLANKS: Final = "".join(chr(code) for first, last in SPACES + INVISIBLE for code in range(first, last + 1))
PUNCTUATION = "().-"  # written between the digits of a phone number


class IdentifierType(StrEnum):
    """The identifiers of Klaviyo's profile resource, in the default order of preference."""

    EMAIL = "email"
    PHONE = "phone_e164"
    EXTERNAL_ID = "external_id"
    PROFILE_ID = "klaviyo_profile_id"


# Two people never share an id, and rarely an e-mail address; they do share phones.
UNIQUE_IDENTIFIERS = (IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID)
PERSONAL_IDENTIFIERS = (IdentifierType.EMAIL, *UNIQUE_IDENTIFIERS)


def canonicalize(kind: IdentifierType, value: str | None) -> str | None:
    """Return the canonical form of an identifier, in which identifiers are compared, or None if it is blank.

    An e-mail is trimmed of all that is blank or invisible and lower-cased, a phone loses that and its
    punctuation everywhere, a profile id is trimmed, an external id stays unchanged.
    `planning.sql.identifiers.canonical_sql` is the same function in SQL; the two must agree.
    """
    trimmed = None if value is None else _BLANK_ENDS.sub("", value)
    if value is None or not trimmed:
        return None
    match kind:
        case IdentifierType.EMAIL:
            return _lower(trimmed)
        case IdentifierType.PHONE:
            return _PHONE_FILLING.sub("", trimmed) or None
        case IdentifierType.PROFILE_ID:
            return trimmed
        case IdentifierType.EXTERNAL_ID:
            return value


def _lower(text: str) -> str:
    """Return `text` in lower case, character by character as warehouses do it."""
    return text.lower() if text.isascii() else "".join(character.lower()[0] for character in text)


def row_key_text(row_key: str) -> str:
    """Return a row key for display, without the type in front: an identity's value, or columns in order."""
    return row_key.partition(":")[2]


def split_row_key(row_key: str) -> list[str]:
    """Return the columns, as text, of a row key that a surface's own columns make.

    >>> split_row_key("key:50%25 off|A%7CB")
    ['50% off', 'A|B']
    """
    parts = row_key_text(row_key).split(KEY_SEPARATOR)
    return [part.replace("%7C", KEY_SEPARATOR).replace("%25", "%") for part in parts]


def split_identity(identity: str) -> tuple[IdentifierType, str]:
    """Return the type and the canonical value of an identity."""
    kind, _, value = identity.partition(":")
    return IdentifierType(kind), value


def mask_identity(identity: str) -> str:
    """Return an identity, or another row key, for display: enough to recognise, not enough to contact.

    >>> mask_identity("email:ann@example.com")
    'a**@e******.com'
    >>> mask_identity("email:ann@example.com, ann smith")
    'a**@e******.c**, *** *****'
    >>> mask_identity("email:ann..lee@example.com")
    'a**..***@e******.com'
    >>> mask_identity("phone_e164:+14155550100")
    '+14*******00'
    >>> mask_identity("external_id:ann@example.com"), mask_identity("external_id:17")
    ('external_id a**@e******.com', 'external_id 17')
    >>> mask_identity("key:SPRING|ann@example.com")
    'SPRING|a**@e******.com'
    """
    if identity.startswith(KEY_PREFIX):
        return KEY_SEPARATOR.join(map(mask_text, row_key_text(identity).split(KEY_SEPARATOR)))
    kind, value = split_identity(identity)
    masked = mask_identifier(kind, value)
    return f"{kind} {masked}" if kind in UNIQUE_IDENTIFIERS else masked


def mask_identifier(kind: IdentifierType, value: str) -> str:
    """Return the value of an identifier for display; an id is shown, but for an e-mail or a phone in it."""
    match kind:
        case IdentifierType.EMAIL:
            local, _, domain = value.partition("@")
            name, dot, suffix = domain.rpartition(".")
            shown = _SHOWN_IN_EMAILS + ("." if _MISPLACED_DOTS.search(value) else "")
            # A malformed one ends with anything.
            end = suffix if suffix.isalpha() else _mask_tail(suffix, shown)
            if not domain:
                return _mask_tail(value, shown)
            return f"{_mask_tail(local, shown)}@{_mask_tail(name, shown)}{dot}{end}"
        case IdentifierType.PHONE:
            visible = 5  # country and last two digits
            hidden = "*" * max(len(value) - visible, 0)
            return value[:3] + hidden + value[-2:] if len(value) > visible else "*" * len(value)
        case IdentifierType.EXTERNAL_ID | IdentifierType.PROFILE_ID:
            return mask_text(value)  # some shops use the e-mail address as the id


def mask_person(identity: str, identifiers: Mapping[str, str]) -> str:
    """Return a masked identity with another identifier of the row, where the mask hides who it is.

    Many addresses have the same mask. An id tells them apart and can be looked up in the warehouse; without
    one, another masked identifier may.

    >>> mask_person("email:ann@example.com", {"email": "ann@example.com", "external_id": "17"})
    'a**@e******.com (external_id 17)'
    >>> mask_person("external_id:17", {"external_id": "17", "email": "ann@example.com"})
    'external_id 17'
    """
    masked = mask_identity(identity)
    return _append_other(masked, identity, mask_identifiers(identifiers)) if "*" in masked else masked


def format_person(identity: str, identifiers: Mapping[str, str]) -> str:
    """Return the value of an identity with another identifier of the row: the value may be a malformed one.

    >>> format_person("email:ann@", {"email": "ann@", "external_id": "17"})
    'ann@ (external_id 17)'
    """
    return _append_other(row_key_text(identity), identity, identifiers)


def _append_other(text: str, identity: str, identifiers: Mapping[str, str]) -> str:
    """Return a text about an identity, followed by the most stable of the row's other identifiers."""
    other = next(
        (
            f"{kind} {value}" if kind in UNIQUE_IDENTIFIERS else value
            for kind in (*UNIQUE_IDENTIFIERS, IdentifierType.EMAIL, IdentifierType.PHONE)
            if (value := identifiers.get(kind)) and not identity.startswith(f"{kind}:")
        ),
        "",
    )
    return f"{text} ({other})" if other else text


def mask_identifiers(identifiers: Mapping[str, str]) -> dict[str, str]:
    """Return the identifiers of a row for display, by type. An id that is the row's phone is masked as one.

    >>> mask_identifiers({"phone_e164": "+14155550100", "external_id": "415-555-0100"})
    {'phone_e164': '+14*******00', 'external_id': '415*******00'}
    """
    phone = _find_digits(identifiers.get(IdentifierType.PHONE) or "")
    masked = {}
    for name, value in identifiers.items():
        digits = _find_digits(value)
        is_phone = len(digits) >= _PHONE_DIGITS and phone.endswith(digits)
        masked[name] = mask_identifier(IdentifierType.PHONE if is_phone else IdentifierType(name), value)
    return masked


def _find_digits(text: str) -> str:
    """Return the digits of a text without the zeros of a country code or trunk in front."""
    return "".join(filter(str.isdigit, text)).lstrip("0")


def mask_text(text: str) -> str:
    """Return a text with all e-mail addresses and phones in it masked.

    >>> mask_text("ann@example.com or +14155550100")
    'a**@e******.com or +14*******00'
    >>> mask_text("+1 (415) 555-0100")
    '+1 ************00'
    """
    text = _EMAILS.sub(lambda match: mask_identity(f"{IdentifierType.EMAIL}:{match[0]}"), text)
    return _PHONES.sub(lambda match: mask_identity(f"{IdentifierType.PHONE}:{match[0]}"), text)


def mask_target(target: str) -> str:
    """Return a request's encoded path and query with all e-mail addresses and phones in it masked.

    >>> mask_target("/api/people/ann%40example.com/tags?phone=%2B14155550100&page%5Bsize%5D=1")
    '/api/people/a**@e******.com/tags?phone=+14*******00&page%5Bsize%5D=1'
    """
    return "".join(_mask_encoded(part) for part in re.split("([/?&=])", target))


def _mask_encoded(part: str) -> str:
    decoded = unquote(part)
    masked = mask_text(decoded)
    return part if masked == decoded else masked


def mask_value(value: object) -> object:
    """Return a column's value with all texts in it masked, at any depth, names included.

    >>> mask_value({"friends": ["ann@example.com"], "orders": 3})
    {'friends': ['a**@e******.com'], 'orders': 3}
    >>> mask_value({"ann@example.com": 1})
    {'a**@e******.com': 1}
    """
    match value:
        case str():
            return mask_text(value)
        case dict():
            return {mask_value(key): mask_value(item) for key, item in value.items()}
        case list() | tuple():
            return [mask_value(item) for item in value]
        case _:
            return value


_BLANK = "".join(f"{chr(first)}-{chr(last)}" for first, last in SPACES + INVISIBLE)
_BLANK_ENDS = re.compile(rf"\A[{_BLANK}]+|[{_BLANK}]+\Z")
_PHONE_FILLING = re.compile(f"[{_BLANK}{PUNCTUATION}]")
# Characters that no well-formed e-mail has are shown: people see why one is malformed.
_SHOWN_IN_EMAILS: Final = ' @,;:<>()[]"\\'
_MISPLACED_DOTS = re.compile(r"^\.|\.\.|\.@|@\.|\.$")
# Begins at the start of a word: from each of its characters, a long word without @ would take minutes.
_EMAILS = re.compile(r"(?<![^\s@,;<>])[^\s@,;<>]+@[^\s@,;<>]+")
_PHONES = re.compile(r"\+\d(?:[ ().-]{0,2}\d){5,14}")
_PHONE_DIGITS: Final = 6  # an id of fewer may end like the phone by chance


def _mask_tail(text: str, shown: str) -> str:
    """Return the first of several characters, and a star for each other one that is not to be shown."""
    first = text[:1] if len(text) > 1 else ""
    return first + "".join(character if character in shown else "*" for character in text[len(first) :])
