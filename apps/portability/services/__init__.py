"""Writes of portability."""

from apps.portability.services.imports import CatalogSource, Options, import_package

__all__ = ["CatalogSource", "Options", "import_package"]
