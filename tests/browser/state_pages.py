"""Which pages each person of `states` is shown, and which forms are on them; the sweeps."""

from django.urls import reverse

from financing.models import Match
from tests.browser.shapes import Shape
from tests.browser.states import (
    BANK,
    COORDINATOR,
    GUARANTOR,
    INSURER,
    OWNER,
    PERSON,
    Scene,
)

REFERRALS = "/admin/financing/referral/"
# The steps of a referral that have forms, by state.
STEPS = {
    "blind": ("interest", "decline"),
    "opened": ("study",),
    "in_study": ("terms", "ask"),
    "accepted": ("register", "end"),
    "registered": ("drawdown", "release"),
    "drawn": ("complete",),
    "insured_study": ("terms", "decline"),
    "insured_accepted": ("policy", "end"),
}

# No referral yet, or one that looks to the lender like another.
HIDDEN = ("insured_in_review", "link_open", "link_given", "link_refused", "link_withdrawn")
# States in which the request's and the coordinator's page differ from one another.
OTHERS_SEE = (
    "blind",
    "waiting",
    "terms",
    "accepted",
    "completed",
    "fallen_through",
    "declined",
    "insured_in_review",
    "insured_terms",
    "insured_covered",
)


def pages_of(person: str, scene: Scene) -> list[Shape]:
    """Every page to look at, the same address once."""
    found = {
        OWNER: _owner,
        BANK: lambda scene: [*_referrals(scene, is_loan=True), _notices()],
        INSURER: _insurer,
        GUARANTOR: _guarantor,
        COORDINATOR: _coordinator,
        PERSON: _person,
    }[person](scene)
    return list({shape.url: shape for shape in found}.values())


def _shown(name: str, url: str) -> Shape:
    return Shape(name, url, False)


def _notices() -> Shape:
    return _shown("notices", "/notices/")


def _owner(scene: Scene) -> list[Shape]:
    found = [_shown("home", "/"), _shown("requests", "/requests/"), _notices()]
    found.append(_shown("disclosures", "/disclosures/"))
    for name, match in scene.matches.items():
        found.append(_shown(f"match {name}", f"/matches/{match.pk}/"))
    found += [_shown(f"request {name}", request_url(scene.matches[name])) for name in OTHERS_SEE]
    for name in ("terms", "insured_terms"):
        match = scene.matches[name]
        found += [
            _shown(f"{act} {name}", f"/matches/{match.pk}/terms/{act}/")
            for act in ("accept", "decline")
        ]
    for name in ("accepted", "insured_accepted"):
        match = scene.matches[name]
        found.append(_shown(f"end {name}", f"/matches/{match.pk}/fall-through/"))
    found += [_shown("insurance start", "/insurance/start/")]
    draft, offered = scene.requests["draft"], scene.requests["proposed"]
    found += [
        _shown(f"insurance {part}", f"/insurance/{draft.pk}/{part}")
        for part in ("", "cover/", "patents/", "check/", "delete/")
    ]
    offer = scene.offers["insurance"]
    found += [
        _shown(f"insurance {part}", f"/insurance/{offered.pk}/{part}")
        for part in ("", "offers/", f"offers/{offer.pk}/", "withdraw/", "change/")
    ]
    return found


def request_url(match: Match) -> str:
    kind = "request" if match.loan_request_id else "insurance_request"
    return reverse(f"financing:{kind}_detail", args=[match.request.pk])


def _referrals(scene: Scene, *, is_loan: bool) -> list[Shape]:
    found = [_shown("inbox", REFERRALS)]
    for name, match in scene.matches.items():
        if (match.loan_offer_id is not None) != is_loan or name in HIDDEN:
            continue
        found.append(_shown(f"referral {name}", f"{REFERRALS}{match.pk}/change/"))
        found += [
            _shown(f"{step} {name}", f"{REFERRALS}{match.pk}/step/{step}/")
            for step in STEPS.get(name, ())
        ]
    return found


def _insurer(scene: Scene) -> list[Shape]:
    offers = "/admin/financing/insuranceoffer/"
    return [
        *_referrals(scene, is_loan=False),
        *_offers(offers, scene.offers["insurance"].pk, scene.offers["insurance_draft"].pk),
    ]


def _guarantor(scene: Scene) -> list[Shape]:
    offers = "/admin/financing/guaranteeoffer/"
    return [
        _shown("admin", "/admin/"),
        *_offers(offers, scene.offers["guarantee"].pk, scene.offers["guarantee_draft"].pk),
    ]


def _offers(url: str, published: int, draft: int) -> list[Shape]:
    return [
        _shown("offers", url),
        _shown("offer add", f"{url}add/"),
        _shown("offer", f"{url}{published}/change/"),
        _shown("offer draft", f"{url}{draft}/change/"),
        *(
            _shown(f"offer {step}", f"{url}{row}/step/{step}/")
            for step, row in (("publish", draft), ("pause", published), ("close", published))
        ),
    ]


def _coordinator(scene: Scene) -> list[Shape]:
    offered, offer = scene.requests["proposed"], scene.offers["insurance"]
    return [
        _shown("home", "/review/"),
        _shown("goals", "/goals/"),
        _notices(),
        _shown("review insurance", f"/review/insurance/{offered.pk}/"),
        _shown("review proposal", f"/review/insurance/{offered.pk}/offers/{offer.pk}/"),
        *(
            _shown(f"review {name}", f"/review/matches/{scene.matches[name].pk}/")
            for name in OTHERS_SEE
        ),
    ]


def _person(scene: Scene) -> list[Shape]:
    return [_shown(f"link {answer}", url) for answer, url in scene.links.items()]
