"""A real S3 server in a process of its own; it checks signatures."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from sysconfig import get_path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ACCESS_KEY, SECRET_KEY = "assay-test", "a secret of the tests"
BUCKET = "assay"
PATIENCE_SECONDS = 60.0
# The server takes for its own use the port that is this much higher.
SECOND_PORT = 10_000


@dataclass(frozen=True)
class S3Server:
    """A running server with one bucket."""

    endpoint: str

    def client(self, secret: str = SECRET_KEY) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def storages(self, secret: str = SECRET_KEY) -> dict[str, Any]:
        """Return Django's STORAGES for this server."""
        return {
            "default": {
                "BACKEND": "apps.organizations.buckets.MeteredS3",
                "OPTIONS": {
                    "bucket_name": BUCKET,
                    "endpoint_url": self.endpoint,
                    "region_name": "us-east-1",
                    "addressing_style": "path",
                    "access_key": ACCESS_KEY,
                    "secret_key": secret,
                },
            },
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        }

    def environment(self) -> dict[str, str]:
        """Return the settings of a process that keeps its objects here."""
        return {
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "AWS_S3_ENDPOINT_URL": self.endpoint,
            "AWS_S3_REGION_NAME": "us-east-1",
            "AWS_S3_ADDRESSING_STYLE": "path",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }


def _pair_of_ports() -> int:
    while True:
        with socket.socket() as low, socket.socket() as high:
            low.bind(("127.0.0.1", 0))
            port: int = low.getsockname()[1]
            if port + SECOND_PORT > 65_535:
                continue
            with suppress(OSError):
                high.bind(("127.0.0.1", port + SECOND_PORT))
                return port


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Yield a server whose bucket is empty; fails when it does not come up."""
    identity = {
        "name": "assay",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    master, volume, filer, s3 = (_pair_of_ports() for _ in range(4))
    command = [
        str(Path(get_path("scripts")) / "weed"),
        *("server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-master.port={master}", f"-volume.port={volume}", "-volume.max=4"),
        *("-master.volumeSizeLimitMB=64", "-filer", f"-filer.port={filer}"),
        *("-s3", f"-s3.port={s3}", f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0"),
        *("-s3.port.lance=0", "-master.telemetry=false", "-metricsPort=0"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = S3Server(f"http://127.0.0.1:{s3}")
    try:
        _make_bucket(server, process, folder / "log")
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _make_bucket(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    refusal = "nothing was asked yet"
    while refusal:
        assert process.poll() is None, f"it ended: {log.read_text()[-2000:]}"
        assert time.monotonic() < deadline, f"it does not answer: {refusal}"
        refusal = _refusal_of_a_bucket(server)
        time.sleep(0.2 if refusal else 0)


def _refusal_of_a_bucket(server: S3Server) -> str:
    """Make the bucket and write to it; return why that could not be, or nothing."""
    client = server.client()
    try:
        with suppress(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"")
        client.delete_object(Bucket=BUCKET, Key="ready")
    except (BotoCoreError, ClientError) as error:
        return str(error)
    return ""
