"""The object store on S3. Apart, since its client is large and most processes never need it."""

from __future__ import annotations

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from apps.organizations.storage import Metered


class MeteredS3(Metered, S3Storage):  # type: ignore[misc]  # django-storages ships no types
    """Objects of a bucket."""

    failures = (OSError, BotoCoreError, ClientError, Boto3Error)
