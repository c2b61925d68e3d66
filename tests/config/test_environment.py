"""`scripts/environment`, by which `make` makes the virtual environment."""

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_environment_without_a_suitable_python_says_what_is_needed(tmp_path: Path) -> None:
    for name in ("python", "python3", *(f"python3.{minor}" for minor in range(11, 15))):
        old = tmp_path / "bin" / name
        old.parent.mkdir(exist_ok=True)
        old.write_text("#!/bin/sh\necho Python 3.9.2\nexit 1\n")
        old.chmod(0o755)
    (tmp_path / "requirements.txt").touch()

    done = subprocess.run(
        ["sh", str(PROJECT / "scripts" / "environment"), "requirements.txt"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": f"{tmp_path / 'bin'}:{Path(shutil.which('sh') or '/bin/sh').parent}"},
        text=True,
    )

    assert (done.returncode, done.stderr) == (
        1,
        "\nAssay needs Python 3.11 or later; found: Python 3.9.2. "
        "Install one, or name it with PYTHON=/path/to/python3.12\n",
    )
    assert not (tmp_path / ".venv").exists()
