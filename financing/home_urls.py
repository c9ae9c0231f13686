"""The address of the first page."""

from django.urls import path

from financing.views.home import home

urlpatterns = [path("", home, name="home")]
