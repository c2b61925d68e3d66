"""`python -m tests.docs`: bring the generated tables of docs/reference up to date."""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEBUG", "1")
django.setup()

from tests.docs.tables import pages, with_tables  # noqa: E402


def main() -> None:
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = with_tables(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stdout.write(f"{page.name}: written\n")


main()
