"""The table of divisions: complete, consistent, equal to the official list."""

import csv
from pathlib import Path

import pytest

from sipo_portal.offices import divisions


def test_every_parent_is_listed_before_its_children() -> None:
    seen: set[str] = set()
    for code, division in divisions.all_divisions().items():
        tail = {"province": "0000", "prefecture": "00", "county": ""}[division.level]
        assert code.endswith(tail)
        assert division.parent_code is None or division.parent_code in seen
        assert division.name
        assert division.name_en
        seen.add(code)
    levels = [division.level for division in divisions.all_divisions().values()]
    assert (levels.count("province"), levels.count("prefecture")) == (34, 342)
    # Dongguan, Zhongshan and Danzhou have no counties: published lists repeat them as their own.
    assert levels.count("county") == 2975


@pytest.mark.parametrize(
    ("code", "name", "name_en"),
    [
        ("320000", "江苏省", "Jiangsu"),
        ("610000", "陕西省", "Shaanxi"),
        ("150100", "呼和浩特市", "Hohhot"),
        ("650100", "乌鲁木齐市", "Ürümqi"),
        ("610100", "西安市", "Xi'an"),
        ("320505", "虎丘区", "Huqiu District"),
        ("140400", "长治市", "Changzhi"),
        ("820000", "澳门特别行政区", "Macao"),
    ],
)
def test_names(code: str, name: str, name_en: str) -> None:
    assert (divisions.get(code).name, divisions.get(code).name_en) == (name, name_en)


def test_special_codes_are_not_divisions() -> None:
    assert not divisions.is_known("100000")
    assert not divisions.is_known("990000")


@pytest.mark.shared_data
def test_table_equals_the_official_list(shared_data: Path) -> None:
    with (shared_data / "cn_divisions.csv").open(encoding="utf-8") as lines:
        official = {
            row["code"]: (row["level"], row["name"], row["parent_code"])
            for row in csv.DictReader(lines)
            if row["code"] != row["parent_code"]
        }
    ours = {
        d.code: (d.level, d.name, d.parent_code or "") for d in divisions.all_divisions().values()
    }
    assert ours == official
