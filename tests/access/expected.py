"""The table: who gets what at every address. A page without an entry here fails the tests.

An entry names the roles that may enter, the rows its address names, and what those people get for
rows they may see, by GET and by POST of an empty form. The rest follows for everybody:

* visitors go to the sign-in page; a role that is not named gets 403, whatever row is asked for;
* a row that belongs to others and a row that does not exist both answer 404;
* a method the page does not take answers 405.

Rows are names of `world.py`, which holds one of each for both tenants; ``=word`` is a word of the
address itself. Pages that depend on more than the role have an `Open` entry.
"""

from dataclasses import replace

from sipo_portal.accounts.models import ADMIN_SITE_ROLES
from tests.access.entries import (
    AUDIT,
    BOTH,
    COORDINATOR,
    EVERYBODY,
    NOBODY,
    OWNER,
    SECURITY,
    STAFF,
    SYSTEM,
    Open,
    Page,
    act,
    asks,
    form,
    form_of,
    model,
    offers,
    referred,
    rows_of,
    shows,
    step_of,
    with_device,
)

BUSINESSES = {
    "businesses:list": shows(OWNER),
    "businesses:register": form(OWNER),
    "businesses:code_check": act(OWNER, post=200),
    "businesses:places": shows(OWNER),
    "businesses:claim": form(OWNER),
    "businesses:detail": shows(OWNER, "business"),
    "businesses:edit": form(OWNER, "business"),
    "businesses:certificates": form(OWNER, "business"),
    "businesses:members": shows(OWNER, "business"),
    "businesses:member_add": form(OWNER, "business"),
    "businesses:member_remove": asks(OWNER, "member", absent=(("former_member",),)),
    "businesses:member_promote": act(OWNER, "member"),
    "businesses:invitation_answer": act(OWNER, "invitation_received"),
    "businesses:invitation_withdraw": act(OWNER, "invitation"),
    "businesses:patent_list": shows(BOTH, "business"),
    "businesses:patent_add": form(OWNER, "business"),
    "businesses:number_check": act(OWNER, post=200),
    "businesses:patent_detail": shows(BOTH, "patent"),
    "businesses:patent_edit": form(OWNER, "patent"),
    "businesses:patent_register": act(OWNER, "draft_patent"),
    "businesses:patent_remove": asks(OWNER, "draft_patent"),
    "businesses:patent_end": form(BOTH, "patent"),
    "businesses:patent_verify": form(COORDINATOR, "registered_patent"),
    "businesses:co_owners": form(OWNER, "patent"),
    "businesses:appraisal_add": form(OWNER, "patent"),
    "businesses:appraisal_remove": asks(OWNER, "appraisal"),
    "businesses:encumbrance_add": form(OWNER, "patent"),
    "businesses:encumbrance_release": form(OWNER, "encumbrance"),
    "businesses:verification_list": shows(COORDINATOR),
    "businesses:verification_detail": shows(COORDINATOR, "business"),
    "businesses:business_verify": act(COORDINATOR, "waiting_business"),
    "businesses:business_suspend": form(COORDINATOR, "business"),
    "businesses:business_reinstate": act(COORDINATOR, "suspended_business"),
    "businesses:code_accept": form(COORDINATOR, "business"),
    "businesses:claim_decide": form(COORDINATOR, "claim"),
}

REQUESTS = {
    "financing:request_list": shows(OWNER),
    "financing:request_start": form(OWNER),
    "financing:request_detail": shows(OWNER, "request"),
    "financing:request_loan": form(OWNER, "draft_request"),
    "financing:request_patents": form(OWNER, "draft_request"),
    "financing:request_purpose": form(OWNER, "draft_request"),
    "financing:request_check": shows(OWNER, "draft_request"),
    "financing:request_submit": act(OWNER, "draft_request"),
    "financing:request_delete": asks(OWNER, "draft_request"),
    "financing:request_copy": act(OWNER, "withdrawn_request"),
    "financing:request_withdraw": asks(OWNER, "request"),
    "financing:request_change": asks(OWNER, "request"),
    "financing:request_refresh": act(OWNER, "request"),
    "financing:request_answer": act(OWNER, "request", "returned_match", post=200),
    "financing:request_offers": shows(OWNER, "request"),
    "financing:request_offer": shows(
        OWNER, "request", "offer", absent=(("request", "draft_offer"),)
    ),
    "financing:proposal_detail": shows(OWNER, "proposal", get=302),
}

# The same pages for insurances, and renewing a policy.
INSURANCES = {
    "financing:insurance_request_start": form(OWNER),
    "financing:insurance_request_cover": form(OWNER, "draft_insurance_request"),
    "financing:insurance_policy_renew": act(OWNER, "insurance_policy"),
    "financing:insurance_request_detail": shows(OWNER, "insurance_request"),
    "financing:insurance_request_patents": form(OWNER, "draft_insurance_request"),
    "financing:insurance_request_check": shows(OWNER, "draft_insurance_request"),
    "financing:insurance_request_submit": act(OWNER, "draft_insurance_request"),
    "financing:insurance_request_delete": asks(OWNER, "draft_insurance_request"),
    "financing:insurance_request_copy": act(OWNER, "withdrawn_insurance_request"),
    "financing:insurance_request_withdraw": asks(OWNER, "insurance_request"),
    "financing:insurance_request_change": asks(OWNER, "insurance_request"),
    "financing:insurance_request_refresh": act(OWNER, "insurance_request"),
    "financing:insurance_request_answer": act(
        OWNER, "insurance_request", "returned_insurance_match", post=200
    ),
    "financing:insurance_request_offers": shows(OWNER, "insurance_request"),
    "financing:insurance_request_offer": shows(
        OWNER,
        "insurance_request",
        "insurance_offer",
        absent=(("insurance_request", "draft_insurance_offer"),),
    ),
    "financing:review_insurance": shows(
        COORDINATOR, "insurance_request", absent=(("draft_insurance_request",),)
    ),
    "financing:review_insurance_proposal": shows(
        COORDINATOR,
        "insurance_request",
        "insurance_offer",
        absent=(
            ("insurance_request", "draft_insurance_offer"),
            ("draft_insurance_request", "insurance_offer"),
        ),
    ),
    "financing:insurance_match_claim": asks(
        COORDINATOR,
        "insurance_request",
        "insurance_offer",
        get=302,
        absent=(("insurance_request", "draft_insurance_offer"),),
    ),
}

# One match as its owner follows it, and the people asked about it.
OWNER_PAGES = {
    "financing:owner_match": tuple(
        shows(OWNER, row)
        for row in (
            *("referral", "open_match", "terms_match", "accepted_match", "completed_match"),
            *("insurance_referral", "accepted_insurance_match", "covered_match"),
        )
    ),
    "financing:consent_give": (act(OWNER, "referral"), act(OWNER, "insurance_referral")),
    "financing:consent_withdraw": (act(OWNER, "referral"), act(OWNER, "open_match")),
    "financing:person_ask": act(OWNER, "referral", post=200),
    "financing:question_answer": act(OWNER, "referral", "question", post=200),
    "financing:answer_file": (
        shows(BOTH, "referral", "answer_file", absent=(("open_match", "answer_file"),)),
        shows(BOTH, "open_match", "open_file"),
    ),
    "financing:disclosure_list": shows(OWNER),
}

# From the terms to the money; what has no terms, or is not accepted, leads back to the match.
TERMS_AND_MONEY = {
    "financing:terms_accept": asks(OWNER, "terms_match"),
    "financing:terms_decline": form(OWNER, "terms_match"),
    "financing:match_fall_through": form(OWNER, "accepted_match"),
    "financing:delivery_confirm": act(OWNER, "completed_match", post=200),
}

# What a coordinator decides on a match is posted; its address alone leads back to the match.
REVIEW = {
    "financing:review_queue": shows(COORDINATOR),
    "financing:review_request": shows(COORDINATOR, "request", absent=(("draft_request",),)),
    "financing:review_proposal": shows(
        COORDINATOR,
        "request",
        "offer",
        absent=(("request", "draft_offer"), ("draft_request", "offer")),
    ),
    "financing:match_claim": asks(
        COORDINATOR, "request", "offer", get=302, absent=(("request", "draft_offer"),)
    ),
    "financing:match_detail": tuple(
        shows(COORDINATOR, row) for row in ("match", "insurance_match", "open_match")
    ),
    **{
        f"financing:match_{action}": tuple(
            act(COORDINATOR, row, get=302, post=200) for row in ("match", "insurance_match")
        )
        for action in ("approve", "reject", "return")
    },
    "financing:match_take_over": act(COORDINATOR, "match", get=302),
}

RUNS = {
    "financing:run_list": shows(COORDINATOR),
    "financing:run_start": asks(COORDINATOR),
    "financing:run_detail": shows(COORDINATOR, "run"),
    "financing:run_progress": shows(COORDINATOR, "run", get=302),
    "financing:run_what_if": asks(COORDINATOR),
    "financing:run_confirm": act(COORDINATOR, "run", get=302),
    "financing:run_compare": shows(COORDINATOR, "run", "earlier_run"),
    "financing:run_certificate": shows(COORDINATOR, "run"),
    "financing:run_request": shows(
        COORDINATOR, "run", "=loan", "request", absent=(("run", "=nonsense", "request"),)
    ),
    "financing:run_cancel": act(COORDINATOR, "run", get=302),
    "financing:goal_list": shows(COORDINATOR),
}

ADMIN = {
    "admin:index": Page(ADMIN_SITE_ROLES, post=200),
    "admin:app_list": (
        Page((STAFF, SYSTEM, AUDIT), ("=financing",), post=200),
        Page((SECURITY,), ("=accounts",), post=200),
        Page((SYSTEM,), ("=offices",), post=200),
        Page((SYSTEM,), ("=outbox",), post=200),
        Page((AUDIT,), ("=audit",), post=200),
    ),
    # The portal has one sign-in, sign-out and password page; these lead there.
    "admin:login": Page(EVERYBODY, get=302, post=302),
    "admin:logout": Page(ADMIN_SITE_ROLES, get=302, post=302),
    "admin:password_change": Page(ADMIN_SITE_ROLES, get=302, post=302),
    "admin:password_change_done": Page(ADMIN_SITE_ROLES, get=302, post=302),
    "admin:jsi18n": shows(ADMIN_SITE_ROLES),
    "admin:*": Page(ADMIN_SITE_ROLES, ("=nowhere/",), get=404, post=404),
    **model(
        "audit_auditevent",
        "event",
        changelist=rows_of(AUDIT),
        add=Page(NOBODY),
        change=Page((AUDIT,), ("event",), post=403),
    ),
    **model(
        "outbox_outboxmessage",
        "message",
        changelist=rows_of(SYSTEM),
        add=Page(NOBODY),
        change=Page((SYSTEM,), ("message",), post=403),
    ),
    **model(
        "offices_branchoffice",
        "office",
        changelist=rows_of(SYSTEM),
        add=form(SYSTEM),
        change=form(SYSTEM, "office"),
    ),
    **model(
        "accounts_user",
        "account",
        changelist=rows_of(SECURITY),
        add=form(SECURITY),
        change=form(SECURITY, "account"),
    ),
    **model(
        "financing_institution",
        "institution",
        changelist=rows_of(SYSTEM),
        add=form(SYSTEM),
        change=form(SYSTEM, "institution"),
        step=asks(SYSTEM, "institution", "=suspend", absent=(("institution", "=nonsense"),)),
    ),
    **offers("bank", "loanoffer", "offer", "draft_offer"),
    **offers("insurer", "insuranceoffer", "insurance_offer", "draft_insurance_offer"),
    # A published guarantee is paused, where others publish a draft.
    **offers("guarantor", "guaranteeoffer", "guarantee_offer", "guarantee_offer", step="pause"),
    **model(
        "financing_matchingpolicy",
        "policy",
        changelist=rows_of(SYSTEM, AUDIT),
        add=form(SYSTEM),
        change=Page((SYSTEM, AUDIT), ("policy",), post=403),
    ),
    **model(
        "financing_goal",
        "goal",
        changelist=rows_of(SYSTEM),
        add=form(SYSTEM),
        change=form(SYSTEM, "goal"),
    ),
    **model(
        "financing_subsidyrule",
        "subsidy",
        changelist=rows_of(SYSTEM, AUDIT),
        add=form(SYSTEM),
        change=Page((SYSTEM, AUDIT), ("subsidy",), post={SYSTEM: 200, AUDIT: 403}),
    ),
    **model(
        "financing_referral",
        "referral",
        changelist=rows_of(STAFF),
        add=Page(NOBODY),
        delete=referred("bank", Page((STAFF,), ("referral",), get=403, post=403)),
        change=(
            referred("bank", Page((STAFF,), ("referral",), post=403, absent=(("match",),))),
            referred("bank", Page((STAFF,), ("open_match",), post=403)),
            referred("bank", Page((STAFF,), ("accepted_match",), post=403)),
            referred(
                "insurer",
                Page((STAFF,), ("insurance_referral",), post=403, absent=(("insurance_match",),)),
            ),
            referred("insurer", Page((STAFF,), ("covered_match",), post=403)),
        ),
        step=(
            replace(
                step_of("referral", "interest"),
                absent=(("referral", "=nonsense"), ("match", "=ask")),
            ),
            form_of("referral", "decline"),
            form_of("open_match", "ask"),
            form_of("open_match", "terms"),
            form_of("accepted_match", "register"),
            form_of("accepted_match", "end"),
            form_of("secured_match", "drawdown"),
            step_of("secured_match", "complete"),
            form_of("secured_match", "release"),
            referred("insurer", asks(STAFF, "insurance_referral", "=interest")),
            referred("insurer", form(STAFF, "accepted_insurance_match", "=policy")),
            # Blind, nothing is asked and no terms are given: the page has changed.
            referred("bank", asks(STAFF, "referral", "=terms", get=302)),
            referred("bank", asks(STAFF, "referral", "=ask", get=302)),
        ),
        file=(
            # Nobody consented there: the file stays closed and its page leads back.
            referred("bank", shows(STAFF, "referral", "answer_file", get=302)),
            referred(
                "bank",
                shows(STAFF, "open_match", "open_file", absent=(("open_match", "answer_file"),)),
            ),
        ),
    ),
}

PUBLIC = {
    "livez": Open(200, 200, 405),
    "readyz": Open(200, 200, 405),
    "home": Open(200, dict.fromkeys(EVERYBODY, 302) | {OWNER: 200}, 405),
    "set_language": Open(405, 405, 302),
    "account_login": Open(200, 302, 200),
    "account_logout": Open(302, 200, 302),
    "account_signup": Open(200, 302, 200),
    "account_inactive": Open(200, 200, 405),
    "account_email_verification_sent": Open(200, 200, 405),
    "account_reset_password": Open(200, 200, 200),
    "account_reset_password_done": Open(200, 200, 405),
    "account_reset_password_from_key": Open(200, 200, 200, ("1", "set-password")),
    "account_reset_password_from_key_done": Open(200, 200, 405),
    "account_confirm_email": Open(200, 200, 404, ("nonsense",)),
    "account_confirm_login_code": Open(302, 302, 302),
    "mfa_authenticate": Open(302, 302, 302),
    # A person's link: an unknown one leads to a page that says so.
    "financing:person_link": Open(302, 302, 405, ("nonsense",)),
    "financing:person_answer": Open(404, 404, 404),
}

# Pages of one's own account: no address names a row.
ACCOUNT = {
    "account_email": Page(EVERYBODY, post=302),
    "account_change_password": Page(EVERYBODY, post=200),
    "account_set_password": Page(EVERYBODY, get=302, post=302),
    "account_reauthenticate": Page(EVERYBODY, post=200),
    "mfa_index": Page(EVERYBODY),
    "mfa_reauthenticate": with_device(200, 200, without=(302, 302)),
    "mfa_activate_totp": with_device(302, 302, without=(200, 200)),
    "mfa_deactivate_totp": with_device(200, 200, without=(404, 404)),
    "mfa_view_recovery_codes": Page(EVERYBODY, get=404),
    "mfa_generate_recovery_codes": with_device(200, 302, without=(200, 200)),
    "mfa_download_recovery_codes": Page(EVERYBODY, get=404, post=404),
}

# One's own notices: nobody else's, whatever the role. The world's are to the owners.
ONLY_THE_OWNER = dict.fromkeys(EVERYBODY, 404) | {OWNER: 302}
NOTICES = {
    "notices:list": Page(EVERYBODY),
    "notices:read_all": Page(EVERYBODY, get=405, post=302),
    "notices:read": Page(EVERYBODY, ("notice",), get=405, post=ONLY_THE_OWNER),
    "notices:open": Page(EVERYBODY, ("notice",), get=ONLY_THE_OWNER),
}

TABLE: dict[str, Page | Open | tuple[Page, ...]] = {
    **BUSINESSES,
    **REQUESTS,
    **INSURANCES,
    **OWNER_PAGES,
    **TERMS_AND_MONEY,
    **REVIEW,
    **RUNS,
    **ADMIN,
    **PUBLIC,
    **ACCOUNT,
    **NOTICES,
}


def pages() -> list[tuple[str, Page]]:
    """Every closed page with its name; an address with several kinds of rows gives several."""
    return [
        (name, page)
        for name, entry in TABLE.items()
        for page in (entry if isinstance(entry, tuple) else (entry,))
        if isinstance(page, Page)
    ]
