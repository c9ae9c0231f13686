"""Whose consent a match needs before the institution learns who it is, and what stands of it.

Read by services and pages; nothing is changed here. DOMAIN 2 and 5: the business consents for its
own data, every natural person for theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from businesses.models import CoOwner
from businesses.models.co_owners import CoOwnerKind
from financing.identity_fields import IDENTITY_KEYS
from financing.models.consents import Consent, ConsentPurpose
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.matches import MATCH_LIVE_STATUSES, Match, MatchStatus
from financing.models.person_consents import PersonAnswer, PersonConsent, PersonRole

NAME_LENGTH = 80
# Consent is asked from approval on, while somebody may still act on the match.
CONSENT_STATUSES = tuple(
    status
    for status in MATCH_LIVE_STATUSES
    if status not in (MatchStatus.IN_REVIEW, MatchStatus.RETURNED)
)


@dataclass(frozen=True, slots=True)
class PersonConcerned:
    """A natural person whose data is shared. `roles`: all of them, the first one names the asking.

    `asked`: the row that counts, None before the person was asked.
    """

    name: str
    roles: tuple[str, ...]
    asked: PersonConsent | None = None

    @property
    def role(self) -> str:
        return self.roles[0]

    @property
    def role_labels(self) -> list[str]:
        return [str(PersonRole(role).label) for role in self.roles]

    @property
    def has_consented(self) -> bool:
        return self.asked is not None and self.asked.answer == PersonAnswer.GIVEN


@dataclass(frozen=True, slots=True)
class ConsentState:
    """`business`: its standing consent; `withdrawn`: the last one it took back, if none stands."""

    match: Match
    business: Consent | None
    withdrawn: Consent | None
    persons: tuple[PersonConcerned, ...]
    identity: Disclosure | None

    @property
    def missing(self) -> tuple[PersonConcerned, ...]:
        """The persons who have not consented, or no longer do."""
        return tuple(person for person in self.persons if not person.has_consented)

    @property
    def is_complete(self) -> bool:
        """The business and every person concerned consent now."""
        return self.business is not None and not self.missing

    @property
    def is_open(self) -> bool:
        """The institution may read the identity now."""
        return self.identity is not None and self.is_complete

    @property
    def was_closed(self) -> bool:
        """The identity was opened once and somebody has taken the consent back."""
        return self.identity is not None and not self.is_complete

    @property
    def may_be_given(self) -> bool:
        return self.match.referred_at is not None and self.match.status in CONSENT_STATUSES


def purpose_of(match: Match) -> str:
    """The purpose of sharing this match."""
    return str(
        ConsentPurpose.LOAN if match.loan_request_id is not None else ConsentPurpose.INSURANCE
    )


def consents_for(match: Match) -> Any:
    """The business's consents of the match's institution and purpose, newest first."""
    return Consent.objects.filter(
        business_id=match.business_id,
        institution_id=match.institution_id,
        purpose=purpose_of(match),
        person_name="",
    )


def consent_state(match: Match) -> ConsentState:
    """In a number of queries that does not grow with persons or patents."""
    identity = Disclosure.objects.filter(match=match, stage=DisclosureStage.IDENTITY).first()
    given = list(consents_for(match)[:20])
    standing = next((each for each in given if each.withdrawn_at is None), None)
    if standing is not None and not set(IDENTITY_KEYS) <= set(standing.fields):
        # Given for fewer fields than are shared today: it has to be given anew.
        standing = None
    return ConsentState(
        match=match,
        business=standing,
        withdrawn=None
        if standing
        else next((each for each in given if each.withdrawn_at is not None), None),
        persons=tuple(_with_answers(match, _persons(match, identity))),
        identity=identity,
    )


def _persons(match: Match, identity: Disclosure | None) -> list[PersonConcerned]:
    """Those named in what was frozen; before that, those who would be named now."""
    named: list[tuple[str, str]]
    if identity is not None:
        fields = identity.fields
        named = [
            (str(fields.get("contact_name", "")), PersonRole.CONTACT),
            (str(fields.get("legal_representative", "")), PersonRole.LEGAL_REPRESENTATIVE),
            *(
                (str(each["name"]), PersonRole.CO_OWNER)
                for each in fields.get("co_owners", [])
                if each["kind"] == CoOwnerKind.PERSON
            ),
        ]
    else:
        co_owners = CoOwner.objects.filter(patent__matches=match, kind=CoOwnerKind.PERSON)
        named = [
            (match.business.contact_name, PersonRole.CONTACT),
            (match.business.legal_representative, PersonRole.LEGAL_REPRESENTATIVE),
            *((each.name, PersonRole.CO_OWNER) for each in co_owners.order_by("name", "pk")),
        ]
    return list(_by_name(named))


def _by_name(named: Iterable[tuple[str, str]]) -> Iterable[PersonConcerned]:
    """One person per name: who is contact and legal representative is asked once, for both."""
    roles: dict[str, list[str]] = {}
    for name, role in named:
        known = roles.setdefault(" ".join(name.split())[:NAME_LENGTH].strip(), [])
        if str(role) not in known:
            known.append(str(role))
    return [PersonConcerned(name, tuple(own)) for name, own in roles.items() if name]


def _with_answers(match: Match, persons: list[PersonConcerned]) -> Iterable[PersonConcerned]:
    asked: dict[tuple[str, str], PersonConsent] = {}
    # Withdrawn ones first, so that a later one of the same person takes their place.
    rows = PersonConsent.objects.filter(match=match).order_by("pk")
    for row in sorted(rows, key=lambda each: (each.answer != PersonAnswer.WITHDRAWN, each.pk)):
        asked[row.role, row.name] = row
    return [replace(person, asked=asked.get((person.role, person.name))) for person in persons]
