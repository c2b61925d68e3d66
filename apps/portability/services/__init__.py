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
from apps.portability.services.imports import CatalogSource, Options, import_package

__all__ = [
    "AlreadyAdopted",
    "CatalogSource",
    "NotAdopted",
    "NothingNewer",
    "Options",
    "UpdatePreview",
    "Updated",
    "adopt_course",
    "import_package",
    "preview_update",
    "update_course",
]
