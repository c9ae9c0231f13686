"""Addresses and words of a request of either kind, for templates; `{% load request_pages %}`."""

from decimal import Decimal

from django import template

from businesses.rules.premiums import premium
from financing.models.matches import Match
from financing.models.proposals import Proposal
from financing.pair_kinds import LOAN, AnyRequest, kind_of
from financing.premiums import tariff_of
from financing.request_words import request_address, review_address, title_of, words_of
from sipo_portal.ui import formats

register = template.Library()


@register.simple_tag
def request_url(subject: AnyRequest, page: str, *args: object) -> str:
    """The page of this request: `detail`, `check`, `offer` (with the offer's id) and so on."""
    return request_address(subject, page, *args)


@register.simple_tag
def review_url(subject: AnyRequest, page: str, *args: object) -> str:
    """The coordinator's page of this request: `request`, `proposal` or `claim` of an offer."""
    return review_address(subject, page, *args)


@register.simple_tag
def request_title(subject: AnyRequest) -> str:
    """What is asked for, in one line."""
    return title_of(subject)


@register.simple_tag
def request_word(subject: AnyRequest, name: str) -> str:
    """A field of `request_words.RequestWords`, in the words of the request's kind."""
    return str(getattr(words_of(subject), name))


@register.filter
def posted_premium(proposal: Proposal) -> Decimal | None:
    """What the insurance proposed costs by the insurer's tariff, in yuan; None for a loan."""
    offer = proposal.insurance_offer
    if offer is None:
        return None
    return premium(tariff_of(offer), len(proposal.patent_ids), proposal.amount)


@register.filter
def saved(pair: Proposal | Match) -> str:
    """What a proposal or match saves; of premiums, which are thousands, in yuan."""
    return formats.wan(pair.saving) if kind_of(pair) is LOAN else formats.yuan(pair.saving)
