"""The look of every form: crispy helper and layout parts; the apps' forms use them.

    class LoanRequestForm(forms.ModelForm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.helper = PortalFormHelper(
                Section(_("The loan"), "principal", "term_months"),
                Section(_("Purpose"), "purpose", lead=_("The lender reads this.")),
                submit=_("Save and continue"),
                cancel_url=reverse("financing:request_list"),
            )

In the template ``{% crispy form %}``. The templates in ``templates/bootstrap5/`` give the summary
of errors with links, hints before the field, the message at the field, the unit behind figures.
Pass the form as ``form`` to the page, so that its title starts with "Error:" when there is one.
"""

# crispy-forms has no types.
# mypy: disable-error-code="misc"

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, LayoutObject
from django.forms import BaseForm
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Section(LayoutObject):
    """Fields that belong together: a fieldset with a legend and, if needed, a leading sentence."""

    template = "components/forms/section.html"

    def __init__(self, legend: Text, *fields: Any, lead: Text = "") -> None:
        self.legend, self.lead, self.fields = legend, lead, list(fields)

    def render(self, form: Any, context: Any, template_pack: str = "", **kwargs: Any) -> str:
        inner = self.get_rendered_fields(form, context, template_pack, **kwargs)
        return render_to_string(
            self.template, {"legend": self.legend, "lead": self.lead, "fields": inner}
        )


class Buttons(LayoutObject):
    """The form's one primary action, a quieter second one (name ``second``), and a way back."""

    template = "components/forms/buttons.html"

    def __init__(
        self, submit: Text, *, cancel_url: str = "", second: Text = "", danger: bool = False
    ) -> None:
        self.parts = {
            "submit": submit,
            "cancel_url": cancel_url,
            "second": second,
            "danger": danger,
        }

    def render(self, form: Any, context: Any, template_pack: str = "", **kwargs: Any) -> str:
        return render_to_string(self.template, self.parts)


class PortalFormHelper(FormHelper):
    """Crispy helper: the layout parts given (else all fields), then the buttons.

    `submit`: text of the button ("" for none, when the page has its own); `tag`: write ``<form>``;
    `method`: "get" for filters.
    """

    def __init__(
        self,
        *parts: Any,
        form: BaseForm | None = None,
        submit: Text | None = None,
        second: Text = "",
        cancel_url: str = "",
        danger: bool = False,
        action: str = "",
        method: str = "post",
        tag: bool = True,
    ) -> None:
        if parts and isinstance(parts[0], BaseForm):
            form, parts = parts[0], parts[1:]
        super().__init__()
        submit = _("Save") if submit is None else submit
        if not parts and form is not None:
            parts = tuple(form.fields)
        buttons = (
            [Buttons(submit, cancel_url=cancel_url, second=second, danger=danger)] if submit else []
        )
        self.layout = Layout(*parts, *buttons)
        self.form_tag = tag
        self.form_method = method
        self.form_action = action
        self.disable_csrf = method != "post"
        self.render_hidden_fields = True
        self.include_media = False
        self.form_class = "portal-form"
        # The server checks: its messages are ours, in the page's language, at the field.
        self.attrs = {"novalidate": ""}
