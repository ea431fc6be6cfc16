"""Warnings that compiling a model gives: its result may surprise, and nothing is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.errors import Problem
    from reverse_etl.models.model import Model
    from tests.compile.conftest import Folder

AGAIN = "may change from run to run although the data did not, so that rows are sent again"


def read_model(project: Folder, select: str, target: str = "trial", **config: str) -> Model:
    """Return the model of these columns."""
    settings = "".join(f", {key}={value}" for key, value in config.items())
    text = f"{{{{ config(surface='profiles'{settings}) }}}}\n{select}\n"
    project.write({"models/vip.sql": text})
    (model,) = project.compile(target=target)
    return model


def warnings(project: Folder, select: str, target: str = "trial", **config: str) -> tuple[Problem, ...]:
    """Return the warnings of a model of these columns."""
    return read_model(project, select, target, **config).warnings


UNSTABLE = [
    ("trial", "any_value(name)", "any_value() takes any of the values"),
    ("trial", "arbitrary(name)", "arbitrary() takes any of the values"),
    ("trial", "first(name)", "first() takes any of the values"),
    ("trial", "array_agg(name)", "array_agg() has no order"),
    ("trial", "list(distinct name)", "array_agg() has no order"),
    ("trial", "string_agg(name, ', ')", "group_concat() has no order"),
    ("trial", "json_group_array(name)", "json_group_array() has no order"),
    ("trial", "row_number() over (partition by city)", "the window of row_number() has no order"),
    ("trial", "sum(cast(total as double))", "sum() adds floating-point numbers"),
    ("trial", "sum(total::float * 2)", "sum() adds floating-point numbers"),
    ("trial", "avg(1.1e0 * total)", "avg() adds floating-point numbers"),
    ("prod", "any_value(name)", "any_value() takes any of the values"),
    ("prod", "array_agg(name)", "array_agg() has no order"),
    ("prod", "array_unique_agg(name)", "array_unique_agg() has no order"),
    ("prod", "listagg(name, ',')", "group_concat() has no order"),
    ("prod", "object_agg(name, total)", "object_agg() takes its pairs in any order"),
    ("prod", "sum(total::float)", "sum() adds floating-point numbers"),
    ("prod", "sum(to_double(total))", "sum() adds floating-point numbers"),
]


@pytest.mark.parametrize(("target", "column", "cause"), UNSTABLE)
def test_an_aggregate_whose_result_may_change_is_warned_about(
    project: Folder, target: str, column: str, cause: str
) -> None:
    """The warning names the column, its place, the cause, and what to write instead."""
    (warning,) = warnings(project, f"select email, {column} as tags from t group by email", target)
    assert warning.summary.casefold().startswith(f"column tags {AGAIN}: {cause}")
    assert warning.where.startswith("models/vip.sql:2:")
    assert warning.hint


STABLE = [
    ("trial", "array_agg(name order by name)"),
    ("trial", "any_value(name order by id)"),
    ("trial", "list_sort(list(name))"),
    ("trial", "string_agg(name, ', ' order by name)"),
    ("trial", "array_agg(name) over (partition by email order by id)"),
    ("trial", "row_number() over (order by id)"),
    ("trial", "max(name)"),
    ("trial", "sum(total)"),
    ("trial", "sum(cast(total as decimal(18, 2)))"),
    ("trial", "sum(cast(total::double as decimal(18, 2)))"),
    ("trial", "round(sum(total::double), 2)"),
    ("trial", "count(distinct name)"),
    ("prod", "array_agg(name) within group (order by name)"),
    ("prod", "listagg(name, ',') within group (order by name)"),
    ("prod", "cast(sum(total::float) as number(18, 2))"),
]


@pytest.mark.parametrize(("target", "column"), STABLE)
def test_an_aggregate_with_an_order_or_of_exact_numbers_is_not_warned_about(
    project: Folder, target: str, column: str
) -> None:
    assert warnings(project, f"select email, {column} as tags from t group by email, id", target) == ()


def test_the_column_is_found_behind_other_names(project: Folder) -> None:
    """Through a WITH; one that only filters reaches no column."""
    behind = "with c as (select email, list(name) as l from t group by email) select email, l as tags from c"
    (warning,) = warnings(project, behind)
    assert warning.summary == f"Column tags {AGAIN}: array_agg() has no order."
    filtering = "select email from t group by email having any_value(name) is not null"
    assert warnings(project, filtering) == ()


@pytest.mark.parametrize(
    ("column", "summary"),
    [
        ("anonymous_id", "is sent as a custom property: Klaviyo no longer takes it as an identifier."),
        ("exchange_id", "is sent as a custom property: Klaviyo no longer takes it as an identifier."),
        ("_kx", "is sent as a custom property: it identifies nobody here."),
        ("consent", "is sent as a custom property: it gives nobody's consent."),
        ('"$consent"', "is sent as a custom property: it gives nobody's consent."),
        ('"$source"', "is sent as a custom property: names with $ were Klaviyo's own in its first versions."),
        ("phone", "looks like an identifier, but is sent as a custom property."),
        ("Mobile_Number", "looks like an identifier, but is sent as a custom property."),
        ("id", "looks like an identifier, but is sent as a custom property."),
    ],
)
def test_a_column_name_that_klaviyo_reads_differently_is_warned_about(
    project: Folder, column: str, summary: str
) -> None:
    """It would become a custom property without a word."""
    (warning,) = warnings(project, f"select email, {column} from t")
    name = column.strip('"')
    assert (warning.summary, warning.where) == (f"Column {name} {summary}", "models/vip.sql:2:15")


@pytest.mark.parametrize(
    ("select", "identifiers"),
    [
        ("select email, phone as phone_e164, mobile from t", ""),
        ("select email, external_id, id from t", ""),
        ("select email, mail from t", ""),
        ("select email, favourite_phone, customer_id from t", ""),
        ("select email, id from t", "{'email': 'email', 'external_id': 'id'}"),
    ],
)
def test_other_column_names_are_not_warned_about(project: Folder, select: str, identifiers: str) -> None:
    assert warnings(project, select, **({"identifiers": identifiers} if identifiers else {})) == ()


def test_phone_number_without_being_an_identifier_is_refused(project: Folder) -> None:
    """Klaviyo itself has an attribute of this name."""
    project.write({"models/vip.sql": "{{ config(surface='profiles') }}\nselect email, phone_number from t\n"})
    with pytest.raises(UsageError, match="Column phone_number is named like an identifier, but is none"):
        project.compile()


HINTED = "Columns are sent as custom properties, though Klaviyo has attributes for such values: "


@pytest.mark.parametrize(
    ("columns", "said", "advice"),
    [
        ("name", "name (first_name and last_name)", "... AS first_name, ... AS last_name"),
        ("City, zip", "City (location_city), zip (location_zip)", "City AS location_city"),
        ("name, zip", "name (first_name and last_name), zip (location_zip)", "zip AS location_zip"),
        ("surname, first_name", "surname (last_name)", "surname AS last_name"),
        ("company, location", "company (organization)", "company AS organization"),
        ('"First_Name"', "First_Name (first_name)", '"First_Name" AS first_name'),
    ],
)
def test_a_column_that_misses_an_attribute_of_klaviyo_gets_a_hint(
    project: Folder, columns: str, said: str, advice: str
) -> None:
    """One for all columns of a model, and none of them is a warning: a run says nothing each night."""
    model = read_model(project, f"select email, {columns} from t")
    (hint,) = model.hints
    assert (hint.summary, hint.where) == (f"{HINTED}{said}.", "models/vip.sql:2:15")
    assert f"give the column its name: {advice}. " in hint.hint
    assert model.warnings == ()


@pytest.mark.parametrize(
    ("columns", "config"),
    [
        ("city, location_city, zip, location_zip", {}),
        ("city, location", {}),
        ("name, first_name", {}),
        ("city, Zip, phone", {"custom_properties": "['CITY', 'zip', 'phone']"}),
        ("tier, capital_city", {}),
    ],
)
def test_a_column_that_is_meant_gets_no_hint(project: Folder, columns: str, config: dict[str, str]) -> None:
    model = read_model(project, f"select email, {columns} from t", **config)
    assert (*model.hints, *model.warnings) == ()


def test_a_custom_property_that_is_not_selected_is_a_mistake(project: Folder) -> None:
    with pytest.raises(UsageError, match="custom_properties names the column town, which is not selected"):
        read_model(project, "select email, city from t", custom_properties="['town']")
