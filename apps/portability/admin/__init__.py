"""Back office of portability: the catalog, and packages in and out."""

from apps.portability.admin.catalog import CatalogAdmin
from apps.portability.admin.packages import PackageImportAdmin

__all__ = ["CatalogAdmin", "PackageImportAdmin"]
