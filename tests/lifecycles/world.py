"""A small world in which random traces happen: everything scarce, so that people meet.

Two banks, an insurer and a guarantee company that takes pledges; offers with room for one or two
loans; three businesses, two of which registered the same patent.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from businesses.models import Business
from financing.models import (
    InsuranceOffer,
    InsuranceRequest,
    LoanOffer,
    LoanRequest,
    Match,
    Proposal,
)
from financing.models.institutions import Institution
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_co_owner,
    make_office,
    make_patent,
)
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_staff,
)
from tests.factories.guarantees import make_guarantee_offer
from tests.factories.insurance import (
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurance_request,
    make_insurer,
)

PRINCIPAL = Decimal("1000000.01")


@dataclass(frozen=True)
class World:
    """Who acts; the rows they act on are read anew at every step."""

    coordinator: Actor
    owners: dict[int, Actor]
    staff: dict[int, Actor]

    def owner_of(self, row: Any) -> Actor:
        return self.owners[row.business_id]

    def staff_of(self, row: Any) -> Actor:
        return self.staff[row.institution_id]

    def loan_requests(self) -> list[LoanRequest]:
        return list(LoanRequest.objects.order_by("pk"))

    def requests(self) -> list[LoanRequest | InsuranceRequest]:
        return [*self.loan_requests(), *InsuranceRequest.objects.order_by("pk")]

    def offers(self) -> list[LoanOffer | InsuranceOffer]:
        return [*LoanOffer.objects.order_by("pk"), *InsuranceOffer.objects.order_by("pk")]

    def proposals(self) -> list[Proposal]:
        return list(Proposal.objects.order_by("pk"))

    def waiting_work(self) -> list[OutboxMessage]:
        """What the outbox has for the matcher."""
        waiting = OutboxMessage.objects.waiting().filter(task__startswith="financing.match_")
        return list(waiting.order_by("pk"))

    def matches(self, *statuses: str) -> list[Match]:
        """In the order in which they were made; with `statuses`, only those in one of them."""
        rows = Match.objects.select_related("business", "institution").order_by("created_at", "pk")
        return list(rows.filter(status__in=statuses) if statuses else rows)


def make_world() -> World:
    make_insurance_policy_of_the_day()
    coordinator = make_coordinator(make_office(None), email="traces@office.example")
    banks = [make_institution(), make_institution()]
    insurer = make_insurer()
    offers = [
        make_loan_offer(banks[0], capacity_amount=Decimal("1500000.01")),
        make_loan_offer(banks[0], capacity_amount=Decimal(9_000_000), capacity_count=1),
        make_loan_offer(banks[1], capacity_amount=Decimal("1000000.01")),
    ]
    for offer in offers:
        offer.refresh_from_db()
    make_insurance_offer(insurer, capacity_amount=Decimal("150000.00"))
    businesses = [_business("320505"), _business("320505"), _business("320505")]
    patents = [make_patent(business) for business in businesses]
    # The first two own one patent together; each registered it.
    patents[1].application_number = patents[0].application_number
    patents[1].save()
    for each, other in ((0, 1), (1, 0)):
        make_co_owner(patents[each], name=businesses[other].name)
    for patent, business in zip(patents, businesses, strict=True):
        make_appraisal(patent, 5_000_000)
        make_loan_request(
            business,
            [patent],
            status="draft",
            principal=PRINCIPAL,
            least_accepted=Decimal("333333.33"),
        )
    make_insurance_request(businesses[2], [patents[2]], sum_insured=Decimal("100000.01"))
    make_insurance_request(businesses[0], [patents[0]], sum_insured=Decimal("100000.01"))
    _guarantee(offers[2])
    return World(
        coordinator=Actor.of(coordinator),
        owners={business.pk: _owner(business) for business in businesses},
        staff={each.pk: _staff(each) for each in (*banks, insurer)},
    )


def _business(region: str) -> Business:
    return make_business(region=region)


def _owner(business: Business) -> Actor:
    return Actor.of(business.members.get(is_manager=True).user)


def _staff(institution: Institution) -> Actor:
    user: User = make_staff(institution)
    return Actor.of(user)


def _guarantee(offer: LoanOffer) -> None:
    """A guarantee company takes the pledges of this offer: creditor and pledgee differ."""
    guarantee = make_guarantee_offer(is_pledgee=True)
    guarantee.loan_offers.add(offer)
