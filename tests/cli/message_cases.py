"""Mistakes that a user can write or meet: how each comes about, and the command that meets it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import requests

from reverse_etl.sandbox import Fault, FaultKind
from tests.cli.command_line import KEY, SELECT, CommandLine
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from reverse_etl.sandbox import Sandbox

PROFILE = "shop:\n  target: trial\n  outputs:\n    trial: {type: duckdb, path: %s}\n%s"
NOT_A_DATABASE = "This is no database, however long one looks at it.\n"


@dataclass(frozen=True)
class ErrorCase:
    """A wrong thing: its name, what makes it, and the command, with what holds while it runs."""

    name: str
    make: Callable[[CommandLine], object]
    command: str = "plan"
    during: Callable[[CommandLine], AbstractContextManager[object]] = lambda _: nullcontext()


def list_in(sandbox: Sandbox, name: str) -> str:
    """Create a list, as somebody would in Klaviyo; returns its id."""
    document = {"data": {"type": "list", "attributes": {"name": name}}}
    reply = requests.post(f"{sandbox.origin}/api/lists", json=document, headers=HEADERS, timeout=10)
    return str(reply.json()["data"]["id"])


def _delete_list(cli: CommandLine) -> None:
    sandbox = _sent(cli)
    path = f"/api/lists/{sandbox.lists()[0]['id']}"
    requests.delete(sandbox.origin + path, headers=HEADERS, timeout=10)


def _sent(cli: CommandLine, **destination: object) -> Sandbox:
    """Let a first run send the 20 customers."""
    sandbox = cli.klaviyo(destination=destination)
    assert cli.run("run").code == 0
    return sandbox


def _taken(cli: CommandLine) -> None:
    (cli.folder / "shop.duckdb").rename(cli.folder / "memory.duckdb")
    cli.profiles({"type": "klaviyo", "sandbox": True}, {"path": "memory.duckdb"})


def _beside(cli: CommandLine) -> None:
    profile = cli.write("profiles.yml", PROFILE % ("shop.duckdb", ""))
    profile.write_text(profile.read_text() + "destinations:\n  trial: {type: klaviyo, sandbox: true}\n")


def _key_variable(cli: CommandLine) -> None:
    cli.profiles({"type": "klaviyo", "private_api_key": "{{ env_var('MY_KLAVIYO_KEY') }}"})


def _truncated(cli: CommandLine) -> None:
    _sent(cli)
    state = cli.folder / "shop.reverse_etl.duckdb"
    state.write_bytes(state.read_bytes()[:3000])


def _left(cli: CommandLine, customers: int) -> None:
    _sent(cli)
    cli.customers(customers)


def _rekeyed(cli: CommandLine) -> None:
    _sent(cli)
    cli.model("vip", SELECT, list="VIP", identifiers={"external_id": "first_name", "email": "email"})


def _newer(cli: CommandLine) -> None:
    _sent(cli)
    cli.sql("UPDATE meta SET version = 99", file="shop.reverse_etl.duckdb")


def _without_scope(cli: CommandLine) -> None:
    """Let somebody answer as Klaviyo does when a key lacks a scope."""
    error = '{"id": "1", "status": 403, "code": "permission_denied", "title": "", "detail": "You may not."}'

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f'{{"errors": [{error}]}}'.encode()
            self.send_response(403)
            self.send_header("Content-Type", "application/vnd.api+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    cli.ending(server.server_close)
    cli.ending(server.shutdown)
    cli.environ["DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"] = KEY
    cli.profiles({"type": "klaviyo", "origin": f"http://127.0.0.1:{server.server_port}"})


def _two_lists(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    list_in(sandbox, "VIP")
    list_in(sandbox, "VIP")


def _two_names(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    names = dict.fromkeys(("VIP", "Very important"), list_in(sandbox, "VIP"))
    cli.profiles({"type": "klaviyo", "origin": sandbox.origin, "lists": names})
    cli.model("vip_too", SELECT, list="Very important")


def _many_lists(cli: CommandLine) -> None:
    cli.klaviyo()
    for number in range(6):
        cli.model(f"list_{number}", SELECT, list=f"List {number}")


def _refused(cli: CommandLine) -> None:
    fault = Fault(FaultKind.STATUS, method="POST", path=IMPORTS, status=400, times=None)
    cli.klaviyo().add_fault(fault)


def _profile(path: str, destinations: str = "") -> Callable[[CommandLine], object]:
    return lambda cli: cli.write("profiles.yml", PROFILE % (path, destinations))


def _model(select: str, **config: object) -> Callable[[CommandLine], object]:
    return lambda cli: cli.model("vip", select, **({"list": "VIP"} | config))


def _destination(**settings: object) -> Callable[[CommandLine], object]:
    return lambda cli: cli.profiles({"type": "klaviyo", **settings})


HEADERS = {
    "Authorization": f"Klaviyo-API-Key {KEY}",
    "revision": "2026-10-15",
    "Content-Type": "application/vnd.api+json",
}
SANDBOX = "  destinations:\n    trial: {type: klaviyo, sandbox: true}\n"


def _no_key(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.environ.clear()


def _unknown_list(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.model("vip", SELECT, list_id="XyZ123")


def _second_model(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.model("vip_too", SELECT, list="VIP")


CASES = (
    ErrorCase("no profiles.yml", lambda cli: (cli.folder / "profiles.yml").unlink()),
    ErrorCase("profiles.yml is not YAML", lambda cli: cli.write("profiles.yml", "shop:\n  outputs: {\n")),
    ErrorCase("no destination", _profile("shop.duckdb")),
    ErrorCase("an unknown key of a destination", _destination(sandbox=True, creat_lists=True)),
    ErrorCase("an origin elsewhere", _destination(origin="http://klaviyo.example.com")),
    ErrorCase(
        "a secret that is too short",
        _destination(notify={"webhooks": [{"url": "https://ops.example.com", "secret": "short"}]}),
    ),
    ErrorCase("an environment variable that is not set", _profile("\"{{ env_var('SHOP') }}\"", SANDBOX)),
    ErrorCase("no such target", lambda _: None, "plan --target prod"),
    ErrorCase("no such profile", lambda _: None, "plan --profile store"),
    ErrorCase("no models", lambda cli: (cli.folder / "models" / "vip.sql").unlink()),
    ErrorCase(
        "models of dbt without a dbt project",
        lambda cli: (cli.folder / "models").rename(cli.folder / "reverse_etl"),
    ),
    ErrorCase("an unknown key of config", _model(SELECT, lst="VIP")),
    ErrorCase(
        "a misspelt key of config",
        lambda cli: cli.write("models/vip.sql", f"{{{{ config(surfce='profiles') }}}}\n{SELECT}\n"),
    ),
    ErrorCase("a missing identifier", _model("select first_name from {{ ref('customers') }}")),
    ErrorCase("an unknown column", _model("select email,\n  surname\nfrom {{ ref('customers') }}")),
    ErrorCase("an unknown table", _model("select email from {{ ref('people') }}")),
    ErrorCase(
        "a function of Snowflake", _model("select email, iff(true, 1, 2) as n from {{ ref('customers') }}")
    ),
    ErrorCase(
        "destinations inside an output", _profile("shop.duckdb, destinations: {trial: {type: klaviyo}}")
    ),
    ErrorCase("destinations beside the profile", _beside),
    ErrorCase("a key variable that is not set", _key_variable, "run"),
    ErrorCase("all rows rejected", _model("select 'nobody' as email from {{ ref('customers') }}"), "run"),
    ErrorCase("a truncated state", _truncated, "run"),
    ErrorCase(
        "a value that is no number", _model("select email, first_name::int as n from {{ ref('customers') }}")
    ),
    ErrorCase("a missing warehouse", lambda cli: (cli.folder / "shop.duckdb").unlink(), "run"),
    ErrorCase("a missing folder", _profile("nowhere/shop.duckdb", SANDBOX), "run"),
    ErrorCase("a warehouse with a name that is taken", _taken),
    ErrorCase("a missing project", lambda _: None, "plan --project-dir nowhere"),
    ErrorCase("a flag without its value", lambda _: None, "run --allow-removes"),
    ErrorCase("a command without its argument", lambda _: None, "schema"),
    ErrorCase(
        "properties that are a list", _model("select email, [1] as properties from {{ ref('customers') }}")
    ),
    ErrorCase(
        "a missing schema",
        lambda cli: cli.profiles({"type": "klaviyo", "sandbox": True}, {"schema": "mian"}),
    ),
    ErrorCase("a locked warehouse", lambda _: None, during=lambda cli: cli.locked("shop.duckdb")),
    ErrorCase(
        "a locked state",
        _sent,
        "run",
        lambda cli: cli.locked("shop.reverse_etl.duckdb"),
    ),
    ErrorCase("a warehouse that is no database", lambda cli: cli.write("shop.duckdb", NOT_A_DATABASE)),
    ErrorCase(
        "a state that is no database", lambda cli: cli.write("shop.reverse_etl.duckdb", NOT_A_DATABASE)
    ),
    ErrorCase("a state of a newer version", _newer),
    ErrorCase("an unknown selector", lambda _: None, "run --select tag:daily"),
    ErrorCase("an unknown model to allow", lambda _: None, "run --allow-removes vpi"),
    ErrorCase("vars that are no mapping", lambda _: None, "plan --vars 3"),
    ErrorCase("an unknown command", lambda _: None, "paln"),
    ErrorCase("an unknown flag", lambda _: None, "plan --limt 3"),
    ErrorCase("a limit of nothing", lambda _: None, "run --limit 0"),
    ErrorCase("no key", _no_key, "run"),
    ErrorCase("a wrong key", lambda cli: cli.klaviyo(key="pk_another"), "run"),
    ErrorCase("a wrong key in debug", lambda cli: cli.klaviyo(key="pk_another"), "debug"),
    ErrorCase("a key without a scope", _without_scope, "run"),
    ErrorCase(
        "a list that may not be created",
        lambda cli: list_in(cli.klaviyo(destination={"create_lists": False}), "VIPs"),
        "run",
    ),
    ErrorCase("two lists of one name", _two_lists, "run"),
    ErrorCase(
        "an unknown list id",
        _unknown_list,
        "run",
    ),
    ErrorCase("a list that was deleted", _delete_list, "run"),
    ErrorCase(
        "a list of two models",
        _second_model,
        "run",
    ),
    ErrorCase("a list of two names", _two_names, "run"),
    ErrorCase("too many new lists", _many_lists, "run"),
    ErrorCase("identifiers that changed", _rekeyed, "run"),
    ErrorCase("too few rows", lambda cli: _left(cli, 0), "run"),
    ErrorCase("too many removes", lambda cli: _left(cli, 3), "plan"),
    ErrorCase("a request that Klaviyo refuses", _refused, "run"),
    ErrorCase("a report before the first run", lambda _: None, "report"),
    ErrorCase("a report as JSON into a file", lambda _: None, "report --json --out report.json"),
    ErrorCase(
        "a report that cannot be written",
        lambda cli: (cli.write("target", "A file."), _sent(cli)),
        "report",
    ),
    ErrorCase("a report into a folder", lambda _: None, "report --out models"),
    ErrorCase(
        "a sandbox file that is none",
        lambda cli: cli.write("klaviyo_sandbox.sqlite", NOT_A_DATABASE * 99),
        "run",
    ),
)
