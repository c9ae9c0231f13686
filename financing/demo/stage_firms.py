"""Businesses of the demo owners that show a stage each: small, verified, with patents in order.

`stages` brings their requests to where they are; `seeding` calls it after the other businesses.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from businesses.models import Appraisal, Business, BusinessMember, Patent
from businesses.models.businesses import BusinessStatus
from businesses.models.patents import PatentStatus
from businesses.rules.patent_term import anniversary
from businesses.rules.size_class import classify
from financing.demo.firms import (
    BUSINESS_COUNT,
    FIRST_SERIAL,
    PATENT_COUNT,
    credit_code,
    patent_number,
)
from sipo_portal.accounts.models import User

PATENTS_EACH = 4
STAFF, REVENUE_WAN, ASSETS_WAN = 86, Decimal(1650), Decimal(1200)


@dataclass(frozen=True)
class StageFirm:
    """Where it is, what it makes; `owner` is an e-mail address of `people.ACCOUNTS`."""

    key: str
    owner: str
    region: str
    name: str
    industry: str
    about: str
    ipc: str
    contact: str
    legal_representative: str


# The first owners' businesses come to the money, or nearly; those of the others are being studied.
STAGE_FIRMS = (
    StageFirm(
        *("terms", "owner1@demo.example", "320505", "澄湖光学示范有限公司", "C4040"),
        *("镜头组件", "G02B7/02", "沈知微", "沈知微"),
    ),
    StageFirm(
        *("accepted", "owner1@demo.example", "320583", "玉峰微泵示范有限公司", "C3441"),
        *("微型泵", "F04B43/04", "沈知微", "沈知微"),
    ),
    StageFirm(
        *("drawn", "owner1@demo.example", "320505", "石湖测控示范有限公司", "C4028"),
        *("测量装置", "G01D5/26", "沈知微", "沈知微"),
    ),
    StageFirm(
        *("declined", "owner1@demo.example", "320505", "横塘检测示范有限公司", "M7452"),
        *("超声检测方法", "G01N29/04", "沈知微", "尤明远"),
    ),
    StageFirm(
        *("study", "owner3@demo.example", "320583", "阳澄电机示范有限公司", "C3812"),
        *("电机转子", "H02K1/27", "卫子墨", "卫子墨"),
    ),
    StageFirm(
        *("waiting", "owner3@demo.example", "320505", "虎丘材料示范有限公司", "C2651"),
        *("改性树脂", "C08L63/00", "冯念慈", "卫子墨"),
    ),
    StageFirm(
        *("interested", "owner3@demo.example", "320505", "枫桥净化示范有限公司", "C3591"),
        *("过滤装置", "B01D46/10", "卫子墨", "褚怀瑾"),
    ),
    StageFirm(
        *("terms", "owner2@demo.example", "440305", "前湾电源示范有限公司", "C3824"),
        *("电源模块", "H02M3/335", "陈景行", "陈景行"),
    ),
    StageFirm(
        *("accepted", "owner2@demo.example", "440306", "松岗传动示范有限公司", "C3453"),
        *("减速机构", "F16H1/32", "陈景行", "陈景行"),
    ),
    StageFirm(
        *("drawn", "owner2@demo.example", "440305", "蛇口声学示范有限公司", "C3989"),
        *("扬声器振膜", "H04R7/12", "陈景行", "陈景行"),
    ),
    StageFirm(
        *("declined", "owner2@demo.example", "440306", "福海夹具示范有限公司", "C3429"),
        *("柔性夹具", "B25B11/00", "陈景行", "吴思齐"),
    ),
    StageFirm(
        *("study", "owner4@demo.example", "440306", "石岩热控示范有限公司", "C3463"),
        *("散热模组", "F28D15/02", "蒋承宇", "蒋承宇"),
    ),
    StageFirm(
        *("waiting", "owner4@demo.example", "440305", "南头视觉示范有限公司", "I6531"),
        *("缺陷检测方法", "G06T7/00", "杨文清", "蒋承宇"),
    ),
    StageFirm(
        *("interested", "owner4@demo.example", "440305", "大沙河器械示范有限公司", "C3589"),
        *("穿刺导引器械", "A61B17/34", "蒋承宇", "韩嘉言"),
    ),
)
TITLES = ("一种{}", "一种{}的装配方法", "一种{}的检测系统", "一种模块化{}")


def seed_stage_firms(users: dict[str, User], today: date) -> dict[tuple[str, str], Business]:
    """The businesses by their owner's e-mail address and key."""
    businesses = Business.objects.bulk_create(
        _business(firm, place, today) for place, firm in enumerate(STAGE_FIRMS, 1)
    )
    BusinessMember.objects.bulk_create(
        BusinessMember(business=business, user=users[firm.owner], is_manager=True)
        for business, firm in zip(businesses, STAGE_FIRMS, strict=True)
    )
    patents = Patent.objects.bulk_create(
        _patent(business, firm, place, today)
        for place, (business, firm, _each) in enumerate(
            (business, firm, each)
            for business, firm in zip(businesses, STAGE_FIRMS, strict=True)
            for each in range(PATENTS_EACH)
        )
    )
    Appraisal.objects.bulk_create(
        Appraisal(
            patent=patent,
            appraiser="方圆示范资产评估所",
            appraised_on=today - timedelta(days=50),
            method="income",
            appraised_value=Decimal(2_600_000 + 300_000 * (place % PATENTS_EACH)),
        )
        for place, patent in enumerate(patents)
    )
    return {
        (firm.owner, firm.key): business
        for business, firm in zip(businesses, STAGE_FIRMS, strict=True)
    }


def _business(firm: StageFirm, place: int, today: date) -> Business:
    verdict = classify(firm.industry, STAFF, REVENUE_WAN, ASSETS_WAN)
    return Business(
        name=firm.name,
        credit_code=credit_code(BUSINESS_COUNT + place),
        region_id=firm.region,
        address=f"示范产业园{place}号楼",
        industry=firm.industry,
        established_on=today - timedelta(days=2900),
        employee_count=STAFF,
        revenue_wan=REVENUE_WAN,
        assets_wan=ASSETS_WAN,
        figures_year=today.year - 1,
        has_low_taxable_income=False,
        size_class=verdict.size_class,
        size_indicator=verdict.indicator or "",
        is_size_provisional=verdict.provisional,
        contact_name=firm.contact,
        contact_phone=f"400-990-{BUSINESS_COUNT + place:04d}",
        legal_representative=firm.legal_representative,
        status=BusinessStatus.VERIFIED,
        status_changed_at=timezone.now(),
    )


def _patent(business: Business, firm: StageFirm, place: int, today: date) -> Patent:
    """An invention of over three years, granted, its annuity paid, the register looked at."""
    filed_on = today - timedelta(days=1180 + 31 * (place % PATENTS_EACH))
    full_years = (
        today.year - filed_on.year - (today < anniversary(filed_on, today.year - filed_on.year))
    )
    serial = FIRST_SERIAL + PATENT_COUNT + place + 1
    return Patent(
        business=business,
        application_number=patent_number("invention", filed_on.year, serial),
        kind="invention",
        title=TITLES[place % PATENTS_EACH].format(firm.about),
        filed_on=filed_on,
        granted_on=filed_on + timedelta(days=760),
        ipc_main=firm.ipc,
        annuity_paid_through_year=full_years + 1,
        register_extract_on=today - timedelta(days=6),
        status=PatentStatus.VERIFIED,
        status_changed_at=timezone.now(),
    )
