"""What must hold whatever people did: plain SQL over the tables, nothing of the services.

Every query gives the rows that are wrong, so an empty answer is what a test wants.
"""

from typing import Any

from django.db import connection

# The newest terms of a match, and whether they still bind somebody (worked out from the match, not
# from what the services wrote into the terms).
_NEWEST = """
WITH newest AS (
    SELECT DISTINCT ON (match_id) * FROM financing_terms ORDER BY match_id, id DESC
), drawn AS (
    SELECT match_id, sum(amount) AS amount FROM financing_drawdown GROUP BY match_id
), booked AS (
    SELECT m.loan_offer_id, m.insurance_offer_id,
           CASE WHEN m.status = 'completed' AND m.loan_offer_id IS NOT NULL
                THEN drawn.amount ELSE newest.amount END AS amount
    FROM financing_match m
    JOIN newest ON newest.match_id = m.id
    LEFT JOIN drawn ON drawn.match_id = m.id
    WHERE m.status IN ('accepted', 'completed')
       OR (m.status = 'terms_offered' AND NOT EXISTS (
              SELECT 1 FROM audit_auditevent e
              WHERE e.verb = 'terms.ended' AND e.object_id = newest.id::text))
)
"""

_CAPACITY = """
SELECT o.id, o.booked_amount, o.booked_count, o.capacity_amount, sums.amount, sums.number
FROM {offers} o
CROSS JOIN LATERAL (
    SELECT coalesce(sum(b.amount), 0) AS amount, count(*) AS number
    FROM booked b WHERE b.{column} = o.id
) sums
WHERE o.booked_amount <> sums.amount OR o.booked_count <> sums.number
   OR sums.amount > o.capacity_amount OR sums.number > coalesce(o.capacity_count, sums.number)
"""

_REQUESTS = """
SELECT r.id, r.status, count(m.id), count(a.id), count(c.id), count(l.id)
FROM {requests} r
LEFT JOIN financing_match m ON m.{column} = r.id
LEFT JOIN financing_match a ON a.id = m.id AND a.status = 'accepted'
LEFT JOIN financing_match c ON c.id = m.id AND c.status = 'completed'
LEFT JOIN financing_match l ON l.id = m.id AND l.status IN ({live})
GROUP BY r.id, r.status
HAVING (r.status = 'committed') <> (count(a.id) = 1)
    OR (r.status IN ('funded', 'covered')) <> (count(c.id) = 1)
    OR count(a.id) + count(c.id) > 1
    OR (r.status NOT IN ('open', 'submitted', 'returned') AND count(l.id) > 0)
"""

_LIVE = "'in_review', 'returned', 'referred', 'in_study', 'waiting', 'terms_offered'"

CHECKS: dict[str, str] = {
    "capacity of loan offers": _NEWEST
    + _CAPACITY.format(offers="financing_loanoffer", column="loan_offer_id"),
    "capacity of insurance offers": _NEWEST
    + _CAPACITY.format(offers="financing_insuranceoffer", column="insurance_offer_id"),
    "terms and their match": """
        SELECT m.id, m.status, t.statuses FROM financing_match m
        CROSS JOIN LATERAL (
            SELECT coalesce(string_agg(status, ',' ORDER BY status), '') AS statuses
            FROM financing_terms WHERE match_id = m.id AND status <> 'ended') t
        WHERE NOT CASE
            WHEN m.status IN ('accepted', 'completed') THEN t.statuses = 'accepted'
            WHEN m.status = 'terms_offered' THEN t.statuses IN ('offered', '')
            ELSE t.statuses = '' END""",
    "money within the terms": """
        SELECT m.id, m.status, t.amount, t.drawn_amount, d.amount FROM financing_match m
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS amount FROM financing_drawdown
            WHERE match_id = m.id) d
        LEFT JOIN financing_terms t ON t.match_id = m.id AND t.status = 'accepted'
        WHERE d.amount > coalesce(t.amount, 0)
           OR (m.status NOT IN ('accepted', 'completed') AND d.amount <> 0)
           OR (m.status = 'completed' AND m.loan_offer_id IS NOT NULL
               AND (d.amount = 0 OR t.drawn_amount IS DISTINCT FROM d.amount))""",
    "a policy is its terms, and a completed insurance has one": """
        SELECT m.id, m.status, t.amount, p.sum_insured, t.premium, p.premium
        FROM financing_match m
        LEFT JOIN financing_terms t ON t.match_id = m.id AND t.status = 'accepted'
        LEFT JOIN financing_insurancepolicy p ON p.match_id = m.id
        WHERE (p.id IS NOT NULL) <> (m.status = 'completed' AND m.insurance_offer_id IS NOT NULL)
           OR (p.id IS NOT NULL AND (p.sum_insured, p.premium) IS DISTINCT FROM
                                    (t.amount, t.premium))""",
    "one live pledge per patent": """
        SELECT application_number, count(*) FROM financing_pledge
        WHERE status = 'registered' OR (status = 'planned' AND renews_id IS NULL)
        GROUP BY application_number HAVING count(*) > 1""",
    "pledges and their match": """
        SELECT m.id, m.status, p.status, p.application_number FROM financing_match m
        JOIN financing_pledge p ON p.match_id = m.id
        WHERE (p.status = 'planned' AND m.status <> 'accepted')
           OR (p.status = 'registered' AND m.status NOT IN ('accepted', 'completed'))
           OR (p.status = 'cancelled' AND m.status <> 'fallen_through')""",
    "an accepted loan pledges its whole basket": """
        SELECT m.id, mp.patent_id FROM financing_match m
        JOIN financing_match_patents mp ON mp.match_id = m.id
        WHERE m.status = 'accepted' AND m.loan_offer_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM financing_pledge p WHERE p.match_id = m.id
              AND p.patent_id = mp.patent_id AND p.status <> 'cancelled')""",
    "no money before the register": """
        SELECT d.id FROM financing_drawdown d
        JOIN financing_pledge p ON p.match_id = d.match_id AND p.status = 'planned'""",
    # What is only in review may lag behind: approving looks at the rules again.
    "nothing referred on a patent somebody else pledged": """
        SELECT m.id, m.status, p.application_number FROM financing_match m
        JOIN financing_match_patents mp ON mp.match_id = m.id
        JOIN businesses_patent t ON t.id = mp.patent_id
        JOIN financing_pledge p ON p.application_number = t.application_number
        WHERE m.loan_offer_id IS NOT NULL
          AND m.status IN ('referred', 'in_study', 'waiting', 'terms_offered')
          AND p.status IN ('planned', 'registered') AND p.match_id <> m.id
          AND p.pledgee_id <> m.institution_id""",
    "loan requests and their matches": _REQUESTS.format(
        requests="financing_loanrequest", column="loan_request_id", live=_LIVE
    ),
    "insurance requests and their matches": _REQUESTS.format(
        requests="financing_insurancerequest", column="insurance_request_id", live=_LIVE
    ),
    "one live match per request and offer": f"""
        SELECT loan_request_id, loan_offer_id, insurance_request_id, insurance_offer_id, count(*)
        FROM financing_match WHERE status IN ({_LIVE}, 'accepted')
        GROUP BY 1, 2, 3, 4 HAVING count(*) > 1""",
    "who is awaited has a deadline, who is not has none": f"""
        SELECT id, status, clock_stage, deadline_on FROM financing_match
        WHERE (status IN ({_LIVE}, 'accepted')) <> (deadline_on IS NOT NULL)
           OR (status NOT IN ({_LIVE}) AND days_left_when_stopped IS NOT NULL)""",
    "study and terms only after the identity was opened": """
        SELECT m.id, m.status FROM financing_match m
        WHERE m.status IN ('in_study', 'waiting', 'terms_offered', 'accepted', 'completed')
          AND NOT EXISTS (SELECT 1 FROM financing_disclosure d
                          WHERE d.match_id = m.id AND d.stage = 'identity')""",
    "questions and the wait for their answers": """
        SELECT m.id, m.status FROM financing_match m
        WHERE m.status = 'waiting' AND NOT EXISTS (
            SELECT 1 FROM financing_question q
            WHERE q.match_id = m.id AND q.answered_at IS NULL)""",
    "the audit tells every state in order": """
        SELECT object_id, verb, was, reached FROM (
            SELECT object_id, object_type, verb, data->>'from' AS began,
                   lag(data->>'to') OVER (PARTITION BY object_type, object_id ORDER BY id) AS was,
                   data->>'to' AS reached
            FROM audit_auditevent WHERE data ? 'from' AND data ? 'to'
              AND verb LIKE ANY (ARRAY['match.%%', 'request.%%', 'offer.%%', 'pledge.%%'])
        ) told WHERE was IS NOT NULL AND was <> began""",
    "the audit's last word is the match's state": """
        SELECT m.id, m.status, e.reached FROM financing_match m
        JOIN LATERAL (
            SELECT data->>'to' AS reached FROM audit_auditevent
            WHERE object_id = m.id::text AND verb LIKE 'match.%%' AND data ? 'to'
            ORDER BY id DESC LIMIT 1) e ON true
        WHERE e.reached <> m.status""",
}


# All checks as one statement that PostgreSQL plans once per connection: a trace asks at every step.
_ALL = " UNION ALL ".join(
    f"SELECT {number}, wrong::text FROM ({query}) wrong"
    for number, query in enumerate(CHECKS.values())
)


def imbalances() -> dict[str, list[Any]]:
    """The wrong rows by the name of the check; empty when everything balances to the fen."""
    found: dict[str, list[Any]] = {}
    names = list(CHECKS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_prepared_statements WHERE name = 'imbalances'")
        if not cursor.rowcount:
            cursor.execute(f"PREPARE imbalances AS {_ALL}", [])
        cursor.execute("EXECUTE imbalances")
        for number, row in cursor.fetchall():
            found.setdefault(names[number], []).append(row)
        # Constraints that wait for the end of the transaction speak now.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return found
