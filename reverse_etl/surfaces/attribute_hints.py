"""Hints at columns that become custom properties although Klaviyo has attributes for their values. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.surfaces.column_rules import ColumnProblem
from reverse_etl.surfaces.interface import OtherColumns

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reverse_etl.surfaces.interface import Surface

# Usual names of columns, with the attributes that Klaviyo's profile has for what they hold.
_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("name", "full_name", "fullname", "customer_name"), ("first_name", "last_name")),
    **dict.fromkeys(("firstname", "first", "fname", "given_name", "forename"), ("first_name",)),
    **dict.fromkeys(("lastname", "last", "lname", "surname", "family_name"), ("last_name",)),
    **dict.fromkeys(("company", "company_name", "organisation"), ("organization",)),
    **dict.fromkeys(("language", "language_code", "lang"), ("locale",)),
    **dict.fromkeys(("city", "town"), ("location_city",)),
    **dict.fromkeys(("zip", "zipcode", "zip_code", "postcode", "postal_code"), ("location_zip",)),
    **dict.fromkeys(("country", "country_code"), ("location_country",)),
    **dict.fromkeys(("region", "state", "province"), ("location_region",)),
    **dict.fromkeys(("address", "street", "address1", "address_line1", "address_line_1"),
                    ("location_address1",)),
    **dict.fromkeys(("address2", "address_line2", "address_line_2"), ("location_address2",)),
    **dict.fromkeys(("latitude", "lat"), ("location_latitude",)),
    **dict.fromkeys(("longitude", "lng", "lon"), ("location_longitude",)),
    **dict.fromkeys(("timezone", "time_zone"), ("location_timezone",)),
}  # fmt: skip
# Also the attributes themselves, which a quoted column may spell with capitals.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    **_ATTRIBUTES,
    **{attribute: (attribute,) for names in _ATTRIBUTES.values() for attribute in names},
}


def find_attribute_hint(
    surface: Surface, properties: Mapping[str, str], quoted: Collection[str] = ()
) -> ColumnProblem | None:
    """Return which columns, by the names under which they are sent, most likely belong in an attribute.

    A column gets no hint if another one fills the attribute, or if the model's `custom_properties` name it.
    The names of `quoted` columns stay in quotes in the advice: without them Snowflake looks for another one.
    """
    if surface.columns.others is not OtherColumns.PROFILE_FIELDS:
        return None
    attributes = {
        column: names
        for name, column in properties.items()
        if (names := _NAMES.get(name.casefold()))
        and name.casefold() not in surface.columns.custom_properties
        and not any(_is_filled(attribute, properties) for attribute in names)
    }
    if not attributes:
        return None
    simple, names = min(attributes.items(), key=lambda entry: len(entry[1]))
    column_sql = f'"{simple}"' if simple in quoted else simple
    value = column_sql if len(names) == 1 else "..."
    example = ", ".join(f"{value} AS {attribute}" for attribute in names)
    listed = ", ".join(f"{column} ({' and '.join(names)})" for column, names in attributes.items())
    return ColumnProblem(
        f"Columns are sent as custom properties, though Klaviyo has attributes for such values: {listed}.",
        f"To fill an attribute, give the column its name: {example}. "
        f"If they are meant as custom properties: custom_properties={[*attributes]}.",
        next(iter(attributes)),
    )


def _is_filled(attribute: str, properties: Mapping[str, str]) -> bool:
    is_location = attribute.startswith("location_")
    return attribute in properties or (is_location and "location" in properties)
