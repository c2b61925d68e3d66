"""Addresses of the catalog on the platform's own host."""

from django.urls import path

from apps.catalog import views

app_name = "catalog"
urlpatterns = [
    path("", views.course_list, name="courses"),
    path("<slug:slug>/", views.course_page, name="course"),
    path("<slug:slug>/<int:number>/", views.course_page, name="version"),
]
