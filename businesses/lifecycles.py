"""Which states a business and a patent pass through, by whose hand (DOMAIN 3)."""

from businesses.models.businesses import BusinessStatus
from businesses.models.patents import PatentStatus
from sipo_portal.accounts.models import Role
from sipo_portal.workflow.lifecycle import Lifecycle, Transition

BUSINESS = Lifecycle(
    name="business",
    states=tuple(BusinessStatus.values),
    initial=BusinessStatus.REGISTERED,
    transitions=(
        Transition(
            "verify",
            (BusinessStatus.REGISTERED,),
            BusinessStatus.VERIFIED,
            (Role.COORDINATOR,),
        ),
        Transition(
            "suspend",
            (BusinessStatus.REGISTERED, BusinessStatus.VERIFIED),
            BusinessStatus.SUSPENDED,
            (Role.COORDINATOR,),
        ),
        Transition(
            "reinstate",
            (BusinessStatus.SUSPENDED,),
            BusinessStatus.REGISTERED,
            (Role.COORDINATOR,),
        ),
    ),
)

PATENT = Lifecycle(
    name="patent",
    states=tuple(PatentStatus.values),
    initial=PatentStatus.DRAFT,
    transitions=(
        Transition("register", (PatentStatus.DRAFT,), PatentStatus.REGISTERED, (Role.OWNER,)),
        Transition(
            "verify", (PatentStatus.REGISTERED,), PatentStatus.VERIFIED, (Role.COORDINATOR,)
        ),
        # A correction of a fact the coordinator checked asks for the check again.
        Transition(
            "correct",
            (PatentStatus.REGISTERED, PatentStatus.VERIFIED),
            PatentStatus.REGISTERED,
            (Role.OWNER,),
        ),
        Transition(
            "end",
            (PatentStatus.DRAFT, PatentStatus.REGISTERED, PatentStatus.VERIFIED),
            PatentStatus.ENDED,
            (Role.OWNER, Role.COORDINATOR, "clock"),
        ),
    ),
)
