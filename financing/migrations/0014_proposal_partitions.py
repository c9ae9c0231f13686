"""Proposals partitioned by run, so that a run over the country comes and goes in one step.

A national run is written to a table of its own by COPY, keyed, then attached; the partition of the
run before is dropped. What the application's role may not do itself (it owns no tables) are three
functions of the owner's. The old table goes on as the default partition: incremental and regional
runs, and what a national run left standing.

The database checks no foreign keys of proposals row by row any more (models.proposals).
"""

import django.db.models.deletion
from django.db import migrations, models

PARTITIONED = """
ALTER TABLE financing_proposal RENAME TO financing_proposal_rest;
ALTER TABLE financing_proposal_rest DROP CONSTRAINT financing_proposal_pkey;
ALTER TABLE financing_proposal_rest ALTER id DROP IDENTITY;
CREATE SEQUENCE financing_proposal_id_seq;
SELECT setval('financing_proposal_id_seq',
    (SELECT coalesce(max(id), 0) + 1 FROM financing_proposal_rest), false);
CREATE TABLE financing_proposal (LIKE financing_proposal_rest INCLUDING CONSTRAINTS)
    PARTITION BY LIST (run_id);
ALTER TABLE financing_proposal ALTER id SET DEFAULT nextval('financing_proposal_id_seq');
ALTER TABLE financing_proposal_rest ALTER id SET DEFAULT nextval('financing_proposal_id_seq');
ALTER SEQUENCE financing_proposal_id_seq OWNED BY financing_proposal.id;
ALTER TABLE financing_proposal ATTACH PARTITION financing_proposal_rest DEFAULT;
ALTER TABLE financing_proposal ADD CONSTRAINT financing_proposal_pkey PRIMARY KEY (id, run_id);
CREATE UNIQUE INDEX loan_proposal_once
    ON financing_proposal (loan_request_id, loan_offer_id, run_id)
    WHERE loan_request_id IS NOT NULL;
CREATE UNIQUE INDEX insurance_proposal_once
    ON financing_proposal (insurance_request_id, insurance_offer_id, run_id)
    WHERE insurance_request_id IS NOT NULL;
CREATE INDEX loan_proposal_offer ON financing_proposal (loan_offer_id)
    WHERE loan_offer_id IS NOT NULL;
CREATE INDEX insurance_proposal_offer ON financing_proposal (insurance_offer_id)
    WHERE insurance_offer_id IS NOT NULL;
CREATE INDEX financing_proposal_business ON financing_proposal (business_id);
-- The others hold one run each.
CREATE INDEX financing_proposal_rest_run ON financing_proposal_rest (run_id);
CREATE UNIQUE INDEX loan_proposal_once_of_the_rest
    ON financing_proposal_rest (loan_request_id, loan_offer_id) WHERE loan_request_id IS NOT NULL;
CREATE UNIQUE INDEX insurance_proposal_once_of_the_rest
    ON financing_proposal_rest (insurance_request_id, insurance_offer_id)
    WHERE insurance_request_id IS NOT NULL;
"""
OPEN = """
CREATE FUNCTION financing_open_partition(run bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own text := 'financing_proposal_run_' || run;
    lost text;
BEGIN
    -- Tables that runs before left when their worker died, and that of an earlier try.
    FOR lost IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
            AND relname ~ '^financing_proposal_run_[0-9]+$'
            AND (relname = own OR NOT EXISTS (
                SELECT FROM financing_matchrun
                WHERE id = substring(relname from '[0-9]+$')::bigint AND finished_at IS NULL))
    LOOP
        EXECUTE format('DROP TABLE %I', lost);
    END LOOP;
    EXECUTE format(
        'CREATE TABLE %I (LIKE financing_proposal INCLUDING DEFAULTS INCLUDING CONSTRAINTS,'
        ' CHECK (run_id = %s))', own, run);
END $$
"""
KEY = """
CREATE FUNCTION financing_key_partition(run bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own text := 'financing_proposal_run_' || run;
    definition text;
BEGIN
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (id, run_id)', own);
    -- As those of the parent, so that attaching has none left to build.
    FOR definition IN
        SELECT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \\S+ ON ONLY \\S+',
            format('INDEX ON %I', own))
        FROM pg_index WHERE indrelid = 'financing_proposal'::regclass AND NOT indisprimary
    LOOP
        EXECUTE definition;
    END LOOP;
    EXECUTE format('ANALYZE %I', own);
END $$
"""
ATTACH = """
CREATE FUNCTION financing_attach_partition(run bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE financing_proposal ATTACH PARTITION %I FOR VALUES IN (%s)',
        'financing_proposal_run_' || run, run);
END $$
"""
DROP = """
CREATE FUNCTION financing_drop_partition(run bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE %I', 'financing_proposal_run_' || run);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("businesses", "0002_suspension_reason_and_invitations"),
        ("financing", "0013_request_marks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="proposal",
            name="business",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="proposals",
                to="businesses.business",
            ),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="insurance_offer",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="proposals",
                to="financing.insuranceoffer",
            ),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="insurance_request",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="proposals",
                to="financing.insurancerequest",
            ),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="loan_offer",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="proposals",
                to="financing.loanoffer",
            ),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="loan_request",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="proposals",
                to="financing.loanrequest",
            ),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proposals",
                to="financing.matchrun",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    [
                        "DROP INDEX loan_proposal_once; DROP INDEX insurance_proposal_once;"
                        " DROP INDEX financing_proposal_business_id_f9e63a35",
                        PARTITIONED,
                        OPEN,
                        KEY,
                        ATTACH,
                        DROP,
                    ]
                )
            ],
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="proposal",
                    name="loan_proposal_once",
                ),
                migrations.RemoveConstraint(
                    model_name="proposal",
                    name="insurance_proposal_once",
                ),
                migrations.AddIndex(
                    model_name="proposal",
                    index=models.Index(
                        condition=models.Q(("loan_offer__isnull", False)),
                        fields=["loan_offer"],
                        name="loan_proposal_offer",
                    ),
                ),
                migrations.AddIndex(
                    model_name="proposal",
                    index=models.Index(
                        condition=models.Q(("insurance_offer__isnull", False)),
                        fields=["insurance_offer"],
                        name="insurance_proposal_offer",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="proposal",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("loan_request__isnull", False)),
                        fields=("loan_request", "loan_offer", "run"),
                        name="loan_proposal_once",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="proposal",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("insurance_request__isnull", False)),
                        fields=("insurance_request", "insurance_offer", "run"),
                        name="insurance_proposal_once",
                    ),
                ),
            ],
        ),
    ]
