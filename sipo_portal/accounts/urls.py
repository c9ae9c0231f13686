"""Addresses of accounts: the choice of language, and allauth's pages."""

from django.urls import include, path

from sipo_portal.accounts import views

urlpatterns = [
    path("language/", views.set_language, name="set_language"),
    path("accounts/", include("allauth.urls")),
]
