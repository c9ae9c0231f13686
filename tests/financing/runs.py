"""Runs asked for and worked off at once, and what they proposed; the tests of runs."""

from typing import Any

from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from financing.services import dry_runs, full_runs, match_runs
from financing.suppositions import Supposition
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import BranchOffice


def pairs() -> list[tuple[int, int]]:
    """Ids of the request and the loan offer of every proposal."""
    return sorted(Proposal.objects.values_list("loan_request_id", "loan_offer_id"))


def start(actor: Actor, office: BranchOffice) -> MatchRun:
    """A regional run, done."""
    return _done(match_runs.request_run(actor=actor, office=office))


def what_if(actor: Actor, office: BranchOffice, **supposed: Any) -> MatchRun:
    """A run that only tries, done."""
    supposition = Supposition(**supposed)
    return _done(dry_runs.request_dry_run(actor=actor, office=office, supposition=supposition))


def _done(run: MatchRun) -> MatchRun:
    full_runs.run_full(run.pk)
    run.refresh_from_db()
    return run
