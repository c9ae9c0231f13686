"""Choices made of reference data: provinces, places, industries; forms and views call it."""

from django.utils.translation import gettext_lazy as _

from businesses.rules import industries
from sipo_portal.offices.models import Region
from sipo_portal.ui.formats import in_chinese

Choice = tuple[str, str]
Grouped = list[tuple[str, str | list[Choice]]]


def province_choices() -> Grouped:
    return [
        ("", str(_("Choose a province"))),
        *((each.code, each.label) for each in Region.objects.provinces()),
    ]


def place_choices(province_code: str) -> Grouped:
    """The places of a province by city, in one query; each city itself can be chosen too."""
    if not (len(province_code) == 6 and province_code.isascii() and province_code.isdigit()):
        return [("", str(_("Choose a province first")))]
    grouped: Grouped = [("", str(_("Choose a city or county")))]
    places: dict[str, list[Choice]] = {}
    names: dict[str, str] = {}
    for region in Region.objects.filter(code__startswith=province_code[:2]):
        names[region.code] = region.label
        city = f"{region.code[:4]}00"
        if region.level == Region.Level.PROVINCE:
            grouped.append(
                (region.code, str(_("%(place)s, no city named") % {"place": region.label}))
            )
        elif region.level == Region.Level.PREFECTURE:
            whole = _("%(place)s, no district named") % {"place": region.label}
            places.setdefault(city, []).append((region.code, str(whole)))
        else:
            places.setdefault(city, []).append((region.code, region.label))
    for city, choices in places.items():
        grouped.append((names.get(city, city), choices))
    return grouped


def industry_choices() -> Grouped:
    """Divisions (two digits) under their sections, in the reader's language."""
    language = "zh" if in_chinese() else "en"
    by_section: dict[str, list[Choice]] = {}
    for each in industries.divisions():
        label = f"{each.code} {industries.name(each.code, language)}"
        by_section.setdefault(each.code[0], []).append((each.code, label))
    return [
        ("", str(_("Choose an industry"))),
        *(
            (f"{each.code} {industries.name(each.code, language)}", by_section.get(each.code, []))
            for each in industries.sections()
        ),
    ]
