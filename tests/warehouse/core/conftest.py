"""The worlds of the core's tests; `world` has its warehouse in Snowflake."""

from tests.core.fixtures import members  # noqa: F401 - a fixture
