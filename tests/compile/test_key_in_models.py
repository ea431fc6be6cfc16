"""The private key reaches no model: not by the name of its variable, not by its value."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import ModelError
from reverse_etl.models.key_guard import refuse_key

if TYPE_CHECKING:
    from tests.compile.conftest import Folder

KEY = "pk_0123456789abcdef"
PROFILES = """\
shop:
  target: trial
  outputs:
    trial:
      type: duckdb
      path: "{{ env_var('SHOP_FILE', 'shop.duckdb') }}"
      schema: "{{ env_var('SHOP_SCHEMA') }}"
    prod:
      type: snowflake
      account: ab12345
      database: D
      schema: S
      password: "{{ env_var('SF_PASSWORD') }}"
  destinations:
    trial: {type: klaviyo, %s}
    prod:
      type: klaviyo
      private_api_key: "{{ env_var('PROD' ~ '_KEY') }}"
      lists: {vip: "{{ env_var('VIP_LIST') }}"}
"""
ENVIRON = {
    "MY_KEY": KEY,
    "PROD_KEY": KEY,
    "SF_PASSWORD": "hunter22",
    "SHOP_SCHEMA": "main",
    "SHOP_FILE": "shop.duckdb",
    "COUNTRY": "CZ",
    "LOOKUP": KEY,
    "VIP_LIST": "XyZ123",
}
OWN_VARIABLE = "private_api_key: \"{{ env_var('MY_KEY') }}\""


def write(folder: Folder, select: str, destination: str = OWN_VARIABLE) -> None:
    """Write a project of one model."""
    folder.write(
        {
            "profiles.yml": PROFILES % destination,
            "models/m.sql": "{{ config(surface='profiles') }}\n" + select,
        }
    )


@pytest.mark.parametrize(
    ("variable", "destination"),
    [
        ("MY_KEY", OWN_VARIABLE),
        ("PROD_KEY", "sandbox: true"),
        ("VIP_LIST", OWN_VARIABLE),
        ("SF_PASSWORD", "sandbox: true"),
        ("LOOKUP", "private_api_key_command: [sh, -c, 'echo $LOOKUP']"),
        ("DBT_ENV_SECRET_X", "sandbox: true"),
    ],
)
def test_a_variable_that_a_destination_or_a_password_uses_is_not_for_models(
    folder: Folder, variable: str, destination: str
) -> None:
    """Whatever its name, and in whichever target of the profile; its value is not shown."""
    write(folder, f"select email, '{{{{ env_var('{variable}') }}}}' as k from t", destination)
    with pytest.raises(ModelError, match=f"The environment variable {variable} is secret") as caught:
        folder.compile(environ=ENVIRON | {"DBT_ENV_SECRET_X": KEY})
    assert KEY not in str(caught.value.problems)


@pytest.mark.parametrize("variable", ["COUNTRY", "SHOP_SCHEMA", "SHOP_FILE"])
def test_other_variables_are_for_models(folder: Folder, variable: str) -> None:
    """Those of settings that `target` shows anyway, and those that profiles.yml does not use."""
    write(folder, f"select email, '{{{{ env_var('{variable}') }}}}' as k from t")
    (model,) = folder.compile(environ=ENVIRON)
    assert ENVIRON[variable] in model.sql


@pytest.mark.parametrize(
    ("select", "destination"),
    [
        (f"select email, '{KEY}' as k from t", OWN_VARIABLE),
        ("select email, '{{ env_var('COPY_OF_IT') }}' as k from t", OWN_VARIABLE),
        ("select email, '{{ var('k') }}' as k from t", "private_api_key_file: key.txt"),
    ],
)
def test_a_model_that_contains_the_key_does_not_compile(
    folder: Folder, select: str, destination: str
) -> None:
    """Wherever it comes from; no part of the key is shown."""
    folder.write({"key.txt": f"{KEY}\n"})
    write(folder, select, destination)
    with pytest.raises(ModelError, match="The model contains Klaviyo's private key") as caught:
        folder.compile(environ=ENVIRON | {"COPY_OF_IT": KEY}, vars={"k": KEY})
    (problem,) = caught.value.problems
    assert problem.where == "models/m.sql"
    assert KEY not in f"{problem}"


def test_a_key_that_a_command_prints_is_looked_for_once_it_was_used(folder: Folder) -> None:
    """Compiling runs no command."""
    command = f"private_api_key_command: {[sys.executable, '-c', f'print({KEY!r})']!r}"
    write(folder, f"select email, '{KEY}' as k from t", command)
    models = folder.compile(environ=ENVIRON)
    destination = folder.load(environ=ENVIRON).destination
    refuse_key(models, destination)
    assert destination.require_key().reveal() == KEY
    with pytest.raises(ModelError, match="contains Klaviyo's private key"):
        refuse_key(models, destination)


def test_the_sandbox_has_no_secret_key(folder: Folder) -> None:
    """Its key is in the code, and may be in a model."""
    write(folder, "select email, 'pk_sandbox' as k from t", "sandbox: true")
    assert folder.compile(environ=ENVIRON)
