"""The sentence below a picture of costs speaks of what the page is about."""

from decimal import Decimal

from django.utils import translation

from sipo_portal.ui.charts import CostBar, cost_bars


def test_the_first_bar_is_told_even_where_it_is_the_dearer_one() -> None:
    with translation.override("en"):
        chart = cost_bars(
            [
                CostBar(label="Offered to you", apr_percent=Decimal("2.86")),
                CostBar(label="Posted", apr_percent=Decimal("2.75")),
                CostBar(label="Benchmark", apr_percent=Decimal("3.54"), is_benchmark=True),
            ]
        )
    assert "Offered to you costs 2.86% a year, 0.68 percentage points below" in chart.sentence
