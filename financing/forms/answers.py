"""What a business answers to an institution's question: text and files; the match page uses it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sipo_portal.attachments.checking import (
    ACCEPTED_ENDINGS,
    MOST_BYTES,
    MOST_FILES,
    CheckedFile,
    FileRefusal,
    FileRefused,
    check_file,
)
from sipo_portal.ui.forms import PortalFormHelper

REFUSALS: dict[FileRefusal, str | Promise] = {
    FileRefusal.NAME_BAD: _(
        "%(name)s: the file name has no ending or holds characters that are not accepted."
        " Rename the file."
    ),
    FileRefusal.EMPTY: _("%(name)s: the file is empty."),
    FileRefusal.TOO_LARGE: _(
        "%(name)s: the file is larger than 10 MB. Make it smaller or split it."
    ),
    FileRefusal.KIND_NOT_ACCEPTED: _(
        "%(name)s: this kind of file is not accepted. Send PDF, PNG, JPEG, XLSX, DOCX, CSV or TXT."
    ),
    FileRefusal.OTHER_CONTENT: _(
        "%(name)s: the content is not what the ending of the name says. Save it anew as PDF, PNG,"
        " JPEG, XLSX, DOCX or CSV."
    ),
    FileRefusal.DAMAGED: _("%(name)s: the file is damaged or not complete. Save it anew."),
    FileRefusal.TWO_IN_ONE: _(
        "%(name)s: something else hides in the file. Print it to PDF, or save the picture anew."
    ),
    FileRefusal.ACTIVE: _(
        "%(name)s: the file holds macros, scripts or embedded objects. Save it without them, or"
        " print it to PDF."
    ),
    FileRefusal.ENCRYPTED: _("%(name)s: the file is encrypted. Save it without a password."),
    FileRefusal.UNPACKS_TOO_LARGE: _(
        "%(name)s: the content is far larger than the file. Make it smaller or split it."
    ),
    FileRefusal.UNSAFE_MEMBER: _(
        "%(name)s: the archive inside the file holds paths that are not accepted. Save it anew."
    ),
}


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class AnswerFilesField(forms.FileField):
    """Up to five files; the value is a list of `CheckedFile`, every fault with its file's name."""

    widget = _ManyFiles(attrs={"multiple": True, "accept": ACCEPTED_ENDINGS})

    def clean(self, data: Any, initial: Any = None) -> list[CheckedFile]:
        uploads = data if isinstance(data, list | tuple) else [data] if data else []
        if len(uploads) > MOST_FILES:
            raise ValidationError(_("Send at most five files at once."), code="too_many")
        checked, faults = [], []
        for upload in uploads:
            try:
                # The size first: a far too large file is not read.
                if upload.size > MOST_BYTES:
                    raise FileRefused(FileRefusal.TOO_LARGE)
                checked.append(check_file(upload.name, upload.read()))
            except FileRefused as refused:
                name = upload.name if len(upload.name) <= 60 else f"{upload.name[:60]}…"
                faults.append(
                    ValidationError(
                        str(REFUSALS[refused.code]), code=refused.code.value, params={"name": name}
                    )
                )
        if faults:
            raise ValidationError(faults)
        return checked


class QuestionAnswerForm(forms.Form):
    """Text, files or both."""

    text = forms.CharField(
        label=_("Your answer"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("The institution reads this."),
    )
    files = AnswerFilesField(  # type: ignore[assignment]
        label=_("Files"),
        required=False,
        help_text=_(
            "Up to five files of at most 10 MB each: PDF, PNG, JPEG, XLSX, DOCX, CSV or TXT,"
            " without macros."
        ),
    )

    def __init__(self, *args: Any, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = PortalFormHelper("text", "files", submit=_("Send the answer"), action=action)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("text", "").strip() and not cleaned.get("files"):
            self.add_error("text", _("Write an answer or choose a file."))
        return cleaned
