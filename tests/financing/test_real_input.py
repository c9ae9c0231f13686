"""Real companies, patents and products through the whole job, as of 2019-08-20."""

from datetime import date

import pytest

from businesses.models import Business
from financing.models import LoanOffer
from financing.real_input.report import real_input

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]

AS_OF = date(2019, 8, 20)


def test_real_input_from_files_to_proposals(shared_data):
    report = real_input(shared_data, AS_OF)
    assert {name: each["read"] for name, each in report["files"].items()} == {
        "businesses": 202,
        "patents": 740,
        "offers": 21,
    }
    assert report["files"]["patents"]["linked"] == 90
    # Figures of the files' own description: then 54 linked patents of 47 companies are alive.
    assert report["patents"]["in_force"] == 54
    assert report["patents"]["businesses_with_patents_in_force"] == 47
    matching = report["matching"]
    assert matching["pairs"] == report["requests"]["requests"] * report["files"]["offers"]["taken"]
    assert 0 < matching["businesses_reached"] <= matching["requests_with_an_eligible_offer"]
    assert matching["value_yuan"] <= matching["bound_yuan"]
    # Nothing of it stays.
    assert not Business.objects.exists()
    assert not LoanOffer.objects.exists()


def test_the_same_files_give_the_same_figures(shared_data):
    """Digests speak of row ids, which a second import gives anew; the decision does not."""
    first, second = (real_input(shared_data, AS_OF) for _each in range(2))
    for name in ("eligible_pairs", "proposals", "businesses_reached", "refusals_by_code"):
        assert first["matching"][name] == second["matching"][name]
    assert first["matching"]["value_yuan"] == second["matching"]["value_yuan"]
    assert first["assumed"] == second["assumed"]
