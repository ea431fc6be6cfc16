"""How lists differ from the applied rows, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.cli.output import tables as show
from reverse_etl.domain.identifiers import mask_identity, row_key_text
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.cli.options import ListFlags
    from reverse_etl.reconcile.drift import ListDifference

_HEADINGS: Final = {
    "applied": "applied",
    "uncertain": "uncertain",
    "members": "members",
    "missing": "missing",
    "unmanaged": "unmanaged",
    "already_members": "already members",
    "several_members": "several members",
    "removals_not_found": "removals not found",
    "opted_out": "opted out",
    "unconfirmed": "unconfirmed",
}
_ALWAYS_SHOWN: Final = {"applied", "members", "missing", "unmanaged"}  # the rest is shown where there is any


def _figures(difference: ListDifference) -> dict[str, int]:
    return {
        "applied": difference.applied,
        "uncertain": difference.uncertain,
        "members": difference.members,
        "missing": difference.missing,
        "unmanaged": difference.unmanaged,
        "already_members": difference.already_members,
        "several_members": difference.several_members,
        "removals_not_found": difference.removals_not_found,
        "opted_out": difference.opted_out,
        "unconfirmed": difference.unconfirmed,
    }


def format_resent(missing: int) -> str:
    """Return what becomes of missing rows in the next run."""
    rows = format_count(missing, "missing row")
    return f"The next run sends {rows} again if the model still returns {'it' if missing == 1 else 'them'}."


def differences_document(differences: Sequence[ListDifference], *, show_values: bool) -> dict[str, Any]:
    """Return the differences as plain values, with identities masked unless `show_values`."""

    def shown_identities(sample: Sequence[str]) -> list[str]:
        return [identity if show_values else mask_identity(identity) for identity in sample]

    return {
        "lists": [
            {
                "model": difference.model,
                "list": difference.list_name,
                "list_id": difference.list_id,
                "deleted": difference.deleted,
                **(dict.fromkeys(_HEADINGS) if difference.deleted else _figures(difference)),
                "missing_sample": shown_identities(difference.missing_sample),
                "unmanaged_sample": shown_identities(difference.unmanaged_sample),
                "several_members_sample": [
                    {"identity": identity, "profile_ids": list(profile_ids)}
                    for identity, profile_ids in zip(
                        shown_identities([*difference.several_members_sample]),
                        difference.several_members_sample.values(),
                        strict=True,
                    )
                ],
                "removals_not_found_sample": shown_identities(difference.removals_not_found_sample),
            }
            for difference in differences
        ]
    }


def show_differences(differences: Sequence[ListDifference], list_flags: ListFlags) -> None:
    """Print a line per list, then example members for each figure; or all of it as JSON."""
    if list_flags.as_json:
        show.print_json(differences_document(differences, show_values=list_flags.show_values))
        return
    existing = [difference for difference in differences if not difference.deleted]
    figures = [_figures(difference) for difference in existing]
    shown = [
        name
        for name in _HEADINGS
        if name in _ALWAYS_SHOWN or any(list_figures[name] for list_figures in figures)
    ]
    rows = [
        (difference.label, difference.model, *(list_figures[name] for name in shown))
        for difference, list_figures in zip(existing, figures, strict=True)
    ]
    if existing:
        show.print_table(("list", "model", *(_HEADINGS[name] for name in shown)), rows, text_columns=2)
    for difference in differences:
        for line in _detail_lines(difference, show_values=list_flags.show_values):
            show.print_line(f"{difference.label}: {line}")


def _detail_lines(difference: ListDifference, *, show_values: bool) -> Iterator[str]:
    def describe_sample(rows: int, sample: Sequence[str]) -> str:
        identities = ", ".join(
            row_key_text(identity) if show_values else mask_identity(identity) for identity in sample
        )
        return f"such as {identities}" if rows > len(sample) else identities

    shown = difference.read_back.words
    if difference.deleted:
        yield (
            f"{difference.list_id} no longer exists in Klaviyo. To see what a run would do: reverse-etl plan"
        )
    if difference.missing:
        yield (
            f"{difference.missing:,} applied but not {shown}: "
            f"{describe_sample(difference.missing, difference.missing_sample)}"
        )
    if difference.unmanaged:
        sample = describe_sample(difference.unmanaged, difference.unmanaged_sample)
        text = f"{difference.unmanaged:,} {shown} without a row in {difference.model}"
        yield f"{text}: {sample}" if difference.unmanaged_sample else text
    if difference.opted_out:
        yield f"{difference.opted_out:,} opted out or suppressed since, and not to be sent again"
    if difference.several_members:
        rows = "1 row has" if difference.several_members == 1 else f"{difference.several_members:,} rows have"
        sample = "; ".join(
            f"{row_key_text(identity) if show_values else mask_identity(identity)} "
            f"(profiles {', '.join(profile_ids)})"
            for identity, profile_ids in difference.several_members_sample.items()
        )
        yield (
            f"{rows} several members, since Klaviyo has several profiles of one person: {sample}. Merge "
            "these profiles in Klaviyo, or remove from the list those that are not used any more."
        )
    if difference.removals_not_found:
        yield (
            f"{difference.removals_not_found:,} still on the list, though their removal found nobody: "
            f"{describe_sample(difference.removals_not_found, difference.removals_not_found_sample)}"
        )
