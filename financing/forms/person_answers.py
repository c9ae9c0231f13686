"""What a person decides about their own data; the public page of a link uses it."""

from django import forms

from financing.models.person_consents import PersonAnswer


class PersonAnswerForm(forms.Form):
    """The value of the button that was pressed."""

    answer = forms.ChoiceField(
        choices=[choice for choice in PersonAnswer.choices if choice[0] != PersonAnswer.OPEN.value]
    )
