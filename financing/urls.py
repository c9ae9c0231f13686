"""Addresses of financing, one block per noun."""

from django.urls import path

from financing.pair_kinds import INSURANCE
from financing.views import (
    answer_files,
    disclosures,
    goals,
    insurance_requests,
    loan_requests,
    match_reviews,
    match_runs,
    owner_matches,
    person_consents,
    proposals,
    request_progress,
    request_topics,
    reviews,
    run_requests,
    terms_answers,
    what_ifs,
)

app_name = "financing"

requests = [
    path("requests/", request_topics.request_list, name="request_list"),
    path("requests/start/", loan_requests.request_start, name="request_start"),
    path("requests/<int:pk>/", request_progress.request_detail, name="request_detail"),
    path("requests/<int:pk>/loan/", loan_requests.request_loan, name="request_loan"),
    path("requests/<int:pk>/patents/", request_topics.request_patents, name="request_patents"),
    path("requests/<int:pk>/purpose/", loan_requests.request_purpose, name="request_purpose"),
    path("requests/<int:pk>/check/", request_topics.request_check, name="request_check"),
    path("requests/<int:pk>/submit/", request_topics.request_submit, name="request_submit"),
    path("requests/<int:pk>/delete/", request_topics.request_delete, name="request_delete"),
    path("requests/<int:pk>/copy/", request_topics.request_copy, name="request_copy"),
    path("requests/<int:pk>/withdraw/", request_progress.request_withdraw, name="request_withdraw"),
    path("requests/<int:pk>/change/", request_progress.request_change, name="request_change"),
    path("requests/<int:pk>/refresh/", request_progress.request_refresh, name="request_refresh"),
    path(
        "requests/<int:pk>/matches/<uuid:match_pk>/answer/",
        request_progress.request_answer,
        name="request_answer",
    ),
    path("requests/<int:pk>/offers/", proposals.request_offers, name="request_offers"),
    path("requests/<int:pk>/offers/<int:offer_pk>/", proposals.request_offer, name="request_offer"),
    path("proposals/<int:pk>/", proposals.proposal_detail, name="proposal_detail"),
]

INSURED = {"kind": INSURANCE}

# The same pages as those of loan requests, but for the first two.
insurance = [
    path("insurance/start/", insurance_requests.insurance_start, name="insurance_request_start"),
    path(
        "insurance/<int:pk>/cover/",
        insurance_requests.insurance_cover,
        name="insurance_request_cover",
    ),
    path(
        "insurance/policies/<int:pk>/renew/",
        insurance_requests.policy_renew,
        name="insurance_policy_renew",
    ),
    *(
        path(f"insurance/<int:pk>/{address}", view, INSURED, name=f"insurance_request_{name}")
        for address, view, name in (
            ("", request_progress.request_detail, "detail"),
            ("patents/", request_topics.request_patents, "patents"),
            ("check/", request_topics.request_check, "check"),
            ("submit/", request_topics.request_submit, "submit"),
            ("delete/", request_topics.request_delete, "delete"),
            ("copy/", request_topics.request_copy, "copy"),
            ("withdraw/", request_progress.request_withdraw, "withdraw"),
            ("change/", request_progress.request_change, "change"),
            ("refresh/", request_progress.request_refresh, "refresh"),
            ("matches/<uuid:match_pk>/answer/", request_progress.request_answer, "answer"),
            ("offers/", proposals.request_offers, "offers"),
            ("offers/<int:offer_pk>/", proposals.request_offer, "offer"),
        )
    ),
]

owner_pages = [
    path("matches/<uuid:pk>/", owner_matches.owner_match, name="owner_match"),
    path("matches/<uuid:pk>/consent/", owner_matches.consent_give, name="consent_give"),
    path(
        "matches/<uuid:pk>/consent/withdraw/",
        owner_matches.consent_withdraw,
        name="consent_withdraw",
    ),
    path("matches/<uuid:pk>/persons/", owner_matches.person_ask, name="person_ask"),
    path(
        "matches/<uuid:pk>/questions/<int:question_pk>/answer/",
        owner_matches.question_answer,
        name="question_answer",
    ),
    path(
        "matches/<uuid:pk>/files/<int:file_pk>/",
        answer_files.answer_file,
        name="answer_file",
    ),
    path("disclosures/", disclosures.disclosure_list, name="disclosure_list"),
]

terms_and_money = [
    path("matches/<uuid:pk>/terms/accept/", terms_answers.terms_accept, name="terms_accept"),
    path("matches/<uuid:pk>/terms/decline/", terms_answers.terms_decline, name="terms_decline"),
    path(
        "matches/<uuid:pk>/fall-through/",
        terms_answers.match_fall_through,
        name="match_fall_through",
    ),
    path("matches/<uuid:pk>/delivery/", terms_answers.delivery_confirm, name="delivery_confirm"),
]

# Without sign-in: a person's own link.
persons = [
    path("consent/<str:token>/", person_consents.person_link, name="person_link"),
    path("consent/", person_consents.person_answer, name="person_answer"),
]

review = [
    path("review/", reviews.review_queue, name="review_queue"),
    path("review/requests/<int:pk>/", reviews.review_request, name="review_request"),
    path(
        "review/requests/<int:pk>/offers/<int:offer_pk>/",
        match_reviews.review_proposal,
        name="review_proposal",
    ),
    path(
        "review/requests/<int:pk>/offers/<int:offer_pk>/claim/",
        match_reviews.match_claim,
        name="match_claim",
    ),
    path(
        "review/insurance/<int:pk>/",
        reviews.review_request,
        INSURED,
        name="review_insurance",
    ),
    path(
        "review/insurance/<int:pk>/offers/<int:offer_pk>/",
        match_reviews.review_proposal,
        INSURED,
        name="review_insurance_proposal",
    ),
    path(
        "review/insurance/<int:pk>/offers/<int:offer_pk>/claim/",
        match_reviews.match_claim,
        INSURED,
        name="insurance_match_claim",
    ),
    path("review/matches/<uuid:pk>/", match_reviews.match_detail, name="match_detail"),
    path("review/matches/<uuid:pk>/approve/", match_reviews.match_approve, name="match_approve"),
    path("review/matches/<uuid:pk>/reject/", match_reviews.match_reject, name="match_reject"),
    path("review/matches/<uuid:pk>/return/", match_reviews.match_return, name="match_return"),
    path(
        "review/matches/<uuid:pk>/take-over/", match_reviews.match_take_over, name="match_take_over"
    ),
]

runs = [
    path("runs/", match_runs.run_list, name="run_list"),
    path("runs/start/", match_runs.run_start, name="run_start"),
    path("runs/<int:pk>/", match_runs.run_detail, name="run_detail"),
    path("runs/<int:pk>/progress/", match_runs.run_progress, name="run_progress"),
    path("runs/<int:pk>/cancel/", match_runs.run_cancel, name="run_cancel"),
    path("runs/what-if/", what_ifs.what_if, name="run_what_if"),
    path("runs/<int:pk>/confirm/", what_ifs.run_confirm, name="run_confirm"),
    path("runs/<int:pk>/compare/<int:other>/", what_ifs.run_compare, name="run_compare"),
    path(
        "runs/<int:pk>/requests/<str:kind>/<int:request_pk>/",
        run_requests.run_request,
        name="run_request",
    ),
    path("runs/<int:pk>/certificate/", match_runs.run_certificate, name="run_certificate"),
]

goal_pages = [path("goals/", goals.goal_list, name="goal_list")]

urlpatterns = [
    *requests,
    *insurance,
    *owner_pages,
    *terms_and_money,
    *persons,
    *review,
    *runs,
    *goal_pages,
]
