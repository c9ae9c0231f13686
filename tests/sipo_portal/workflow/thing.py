"""A model with a state, for the tests of workflow; its table exists while a test runs."""

from django.db import models

from sipo_portal.workflow.lifecycle import Lifecycle, Transition

LIFE = Lifecycle(
    "thing",
    states=("draft", "open", "closed", "dropped"),
    initial="draft",
    transitions=(
        Transition("submit", "draft", "open", ("owner",)),
        Transition("close", "open", "closed", ("coordinator", "clock")),
        Transition("reopen", ("closed", "dropped"), "open", ("coordinator",)),
        Transition("drop", ("draft", "open"), "dropped", ("owner",)),
    ),
)


class Thing(models.Model):
    name = models.CharField(max_length=20, default="a")
    status = models.CharField(max_length=20, default="draft")
    status_changed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "workflow"
        managed = False
        db_table = "test_thing"

    def __str__(self) -> str:
        return self.name
