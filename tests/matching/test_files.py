"""Files in, files out (MATCHING §6): round trip, every fault named, the command, the documents."""

import csv
import json
from dataclasses import fields
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.management.commands.match_files import Command
from financing.matching.canonical import canonical_text
from financing.matching.certificate_files import checked_bound_fen
from financing.matching.certificate_files import main as check_files
from financing.matching.csv_rows import FileError, table_text
from financing.matching.engine import propose_matches
from financing.matching.files import read_input, run_files
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import (
    DecidedPair,
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    OfferFee,
    PatentRow,
    PreviousProposal,
    StandingMatch,
)
from tests.matching.instances import instances
from tests.matching.rows import (
    WAN,
    insurance_offer,
    insurance_request,
    loan_offer,
    loan_request,
    patent,
    policy,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "matching-files.md"


def write_input(folder, requests, offers, pol, standing=()):
    """The rows as the files `match_files` reads; only loans."""
    folder.mkdir(exist_ok=True)
    (folder / "R.csv").write_text(table_text(LoanRequestRow, requests), encoding="utf-8")
    (folder / "O.csv").write_text(table_text(LoanOfferRow, offers), encoding="utf-8")
    (folder / "S.csv").write_text(table_text(StandingMatch, standing), encoding="utf-8")
    lines = []
    for request in requests:
        text = table_text(PatentRow, request.patents).splitlines()
        lines = lines or [f"request_id,{text[0]}"]
        lines += [f"{request.id},{line}" for line in text[1:]]
    (folder / "P.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    named = {
        field.name: getattr(pol, field.name)
        for field in fields(MatchingPolicy)
        if not isinstance(getattr(pol, field.name), tuple)
    }
    named["as_of"] = pol.as_of.isoformat()
    named["standard_premiums"] = [
        {f.name: getattr(row, f.name) for f in fields(row)} for row in pol.standard_premiums
    ]
    (folder / "policy.json").write_text(json.dumps(named), encoding="utf-8")
    return {
        "requests": folder / "R.csv",
        "patents": folder / "P.csv",
        "offers": folder / "O.csv",
        "policy": folder / "policy.json",
        "standing": folder / "S.csv",
    }


@settings(max_examples=20, deadline=None)
@given(instance=instances())
def test_rows_survive_the_way_through_files(tmp_path_factory, instance):
    folder = tmp_path_factory.mktemp("files")
    paths = write_input(
        folder,
        instance["requests"],
        instance["offers"],
        instance["policy"],
        instance["standing"],
    )
    read = read_input(**paths)
    assert canonical_text(list(read.requests)) == canonical_text(instance["requests"])
    assert canonical_text(list(read.offers)) == canonical_text(instance["offers"])
    assert read.standing == tuple(instance["standing"])
    assert read.policy == instance["policy"]
    summary = run_files(**paths, out=folder / "out")
    result = propose_matches(**instance)
    assert summary["results_digest"] == result.results_digest
    assert summary["input_digest"] == result.input_digest
    rows = list(csv.DictReader((folder / "out" / "proposals.csv").open(encoding="utf-8")))
    assert [(r["request_id"], r["offer_id"], int(r["amount_fen"])) for r in rows] == [
        (p.request_id, p.offer_id, p.amount_fen) for p in result.proposals
    ]


@pytest.fixture
def paths(tmp_path):
    requests = [loan_request(), loan_request(id="R2", term_months=60)]
    offers = [loan_offer(fees=(OfferFee("lender", "upfront", 100, 200),))]
    return write_input(tmp_path / "in", requests, offers, policy())


def test_command_writes_everything_and_explains(paths, tmp_path, capsys):
    options = {name: str(path) for name, path in paths.items()}
    out = tmp_path / "out"
    arguments = [f"--{name}={path}" for name, path in options.items()]
    arguments += [f"--out={out}", "--json", "--explain", "R1:O1", "R2:O1"]
    call_command(Command(), *arguments)
    summary = json.loads(capsys.readouterr().out)
    assert summary["proposals"] == 1
    assert [e["outcome"] for e in summary["explanations"]] == ["proposed", "term_out_of_range"]
    told = json.loads((out / "explanations.json").read_text(encoding="utf-8"))
    term = next(r for r in told[1]["results"] if r["code"] == "term_out_of_range")
    assert (term["required"], term["found"], term["gap"]) == (36, 60, 24)
    certificate = json.loads((out / "certificate.json").read_text(encoding="utf-8"))
    assert certificate["value_fen"] <= certificate["bound_fen"]
    assert "certificate_files" in certificate["prices"]
    assert (out / "prices.csv").read_text(encoding="utf-8").startswith("kind,offer_id,room_fen")


def test_the_bound_can_be_worked_out_from_the_files(tmp_path, capsys):
    instance = make_instance("product", 120, 30)
    requests = [*request_rows(instance.requests)]
    paths = write_input(tmp_path / "in", requests, instance.offers, instance.policy)
    summary = run_files(**paths, out=tmp_path / "out", pairs=True)
    found = checked_bound_fen(tmp_path / "out")
    assert abs(found - summary["bound_fen"]) <= 2
    assert check_files([str(tmp_path / "out")]) == 0
    assert str(summary["bound_fen"]) in capsys.readouterr().out
    # A price changed afterwards proves another bound.
    prices = tmp_path / "out" / "prices.csv"
    rows = list(csv.DictReader(prices.open(encoding="utf-8")))
    for row in rows:
        row["price_fen_ppm"] = str(int(row["price_fen_ppm"]) + 100_000)
    with prices.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert checked_bound_fen(tmp_path / "out") > summary["bound_fen"] + 2
    assert check_files([str(tmp_path / "out")]) == 1


def test_figures_beyond_the_engine_give_a_message(paths, tmp_path):
    text = paths["requests"].read_text(encoding="utf-8")
    big = text.replace(str(200 * WAN), str(10**13))
    assert big != text
    paths["requests"].write_text(big, encoding="utf-8")
    with pytest.raises(FileError, match="principal_fen"):
        run_files(**paths, out=tmp_path / "out")


def test_both_kinds_in_one_file(paths):
    text = StringIO()
    rows = [("loan", loan_request()), ("insurance", insurance_request())]
    types = (LoanRequestRow, InsuranceRequestRow)
    write_kinds(text, rows, types)
    paths["requests"].write_text(text.getvalue(), encoding="utf-8-sig")
    text = StringIO()
    offers = [("loan", loan_offer()), ("insurance", insurance_offer())]
    write_kinds(text, offers, (LoanOfferRow, InsuranceOfferRow))
    paths["offers"].write_text(text.getvalue(), encoding="gb18030")
    patents = table_text(PatentRow, [patent()]).splitlines()
    lines = [f"request_kind,request_id,{patents[0]}", f"insurance,R1,{patents[1]}"]
    paths["patents"].write_text("\n".join([*lines, f",R1,{patents[1]}"]), encoding="utf-8")
    read = read_input(**paths)
    assert set(read.requests) == {loan_request(), insurance_request()}
    assert set(read.offers) == {loan_offer(), insurance_offer()}


def write_kinds(stream, rows, types):
    names = list(dict.fromkeys(f.name for t in types for f in fields(t) if f.name != "patents"))
    writer = csv.writer(stream)
    writer.writerow(["kind", *names])
    for kind, row in rows:
        own = {f.name: f.metadata["allowed"] for f in fields(row)}
        writer.writerow([kind, *(own[n].text(getattr(row, n)) if n in own else "" for n in names)])


def test_all_faulty_rows_are_named_at_once(paths):
    requests = paths["requests"].read_text(encoding="utf-8").splitlines()
    header = requests[0].split(",")
    cells = dict(zip(header, requests[1].split(","), strict=True))
    bad = {**cells, "id": "R3", "principal_fen": "２０", "region_code": "=cmd()"}
    less = {**cells, "id": "R4", "least_accepted_fen": "999999999999"}
    lines = [*requests, ",".join(bad.values()), ",".join(less.values()), requests[1], "x,y"]
    paths["requests"].write_text("\n".join(lines), encoding="utf-8")
    with paths["patents"].open("a", encoding="utf-8") as stream:
        stream.write("R9,P1,invention,2030-02-30,nan,,,,,,,\n")
        stream.write("R9,P2,invention,2030-02-28,,,,,,,,\n")
    paths["policy"].write_text('{"version": "v", "k": 3, "as_of": "2025-06-31"}')
    with pytest.raises(FileError) as caught:
        read_input(**paths)
    found = {(f.file, f.row, f.column) for f in caught.value.faults}
    assert found == {
        ("R.csv", 4, "principal_fen"),
        ("R.csv", 4, "region_code"),
        ("R.csv", 5, "least_accepted_fen"),
        ("R.csv", 6, "id"),
        ("R.csv", 7, ""),
        ("P.csv", 4, "expires_on"),
        ("P.csv", 4, "appraised_value_fen"),
        ("P.csv", 5, "request_id"),
        ("policy.json", 0, "k"),
        ("policy.json", 0, "as_of"),
        ("policy.json", 0, "seed"),
        ("policy.json", 0, "lpr_one_year_ppm"),
        ("policy.json", 0, "lpr_five_year_ppm"),
    }
    assert all(fault.reason for fault in caught.value.faults)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe", b"id,id\n", b"principal_fen,typo\n1,2\n", b'id\n"a\n']
)
def test_broken_files_give_a_message(paths, tmp_path, content):
    paths["requests"].write_bytes(content)
    with pytest.raises(FileError):
        run_files(**paths, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content", ["[]", "{", '"x"', '{"standard_premiums": [{"x": 1}]}', "[" * 9999]
)
def test_broken_policies_give_a_message(paths, tmp_path, content):
    paths["policy"].write_text(content)
    with pytest.raises(FileError):
        run_files(**paths, out=tmp_path / "out")


def test_unknown_pairs_and_missing_files_are_refused_by_the_command(paths, tmp_path):
    arguments = [f"--{name}={path}" for name, path in paths.items()]
    with pytest.raises(CommandError, match="REQUEST:OFFER"):
        call_command(Command(), *arguments, f"--out={tmp_path}", "--explain", "R1:O9")
    paths["offers"].unlink()
    with pytest.raises(CommandError, match=r"O\.csv"):
        call_command(Command(), *arguments, f"--out={tmp_path}")


def test_the_document_lists_every_column_with_unit_and_allowed_values():
    text = DOCUMENT.read_text(encoding="utf-8")
    for row_type in (
        LoanRequestRow,
        PatentRow,
        LoanOfferRow,
        InsuranceRequestRow,
        InsuranceOfferRow,
        MatchingPolicy,
        DecidedPair,
        StandingMatch,
        PreviousProposal,
    ):
        section = text.split(f"\n### {row_type.__name__}\n", 1)[1].split("\n### ")[0]
        for field in fields(row_type):
            if field.name == "patents":
                continue
            line = next(x for x in section.splitlines() if x.startswith(f"| `{field.name}` |"))
            assert field.metadata["unit"] in line
            assert field.metadata["allowed"].allowed.replace("|", "\\|") in line
