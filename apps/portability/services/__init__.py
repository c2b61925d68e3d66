"""Writes of portability."""

from apps.portability.services.adoption import (
    AlreadyAdopted,
    NotAdopted,
    NothingNewer,
    Updated,
    UpdatePreview,
    adopt_course,
    preview_update,
    update_course,
)
from apps.portability.services.exports import Exported, export_version
from apps.portability.services.imports import CatalogSource, Options, import_package
from apps.portability.services.uploads import (
    KeptPackage,
    PackageGone,
    forget_package,
    keep_package,
    kept_package,
)

__all__ = [
    "AlreadyAdopted",
    "CatalogSource",
    "Exported",
    "KeptPackage",
    "NotAdopted",
    "NothingNewer",
    "Options",
    "PackageGone",
    "UpdatePreview",
    "Updated",
    "adopt_course",
    "export_version",
    "forget_package",
    "import_package",
    "keep_package",
    "kept_package",
    "preview_update",
    "update_course",
]
