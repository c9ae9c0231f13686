"""Per rule the pairs it alone refuses: changes of request and offer, and the gap it names."""

from datetime import date, timedelta

from financing.matching.context import make_context
from financing.matching.eligibility import evaluate
from tests.matching.rows import AS_OF, WAN, YUAN, patent, policy

LOAN_REFUSALS = [
    ("not_open", {}, {"status": "paused"}, None),
    ("not_open", {}, {"is_institution_suspended": True}, None),
    ("not_open", {}, {"opens_on": AS_OF + timedelta(1)}, AS_OF + timedelta(1)),
    ("not_open", {}, {"closes_on": AS_OF - timedelta(1)}, None),
    ("region_not_served", {}, {"regions": frozenset({"330000", "320100"})}, None),
    ("industry_not_accepted", {}, {"industries": frozenset({"C38", "I"})}, None),
    ("size_not_accepted", {"size_class": "medium"}, {}, None),
    ("amount_out_of_range", {"principal_fen": 40 * WAN, "least_accepted_fen": 1}, {}, 10 * WAN),
    ("amount_out_of_range", {"principal_fen": 900 * WAN, "least_accepted_fen": 600 * WAN,
      "patents": (patent(appraised_value_fen=9000 * WAN),)}, {}, 100 * WAN),
    ("term_out_of_range", {"term_months": 5}, {}, 1),
    ("term_out_of_range", {"term_months": 40}, {}, 4),
    ("patent_kind_not_accepted", {"patents": (patent(kind="design"),)}, {}, 1),
    ("patents_too_short_lived", {"patents": (patent(expires_on=date(2027, 6, 19)),)}, {}, 1),
    ("not_registrable", {"patents": (patent(hard_grounds=frozenset({"annuity_unpaid"})),)}, {},
     ("annuity_unpaid",)),
    ("not_registrable", {"patents": (patent(pledgee_institution_id="I2"),)}, {},
     ("already_pledged",)),
    ("too_few_patents", {"patents": ()}, {}, 1),
    ("too_few_patents", {}, {"min_patents_count": 3}, 2),
    ("appraisal_missing", {"patents": (patent(appraised_value_fen=None, appraised_on=None),)}, {},
     1),
    ("appraisal_missing", {}, {"appraisal_max_age_months": 5}, 1),
    ("collateral_too_small", {"patents": (patent(appraised_value_fen=200 * WAN),)}, {}, 20 * WAN),
    ("operating_history_too_short", {"established_on": date(2023, 6, 21)},
     {"min_operating_months": 24}, 1),
    ("certificate_missing", {"certificates": frozenset({"a"})},
     {"required_certificates": frozenset({"a", "b"})}, ("b",)),
]  # fmt: skip

INSURANCE_REFUSALS = [
    ("cover_kind_differs", {}, {"cover_kind": "overseas_liability"}, None),
    ("not_open", {}, {"status": "closed"}, None),
    ("region_not_served", {}, {"regions": frozenset({"110000"})}, None),
    ("sum_insured_out_of_range", {"sum_insured_fen": 4 * WAN}, {}, 1 * WAN),
    ("patent_kind_not_accepted", {"patents": (patent(kind="design"),)}, {}, 1),
    ("not_insurable", {"patents": (patent(expires_on=date(2028, 6, 19)),)}, {},
     ("remaining_life_too_short",)),
    ("not_insurable",
     {"patents": (patent(insurability_failures=frozenset({"ownership_dispute"})),)}, {},
     ("ownership_dispute",)),
    ("not_insurable", {"patents": ()}, {}, 1),
    ("premium_above_limit", {"max_premium_fen": 4000 * YUAN}, {}, 150 * YUAN),
    ("no_saving", {}, {"premium_rate_ppm": 30_000}, 1050 * YUAN),
]  # fmt: skip


def failed(request, offer, pol=None, decided=()):
    """The refusals of a pair by code."""
    evaluation = evaluate(request, offer, make_context(pol or policy(), decided, with_figures=True))
    return {result.code: result for result in evaluation.results if not result.passed}
