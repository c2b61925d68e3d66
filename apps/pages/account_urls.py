"""The addresses of django-allauth that an organisation's host answers.

Left out: registration (closed), managing e-mail addresses (on the platform's host only) and
signing in by code. The others are open as `views.doors` says.
"""

from __future__ import annotations

from allauth.account import views
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.urls import path, re_path

from apps.pages.views.doors import break_glass, entrance, own_account

urlpatterns = [
    path("login/", entrance(views.login, shows_way=True), name="account_login"),
    path("break-glass/", break_glass, name="account_break_glass"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", own_account(views.reauthenticate), name="account_reauthenticate"),
    path("password/change/", own_account(views.password_change), name="account_change_password"),
    path("password/set/", own_account(views.password_set), name="account_set_password"),
    path("password/reset/", entrance(views.password_reset), name="account_reset_password"),
    path(
        "password/reset/done/",
        entrance(views.password_reset_done),
        name="account_reset_password_done",
    ),
    path(
        "password/reset/key/done/",
        entrance(views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(  # the id has no dash, the key may: no path converter says that
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        entrance(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("2fa/", own_account(factors.index), name="mfa_index"),
    path("2fa/authenticate/", factors.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", own_account(factors.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", own_account(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", own_account(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "2fa/recovery-codes/",
        own_account(codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/generate/",
        own_account(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/download/",
        own_account(codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("2fa/keys/", own_account(keys.list_webauthn), name="mfa_list_webauthn"),
    path("2fa/keys/add/", own_account(keys.add_webauthn), name="mfa_add_webauthn"),
    path("2fa/keys/login/", entrance(keys.login_webauthn), name="mfa_login_webauthn"),
    path(
        "2fa/keys/reauthenticate/",
        own_account(keys.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "2fa/keys/<int:pk>/remove/",
        own_account(keys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path("2fa/keys/<int:pk>/edit/", own_account(keys.edit_webauthn), name="mfa_edit_webauthn"),
]
