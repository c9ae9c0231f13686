"""Pages of accounts that are not allauth's: the choice of language."""

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as remember_in_cookie

from sipo_portal.accounts import services
from sipo_portal.accounts.access import public
from sipo_portal.accounts.models import User


@public
@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Choose the language: in a cookie for everybody, with the account when signed in."""
    language = request.POST.get("language", "")
    known = dict(User._meta.get_field("language").flatchoices)
    if isinstance(request.user, User) and language in known and check_for_language(language):
        services.set_language(request.user, language)
    return remember_in_cookie(request)
