"""Rules: identifiers and duplicates. The identity under which a row is sent, and why rows are rejected."""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import BLANKS, PUNCTUATION, IdentifierType, canonicalize
from reverse_etl.domain.progress import JobProgress, ListCreated, SendProgress
from reverse_etl.planning.sql import identifiers
from reverse_etl.warehouse.duckdb.adapter import DIALECT
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from tests.core.world import World

LONG = "a" * 88 + "@example.com"  # 100 characters


def rejections(world: World) -> list[tuple[str, str]]:
    """Return the problem and detail of each rejected row."""
    return sorted(world.state("SELECT code, detail FROM rejections"))


def staged(world: World, select: str, kinds: Sequence[str], **config: Any) -> int:
    """Run a model of these identifiers, and return how many rows were applied."""
    world.model("members", select, identifiers={kind: kind for kind in kinds}, min_rows=0, **config)
    return only_list(world.run()).outcomes.get(Outcome.APPLIED, 0)


FORMS = [
    ("email", "'ann@example.com'", "ann@example.com"),
    ("email", "'  BOB@Example.COM '", "bob@example.com"),
    ("email", "chr(9) || 'cat@example.com' || chr(160) || chr(10)", "cat@example.com"),
    ("email", "chr(8195) || 'dan@example.com' || chr(65279)", "dan@example.com"),
    ("email", "chr(173) || 'eve@example.com' || chr(8206) || chr(0)", "eve@example.com"),
    ("email", "chr(65533) || 'fay@example.com' || chr(917569) || chr(65039)", "fay@example.com"),
    ("email", "'ann+tea.o''hara@sub.example.co.uk'", "ann+tea.o'hara@sub.example.co.uk"),
    ("email", f"'{LONG}'", LONG),
    ("phone_e164", "'+1 (415) 555-0100'", "+14155550100"),
    ("phone_e164", "chr(160) || '+1.415.555.0101'", "+14155550101"),
    ("phone_e164", "chr(8234) || '+1 415' || chr(8239) || '555 0102' || chr(8236)", "+14155550102"),
    ("phone_e164", "'+39 (0)6 6982 0000'", "+390669820000"),
    ("phone_e164", "'+39 (06) 6982-0001'", "+390669820001"),
    ("phone_e164", "'+225 (07) 08 09 10 11'", "+2250708091011"),
    ("phone_e164", "'+1 (415) 555(0)103'", "+14155550103"),
    ("phone_e164", "'+390669820002'", "+390669820002"),
    ("phone_e164", "'+2250708091012'", "+2250708091012"),
    ("phone_e164", "'+44 7000 000000'", "+447000000000"),
    ("phone_e164", "'+12025550123'", "+12025550123"),
    ("phone_e164", "'+40212345678'", "+40212345678"),
    ("phone_e164", "'+2020123456'", "+2020123456"),
    ("external_id", "7::int", "7"),
    ("external_id", "7::bigint", "7"),
    ("external_id", "7::hugeint", "7"),
    ("external_id", "7.0::double", "7"),
    ("external_id", "7.00::decimal(10,2)", "7"),
    ("external_id", "7.5::decimal(10,2)", "7.50"),
    ("external_id", "12345678901234567890::decimal(38,0)", "12345678901234567890"),
    ("external_id", "'007'", "007"),
    ("external_id", "repeat('é', 255)", "é" * 255),
    ("external_id", "1234567890123456::decimal(20,2)", "1234567890123456"),
    ("external_id", "9007199254740992::double", "9007199254740992"),
    ("external_id", "1e16::double", "10000000000000000"),
    ("external_id", "' 7 '", " 7 "),
    (
        "external_id",
        "uuid '00000000-0000-0000-0000-000000000001'",
        "00000000-0000-0000-0000-000000000001",
    ),
    ("external_id", "'2026-01-02'::date", "2026-01-02"),
]


def test_identifiers_are_sent_in_one_form(world: World) -> None:
    """Mixed case, padding of any blank, punctuation, numbers of any type.

    A numeric id was once dropped in silence.
    """
    forms: dict[tuple[str, str], dict[str, str]] = {}
    for kind, value, sent in FORMS:
        with duckdb.connect() as connection:
            ((type_,),) = connection.execute(f"SELECT typeof({value})").fetchall()
        forms.setdefault((kind, type_), {})[sent] = value
    assert sum(map(len, forms.values())) == len(FORMS)
    rows: dict[str, int] = {}
    for number, ((kind, _), values) in enumerate(forms.items()):
        world.new_list(f"List {number}")
        select = f"select unnest([{', '.join(values.values())}]) as {kind}"
        world.model(f"m{number}", select, list=f"List {number}", identifiers={kind: kind})
        rows[f"m{number}"] = len(values)
    applied = {listed.model: listed.outcomes for listed in world.run().lists}
    assert applied == {name: {Outcome.APPLIED: number} for name, number in rows.items()}
    for number, ((kind, _), values) in enumerate(forms.items()):
        field = {"phone_e164": "phone_number"}.get(kind, kind)
        assert {member[field] for member in world.members(f"List {number}")} == values.keys()
    assert {listed.model: listed.list_plan.unchanged for listed in world.run().lists} == rows


UNFIT = [
    ("external_id", "repeat('é', 256)", "id_too_long"),
    ("email", "'not-an-email'", "email_malformed"),
    ("email", "'two@@example.com'", "email_malformed"),
    ("email", "'a b@example.com'", "email_malformed"),
    ("email", "'a' || chr(160) || 'b@example.com'", "email_malformed"),
    ("email", "'a' || chr(8203) || 'b@example.com'", "email_invisible"),
    ("email", "'a' || chr(173) || 'b@example.com'", "email_invisible"),
    ("email", "'a' || chr(0) || 'b@example.com'", "email_invisible"),
    ("email", "'a' || chr(127) || 'b@example.com'", "email_invisible"),
    ("email", "'a@exam' || chr(65533) || 'ple.com'", "email_invisible"),
    ("email", "'a@exam' || chr(8238) || 'ple.com'", "email_invisible"),
    ("email", "'a@exam' || chr(917569) || 'ple.com'", "email_invisible"),
    ("email", "chr(8206) || chr(0) || chr(65533)", "no_identifier"),
    ("email", "'ann@example'", "email_malformed"),
    ("email", "'.ann@example.com'", "email_malformed"),
    ("email", "'ann..b@example.com'", "email_malformed"),
    ("email", "'ann.@example.com'", "email_malformed"),
    ("email", "'ann@.example.com'", "email_malformed"),
    ("email", "'ann@example.com.'", "email_malformed"),
    ("email", "'ann@example.com,bob@example.com'", "email_malformed"),
    ("email", "'Ann <ann@example.com>'", "email_malformed"),
    ("email", f"'a{LONG}'", "email_too_long"),
    ("email", "''", "no_identifier"),
    ("email", "chr(9) || ' ' || chr(160) || chr(12288)", "no_identifier"),
    ("email", "NULL::varchar", "no_identifier"),
    ("phone_e164", "'4155550100'", "phone_malformed"),
    ("phone_e164", "'+0155550100'", "phone_malformed"),
    ("phone_e164", "'+1415555'||'0100555555'", "phone_malformed"),
    ("phone_e164", "'+1415' || chr(8203) || '5550100'", "phone_invisible"),
    ("phone_e164", "'+1415' || chr(8206) || '5550100'", "phone_invisible"),
    ("phone_e164", "'+1415' || chr(0) || '5550100'", "phone_invisible"),
    ("phone_e164", "'+1415555' || chr(10) || '0100'", "phone_invisible"),
    ("phone_e164", "'+44 (0)20 7946 0958'", "phone_trunk_zero"),
    ("phone_e164", "'+44(0)2079460958'", "phone_trunk_zero"),
    ("phone_e164", "'+(44) ( 0 ) 20-7946-0958'", "phone_trunk_zero"),
    ("phone_e164", "'+49 (030) 901820'", "phone_trunk_zero"),
    ("phone_e164", "'+1 (0) 415 555 0100'", "phone_trunk_zero"),
    ("phone_e164", "'+44 020 7946 0958'", "phone_trunk_zero"),
    ("phone_e164", "'+4402079460958'", "phone_trunk_zero"),
    ("phone_e164", "'+353 01 234 5678'", "phone_trunk_zero"),
    ("phone_e164", "' +4-9 0/30 901820'", "phone_trunk_zero"),
    ("phone_e164", "'+1415CALLME'", "phone_malformed"),
    ("phone_e164", "4155550100::bigint", "phone_malformed"),
    ("phone_e164", "'( ) -'", "no_identifier"),
    ("external_id", "'  '", "no_identifier"),
    ("external_id", "NULL::int", "no_identifier"),
]


def test_a_malformed_identifier_is_not_sent(world: World) -> None:
    """`not-an-email` and blank keys once went out; here the row is rejected with a reason."""
    good = {"email": "'ok@example.com'", "phone_e164": "'+14155550199'", "external_id": "'ok'"}
    models: dict[str, list[str]] = {}
    for kind, value, problem in UNFIT:
        models.setdefault(f"{kind}__{problem}", [good[kind]]).append(f"cast({value} as varchar)")
    for name, values in models.items():
        kind = name.partition("__")[0]
        select = f"select unnest([{', '.join(values)}]) as {kind}"
        world.model(name, select, surface="profiles", identifiers={kind: kind})
    assert [listed.outcomes for listed in world.run().lists] == [{Outcome.APPLIED: 1}] * len(models)
    counts = world.state("SELECT model, code, SUM(row_count) FROM rejections GROUP BY 1, 2")
    assert sorted(counts) == sorted(
        (name, name.partition("__")[2], len(values) - 1) for name, values in models.items()
    )


def test_unicode_controls_formats_and_spaces_count_as_blank() -> None:
    """In the version of Unicode that this Python knows; the warehouse has the same ranges."""
    blank = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    everything = map(chr, range(sys.maxunicode + 1))
    assert not {character for character in everything if unicodedata.category(character) in blank} - {*BLANKS}
    assert "\ufffd" in BLANKS


def test_a_rejected_phone_protects_the_member_that_it_may_be(world: World) -> None:
    """Its digits are still compared, so that the member who was sent under them does not count as gone."""
    world.people([{"phone_e164": "+14155550100"}, {"phone_e164": "+14155550199"}])
    assert staged(world, "select phone_e164 from people", ["phone_e164"]) == 2
    world.people([{"phone_e164": "+1415\u200b5550100"}, {"phone_e164": "+14155550199"}])
    assert staged(world, "select phone_e164 from people", ["phone_e164"]) == 0
    assert {member["phone_number"] for member in world.members()} == {"+14155550100", "+14155550199"}


def test_a_malformed_secondary_identifier_rejects_its_row_too(world: World) -> None:
    """The documentation says that Klaviyo may refuse it, experience that it is dropped in silence.

    Neither is left to chance.
    """
    world.people(
        [{"email": "ann@example.com", "phone_e164": "415"}, {"email": "bob@example.com", "phone_e164": None}]
    )
    assert staged(world, "select email, phone_e164 from people", ["email", "phone_e164"]) == 1
    assert rejections(world) == [("phone_malformed", "")]


def test_a_rows_identity_is_its_first_identifier_that_is_not_blank(world: World) -> None:
    world.people(
        [
            {"external_id": "1", "email": "ann@example.com"},
            {"external_id": " ", "email": "bob@example.com"},
            {"external_id": None, "email": "cat@example.com"},
        ]
    )
    assert staged(world, "select external_id, email from people", ["external_id", "email"]) == 3
    ((key,),) = world.state("SELECT table_key FROM models")
    assert sorted(identity for (identity,) in world.state(f"SELECT retl_identity FROM snapshot_{key}")) == [
        "email:bob@example.com",
        "email:cat@example.com",
        "external_id:1",
    ]


def test_rows_that_are_equal_in_every_column_count_as_one(world: World) -> None:
    """A join that doubles rows is no contradiction; equal means equal as sent."""
    rows = [
        {"email": email, "first_name": "Ann"}
        for email in ("ann@example.com", " ANN@example.com", "ann@example.com")
    ]
    world.people(rows)
    assert staged(world, "select email, first_name from people", ["email"]) == 1
    (model,) = world.plan().models
    assert (model.staged_rows, model.duplicate_rows) == (3, 2)


def test_rows_that_differ_are_rejected_naming_the_columns(world: World) -> None:
    """Which one is right is not for the job to guess: Klaviyo would take either."""
    rows: list[dict[str, str | None]] = [
        {"email": "ann@example.com", "first_name": "Ann", "last_name": "B", "city": "Oslo"},
        {"email": "ann@example.com", "first_name": "Anna", "last_name": None, "city": "Oslo"},
        {"email": "ann@example.com", "first_name": "Ann", "last_name": "B", "city": "Oslo"},
        {"email": "bob@example.com", "first_name": "Bob", "last_name": "B", "city": "Oslo"},
    ]
    world.people(rows)
    assert staged(world, "select email, first_name, last_name, city from people", ["email"]) == 1
    assert rejections(world) == [("duplicate", "first_name, last_name")]
    (model,) = world.plan().models
    assert (model.staged_rows, model.duplicate_rows, model.lists[0].rejected_by_check) == (4, 1, 2)


FAMILY = [
    {"email": "ann@example.com", "phone_e164": "+14155550100"},
    {"email": "bob@example.com", "phone_e164": "+1 415 555 0100"},
    {"email": "cat@example.com", "phone_e164": "+14155550101"},
]


def test_a_shared_secondary_identifier_is_left_out_of_all_and_counted(world: World) -> None:
    """A family has one phone: sent with it, they would become one profile."""
    world.people(FAMILY)
    assert staged(world, "select email, phone_e164 from people", ["email", "phone_e164"]) == 3
    assert sorted((m["email"], m["phone_number"]) for m in world.members()) == [
        ("ann@example.com", None),
        ("bob@example.com", None),
        ("cat@example.com", "+14155550101"),
    ]
    (model,) = world.plan().models
    assert model.omitted_identifiers == {IdentifierType.PHONE: 2}


def test_rows_that_share_an_identifier_are_rejected_if_the_model_says_so(world: World) -> None:
    """`on_shared_identifier: reject` says that sharing is a mistake in the data."""
    world.people(FAMILY)
    assert (
        staged(
            world,
            "select email, phone_e164 from people",
            ["email", "phone_e164"],
            on_shared_identifier="reject",
        )
        == 1
    )
    assert rejections(world) == [("shared_identifier", "phone_e164")] * 2


def test_a_row_whose_identity_is_another_rows_secondary_identifier_is_rejected(world: World) -> None:
    """A row by phone alone, whose phone is Ann's: it would be written over her profile."""
    world.people(
        [
            {"email": "ann@example.com", "phone_e164": "+14155550100"},
            {"email": None, "phone_e164": "+14155550100"},
            {"email": None, "phone_e164": "+14155550101"},
        ]
    )
    assert staged(world, "select email, phone_e164 from people", ["email", "phone_e164"]) == 2
    assert rejections(world) == [("identity_is_another_rows_identifier", "phone_e164")]


def test_one_person_on_two_lists_shares_nothing(world: World) -> None:
    """Two rows of one identity on two lists are one person, not two who share a customer id."""
    rows = [{"email": "ann@example.com", "external_id": "1", "club": club} for club in ("Tea", "Coffee")]
    world.people(rows)
    select = "select email, external_id, club from people"
    world.model(
        "clubs", select, list_column="club", identifiers={"email": "email", "external_id": "external_id"}
    )
    world.run()
    assert {member["external_id"] for club in ("Tea", "Coffee") for member in world.members(club)} == {"1"}


def test_a_rejection_by_a_check_is_new_once(world: World) -> None:
    """New rejections are an exit code; older ones are not. A corrected row is forgotten."""
    world.people([{"email": "ann@example.com"}, {"email": "mangled"}])
    world.model("members", "select email from people", identifiers={"email": "email"})
    assert world.run().exit_code == 1
    assert world.run().exit_code == 0
    ((first, last),) = world.state("SELECT min(first_run_id), max(first_run_id) FROM rejections")
    assert first == last == min(world.state("SELECT run_id FROM runs"))[0]
    world.people([{"email": "ann@example.com"}, {"email": "corrected@example.com"}])
    assert world.run().exit_code == 0
    assert world.state("SELECT * FROM rejections") == []


def test_a_rejection_seen_only_by_killed_runs_is_still_new(world: World) -> None:
    """Those runs did not end, so nobody has heard of it."""
    world.people([{"email": "ann@example.com"}, {"email": "mangled"}])
    world.model("members", "select email from people", identifiers={"email": "email"})
    for _ in range(2):
        assert world.dies(lambda event: isinstance(event, ListCreated | SendProgress | JobProgress))
    assert world.run().exit_code == 1
    assert world.run().exit_code == 0


TEXTS = st.text(
    st.one_of(
        st.sampled_from(BLANKS + PUNCTUATION + "+@.aZ0éÉß\u0130\u03a3"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB."""
    with duckdb.connect() as opened:
        yield opened


@pytest.mark.parametrize("kind", [*IdentifierType])
def test_the_canonical_form_in_sql_is_the_one_in_python(
    connection: duckdb.DuckDBPyConnection, kind: IdentifierType
) -> None:
    """The warehouse says who a row is, and Python who a profile is: both must say the same."""
    expression = identifiers.canonical_sql(DIALECT, kind, Column("v", ColumnKind.TEXT, "VARCHAR"))

    @settings(max_examples=200, deadline=None, derandomize=True)
    @example("\u0130stanbul@example.com")  # one character that Python makes two
    @example("\u0391\u03a3@example.com")  # a sigma that Python writes otherwise at the end of a word
    @given(TEXTS)
    def same(text: str) -> None:
        ((value,),) = connection.execute(f"SELECT {expression} FROM (SELECT ? AS v)", [text]).fetchall()
        assert value == canonicalize(kind, text)

    same()
