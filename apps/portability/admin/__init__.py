"""Back office of portability: the catalog, and packages in and out."""

from apps.portability.admin.catalog import CatalogAdmin

__all__ = ["CatalogAdmin"]
