"""`reverse-etl debug --request MODEL`: show the first request of a model, and send it on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.delivery.requests.request_preview import preview_request, send_preview
from reverse_etl.domain.identifiers import mask_target, mask_text, mask_value
from reverse_etl.errors import UsageError
from reverse_etl.formatting import format_count
from reverse_etl.models.key_guard import refuse_key
from reverse_etl.models.retired_requests import refuse_retired
from reverse_etl.planning.plan_request import require_known_models
from reverse_etl.planning.state_sources import add_state_sources

if TYPE_CHECKING:
    from reverse_etl.delivery.requests.request_preview import RequestPreview
    from reverse_etl.klaviyo.messages import Response
    from reverse_etl.project import Project

_ROWS = 3  # of a request of many rows
_SHOWN_HEADERS = ("ratelimit-limit", "ratelimit-remaining", "retry-after", "location")


def debug_request(project: Project, model_name: str, *, send: bool, show_values: bool) -> int:
    """Print the first request of a model, and what Klaviyo replies if it is sent. Returns the exit code.

    Sending changes Klaviyo, but not the state: the next run sends these rows again.
    """
    require_known_models((model_name,), project.models, "--request")
    model = next(model for model in project.models if model.name == model_name)
    refuse_key((model,), project.target.destination)
    with project.connections.warehouse(read_only=True) as warehouse:
        (readable,) = add_state_sources(
            lambda: project.connections.state(warehouse, None), [model], project.models
        )
        preview = preview_request(warehouse, readable, _ROWS)
    _print_preview(preview, show_values=show_values)
    if preview.request is None:
        return 1
    if send:
        refuse_retired((model,))
    else:
        show.print_line(f"\nNot sent. To send this request: reverse-etl debug --request {model_name} --send")
        return 0
    if model.config.surface.unsafe:
        raise UsageError.of(
            f"The model {model_name} is marked unsafe.",
            where=f"{model.path}",
            hint=f"Send its rows with: reverse-etl run --select {model_name} --allow-request {model_name}",
        )
    with project.connections.klaviyo(dry_run=False, on_request=terminal.print_request) as klaviyo:
        assert klaviyo is not None  # noqa: S101 - without a key the connection raises
        refuse_key((model,), project.target.destination)  # a key that a command prints is known now
        response = send_preview(klaviyo, preview.request)
    _print_response(response, show_values=show_values)
    return 0 if preview.request.endpoint.is_success(response.status) else 1


def _print_preview(preview: RequestPreview, *, show_values: bool) -> None:
    for problem in preview.problems:
        field = f"{problem.field} " if problem.field else ""
        terminal.warn(f"A row can't be sent: {field}{problem.reason}.")
    if preview.request is None:
        show.print_line("The model's first rows make no request.")
        return
    target = preview.request.target
    show.print_line(f"{preview.request.endpoint.method} {target if show_values else mask_target(target)}")
    show.print_line(format_count(preview.rows, "row"))
    if preview.body is not None:
        body = preview.body if show_values else mask_value(preview.body)
        show.print_json(body)


def _print_response(response: Response, *, show_values: bool) -> None:
    show.print_line(f"\n{response.status}")
    for name in _SHOWN_HEADERS:
        if name in response.headers:
            show.print_line(f"{name}: {response.headers[name]}")
    text = response.content.decode(errors="replace").strip()
    if text:
        show.print_text(text if show_values else mask_text(text))
    show.print_line("\nThe state did not change: the next run sends these rows again.")
