"""The words of refusal codes, outcomes and near misses as tables; `rule_texts` fills them in."""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from businesses.findings import TITLES as GROUND_TITLES
from businesses.models import Certificate
from businesses.models.businesses import SizeClass
from financing.models.insurance_offers import CoverKind

Text = str | Promise
ChangePlace = Literal["patent", "certificates", "request"]


@dataclass(frozen=True, slots=True)
class RuleText:
    """Sentences of one code; placeholders: %(required)s, %(found)s, %(gap)s."""

    title: Text
    met: Text
    missed: Text
    cure: Text = ""


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """An offer as a whole, for one request."""

    label: Text
    sentence: Text
    tone: str


RULES: dict[str, RuleText] = {
    "not_open": RuleText(
        _("Open for requests"),
        _("The offer is open for requests."),
        _("The offer does not take requests now: %(found)s."),
        _("Nothing to do: if it opens again, the request is matched with it by itself."),
    ),
    "region_not_served": RuleText(
        _("Region"),
        _("The institution serves the region of the business."),
        _("The offer is for other regions: %(required)s."),
        _("This cannot be changed. Other offers serve this region."),
    ),
    "industry_not_accepted": RuleText(
        _("Industry"),
        _("The offer accepts the industry of the business."),
        _("The offer is for other industries: %(required)s. The business is in %(found)s."),
        _("Check that the industry of the business is stated correctly."),
    ),
    "size_not_accepted": RuleText(
        _("Size of the business"),
        _("The offer accepts businesses of this size."),
        _("The offer is for businesses of another size: %(required)s. Found: %(found)s."),
        _("Check the staff, revenue and assets stated for the business."),
    ),
    "amount_out_of_range": RuleText(
        _("Amount"),
        _("The amount lies in the range of the offer."),
        _("At least %(required)s would have to be lent; only %(found)s is possible."),
        _("Ask for another amount, or accept less than now."),
    ),
    "term_out_of_range": RuleText(
        _("Term"),
        _("The offer lends for this term."),
        _("The limit of the offer is %(required)s; the term asked for is %(found)s."),
        _("Choose a term that the offer lends for."),
    ),
    "patent_kind_not_accepted": RuleText(
        _("Kind of patent"),
        _("Enough patents are of a kind the offer accepts."),
        _("Too few patents are of a kind the offer accepts: %(found)s, needed %(required)s."),
        _("Offer a patent of another kind."),
    ),
    "patents_too_short_lived": RuleText(
        _("Remaining life of the patents"),
        _("Enough patents live long enough."),
        _("The patents must live for another %(required)s; the nearest one lives %(found)s."),
        _("Offer a younger patent, or ask for a shorter term."),
    ),
    "not_registrable": RuleText(
        _("Pledge can be registered"),
        _("Nothing known stands against registering the pledge."),
        _("A pledge of these patents could not be registered: %(found)s."),
        _("Remove the obstacle on the page of the patent, or offer another patent."),
    ),
    "too_few_patents": RuleText(
        _("Number of patents"),
        _("Enough patents are offered."),
        _("The offer asks for %(required)s suitable patents; %(found)s are there."),
        _("Offer more patents."),
    ),
    "appraisal_missing": RuleText(
        _("Appraisal"),
        _("The offer can lend on these patents as they are appraised."),
        _("The offer lends on appraised value only, and no usable appraisal is recorded."),
        _("Have the patents appraised and record the appraisal."),
    ),
    "collateral_too_small": RuleText(
        _("What the patents are good for"),
        _("The patents carry the amount."),
        _("On these patents the offer lends %(found)s; at least %(required)s is needed."),
        _("Offer more patents, or accept a smaller amount."),
    ),
    "operating_history_too_short": RuleText(
        _("Operating history"),
        _("The business has existed long enough."),
        _("The business has existed for %(found)s; the offer asks for %(required)s."),
        _("This comes with time: in another %(gap)s the business fits this criterion."),
    ),
    "certificate_missing": RuleText(
        _("Certificates"),
        _("The business holds what the offer asks for."),
        _("The offer asks for a certificate that is not recorded: %(gap)s."),
        _("If the business holds the certificate, record it on its page."),
    ),
    "above_rate_ceiling": RuleText(
        _("Policy ceiling for the yearly cost"),
        _("The yearly cost is under the ceiling of the policy."),
        _("With its fees the offer costs %(found)s a year; the policy allows %(required)s."),
        _("Only the institution can change this."),
    ),
    "above_borrowers_rate": RuleText(
        _("Dearest yearly cost accepted"),
        _("The yearly cost is within what the business accepts."),
        _("The offer costs %(found)s a year; the business accepts %(required)s at most."),
        _("Accept a higher yearly cost."),
    ),
    "no_saving": RuleText(
        _("Cheaper than the benchmark"),
        _("The offer costs less than the benchmark."),
        _("The offer costs %(gap)s more than the benchmark."),
        _("Only the institution can change this."),
    ),
    "already_decided": RuleText(
        _("Earlier decision"),
        _("Nobody has decided against this pairing."),
        _("A person has decided against this pairing."),
        _("It comes back by itself when the criterion named in the decision changes."),
    ),
    "cover_kind_differs": RuleText(
        _("Kind of cover"),
        _("The offer insures the kind of cover asked for."),
        _("The offer insures another kind of cover: %(required)s."),
        _("Ask for this kind of cover in a separate request."),
    ),
    "sum_insured_out_of_range": RuleText(
        _("Sum insured"),
        _("The sum insured lies in the range of the offer."),
        _("The limit of the offer is %(required)s; the sum asked for is %(found)s."),
        _("Choose a sum insured in the range of the offer."),
    ),
    "not_insurable": RuleText(
        _("Insurable patents"),
        _("Enough patents meet the conditions of the insurer."),
        _("Too few patents meet the conditions of the insurer: %(found)s."),
        _("Remove the obstacle on the page of the patent, or name another patent."),
    ),
    "premium_above_limit": RuleText(
        _("Highest premium accepted"),
        _("The premium is within what the business accepts."),
        _("The premium is %(found)s; the business accepts %(required)s at most."),
        _("Accept a higher premium, or ask for a smaller sum insured."),
    ),
}

OUTCOMES: dict[str, OutcomeText] = {
    "matched": OutcomeText(
        _("In hand"), _("A coordinator has taken this offer up for the request."), "good"
    ),
    "proposed": OutcomeText(
        _("Proposed"), _("Meets every criterion and is among the best for this request."), "good"
    ),
    "not_matched_yet": OutcomeText(
        _("Fits, not matched yet"),
        _(
            "Meets every criterion. No match run has looked at it yet: that happens by itself, "
            "as a rule at once and at the latest tonight. If it is proposed, it is shown here."
        ),
        "good",
    ),
    "not_in_matching": OutcomeText(
        _("Fits"),
        _("Meets every criterion. Offers are proposed while the request is submitted and open."),
        "good",
    ),
    "near_miss": OutcomeText(
        _("Nearly fits"), _("One change would make this offer fit."), "attention"
    ),
    "near_miss_no_room": OutcomeText(
        _("Nearly fits, no capacity"),
        _(
            "One change would meet every criterion, but what is left under this offer is not "
            "enough now."
        ),
        "neutral",
    ),
    "refused": OutcomeText(
        _("Does not fit"), _("At least one criterion of the offer is not met."), "over"
    ),
    "capacity_exhausted": OutcomeText(
        _("Fits, no capacity"),
        _("Meets every criterion, but the institution has nothing left to lend under this offer."),
        "neutral",
    ),
    "not_allocated": OutcomeText(
        _("Fits, given to others"),
        _("Meets every criterion; what the offer can lend does more good for other requests."),
        "neutral",
    ),
    "institution_already_proposed": OutcomeText(
        _("Fits, other offer better"),
        _("Meets every criterion; another offer of the same institution is proposed instead."),
        "neutral",
    ),
    "beyond_k": OutcomeText(
        _("Fits, others better"),
        _("Meets every criterion; as many better offers are proposed as the policy allows."),
        "neutral",
    ),
}

# One change that makes an offer fit (`near_misses.py`); placeholders: before, after, patents.
CHANGES: dict[str, Text] = {
    "pay_annuity": _("Pay the annuity of %(patents)s and record it."),
    "get_consent": _("Get the consent of the co-owners of %(patents)s and record it."),
    "change_term": _("Change the term from %(before)s to %(after)s."),
    "change_principal": _("Change the principal from %(before)s to %(after)s."),
    "lower_least_accepted": _("Accept %(after)s as the least, instead of %(before)s."),
    "change_sum_insured": _("Change the sum insured from %(before)s to %(after)s."),
    "get_appraisal": _("Have %(patents)s appraised; it has to be worth %(after)s or more."),
    "get_certificate": _("Record the certificate “%(after)s”, if the business holds it."),
    "add_patents": _("Offer more patents: %(after)s suitable ones instead of %(before)s."),
    "wait_until": _("Wait: from %(after)s the business has existed long enough."),
}
# Where a change is made: on the page of the patent, the business or the request.
CHANGE_PLACES: dict[str, ChangePlace] = {
    "pay_annuity": "patent",
    "get_consent": "patent",
    "get_appraisal": "patent",
    "get_certificate": "certificates",
    "change_term": "request",
    "change_principal": "request",
    "lower_least_accepted": "request",
    "change_sum_insured": "request",
    "add_patents": "request",
}

# Words a rule may answer with instead of a figure.
WORDS: dict[str, Text] = {
    "published": _("open"),
    "paused": _("paused by the institution"),
    "closed": _("closed"),
    "draft": _("not published"),
    "institution_suspended": _("the institution is suspended"),
    "remaining_life_too_short": _("remaining life too short"),
    "policyholder_not_entitled": _("the business is neither owner nor licensee"),
    "licensee_not_accepted": _("only owners of the patent are insured, not licensees"),
    "kind_not_insured": _("this kind of patent is not insured"),
    "not_in_force": _("the patent is not in force"),
    "ownership_dispute_pending": _("an ownership dispute is pending"),
    "infringement_dispute_pending": _("an infringement dispute is pending"),
    "other": _("another reason"),
    **dict(SizeClass.choices),
    **dict(CoverKind.choices),
    **dict(Certificate._meta.get_field("kind").flatchoices),
    **GROUND_TITLES,
    **{code: text.title for code, text in RULES.items()},
}
