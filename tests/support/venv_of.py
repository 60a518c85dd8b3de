"""Python packages for tests, of exact versions, in the build folder and nowhere else. A folder of its own for each list of them: whoever
comes first makes it, others wait."""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from agentd import BUILD


def python_with(requirements):
    """The interpreter that has what the file names."""
    wanted = pathlib.Path(requirements).read_bytes()
    folder = BUILD / "tests" / "venv" / hashlib.sha256(wanted + sys.version.encode()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(requirements)], check=True)
            (folder / "whole").touch()
    return os.fspath(folder / "bin" / "python")
