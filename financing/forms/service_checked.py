"""Base of the admin's forms whose services check what holds between fields."""

from typing import Any

from django import forms


class ServiceCheckedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Leaves database constraints to the service, which has a message at the field for each.

    Django would answer with the constraint's name on top of the page.
    """

    def _post_clean(self) -> None:
        # The form's instance only carries what was typed; it is never saved.
        self.instance.validate_constraints = _unchecked
        super()._post_clean()  # type: ignore[misc]


def _unchecked(exclude: Any = None) -> None:
    """See above."""
