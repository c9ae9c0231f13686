"""Addresses of the borrower's side; mounted at /businesses/."""

from django.urls import path

from businesses.views import (
    appraisals,
    businesses,
    certificates,
    claims,
    co_owners,
    encumbrances,
    members,
    patents,
    verification,
)

app_name = "businesses"

urlpatterns = [
    # businesses
    path("", businesses.business_list, name="list"),
    path("register/", businesses.register, name="register"),
    path("code-check/", businesses.code_check, name="code_check"),
    path("places/", businesses.places, name="places"),
    path("claim/", claims.claim, name="claim"),
    path("<int:pk>/", businesses.detail, name="detail"),
    path("<int:pk>/edit/", businesses.edit, name="edit"),
    path("<int:pk>/certificates/", certificates.certificates, name="certificates"),
    # members
    path("<int:pk>/members/", members.member_list, name="members"),
    path("<int:pk>/members/add/", members.member_add, name="member_add"),
    path("members/<int:pk>/remove/", members.member_remove, name="member_remove"),
    path("members/<int:pk>/promote/", members.member_promote, name="member_promote"),
    path("invitations/<int:pk>/", members.invitation_answer, name="invitation_answer"),
    path("invitations/<int:pk>/withdraw/", members.invitation_withdraw, name="invitation_withdraw"),
    # patents
    path("<int:pk>/patents/", patents.patent_list, name="patent_list"),
    path("<int:pk>/patents/add/", patents.patent_add, name="patent_add"),
    path("patents/number-check/", patents.number_check, name="number_check"),
    path("patents/<int:pk>/", patents.patent_detail, name="patent_detail"),
    path("patents/<int:pk>/edit/", patents.patent_edit, name="patent_edit"),
    path("patents/<int:pk>/register/", patents.patent_register, name="patent_register"),
    path("patents/<int:pk>/remove/", patents.patent_remove, name="patent_remove"),
    path("patents/<int:pk>/end/", patents.patent_end, name="patent_end"),
    path("patents/<int:pk>/verify/", patents.patent_verify, name="patent_verify"),
    path("patents/<int:pk>/co-owners/", co_owners.co_owners, name="co_owners"),
    path("patents/<int:pk>/appraisals/add/", appraisals.appraisal_add, name="appraisal_add"),
    path("appraisals/<int:pk>/remove/", appraisals.appraisal_remove, name="appraisal_remove"),
    path(
        "patents/<int:pk>/encumbrances/add/",
        encumbrances.encumbrance_add,
        name="encumbrance_add",
    ),
    path(
        "encumbrances/<int:pk>/release/",
        encumbrances.encumbrance_release,
        name="encumbrance_release",
    ),
    # verification
    path("verification/", verification.verification_list, name="verification_list"),
    path("verification/<int:pk>/", verification.verification_detail, name="verification_detail"),
    path("verification/<int:pk>/verify/", verification.business_verify, name="business_verify"),
    path("verification/<int:pk>/suspend/", verification.business_suspend, name="business_suspend"),
    path(
        "verification/<int:pk>/reinstate/",
        verification.business_reinstate,
        name="business_reinstate",
    ),
    path("verification/<int:pk>/code/", verification.code_accept, name="code_accept"),
    path("claims/<int:pk>/", claims.claim_decide, name="claim_decide"),
]
