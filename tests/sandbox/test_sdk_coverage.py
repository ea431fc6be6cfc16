"""Klaviyo's Python SDK takes every request to, and every reply of, each endpoint that the sandbox has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from klaviyo_api import KlaviyoAPI

from reverse_etl.sandbox import Fault, FaultKind, Sandbox
from reverse_etl.sandbox.app import ROUTES
from tests.sandbox.caller import import_body, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANN, BOB = "ann@example.com", "bob@example.com"


class SdkAccount:
    """The SDK, connected to a sandbox, and the routes that it has used."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.sdk = KlaviyoAPI("pk_dummy", test_host=sandbox.origin, max_retries=1)

    def new_list(self, name: str = "VIP") -> str:
        """Create a list and return its id."""
        return str(self.sdk.Lists.create_list(resource("list", name=name)).data.id)

    def new_profile(self, **attributes: Any) -> str:
        """Create a profile and return its id."""
        return str(self.sdk.Profiles.create_profile(resource("profile", **attributes)).data.id)

    def used(self) -> set[tuple[str, str]]:
        """Return the method and rule of each endpoint that replied with success."""
        found = set()
        for entry in self.sandbox.log():
            assert entry.status < 300, entry
            for route in ROUTES:
                pattern = route.rule.replace("<id>", "[^/]+")
                if route.method == entry.method and re.fullmatch(pattern, entry.path):
                    found.add((route.method, route.rule))
        return found


def resource(kind: str, resource_id: Any = None, **attributes: Any) -> dict[str, Any]:
    """Return a document with one resource."""
    identity = {"type": kind} if resource_id is None else {"type": kind, "id": resource_id}
    return {"data": identity | {"attributes": attributes}}


def links(kind: str, *ids: str) -> dict[str, Any]:
    """Return a document with resource identifiers."""
    return {"data": [{"type": kind, "id": each} for each in ids]}


def ids(included: list[Any]) -> list[str]:
    """Return the ids of included resources, which the SDK leaves as they are if several models fit."""
    return [each["id"] if isinstance(each, dict) else each.id for each in included]


@pytest.fixture
def account() -> Iterator[SdkAccount]:
    """Connect the SDK to a sandbox without limits, whose jobs end at once."""
    with Sandbox(None, job_seconds=0, consent_seconds=0, limits=False) as sandbox:
        yield SdkAccount(sandbox)


def use_accounts_and_lists(account: SdkAccount) -> None:
    """Use each endpoint of accounts, lists, members and tags."""
    sdk = account.sdk
    account_id = sdk.Accounts.get_accounts().data[0].id
    assert sdk.Accounts.get_account(account_id).data.attributes.contact_information.organization_name
    vip, ann = account.new_list(), account.new_profile(email=ANN)
    assert sdk.Lists.update_list(vip, resource("list", vip, name="Gold")).data.attributes.name == "Gold"
    sdk.Lists.add_profiles_to_list(vip, links("profile", ann))
    tag = sdk.Tags.create_tag(resource("tag", name="mine")).data.id
    sdk.Tags.tag_lists(tag, links("list", vip))
    listed = sdk.Lists.get_lists(filter='any(name,["Gold"])', include=["tags", "flow-triggers"])
    assert [each.id for each in listed.data] == [vip]
    one = sdk.Lists.get_list(vip, additional_fields_list=["profile_count"], include=["tags"])
    assert (one.data.attributes.profile_count, ids(one.included)) == (1, [tag])
    members = sdk.Lists.get_profiles_for_list(
        vip,
        filter=f'any(email,["{ANN}"])',
        sort="-joined_group_at",
        additional_fields_profile=["subscriptions", "predictive_analytics"],
    ).data
    assert members[0].attributes.joined_group_at
    assert members[0].attributes.subscriptions.email.marketing.consent == "NEVER_SUBSCRIBED"
    assert [each.id for each in sdk.Lists.get_profile_ids_for_list(vip).data] == [ann]
    sdk.Lists.remove_profiles_from_list(vip, links("profile", ann))
    sdk.Tags.remove_tag_from_lists(tag, links("list", vip))
    sdk.Lists.delete_list(vip)


def use_profiles(account: SdkAccount) -> None:
    """Use each endpoint of single profiles."""
    sdk = account.sdk
    ann, bob = account.new_profile(email=ANN, properties={"tags": ["a"]}), account.new_profile(email=BOB)
    vip = account.new_list()
    sdk.Lists.add_profiles_to_list(vip, links("profile", ann))
    patch = {"patch_properties": {"append": {"tags": "b"}, "unset": "none"}}
    change = resource("profile", ann, first_name="Ann")
    change["data"]["meta"] = patch
    changed = sdk.Profiles.update_profile(ann, change).data.attributes
    assert (changed.first_name, changed.properties) == ("Ann", {"tags": ["a", "b"]})
    upserted = sdk.Profiles.create_or_update_profile(resource("profile", email=BOB, title="Dr"))
    assert upserted.data.id == bob
    both = f'any(email,["{ANN}","{BOB}"])'
    found = sdk.Profiles.get_profiles(
        filter=both,
        sort="email",
        include=["conversations", "push-tokens"],
        additional_fields_profile=["subscriptions"],
    )
    assert [each.id for each in found.data] == [ann, bob]
    consent = ["subscriptions.email.marketing.consent"]
    sparse = sdk.Profiles.get_profiles(filter=both, fields_profile=consent)
    consents = [each["attributes"]["subscriptions"] for each in sparse["data"]]  # the SDK makes no models
    assert consents == [{"email": {"marketing": {"consent": "NEVER_SUBSCRIBED"}}}] * 2
    one = sdk.Profiles.get_profile(ann, include=["lists", "segments"])
    assert ids(one.included) == [vip]
    assert [each.id for each in sdk.Profiles.get_lists_for_profile(ann).data] == [vip]
    assert [each.id for each in sdk.Profiles.get_list_ids_for_profile(ann).data] == [vip]
    merge = {"type": "profile-merge", "id": ann, "relationships": {"profiles": links("profile", bob)}}
    sdk.Profiles.merge_profiles({"data": merge})  # returns nothing: the SDK expects 201, as documented
    assert bob not in {each["id"] for each in account.sandbox.profiles()}


def use_imports(account: SdkAccount) -> None:
    """Use each endpoint of bulk imports, with a row that fails."""
    sdk, vip = account.sdk, account.new_list()
    account.sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="bob"))
    job = sdk.Profiles.bulk_import_profiles(import_body([row(email=ANN), row(email=BOB)], vip)).data.id
    done = sdk.Profiles.get_bulk_import_profiles_job(job, include=["lists"])
    counts = done.data.attributes.completed_count, done.data.attributes.failed_count
    assert (counts, ids(done.included)) == ((1, 1), [vip])
    assert [each.id for each in sdk.Profiles.get_bulk_import_profiles_jobs(sort="created_at").data] == [job]
    (error,) = sdk.Profiles.get_errors_for_bulk_import_profiles_job(job).data
    assert error.attributes.original_payload["email"] == BOB
    (ann,) = sdk.Profiles.get_profiles_for_bulk_import_profiles_job(job).data
    assert [each.id for each in sdk.Profiles.get_profile_ids_for_bulk_import_profiles_job(job).data] == [
        ann.id
    ]
    assert [each.id for each in sdk.Profiles.get_list_for_bulk_import_profiles_job(job).data] == [vip]
    assert [each.id for each in sdk.Profiles.get_list_ids_for_bulk_import_profiles_job(job).data] == [vip]


def use_consent(account: SdkAccount) -> None:
    """Subscribe with and without a list, read the consent, and unsubscribe."""
    sdk, news = account.sdk, account.new_list("News")
    sdk.Lists.update_list(news, resource("list", news, opt_in_process="single_opt_in"))
    consents = {
        "email": {"marketing": {"consent": "SUBSCRIBED"}, "open_tracking": {"consent": "SUBSCRIBED"}},
        "sms": {"marketing": {"consent": "SUBSCRIBED"}, "transactional": {"consent": "SUBSCRIBED"}},
        "whatsapp": {"marketing": {"consent": "SUBSCRIBED"}},
        "push": {"marketing": {"consent": "SUBSCRIBED"}},
    }
    person = row(email="carl@example.com", phone_number="+14155550100", subscriptions=consents)
    job = resource("profile-subscription-bulk-create-job", profiles={"data": [person]}, custom_source="shop")
    job["data"]["relationships"] = {"list": {"data": {"type": "list", "id": news}}}
    sdk.Profiles.bulk_subscribe_profiles(job)
    account.sandbox.finish_jobs()
    account.sandbox.suppress("carl@example.com", "HARD_BOUNCE")
    gone = {"sms": {"marketing": {"consent": "UNSUBSCRIBED"}}}
    people = {"data": [row(phone_number="+14155550100", subscriptions=gone)]}
    sdk.Profiles.bulk_unsubscribe_profiles(resource("profile-subscription-bulk-delete-job", profiles=people))
    read = {"filter": 'equals(email,"carl@example.com")', "additional_fields_profile": ["subscriptions"]}
    found = sdk.Profiles.get_profiles(**read).data[0].attributes.subscriptions
    assert found.email.marketing.consent == "SUBSCRIBED"
    assert found.email.marketing.suppression[0].reason == "HARD_BOUNCE"
    assert found.sms.marketing.consent == "UNSUBSCRIBED"
    assert found.whatsapp.marketing.can_receive


def use_suppressions(account: SdkAccount) -> None:
    """Suppress somebody and lift it again; read the jobs."""
    sdk = account.sdk
    people = {"data": [row(email="dora@example.com")]}
    for verb, start, read_one, read_all in (
        (
            "create",
            sdk.Profiles.bulk_suppress_profiles,
            sdk.Profiles.get_bulk_suppress_profiles_job,
            sdk.Profiles.get_bulk_suppress_profiles_jobs,
        ),
        (
            "delete",
            sdk.Profiles.bulk_unsuppress_profiles,
            sdk.Profiles.get_bulk_unsuppress_profiles_job,
            sdk.Profiles.get_bulk_unsuppress_profiles_jobs,
        ),
    ):
        job = start(resource(f"profile-suppression-bulk-{verb}-job", profiles=people)).data
        assert job.attributes.status == "processing"
        account.sandbox.finish_jobs()
        assert read_one(job.id).data.attributes.skipped_count == 1
        assert [each.id for each in read_all(sort="-created").data] == [job.id]


def use_events(account: SdkAccount) -> None:
    """Create events singly and in bulk, and read them with their metric and profile."""
    sdk = account.sdk
    metric = {"data": {"type": "metric", "attributes": {"name": "Placed Order"}}}
    person = {"data": row(email="eve@example.com")}
    event = {"properties": {"sku": "1"}, "metric": metric, "unique_id": "1", "value": 9.5}
    sdk.Events.create_event(resource("event", **event, profile=person, value_currency="EUR", backfill=True))
    second = resource("event", **(event | {"unique_id": "2", "time": "2024-05-06T07:08:09Z"}))["data"]
    group = resource("event-bulk-create", profile=person, events={"data": [second]}, backfill=True)["data"]
    sdk.Events.bulk_create_events(
        resource("event-bulk-create-job", **{"events-bulk-create": {"data": [group]}})
    )
    (placed,) = [each for each in sdk.Metrics.get_metrics().data if each.attributes.name == "Placed Order"]
    assert sdk.Metrics.get_metric(placed.id).data.attributes.name == "Placed Order"
    read = sdk.Events.get_events(
        filter=f'equals(metric_id,"{placed.id}")', include=["metric", "profile"], sort="timestamp"
    )
    first = read.data[0]
    assert (len(read.data), first.attributes.event_properties["$event_id"]) == (2, "2")
    assert placed.id in ids(read.included)
    assert sdk.Events.get_event(first.id).data.attributes.timestamp == first.attributes.timestamp
    assert sdk.Events.get_metric_for_event(first.id).data.id == placed.id
    assert sdk.Events.get_metric_id_for_event(first.id).data.id == placed.id
    assert sdk.Events.get_profile_for_event(first.id).data.attributes.email == "eve@example.com"
    assert sdk.Events.get_profile_id_for_event(first.id).data.id in ids(read.included)


def use_deletions(account: SdkAccount) -> None:
    """Delete a person."""
    person = {"data": resource("profile", account.new_profile(email="fay@example.com"))["data"]}
    account.sdk.Data_Privacy.request_profile_deletion(resource("data-privacy-deletion-job", profile=person))
    account.sandbox.finish_jobs()
    assert "fay@example.com" not in {each["email"] for each in account.sandbox.profiles()}


def use_records(account: SdkAccount) -> None:
    """Use each endpoint of coupons, catalog items and object records."""
    sdk = account.sdk
    coupon = sdk.Coupons.create_coupon(resource("coupon", external_id="TEN")).data.id
    code = resource("coupon-code", unique_code="TEN-1")["data"]
    code["relationships"] = {"coupon": {"data": {"type": "coupon", "id": coupon}}}
    job = resource("coupon-code-bulk-create-job", **{"coupon-codes": {"data": [code]}})
    assert sdk.Coupons.bulk_create_coupon_codes(job).data.attributes.total_count == 1
    texts = {"title": "Shirt", "description": "Blue", "url": "https://example.com/1"}
    item = sdk.Catalogs.create_catalog_item(resource("catalog-item", external_id="1", **texts)).data.id
    changed = sdk.Catalogs.update_catalog_item(item, resource("catalog-item", item, title="Hat"))
    assert changed.data.attributes.title == "Hat"
    sdk.Catalogs.delete_catalog_item(item)
    items = {"data": [resource("catalog-item", external_id="2", **texts)["data"]]}
    started = sdk.Catalogs.bulk_create_catalog_items(resource("catalog-item-bulk-create-job", items=items))
    job_id = started.data.id
    assert sdk.Catalogs.get_bulk_create_catalog_items_job(job_id).data.attributes.status == "processing"
    record = resource("data-source-record", record={"id": "1"})["data"]
    job = resource("data-source-record-bulk-create-job", **{"data-source-records": {"data": [record]}})
    job["data"]["relationships"] = {"data-source": {"data": {"type": "data-source", "id": "S1"}}}
    sdk.Custom_Objects.bulk_create_data_source_records(job)


USES = [
    use_accounts_and_lists,
    use_profiles,
    use_imports,
    use_consent,
    use_suppressions,
    use_events,
    use_deletions,
    use_records,
]


@pytest.mark.parametrize("use", USES)
def test_the_sdk_takes_requests_and_replies(account: SdkAccount, use: Callable[[SdkAccount], None]) -> None:
    """Requests pass the SDK's models, and replies are read into them."""
    use(account)
    assert account.used()


def test_every_endpoint_is_used_with_the_sdk(account: SdkAccount) -> None:
    """A new endpoint has to be tried here too."""
    for use in USES:
        use(account)
        for profile in account.sandbox.profiles():  # the next use makes its own
            account.sdk.Profiles.update_profile(profile["id"], resource("profile", profile["id"], email=None))
    assert {(each.method, each.rule) for each in ROUTES} - account.used() == set()
