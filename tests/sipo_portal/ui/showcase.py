"""One page with every component: rendered by a test, and by eye while the design is worked on."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _

from sipo_portal.ui import charts
from sipo_portal.ui.fields import DayField, PercentField, PlainIntegerField, WanField
from sipo_portal.ui.forms import PortalFormHelper, Section


class ShowcaseForm(forms.Form):
    principal = WanField(label="借款金额", help_text="最少可接受的金额另填。")
    rate = PercentField(label="可接受的最高年化成本", required=False)
    term_months = PlainIntegerField(label="期限", unit="个月", largest=120)
    needed_on = DayField(label="希望到账的日期", help_text="银行通常需要三周。")
    purpose = forms.ChoiceField(
        label="用途", choices=[("", "请选择"), ("working", "流动资金"), ("equipment", "设备")]
    )
    repayment = forms.ChoiceField(
        label="还款方式",
        widget=forms.RadioSelect,
        choices=[("annuity", "等额本息"), ("bullet", "按月付息，到期还本")],
        help_text="可以再与银行商定。",
    )
    patents = forms.MultipleChoiceField(
        label="质押的专利",
        widget=forms.CheckboxSelectMultiple,
        choices=[("1", "ZL201510123456.7 一种轴承"), ("2", "ZL201610987654.X 一种阀门")],
    )
    note = forms.CharField(
        label="补充说明", widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    licence = forms.FileField(label="营业执照", required=False)
    agree = forms.BooleanField(label="以上内容属实")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper(
            Section("贷款", "principal", "rate", "term_months", "needed_on"),
            Section("用途和质押", "purpose", "repayment", "patents", lead="银行会看到这些内容。"),
            Section("其他", "note", "licence", "agree"),
            submit=_("Save and continue"),
            second=_("Save"),
            cancel_url="/",
        )


def showcase_context(*, wrong: bool = False) -> dict[str, Any]:
    """`wrong`: the form as it comes back with errors."""
    today = date(2026, 3, 3)
    filed = date(2015, 5, 20)
    fees = [
        charts.Annuity(
            due_on=filed.replace(year=filed.year + year),
            amount=Decimal(1200 + 100 * year),
            state="paid"
            if year < 10
            else "due"
            if year == 11
            else "later"
            if year > 11
            else "late",
            label=f"第 {year + 1} 年",
        )
        for year in range(6, 16)
    ]
    typed = {"principal": "三百万", "term_months": "-3", "needed_on": "2026-02-30"}
    return {
        "form": ShowcaseForm(typed) if wrong else ShowcaseForm(),
        "timeline": charts.term_timeline(
            filed_on=filed,
            expires_on=filed.replace(year=2035),
            today=today,
            annuities=fees,
            loan_until=today + timedelta(days=1095),
        ),
        "costs": charts.cost_bars(
            [
                charts.CostBar(label="江南示范银行 知贷通", apr_percent=Decimal("3.72")),
                charts.CostBar(label="示范农商行 专利贷", apr_percent=Decimal("4.95")),
                charts.CostBar(
                    label="同样现金流下的基准", apr_percent=Decimal("4.41"), is_benchmark=True
                ),
            ],
            ceiling_percent=Decimal("4.10"),
        ),
        "capacity": charts.capacity_bar(
            capacity=Decimal(50_000_000), booked=Decimal(21_500_000), held=Decimal(9_000_000)
        ),
        "tasks": [
            {"label": "企业信息", "url": "#", "status": "done", "status_label": "已完成"},
            {
                "label": "专利",
                "url": "#",
                "hint": "已登记 2 件，1 件缺年费缴费日期",
                "status": "returned",
                "status_label": "待补充",
            },
            {"label": "检查并提交", "url": "", "status": "draft", "status_label": "尚不能开始"},
        ],
        "rules": [
            {"title": "剩余期限", "met": True, "required": "至少 8 年", "found": "9 年 2 个月"},
            {
                "title": "贷款金额在评估值的可贷比例之内",
                "met": False,
                "required": "最多 120 万元",
                "found": "150 万元",
                "cure": "把金额降到 120 万元，或再加一件已评估的专利。",
            },
            {
                "title": "同日申请",
                "met": None,
                "found": "有同日的实用新型申请",
                "cure": "双方确认知悉即可。",
            },
        ],
        "facts": [
            {"label": "统一社会信用代码", "value": "99000000MA0000001X"},
            {"label": "规模", "value": "微型", "note": "由从业人员 18 人决定", "change_url": "#"},
            {"label": "营业收入", "value": None, "change_url": "#"},
        ],
        "steps": [
            {"label": "贷款", "url": "#", "state": "done"},
            {"label": "专利", "url": "", "state": "current"},
            {"label": "检查", "url": "", "state": "todo"},
        ],
        "page": Paginator(list(range(1234)), 20).page(7),
        "statuses": [
            "draft",
            "submitted",
            "returned",
            "verified",
            "rejected",
            "expired",
        ],
        "amount": Decimal("3500000"),
    }
