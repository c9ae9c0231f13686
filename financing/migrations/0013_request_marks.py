"""Triggers that mark the requests whose facts changed, so that their columns are read again.

They only mark: what the change means is for the rules to say when the columns are made. Whole
statements at a time, so that a mass change costs one more statement. The first mark asks for
everything that is there.
"""

from django.db import migrations

LOAN, INSURANCE = "financing_loanrequest", "financing_insurancerequest"

OF_PATENTS = """
    SELECT DISTINCT 'loan', link.loanrequest_id FROM {patents} AS touched
        JOIN financing_loanrequest_patents AS link ON link.patent_id = touched.patent_id
    UNION ALL
    SELECT DISTINCT 'insurance', link.insurancerequest_id FROM {patents} AS touched
        JOIN financing_insurancerequest_patents AS link ON link.patent_id = touched.patent_id
"""
OF_BUSINESSES = """
    SELECT DISTINCT 'loan', request.id FROM {businesses} AS touched
        JOIN financing_loanrequest AS request ON request.business_id = touched.business_id
    UNION ALL
    SELECT DISTINCT 'insurance', request.id FROM {businesses} AS touched
        JOIN financing_insurancerequest AS request ON request.business_id = touched.business_id
"""
# By table: which requests read its rows. `changed` are the rows before and after the statement.
MARKED = {
    LOAN: "SELECT 'loan', id FROM changed",
    INSURANCE: "SELECT 'insurance', id FROM changed",
    "financing_loanrequest_patents": "SELECT DISTINCT 'loan', loanrequest_id FROM changed",
    "financing_insurancerequest_patents": (
        "SELECT DISTINCT 'insurance', insurancerequest_id FROM changed"
    ),
    "businesses_business": OF_BUSINESSES.format(
        businesses="(SELECT id AS business_id FROM changed)"
    ),
    "businesses_certificate": OF_BUSINESSES.format(businesses="changed"),
    "businesses_patent": OF_PATENTS.format(patents="(SELECT id AS patent_id FROM changed)"),
    "businesses_appraisal": OF_PATENTS.format(patents="changed"),
    "businesses_coowner": OF_PATENTS.format(patents="changed"),
    "businesses_encumbrance": OF_PATENTS.format(patents="changed"),
    # Whoever registered the patent: the number counts. And who had a pledge is no first-time
    # borrower any more, whatever the patents of the next request.
    "financing_pledge": OF_PATENTS.format(
        patents="(SELECT patent.id AS patent_id FROM changed JOIN businesses_patent AS patent"
        " ON patent.application_number = changed.application_number)"
    )
    + " UNION ALL "
    + OF_BUSINESSES.format(
        businesses="(SELECT match.business_id FROM changed JOIN financing_match AS match"
        " ON match.id = changed.match_id)"
    ),
}
EVENTS = {
    "added": ("INSERT", "NEW"),
    "removed": ("DELETE", "OLD"),
    "before": ("UPDATE", "OLD"),
    "after": ("UPDATE", "NEW"),
}
EMPTIED = """
CREATE FUNCTION financing_mark_everything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO financing_requestmark (kind, request_id) VALUES ('loan', NULL), ('insurance', NULL);
    RETURN NULL;
END $$
"""


def _function(table: str) -> str:
    return f"financing_mark_{table}"


def _make(table: str, query: str) -> list[str]:
    statements = [
        f"CREATE FUNCTION {_function(table)}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" INSERT INTO financing_requestmark (kind, request_id) {query}; RETURN NULL; END $$",
        f"CREATE TRIGGER request_mark_emptied AFTER TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION financing_mark_everything()",
    ]
    for name, (event, rows) in EVENTS.items():
        statements.append(
            f"CREATE TRIGGER request_mark_{name} AFTER {event} ON {table}"
            f" REFERENCING {rows} TABLE AS changed"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {_function(table)}()"
        )
    return statements


def _drop(table: str) -> list[str]:
    triggers = [f"DROP TRIGGER request_mark_{name} ON {table}" for name in (*EVENTS, "emptied")]
    return [*triggers, f"DROP FUNCTION {_function(table)}()"]


FIRST_MARKS = "INSERT INTO financing_requestmark (kind, request_id) VALUES ('loan', NULL), ('insurance', NULL)"
# Columns hardly shrink and are read whole; what a run keeps is compressed already.
PLAIN_STORAGE = [
    "ALTER TABLE financing_requestchunk ALTER columns SET STORAGE EXTERNAL",
    "ALTER TABLE financing_runarchive ALTER run_input SET STORAGE EXTERNAL,"
    " ALTER proposals SET STORAGE EXTERNAL",
]


class Migration(migrations.Migration):
    dependencies = [
        ("businesses", "0002_suspension_reason_and_invitations"),
        ("financing", "0012_columnar_runs"),
    ]

    operations = [
        migrations.RunSQL(
            [
                EMPTIED,
                *(one for item in MARKED.items() for one in _make(*item)),
                FIRST_MARKS,
                *PLAIN_STORAGE,
            ],
            [
                *(one for table in MARKED for one in _drop(table)),
                "DROP FUNCTION financing_mark_everything()",
            ],
        )
    ]
