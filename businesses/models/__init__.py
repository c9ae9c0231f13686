"""The borrower's side: businesses, their people, their patents. Imported by everything above."""

from businesses.models.appraisals import Appraisal
from businesses.models.businesses import Business
from businesses.models.certificates import Certificate
from businesses.models.claims import BusinessClaim
from businesses.models.co_owners import CoOwner
from businesses.models.encumbrances import Encumbrance
from businesses.models.invitations import MemberInvitation
from businesses.models.members import BusinessMember
from businesses.models.patents import Patent

__all__ = [
    "Appraisal",
    "Business",
    "BusinessClaim",
    "BusinessMember",
    "Certificate",
    "CoOwner",
    "Encumbrance",
    "MemberInvitation",
    "Patent",
]
