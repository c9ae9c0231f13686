"""Requests in matching as columns, kept between runs; only `financing.snapshot` reads and writes.

Nothing here names anybody: ids, codes and figures only. Triggers of migration 0013 write the marks,
so that no way of changing a row can forget them; they know no rule.
"""

from __future__ import annotations

from typing import Self

from django.db import models

from sipo_portal.accounts.models import User


class UnseenQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, user: User) -> Self:
        """Nobody's: the matcher alone reads it."""
        return self.none()


class RequestChunk(models.Model):
    """The requests of one kind whose ids divided by 10,000 give `number`."""

    kind = models.CharField(max_length=9)
    number = models.PositiveIntegerField()
    # The facts are right on this day and every later one: what changes with the day is dated.
    as_of = models.DateField()
    # Of the code the columns were made by: rules, calendars, layout.
    code_digest = models.CharField(max_length=64)
    columns = models.BinaryField()
    # Requests read again since the columns were written: their ids, and those in matching as
    # columns of their own.
    newer_ids = models.BinaryField(default=b"")
    newer_columns = models.BinaryField(default=b"")
    built_at = models.DateTimeField(auto_now=True)

    objects = UnseenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="request_chunk_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class RequestMark(models.Model):
    """A request some of whose facts changed since its chunk was written.

    Only ever added and taken away, never changed: marking waits for nobody.
    """

    kind = models.CharField(max_length=9)
    # Null: a table was emptied at once, everything is to be read again.
    request_id = models.BigIntegerField(null=True)

    objects = UnseenQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["kind", "request_id"], name="request_mark_request")]

    def __str__(self) -> str:
        return f"{self.kind} {self.request_id}"
