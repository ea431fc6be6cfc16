"""A shop with a model of each surface, and what happens in its warehouse and at Klaviyo on two days."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.contract.recorder import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.contract.recorder import Klaviyo
    from tests.contract.warehouses import Warehouse

COLUMNS = (
    "id INTEGER, email VARCHAR, phone VARCHAR, first_name VARCHAR, city VARCHAR, orders INTEGER, "
    "spent DECIMAL(12,2), score DOUBLE, newsletter BOOLEAN, since DATE, seen_at TIMESTAMP, vip BOOLEAN, "
    "club VARCHAR"
)
# Eve and Fay share a phone; the rows of Hal contradict each other, and those of Ida are equal.
CUSTOMERS = """
(1, ' Ann@Example.com', '+1 415 555 0101', 'Ann', 'Kraków', 3, 120.50, 0.5, TRUE, '2019-02-28',
    '2019-12-31 23:59:59.5', TRUE, 'Tea'),
(2, 'bob@example.com', NULL, 'Robert "Bob"', NULL, 0, 0.00, NULL, FALSE, NULL, NULL, TRUE, 'Coffee'),
(3, 'cleo@example.com', '+442079460303', 'Cléo 🌻', 'London', 12, 1000000.10, 1e-7, NULL, '2018-01-01', NULL,
    TRUE, 'Coffee'),
(4, NULL, '+442079460304', 'Dov', '', NULL, NULL, NULL, NULL, NULL, NULL, TRUE, NULL),
(5, 'eve@example.com', '+14155550105', 'Eve', 'Oakland', 1, 9.99, 2.0, TRUE, '2019-06-01',
    '2019-06-01 08:00:00', TRUE, 'Tea'),
(6, 'fay@example.com', '+14155550105', 'Fay', 'Oakland', 1, 9.99, 3.25, TRUE, '2019-06-01',
    '2019-06-01 08:00:00', FALSE, 'Tea'),
(7, 'gus@@example.com', NULL, 'Gus', NULL, 1, 1.00, NULL, NULL, NULL, NULL, TRUE, 'Tea'),
(8, 'hal@example.com', NULL, 'Hal', NULL, 1, 1.00, NULL, NULL, NULL, NULL, FALSE, NULL),
(8, 'hal@example.com', NULL, 'Henry', NULL, 1, 1.00, NULL, NULL, NULL, NULL, FALSE, NULL),
(9, 'ida@example.com', NULL, 'Ida', NULL, 1, 1.00, NULL, NULL, NULL, NULL, FALSE, 'Tea'),
(9, 'ida@example.com', NULL, 'Ida', NULL, 1, 1.00, NULL, NULL, NULL, NULL, FALSE, 'Tea'),
(10, 'jo@example.com', NULL, 'Jo', NULL, 1, 1.00, NULL, NULL, NULL, NULL, TRUE, NULL),
(11, 'kim@example.com', NULL, 'Kim', NULL, 1, 1.00, NULL, NULL, NULL, NULL, TRUE, 'Coffee'),
(12, 'lea@example.com', NULL, 'Lea', NULL, 1, 1.00, CAST('NaN' AS DOUBLE), NULL, NULL, NULL, FALSE, NULL),
(13, 'max@example.com', NULL, 'Max', NULL, 1, 1.00, NULL, NULL, NULL, NULL, TRUE, NULL)
"""
SECOND_DAY = (
    "UPDATE customers SET city = 'Gdańsk', orders = 4 WHERE id = 1",
    # Bob was a member before the first run, Cleo was added by it, and nobody finds Kim any more.
    "UPDATE customers SET vip = FALSE WHERE id IN (2, 3, 11)",
    "UPDATE customers SET email = 'eve.new@example.com' WHERE id = 5",
    "DELETE FROM customers WHERE id = 8 AND first_name = 'Henry'",
    "UPDATE customers SET club = 'Coffee' WHERE id = 9",
    "UPDATE customers SET first_name = 'Joanna' WHERE id = 10",
    # Max leaves, and a row that is malformed today may be his.
    "UPDATE customers SET email = 'max@@example.com' WHERE id = 13",
    (
        "INSERT INTO customers (id, email, first_name, vip, club) "
        "VALUES (14, 'nia@example.com', 'Nia', TRUE, 'Tea')"
    ),
)
THIRD_DAY = (
    # Klaviyo refuses Ola and Cleo's new address, takes Quin's import twice and Uma's not at all, and
    # does not say which row of Rob's import failed. Cleo's old row leaves, and so does Fay.
    """INSERT INTO customers (id, email, first_name, vip, club) VALUES
    (15, 'ola@example.com', 'Ola', FALSE, 'Coffee'), (16, 'pia@example.com', 'Pia', FALSE, 'Cocoa'),
    (17, 'quin@example.com', 'Quin', FALSE, 'Cocoa'), (18, 'rob@example.com', 'Rob', FALSE, 'Milk'),
    (19, 'sam@example.com', 'Sam', FALSE, 'Milk'), (20, 'uma@example.com', 'Uma', FALSE, 'Mate')""",
    "UPDATE customers SET email = 'cleo.new@example.com' WHERE id = 3",
    "UPDATE customers SET orders = 5 WHERE id = 1",
    "DELETE FROM customers WHERE id = 6",
)
TESTERS = "CREATE OR REPLACE TABLE testers (profile_id VARCHAR)"

PAYLOAD = "first_name, city as location_city, orders, spent, score, newsletter, since, seen_at"
PEOPLE = {"email": "email", "phone_e164": "phone", "external_id": "id"}
MODELS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "everybody": (
        f"select id, email, phone, {PAYLOAD} from {{{{ ref('customers') }}}}",
        {"surface": "profiles", "identifiers": PEOPLE, "description": "Everybody who ever bought."},
    ),
    "vip": (
        "select id, email, phone, first_name from {{ ref('customers') }} where vip",
        {
            "surface": "list_memberships",
            "list": "VIP",
            "identifiers": PEOPLE,
            "max_removes": 0.9,
            "tags": ["daily", "people"],
        },
    ),
    "clubs": (
        "select id, email, club, orders as \"Orders\" from {{ ref('customers') }} where club is not null",
        {
            "surface": "list_memberships",
            "list_column": "club",
            "identifiers": {"email": "email", "external_id": "id"},
            "on_shared_identifier": "reject",
            "min_rows": 0,
        },
    ),
    "testers": (
        "select profile_id from {{ ref('testers') }}",
        {
            "surface": "list_memberships_by_profile_id",
            "list": "testers",
            "identifiers": {"klaviyo_profile_id": "profile_id"},
        },
    ),
}


def write_model(folder: Path, name: str, select: str, **config: Any) -> None:
    """Write a model of the project in a folder."""
    arguments = "".join(f"    {key}={value!r},\n" for key, value in config.items())
    path = folder / "models" / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{{{{ config(\n{arguments}) }}}}\n{select}\n", encoding="utf-8")


@dataclass
class Shop:
    """A project's folder, its warehouse and its Klaviyo."""

    folder: Path
    klaviyo: Klaviyo
    warehouse: Warehouse
    destination: dict[str, Any] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    def set_up(self) -> None:
        """Write the project, and the lists and people that are at Klaviyo before the first run."""
        for name, (select, config) in MODELS.items():
            self.model(name, select, **config)
        testers = self.klaviyo.new_list("Testers")
        self.profile(create_lists=True, lists={"testers": testers})
        vip = self.klaviyo.new_list("VIP")
        for name in ("bob", "zoe", "tess", "tim"):
            self.people[name] = self.klaviyo.new_profile(email=f"{name}@example.com")
        self.klaviyo.change_members("POST", vip, self.people["bob"], self.people["zoe"])
        self.klaviyo.clock.sleep(3_600.0)  # so bob and zoe were members before the first run

    def model(self, name: str, select: str, **config: Any) -> None:
        """Write a model."""
        write_model(self.folder, name, select, **config)

    def profile(self, **changes: Any) -> None:
        """Write profiles.yml, with changes of the destination that stay."""
        self.destination |= changes
        klaviyo = {"type": "klaviyo", "origin": self.klaviyo.origin, **self.destination}
        shop = {
            "target": "prod",
            "outputs": {"prod": dict(self.warehouse.output)},
            "destinations": {"prod": klaviyo},
        }
        (self.folder / "profiles.yml").write_text(yaml.safe_dump({"shop": shop}))

    def first_day(self) -> None:
        """Fill the warehouse."""
        self.warehouse.sql(f"CREATE TABLE customers ({COLUMNS})")
        self.warehouse.sql(f"INSERT INTO customers VALUES {CUSTOMERS}")
        self._testers("tess", "tim", "NOBODY")

    def second_day(self) -> None:
        """Let people change, come and go, a day later."""
        self.klaviyo.clock.sleep(DAY)
        for statement in SECOND_DAY:
            self.warehouse.sql(statement)
        self._testers("tess", "zoe")
        self.klaviyo.change_profile(
            self.klaviyo.profile_id("kim@example.com"), email="kimberly@example.com", external_id="old-11"
        )

    def third_day(self) -> None:
        """Let more people change, come and go, and Klaviyo answer in ways that leave something open."""
        self.klaviyo.clock.sleep(DAY)
        select, config = MODELS["vip"]
        self.model("vip", select, **config)
        for statement in THIRD_DAY:
            self.warehouse.sql(statement)
        self.klaviyo.faults |= {
            "quin@": {"kind": "cut", "after": True},
            "uma@": {"kind": "status", "status": 400},
            "rob@": {"kind": "miscount", "rows": 1},
        }
        self.klaviyo.fault(kind="refuse_rows", pattern="(ola|cleo.new|quin)@", times=3)

    def _testers(self, *names: str) -> None:
        self.warehouse.sql(TESTERS)
        ids = [self.people.get(name, name) for name in names]
        self.warehouse.sql("INSERT INTO testers VALUES " + ", ".join(f"('{id_}')" for id_ in ids))
