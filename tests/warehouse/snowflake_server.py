"""A Snowflake stand-in for the tests: fakesnow's server, and what connector 5.x and tests of faults need.

Run by the Python of the second environment (.venv-dbt), which has fakesnow:
`python -m tests.warehouse.snowflake_server PORT`. It adds to fakesnow a session number and a master token in
the login's reply; replies that are kept by request number, as Snowflake keeps them, so that a repeated
request runs once; real NULLs in timestamps; temporary tables that are named with their schema; a journal of
statements and their tags; and faults that a test asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import importlib
import itertools
import json
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.warehouse.snowflake_translations import translate_once

if TYPE_CHECKING:
    from starlette.requests import Request

server: Any = importlib.import_module("fakesnow.server")
info_schema: Any = importlib.import_module("fakesnow.info_schema")


@dataclass
class Fault:
    """A fault of the next statements that match: an error with a code, or a reply that is lost.

    `until` is no fault: the statement runs once one that matches it was asked for.
    """

    pattern: str
    times: int = 1
    code: str = ""
    message: str = ""
    lost: bool = False
    until: str = ""


@dataclass
class StandIn:
    """The state of the stand-in beside fakesnow's."""

    faults: list[Fault] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)
    logins: list[dict[str, Any]] = field(default_factory=list)
    login_fault: Fault | None = None
    replies: dict[str, bytes] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    sessions: Any = field(default_factory=lambda: itertools.count(1))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


stand_in = StandIn()
_BLOCK = re.compile(
    r"execute immediate \$\$\s*begin\s+(.*);\s*return '';\s*"
    r"exception\s+when other then\s+return sqlerrm;\s*end;\s*\$\$.*",
    re.IGNORECASE | re.DOTALL,
)


async def body_of(request: Request) -> dict[str, Any]:
    """Return a request's document."""
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return json.loads(body) if body else {}


def unplaced(text: str) -> str:
    """Return a statement with its temporary tables in no schema: DuckDB has a place of its own for them."""
    text = text.replace("CURRENT_SESSION()", "1")  # which fakesnow lacks
    return re.sub(r'"[^"]+"\."[^"]+"\.("TEMP_[^"]+")', r"\1", text)


async def login(request: Request) -> Response:
    """Sign in; without looking at the proof, which is kept for the tests to look at."""
    asked = (await body_of(request))["data"]
    stand_in.logins.append({**asked, "query": dict(request.query_params)})
    if stand_in.login_fault is not None:
        return JSONResponse(
            {
                "data": None,
                "code": stand_in.login_fault.code,
                "message": stand_in.login_fault.message,
                "success": False,
            }
        )
    async with stand_in.lock:
        reply = await server.login_request(request)
    document = json.loads(reply.body)
    stand_in.users[document["data"]["token"]] = asked.get("LOGIN_NAME", "")
    document["data"] |= {
        "masterToken": "master",
        "sessionId": next(stand_in.sessions),
        "validityInSeconds": 3600,
        "masterValidityInSeconds": 14400,
    }
    return JSONResponse(document)


async def query(request: Request) -> Response:
    """Run a statement once per request number."""
    number = request.query_params.get("requestId", "")
    asked = await body_of(request)
    if number in stand_in.replies:
        return Response(stand_in.replies[number], media_type="application/json")
    text = asked.get("sqlText", "")
    if not asked.get("describeOnly"):
        stand_in.journal.append({"sql": text, "tag": (asked.get("parameters") or {}).get("QUERY_TAG")})
    fault = next(
        (
            candidate
            for candidate in stand_in.faults
            if candidate.times > 0 and re.search(candidate.pattern, text)
        ),
        None,
    )
    if fault is not None:
        fault.times -= 1
        if fault.until and not await is_asked(fault.until):
            fault.code, fault.message = "000604", f"Nobody asked for {fault.until}"
        if fault.code:
            return JSONResponse(
                {
                    "data": {"errorCode": fault.code, "sqlState": "57014"},
                    "code": fault.code,
                    "message": fault.message,
                    "success": False,
                }
            )
    async with stand_in.lock:  # fakesnow can't run two statements at once
        reply = await run_block(request, asked) or await run_statement(request, asked, unplaced(text))
    stand_in.replies[number] = reply.body
    if fault is not None and fault.lost:
        return Response("gateway time-out", status_code=504)
    return reply


async def is_asked(pattern: str) -> bool:
    """Wait until a statement that matches was asked for; return False if none comes in seconds."""
    for _ in range(1_000):
        if any(re.search(pattern, entry["sql"]) for entry in stand_in.journal):
            return True
        await asyncio.sleep(0.01)
    return False


async def run_block(request: Request, asked: dict[str, Any]) -> Response | None:
    """Run a block of Snowflake Scripting that returns '' or its statement's error; None for other statements.

    fakesnow knows no blocks.
    """
    block = _BLOCK.fullmatch(asked.get("sqlText", ""))
    if block is None:
        return None
    document = json.loads((await run_statement(request, asked, block[1])).body)
    error = "" if document["success"] else str(document["message"]).replace("'", "''")
    return await run_statement(request, asked, f"SELECT '{error}' AS \"anonymous block\"")


async def run_statement(request: Request, asked: dict[str, Any], text: str) -> Response:
    """Run one statement in place of the request's own."""
    if text == asked.get("sqlText"):
        return await server.query_request(request)
    body = json.dumps(asked | {"sqlText": text}).encode()
    request._body = gzip.compress(body) if request.headers.get("Content-Encoding") == "gzip" else body
    return await server.query_request(request)


async def control(request: Request) -> Response:
    """Tell what was asked so far, and let things go wrong."""
    asked = await body_of(request)
    match request.path_params["what"]:
        case "fault":
            stand_in.faults.append(Fault(**asked))
        case "login_fault":
            stand_in.login_fault = Fault(**asked) if asked else None
        case "forget":
            stand_in.faults.clear()
            stand_in.journal.clear()
            stand_in.logins.clear()
            stand_in.login_fault = None
        case "drop":
            with contextlib.suppress(duckdb.Error):  # a session may still be in it
                server.shared_fs.duck_conn.execute(f"DETACH {asked['database']}")
        case "expire":
            for token in [*server.sessions]:
                if asked.get("user") in {None, stand_in.users.get(token)}:
                    del server.sessions[token]
    return JSONResponse({"journal": stand_in.journal, "logins": stand_in.logins})


async def renew(request: Request) -> Response:
    """Exchange a refresh token, as Snowflake's token endpoint does."""
    given = dict(pair.split("=", 1) for pair in (await request.body()).decode().split("&"))
    if given.get("refresh_token") != "refresh-me":
        return JSONResponse({"error": "invalid_grant"}, status_code=400)
    return JSONResponse({"access_token": f"access-for-{given['refresh_token']}", "token_type": "Bearer"})


async def new_token(request: Request) -> Response:
    """Refuse a new token for a session that has ended: its master token has ended with it."""
    del request
    message = "Authentication token has expired.  The user must authenticate again."
    return JSONResponse({"data": None, "code": "390114", "message": message, "success": False})


async def anything(request: Request) -> Response:
    """Take telemetry and the like."""
    del request
    return JSONResponse({"success": True, "data": {}})


def with_nulls(to_sf: Any) -> Any:
    """Return fakesnow's conversion of timestamps with their NULLs left NULL."""

    def converted(table: pa.Table, rowtype: Any) -> pa.Table:
        made = to_sf(table, rowtype)
        columns = []
        for name, column, before in zip(made.column_names, made.columns, table.columns, strict=True):
            if pa.types.is_struct(column.type) and before.null_count:
                mask = before.combine_chunks().is_null()
                whole = column.combine_chunks()
                children = [whole.field(i) for i in range(whole.type.num_fields)]
                column = pa.chunked_array(  # noqa: PLW2901 - this column, corrected
                    [pa.StructArray.from_arrays(children, fields=list(whole.type), mask=mask)]
                )
            columns.append(column)
            del name
        return pa.Table.from_arrays(columns, schema=made.schema)

    return converted


async def run_here(call: Any, *arguments: Any, **options: Any) -> Any:
    """Run a call in this thread: statements run one after another, and a thread for each costs time."""
    return call(*arguments, **options)


translate_once()
server.run_in_threadpool = run_here
server.to_sf = with_nulls(server.to_sf)
# DuckDB's transactions write to one database. A MERGE makes a temporary table, whose comment fakesnow keeps
# in another.
info_schema.insert_table_comment_sql = lambda *_: "SELECT 1"
own = {"/session/v1/login-request", "/session/token-request", "/queries/v1/query-request"}
app = Starlette(
    routes=[
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/queries/v1/query-request", query, methods=["POST"]),
        Route("/control/{what}", control, methods=["POST"]),
        Route("/session/token-request", new_token, methods=["POST"]),
        Route("/oauth/token-request", renew, methods=["POST"]),
        *(route for route in server.routes if route.path not in own),
        Route("/{rest:path}", anything, methods=["GET", "POST"]),
    ]
)

if __name__ == "__main__":
    server.shared_fs.duck_conn.execute("SET GLOBAL threads = 1")  # every worker has a stand-in
    gc.freeze()  # trees of SQL are many objects; what was imported need not be looked at with them
    gc.set_threshold(20_000)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
