"""Every form from consent to policy with what can be wrong in it, and where that must be said.

`test_wrong_input` fills them in; each field of each form is wrong at least once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from tests.browser.state_pages import REFERRALS
from tests.browser.states import BANK, COORDINATOR, GUARANTOR, INSURER, OWNER, Scene

LONG = "长" * 4001


@dataclass(frozen=True)
class Wrong:
    """`typed` by field name, lists and buttons by their value; `at`: fields with a message.

    `page`: where the form stands; `action`: where it is sent if not there. `files`: names and
    contents chosen in the field `files`.
    """

    person: str
    page: str
    typed: Mapping[str, object]
    at: frozenset[str]
    action: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


def _wrong(
    person: str, page: str, at: str, typed: Mapping[str, object] | None = None, **more: object
) -> Wrong:
    return Wrong(person, page, typed or {}, frozenset(at.split()), **more)  # type: ignore[arg-type]


def wrong_answers(scene: Scene) -> list[Wrong]:
    return [
        *_consents_and_answers(scene),
        *_terms_and_delivery(scene),
        *_insurance_request(scene),
        *_review(scene),
        *_study(scene),
        *_money(scene),
        *_offers(scene),
    ]


def _consents_and_answers(scene: Scene) -> Iterator[Wrong]:
    match = scene.matches["interested"]
    page, action = f"/matches/{match.pk}/", f"/matches/{match.pk}/persons/"
    yield _wrong(OWNER, page, "email", {"email": ""}, action=action)
    yield _wrong(OWNER, page, "email", {"email": "wang@"}, action=action)
    match = scene.matches["waiting"]
    page = f"/matches/{match.pk}/"
    action = f"/matches/{match.pk}/questions/{match.questions.get().pk}/answer/"
    yield _wrong(OWNER, page, "text", {"text": " "}, action=action)
    yield _wrong(OWNER, page, "text", {"text": LONG}, action=action)
    yield _wrong(OWNER, page, "files", {"text": "附上。"}, action=action, files=BAD_FILES)
    many = {f"{number}.txt": b"1" for number in range(6)}
    yield _wrong(OWNER, page, "files", {"text": "附上。"}, action=action, files=many)


# As many as one may send; each is refused for a reason of its own.
BAD_FILES = {
    "空.txt": b"",
    "程序.exe": b"MZ\x90\x00",
    "合同.pdf": b"PK\x03\x04 not a document",
    "脚本.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>"
    b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    "大.txt": b"a" * (10 * 1024 * 1024 + 1),
}


def _terms_and_delivery(scene: Scene) -> Iterator[Wrong]:
    for name in ("terms", "insured_terms"):
        page = f"/matches/{scene.matches[name].pk}/terms/decline/"
        yield _wrong(OWNER, page, "reason", {"text": "太贵"})
    yield _wrong(OWNER, page, "text", {"reason": "other"})
    page = f"/matches/{scene.matches['accepted'].pk}/fall-through/"
    yield _wrong(OWNER, page, "reason", {"text": "另有安排"})
    yield _wrong(OWNER, page, "text", {"reason": "other", "text": " "})
    for name in ("completed", "insured_covered"):
        page = f"/matches/{scene.matches[name].pk}/"
        yield _wrong(OWNER, page, "is_as_agreed", {"text": "少"}, action=f"{page}delivery/")
    yield _wrong(OWNER, page, "text", {"is_as_agreed": "no"}, action=f"{page}delivery/")


def _insurance_request(scene: Scene) -> Iterator[Wrong]:
    yield _wrong(OWNER, "/insurance/start/", "cover_kind business")
    page = f"/insurance/{scene.requests['draft'].pk}/cover/"
    for amount, limit in (("", "abc"), ("0.1", "0"), ("99999999", "-5"), ("１x", "1.234")):
        typed = {"sum_insured": amount, "premium_limit": limit}
        yield _wrong(OWNER, page, "sum_insured premium_limit", typed)


def _review(scene: Scene) -> Iterator[Wrong]:
    match = scene.matches["insured_in_review"]
    page = f"/review/matches/{match.pk}/"
    yield _wrong(COORDINATOR, page, "reason", {"text": "否"}, action=f"{page}reject/")
    typed = {"reason": "criterion_not_met"}
    yield _wrong(COORDINATOR, page, "criterion", typed, action=f"{page}reject/")
    yield _wrong(COORDINATOR, page, "text", {"reason": "other"}, action=f"{page}reject/")
    yield _wrong(COORDINATOR, page, "reason text", action=f"{page}return/")


def _step(scene: Scene, name: str, step: str) -> tuple[str, str]:
    match = scene.matches[name]
    person = BANK if match.loan_offer_id else INSURER
    return person, f"{REFERRALS}{match.pk}/step/{step}/"


def _study(scene: Scene) -> Iterator[Wrong]:
    for name in ("in_study", "insured_study"):
        decline = _step(scene, name, "decline")
        yield _wrong(*decline, "reason", {"text": "暂不受理"})
        yield _wrong(*decline, "criterion", {"reason": "criterion_not_met"})
        yield _wrong(*decline, "text", {"reason": "other"})
        yield _wrong(*_step(scene, name, "ask"), "text", {"text": " "})
        terms = _step(scene, name, "terms")
        yesterday = timezone.localdate() - timedelta(days=1)
        common = {"amount": "１x", "term_months": "0", "valid_until": "", "conditions": LONG}
        of_kind = (
            {"interest_rate_percent": "x", "fees_1-kind": "", "fees_1-amount": "500"}
            if name == "in_study"
            else {"premium": "", "excess_percent": "-1"}
        )
        typed: dict[str, object] = common | of_kind
        at = {"fees_1-kind" if each == "fees_1-amount" else each for each in typed}
        yield _wrong(*terms, " ".join(at), typed)
        late: dict[str, object] = {"amount": "99,000,000", "valid_until": yesterday}
        if name == "insured_study":
            late |= {"premium": "0", "excess_percent": "100", "term_months": "61"}
        else:
            late |= {"interest_rate_percent": "99", "term_months": "300"}
        yield _wrong(*terms, " ".join(late), late)


def _money(scene: Scene) -> Iterator[Wrong]:
    today = timezone.localdate()
    tomorrow = today + timedelta(days=1)
    register = _step(scene, "accepted", "register")
    pledge = scene.matches["accepted"].pledges.get()
    number, day = f"number_{pledge.pk}", f"registered_on_{pledge.pk}"
    whole = {"signed_on": today, number: "Y1", day: today}
    yield _wrong(*register, number, whole | {number: ""})
    yield _wrong(*register, day, whole | {day: ""})
    yield _wrong(*register, day, whole | {day: tomorrow})
    yield _wrong(*register, "signed_on", whole | {"signed_on": tomorrow})
    yield _wrong(*register, "secured_amount", whole | {"secured_amount": "x"})
    yield _wrong(*register, "secured_scope", whole | {"secured_scope": LONG[:501]})
    yield _wrong(*register, "debt_ends_on", whole | {"debt_ends_on": "2099-01-01"})
    yield _wrong(*_step(scene, "accepted", "end"), "reason")
    yield _wrong(*_step(scene, "accepted", "end"), "text", {"reason": "other"})
    draw = _step(scene, "registered", "drawdown")
    yield _wrong(*draw, "amount drawn_on reference", {"amount": "", "drawn_on": ""})
    for name, value in (("amount", "9,000,000"), ("drawn_on", tomorrow), ("amount", "0")):
        yield _wrong(*draw, name, {"reference": "FK-9", name: value})
    release = _step(scene, "registered", "release")
    pledge = scene.matches["registered"].pledges.get()
    day = f"released_on_{pledge.pk}"
    yield _wrong(*release, day, {day: tomorrow})
    policy = _step(scene, "insured_accepted", "policy")
    yield _wrong(*policy, "number starts_on", {"number": "", "starts_on": ""})
    for other in (today - timedelta(days=9), today + timedelta(days=99)):
        yield _wrong(*policy, "starts_on", {"number": "PIC-9", "starts_on": other})
    yield _wrong(*_step(scene, "insured_accepted", "end"), "reason")


def _offers(scene: Scene) -> Iterator[Wrong]:
    page = f"/admin/financing/insuranceoffer/{scene.offers['insurance_draft'].pk}/change/"
    figures = (
        "min_sum_insured max_sum_insured period_months min_premium base_premium premium_per_patent "
        "premium_rate_percent excess_percent min_patents min_remaining_months capacity_amount "
        "capacity_count"
    )
    codes = {"industries": "第39类", "division_codes": "32x"}
    typed = dict.fromkeys(figures.split(), "１x") | codes | {"name": "", "opens_on": ""}
    yield _wrong(INSURER, page, " ".join(typed), typed)
    together = {
        "max_sum_insured": "1",
        "excess_percent": "100",
        "capacity_amount": "0",
        "closes_on": "2020-01-01",
    }
    yield _wrong(INSURER, page, " ".join(together), together)
    page = f"/admin/financing/guaranteeoffer/{scene.offers['guarantee_draft'].pk}/change/"
    losses = {f"loss_{bearer}": "x" for bearer in ("guarantor", "bank", "insurer", "fund")}
    typed = {"name": "", "opens_on": "", "share_percent": "", "fee_percent": "-1"} | losses | codes
    yield _wrong(GUARANTOR, page, " ".join(typed), typed)
    yield _wrong(GUARANTOR, page, "share_percent", {"share_percent": "101"})
    together = {"closes_on": "2020-01-01", "loss_guarantor": "50"}
    yield _wrong(GUARANTOR, page, " ".join(together), together)
