"""Addresses of a request's pages, and the words in which loans and insurances differ on them."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from financing.models.loan_requests import LoanRequest
from financing.pair_kinds import AnyRequest, kind_of
from financing.rule_texts import months
from sipo_portal.ui import formats

Text = str | Promise
# Names of the pages begin so: `financing:request_detail`, `financing:insurance_request_detail`.
ADDRESS_PREFIX = {"loan": "request", "insurance": "insurance_request"}


def request_address(subject: AnyRequest, page: str, *args: object) -> str:
    """The address of a page of this request, the owner's side."""
    prefix = ADDRESS_PREFIX[kind_of(subject).name]
    return reverse(f"financing:{prefix}_{page}", args=[subject.pk, *args])


REVIEW_NAMES = {
    "loan": {"request": "review_request", "proposal": "review_proposal", "claim": "match_claim"},
    "insurance": {
        "request": "review_insurance",
        "proposal": "review_insurance_proposal",
        "claim": "insurance_match_claim",
    },
}


def review_address(subject: AnyRequest, page: str, *args: object) -> str:
    """The coordinator's page of it: `request`, `proposal` or `claim` (with the offer's id)."""
    name = REVIEW_NAMES[kind_of(subject).name][page]
    return reverse(f"financing:{name}", args=[subject.pk, *args])


def title_of(subject: AnyRequest) -> str:
    """What is asked for, in one line; also of a draft in which it is not said yet."""
    if isinstance(subject, LoanRequest):
        if subject.principal is None or subject.term_months is None:
            return _("Loan request, just begun")
        return _("Loan of %(amount)s for %(time)s") % {
            "amount": formats.wan(subject.principal),
            "time": months(subject.term_months),
        }
    cover = str(subject.get_cover_kind_display())
    if subject.sum_insured is None:
        return _("%(cover)s: insurance request, just begun") % {"cover": cover}
    return _("%(cover)s: %(amount)s insured") % {
        "cover": cover,
        "amount": formats.wan(subject.sum_insured),
    }


@dataclass(frozen=True, slots=True)
class RequestWords:
    """What the pages of one kind say where the other kind says something else."""

    name: Text
    yours: Text
    patents_title: Text
    patents_lead: Text
    suitable: Text
    unsuitable: Text
    unsuitable_hint: Text
    amount: Text
    asked_amount: Text
    saved: Text
    saves: Text
    still_wanted: Text
    still_wanted_question: Text
    still_wanted_noted: Text
    committed: Text
    done_title: Text
    done_question: Text
    done_link: Text


WORDS = {
    "loan": RequestWords(
        name=gettext_lazy("Loan request"),
        yours=gettext_lazy("Your loan request"),
        patents_title=gettext_lazy("Which patents secure the loan?"),
        patents_lead=gettext_lazy(
            "The more you offer, the more offers fit. Only those an institution takes are pledged"
            " in the end, and only once you have accepted its terms."
        ),
        suitable=gettext_lazy("Can be pledged"),
        unsuitable=gettext_lazy("Cannot be pledged now"),
        unsuitable_hint=gettext_lazy(
            "You may offer a patent that cannot be pledged now. Offers count it only when the"
            " obstacle is gone."
        ),
        amount=gettext_lazy("Amount"),
        asked_amount=gettext_lazy("Amount asked for"),
        saved=gettext_lazy("Saved against the benchmark"),
        saves=gettext_lazy(
            "It would then lend %(amount)s and save %(saving)s against the benchmark."
        ),
        still_wanted=gettext_lazy("I still want this loan"),
        still_wanted_question=gettext_lazy("Do you still want this loan?"),
        still_wanted_noted=gettext_lazy("Noted: you still want this loan."),
        committed=gettext_lazy(
            "The institution now prepares the contract, the pledge and the payment."
        ),
        done_title=gettext_lazy("The loan has been paid out"),
        done_question=gettext_lazy("The loan has been paid out: did you get what was agreed?"),
        done_link=gettext_lazy("See pledges and drawdowns"),
    ),
    "insurance": RequestWords(
        name=gettext_lazy("Insurance request"),
        yours=gettext_lazy("Your insurance request"),
        patents_title=gettext_lazy("Which patents are to be insured?"),
        patents_lead=gettext_lazy(
            "Each insured patent may add to the premium. Insuring does not encumber a patent: you"
            " can still pledge it for a loan."
        ),
        suitable=gettext_lazy("Usually insurable"),
        unsuitable=gettext_lazy("Usually not insurable now"),
        unsuitable_hint=gettext_lazy(
            "Conditions differ between insurers. A patent counts for those offers whose"
            " conditions it meets."
        ),
        amount=gettext_lazy("Sum insured"),
        asked_amount=gettext_lazy("Sum insured asked for"),
        saved=gettext_lazy("Below the standard premium by"),
        saves=gettext_lazy(
            "It would then insure %(amount)s at %(saving)s below the standard premium."
        ),
        still_wanted=gettext_lazy("I still want this insurance"),
        still_wanted_question=gettext_lazy("Do you still want this insurance?"),
        still_wanted_noted=gettext_lazy("Noted: you still want this insurance."),
        committed=gettext_lazy("The insurer now prepares the policy."),
        done_title=gettext_lazy("You are insured"),
        done_question=gettext_lazy("You are insured: did you get what was agreed?"),
        done_link=gettext_lazy("See the policy"),
    ),
}


def words_of(subject: AnyRequest) -> RequestWords:
    return WORDS[kind_of(subject).name]
