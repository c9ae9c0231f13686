"""Live loan offers kept packed between requests, so that a new request is matched in microseconds.

A worker's process holds one book (`financing.live_offers`) and makes the next from it when offers
change: only what changed is packed again, costs stay while the policy does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from financing.matching.areas import lies_in_divisions, lies_in_industries
from financing.matching.national.bits import BITS
from financing.matching.national.checked_columns import check
from financing.matching.national.cost_sheet import cost_sheet
from financing.matching.national.from_rows import request_columns
from financing.matching.national.groups import is_open
from financing.matching.national.incremental import Accepting, Found, scan_offers
from financing.matching.national.packed_offers import cost_records, limit_steps, offer_records
from financing.matching.national.packed_requests import request_records
from financing.matching.national.pairs import ASK
from financing.matching.national.problem import COST, OFFER, Records, Words
from financing.matching.national.questions import answer_of
from financing.matching.national.tables import Bool, Int64
from financing.matching.policy import MatchingPolicy
from financing.matching.savings import CostBook
from financing.matching.tables import SIZE_CLASSES, LoanOfferRow, LoanRequestRow

NOBODY = 2**30
"""A pledgee that has posted no offer here."""

MOST_SHEETS = 256
"""Different terms and limits of the yearly cost remembered at a time."""


class _Sheet:
    """Costs of the offers for one term and limit, filled in as offers are looked at."""

    def __init__(self, count: int, limits: int) -> None:
        self.costs: Records = np.zeros((1 + limits, 1, count), dtype=COST)
        self.known: Bool = np.zeros(count, dtype=np.bool_)
        self.answers: Int64 = np.zeros(0, dtype=np.int64)


class OfferBook:
    """Offers packed under one policy. `fits` is what it is for."""

    def __init__(
        self,
        offers: Iterable[LoanOfferRow],
        policy: MatchingPolicy,
        *,
        before: "OfferBook | None" = None,
    ) -> None:
        """`before`: rows that are the very same objects are taken over from it as packed, their
        costs too where the policy is the same.

        Raises ColumnError as `packing.pack` does.
        """
        self.rows: tuple[LoanOfferRow, ...] = tuple(
            sorted(offers, key=lambda offer: (len(offer.id), offer.id))
        )
        self.policy = policy
        priced = before if before is not None and before.policy == policy else None
        self._book: CostBook = priced._book if priced else CostBook(policy)
        self._cost_of: dict[object, Records] = priced._cost_of if priced else {}
        self._certificates: tuple[str, ...] = tuple(
            sorted(set().union(*(row.required_certificates for row in self.rows)))
        )
        self._institutions: dict[str, int] = dict(before._institutions) if before else {}
        for row in self.rows:
            self._institutions.setdefault(row.institution_id, len(self._institutions))
        self._offers, self._steps = self._packed(before)
        count = len(self.rows)
        # Region and industry are settled before: their bits are always set.
        self._bits = np.full((count, 2), 1, dtype=np.uint64)
        self._is_open = np.array([is_open(row, policy) for row in self.rows], dtype=np.bool_)
        self._low = np.array([row.term_min_months for row in self.rows], dtype=np.int64)
        self._high = np.array([row.term_max_months for row in self.rows], dtype=np.int64)
        self._regions = _Named([row.regions for row in self.rows], lies_in_divisions)
        self._industries = _Named([row.industries for row in self.rows], lies_in_industries)
        self._sizes = {
            size: _words([not row.size_classes or size in row.size_classes for row in self.rows])
            for size in SIZE_CLASSES
        }
        self._terms: dict[int, Words] = {}
        self._sheets: dict[tuple[int, int | None], _Sheet] = {}
        self._found = np.empty((len(Found._fields), count), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def is_of(self, offers: Sequence[LoanOfferRow], policy: MatchingPolicy) -> bool:
        """Made of these very rows, under this policy."""
        return (
            self.policy == policy
            and len(offers) == len(self.rows)
            and {id(row) for row in offers} == {id(row) for row in self.rows}
        )

    def fits(self, request: LoanRequestRow) -> Found:
        """Every offer that passes all rules but `already_decided`, best as the first one first.

        `place`: of the offer in `rows`; `first`, `further`: worth in fen as the proposal that
        reaches the business and as another (MATCHING §1). Rooms play no part.
        """
        return self.fits_packed(request, *self.pack(request))

    def pack(self, request: LoanRequestRow) -> tuple[Records, Records]:
        """The request and its patents as the compiled rules read them, in the book's own codes.

        Raises ColumnError.
        """
        columns = request_columns([request])
        check(columns)
        requests, patents = request_records(
            columns, np.zeros(1, dtype=np.int32), self.policy, np.zeros(0, dtype=np.int32), 1
        )
        record = requests[0]
        record["region"] = record["industry"] = 0
        record["limit"] = len(_limits(request))
        record["certificates"] = sum(
            1 << bit for bit, code in enumerate(self._certificates) if code in request.certificates
        )
        known = [self._institutions.get(id_, NOBODY) for id_ in columns.institution_ids]
        held = patents["pledgee"] >= 0
        patents["pledgee"][held] = np.array([*known, 0])[patents["pledgee"][held]]
        return requests, patents

    def fits_packed(self, request: LoanRequestRow, requests: Records, patents: Records) -> Found:
        """`fits` of a request that `pack` packed: what the matcher itself takes."""
        accepting = Accepting(
            self._of_term(request.term_months),
            self._sizes[request.size_class],
            self._regions.of(request.region_code),
            self._industries.of(request.industry_code),
        )
        sheet = self._sheet(request.term_months, request.max_apr_ppm)
        found = self._scan(accepting, request, sheet, requests, patents)
        if found is None:
            self._fill(sheet, accepting, request)
            found = self._scan(accepting, request, sheet, requests, patents)
        assert found is not None
        asked = found[1] == ASK
        if asked.any():
            self._ask(sheet, found[2, asked], request)
            found = self._scan(accepting, request, sheet, requests, patents)
            assert found is not None
        return Found(*found[:, np.argsort(-found[3], kind="stable")])

    def _scan(
        self,
        accepting: Accepting,
        request: LoanRequestRow,
        sheet: _Sheet,
        requests: Records,
        patents: Records,
    ) -> Int64 | None:
        """What fits, as the rows of a `Found`; None where costs are missing."""
        count = scan_offers(
            accepting,
            sheet.known,
            request.term_months,
            requests,
            patents,
            self._offers,
            self._bits,
            self._steps,
            sheet.costs,
            sheet.answers,
            self.policy.alternative_share_ppm,
            self._found,
        )
        return None if count < 0 else self._found[:, :count]

    def _packed(self, before: "OfferBook | None") -> tuple[Records, Int64]:
        """Records and limit tables; rows packed before are copied."""
        records = np.zeros(len(self.rows), dtype=OFFER)
        steps = np.zeros((len(self.rows), limit_steps(()).shape[1]), dtype=np.int64)
        old: dict[int, int] = {}
        if before is not None and before._certificates == self._certificates:
            old = {id(row): line for line, row in enumerate(before.rows)}
        known = [(line, old[id(row)]) for line, row in enumerate(self.rows) if id(row) in old]
        if before is not None and known:
            to, come = (np.array(lines) for lines in zip(*known, strict=True))
            records[to], steps[to] = before._offers[come], before._steps[come]
        new = [line for line, row in enumerate(self.rows) if id(row) not in old]
        if new:
            rows = tuple(self.rows[line] for line in new)
            columns = replace(request_columns([]), certificate_codes=self._certificates)
            records[new] = offer_records(rows, columns, self._institutions)
            steps[new] = limit_steps(rows)
        return records, steps

    def _of_term(self, months: int) -> Words:
        if months not in self._terms:
            meant = (self._low <= months) & (months <= self._high) & self._is_open
            self._terms[months] = _words(meant)
        return self._terms[months]

    def _sheet(self, months: int, limit_ppm: int | None) -> _Sheet:
        key = (months, limit_ppm)
        if key not in self._sheets:
            if len(self._sheets) >= MOST_SHEETS:
                self._sheets.pop(next(iter(self._sheets)))
            self._sheets[key] = _Sheet(len(self.rows), 0 if limit_ppm is None else 1)
        return self._sheets[key]

    def _fill(self, sheet: _Sheet, accepting: Accepting, request: LoanRequestRow) -> None:
        """Costs of the offers that accept the request, as far as they are not known.

        Offers with the same flows and fees are worked out once.
        """
        months, limit = request.term_months, request.max_apr_ppm
        accepted = np.bitwise_and.reduce(accepting).view(np.uint8)
        is_meant = np.unpackbits(accepted, count=len(self.rows), bitorder="little")
        lines = np.flatnonzero(is_meant & ~sheet.known)
        for line in lines:
            row = self.rows[line]
            fees = tuple(fee for fee in row.fees if fee.payer == "borrower")
            flows = (row.interest_rate_ppm, row.repayment_method, row.day_count, fees)
            key = (*flows, row.appraisal_fee_fen, months, limit)
            if key not in self._cost_of:
                made = cost_sheet((row,), (months,), _limits(request), self.policy, self._book)
                self._cost_of[key] = cost_records(made)[-1, 0, 0]
            sheet.costs[-1, 0, line] = self._cost_of[key]
        sheet.known[lines] = True

    def _ask(self, sheet: _Sheet, questions: Int64, request: LoanRequestRow) -> None:
        terms, limits = (request.term_months,), _limits(request)
        new = [
            int(key) * 2 + answer_of(int(key), self.rows, terms, limits, self._book)
            for key in questions
        ]
        sheet.answers = np.unique(np.concatenate((sheet.answers, np.array(new, dtype=np.int64))))


def _limits(request: LoanRequestRow) -> tuple[int, ...]:
    return () if request.max_apr_ppm is None else (request.max_apr_ppm,)


class _Named:
    """Which offers accept a code, remembered by code."""

    def __init__(
        self, named: Sequence[frozenset[str]], lies_in: Callable[[str, Iterable[str]], bool]
    ) -> None:
        self._lies_in = lies_in
        self._all = np.array([not some for some in named], dtype=np.bool_)
        self._naming: dict[str, Bool] = {}
        for line, some in enumerate(named):
            for code in some:
                if code not in self._naming:
                    self._naming[code] = np.zeros(len(named), dtype=np.bool_)
                self._naming[code][line] = True
        self.of = lru_cache(maxsize=8192)(self._of)

    def _of(self, code: str) -> Words:
        """By offer: it names nothing, or something that `code` lies under."""
        accepted: Bool = self._all.copy()
        for one, lines in self._naming.items():
            if self._lies_in(code, (one,)):
                accepted |= lines
        return _words(accepted)


def _words(truth: Sequence[bool] | Bool) -> Words:
    """By offer as bits, 64 to a word."""
    padded = np.zeros(-(-len(truth) // BITS) * BITS, dtype=np.bool_)
    padded[: len(truth)] = truth
    return np.packbits(padded, bitorder="little").view(np.uint64)
