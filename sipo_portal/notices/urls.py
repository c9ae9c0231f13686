"""Addresses of a person's own notices."""

from django.urls import path

from sipo_portal.notices import views

app_name = "notices"

urlpatterns = [
    path("", views.notice_list, name="list"),
    path("read/", views.notice_read_all, name="read_all"),
    path("<int:pk>/read/", views.notice_read, name="read"),
    path("<int:pk>/open/", views.notice_open, name="open"),
]
