"""What the coordinator's office and those below reached in a period, beside their goals."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from financing import goal_texts
from financing.goal_figures import OfficeResult, chosen_period, office_results, periods_of
from financing.models.goals import GoalProduct
from sipo_portal.accounts.access import roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import BranchOffice

PER_PAGE = 40


@roles_required(Role.COORDINATOR)
@require_safe
def goal_list(request: HttpRequest) -> HttpResponse:
    """Pictures for the own office, a table for those below; `?period=` names the period."""
    user = request.user
    assert isinstance(user, User)  # the gate let no visitor through
    assert user.office_id is not None  # a CHECK: coordinators have one
    office = BranchOffice.objects.select_related("region").get(pk=user.office_id)
    today = timezone.localdate()
    periods = periods_of(user, today=today)
    period = chosen_period(periods, request.GET.get("period", ""), today=today)
    results = office_results(user, office, period)
    own = [result for result in results if result.office == office]
    below = [result for result in results if result.office != office]
    page = Paginator([_row(result) for result in below], PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "office": office,
        "period": period,
        "period_text": goal_texts.period_text(period),
        "periods": [
            {"key": each.key, "label": goal_texts.period_text(each), "is_chosen": each == period}
            for each in periods
        ],
        "own": [
            {
                "product": GoalProduct(result.product).label,
                "goal": result.goal,
                "charts": goal_texts.product_charts(result),
            }
            for result in own
        ],
        "page": page,
    }
    return render(request, "financing/goals/list.html", context)


def _row(result: OfficeResult) -> dict[str, object]:
    goal, figures = result.goal, result.figures
    amount = goal.amount if goal else None
    return {
        "office": result.office,
        "product": GoalProduct(result.product).label,
        "goal": goal,
        "figures": figures,
        "disbursed_percent": goal_texts.percent_of(figures.disbursed_amount, amount),
    }
