"""Policy versions are added, not changed once a run used them; subsidy rules are data."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from financing.models import MatchingPolicy, SubsidyRule
from financing.services.policies import save_policy
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import make_user
from tests.factories.financing import make_policy, make_run, make_staff, make_system_admin
from tests.factories.offices import make_region

pytestmark = pytest.mark.django_db

LIST = "admin:financing_matchingpolicy_changelist"
ADD = "admin:financing_matchingpolicy_add"
CHANGE = "admin:financing_matchingpolicy_change"


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def as_shown(response: Any) -> dict[str, str]:
    """What a browser would post back from a page, unchanged."""
    data: dict[str, str] = {}
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            if isinstance(value, bool):
                data |= {field.html_name: "on"} if value else {}
            elif value is not None:
                data[field.html_name] = str(value)
    return data


def errors_of(response: Any) -> dict[str, list[str]]:
    found = {name: list(texts) for name, texts in response.context["adminform"].form.errors.items()}
    for inline in response.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found |= {form.add_prefix(name): list(texts) for name, texts in form.errors.items()}
    return found


def premium() -> dict[str, Any]:
    return {"cover_kind": "enforcement", "base_premium": Decimal(500)}


def test_a_new_version_starts_as_a_copy_of_the_newest() -> None:
    old = make_policy(
        version=7,
        weights={("size_class", "micro"): 20},
        standard_premiums=[premium()],
        review_days=6,
    )
    make_run(policy=old)
    client = signed_in(make_system_admin())

    page = client.get(reverse(ADD))
    assert page.status_code == 200
    response = client.post(reverse(ADD), as_shown(page) | {"study_days": "25"})

    assert response.status_code == 302, errors_of(response)
    new = MatchingPolicy.objects.get(version=8)
    assert (new.review_days, new.study_days) == (6, 25)
    assert new.effective_on == timezone.localdate()
    assert [(weight.key, weight.lift_percent) for weight in new.weights.all()] == [("micro", 20)]
    assert new.standard_premiums.get().base_premium == 500
    assert old.weights.count() == 1
    assert AuditEvent.objects.filter(verb="policy.changed", object_id=str(new.pk)).count() == 1


def test_a_version_a_run_used_is_shown_but_cannot_change() -> None:
    policy = make_policy()
    make_run(policy=policy)
    client = signed_in(make_system_admin())

    html = client.get(reverse(CHANGE, args=[policy.pk])).content.decode()
    assert "A match run used this version" in html
    assert 'name="_save"' not in html
    assert client.post(reverse(CHANGE, args=[policy.pk]), {}).status_code == 403
    with pytest.raises(ValidationError, match="Add a new version"):
        save_policy(
            Actor.SYSTEM,
            values={"effective_on": policy.effective_on},
            weights=[],
            standard_premiums=[],
            policy_id=policy.pk,
        )


def test_an_unused_version_is_changed_and_audited_with_before_and_after() -> None:
    policy = make_policy(effective_on=timezone.localdate() + timedelta(days=30))
    client = signed_in(make_system_admin())
    page = reverse(CHANGE, args=[policy.pk])

    data = as_shown(client.get(page))
    assert client.post(page, data).status_code == 302
    assert not AuditEvent.objects.filter(verb="policy.changed").exists()
    client.post(page, data | {"oversubscription": "2"})

    event = AuditEvent.objects.get(verb="policy.changed")
    assert event.data["changed"] == {"oversubscription": ["1.5", "2"]}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"effective_on": "2020-01-01"}, "effective_on", "today or later"),
        ({"effective_on": "x"}, "effective_on", "year-month-day"),
        (
            {"ceiling_spread_percent": "0.5", "reference_spread_percent": "0.4"},
            "ceiling_spread_percent",
            "above the reference spread",
        ),
        ({"alternative_share": "1.5"}, "alternative_share", "less than or equal to 1"),
        ({"oversubscription": "NaN"}, "oversubscription", "number"),
        (
            {
                "weights-0-dimension": "region",
                "weights-0-key": "32",
                "weights-0-lift_percent": "5",
            },
            "weights-0-key",
            "six digits",
        ),
        (
            {
                "weights-0-dimension": "size_class",
                "weights-0-key": "large",
                "weights-0-lift_percent": "5",
            },
            "weights-0-key",
            "micro or small",
        ),
    ],
)
def test_faults_are_named_at_their_field(changes: dict[str, str], field: str, words: str) -> None:
    client = signed_in(make_system_admin())
    data = as_shown(client.get(reverse(ADD)))
    response = client.post(reverse(ADD), data | changes)

    assert response.status_code == 200
    errors = errors_of(response)
    assert words in " ".join(errors.get(field, [])), errors
    assert not MatchingPolicy.objects.exists()


def test_a_subsidy_rule_is_saved_and_its_days_checked() -> None:
    make_region("320000")
    client = signed_in(make_system_admin())
    data = {
        "name": "Interest subsidy",
        "kind": "interest",
        "source": "Document 1",
        "region": "320000",
        "percent_of_base": "50",
        "cap_per_business_year": "200000",
        "stacking_group": "",
        "valid_from": "2026-01-01",
        "valid_until": "2025-01-01",
        "is_paid_after_repayment": "on",
    }
    page = reverse("admin:financing_subsidyrule_add")
    assert client.get(page).status_code == 200
    assert "valid_until" in errors_of(client.post(page, data))
    assert client.post(page, data | {"valid_until": ""}).status_code == 302
    rule = SubsidyRule.objects.get()
    assert (rule.region_id, rule.valid_from) == ("320000", date(2026, 1, 1))
    assert AuditEvent.objects.filter(verb="policy.changed").count() == 1
    change = reverse("admin:financing_subsidyrule_change", args=[rule.pk])
    assert client.get(change).status_code == 200


def test_audit_administrators_read_lenders_are_refused() -> None:
    policy = make_policy()
    auditor = signed_in(make_user("audit_admin"))
    page = reverse(CHANGE, args=[policy.pk])
    assert auditor.get(reverse(LIST)).status_code == 200
    assert auditor.get(page).status_code == 200
    assert auditor.post(page, {}).status_code == 403
    assert auditor.get(reverse(ADD)).status_code == 403
    staff = signed_in(make_staff())
    for address in (reverse(LIST), reverse(ADD), page):
        assert staff.get(address).status_code == 403
    assert signed_in(make_system_admin()).get(reverse(CHANGE, args=[10**6])).status_code == 404
