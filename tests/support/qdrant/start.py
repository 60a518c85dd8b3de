"""Starts server.py with what it needs: start.py PORT FOLDER [API_KEY]; without arguments it only fetches that. AGENTD_BUILD names the build folder."""
import os
import pathlib
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, os.fspath(here.parent))
from venv_of import python_with

python = python_with(here / "requirements.txt")
if len(sys.argv) > 1:
    os.execv(python, [python, os.fspath(here / "server.py"), *sys.argv[1:]])
