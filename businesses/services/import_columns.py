"""Columns that both imports of the borrower's side read alike."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from sipo_portal.tabular.reading import RowReader


def assumed_fields(cells: RowReader, assumable: Mapping[str, str]) -> list[str]:
    """The fields whose value is assumed, from the column `assumed`: column names and semicolons.

    `assumable`: field by column name; any other name is a fault of the row.
    """
    columns = [part.strip() for part in cells.text("assumed").split(";") if part.strip()]
    for column in columns:
        if column not in assumable:
            cells.refuse(
                "assumed",
                _("“%(column)s” is not one of the columns that may be assumed: %(known)s.")
                % {"column": column, "known": ", ".join(assumable)},
            )
    return [assumable[column] for column in columns if column in assumable]
