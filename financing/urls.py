"""Addresses of financing, one block per noun."""

from django.urls import path

from financing.views import loan_requests, proposals, request_progress

app_name = "financing"

requests = [
    path("requests/", loan_requests.request_list, name="request_list"),
    path("requests/start/", loan_requests.request_start, name="request_start"),
    path("requests/<int:pk>/", request_progress.request_detail, name="request_detail"),
    path("requests/<int:pk>/loan/", loan_requests.request_loan, name="request_loan"),
    path("requests/<int:pk>/patents/", loan_requests.request_patents, name="request_patents"),
    path("requests/<int:pk>/purpose/", loan_requests.request_purpose, name="request_purpose"),
    path("requests/<int:pk>/check/", loan_requests.request_check, name="request_check"),
    path("requests/<int:pk>/submit/", loan_requests.request_submit, name="request_submit"),
    path("requests/<int:pk>/delete/", loan_requests.request_delete, name="request_delete"),
    path("requests/<int:pk>/copy/", loan_requests.request_copy, name="request_copy"),
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

urlpatterns = [*requests]
