"""Does what the README of an example says, in a copy of its folder:  example.py examples/NAME"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from agentd import SOURCE
from page import Reader, blocks_of

# Commands that are run by another test, or by none.
ELSEWHERE = {}


def sdk(folder):
    """The SDK as it is installed: what an example's plugin is built with."""
    for command in (["cmake", "-S", SOURCE / "sdk", "-B", folder / "build"], ["cmake", "--install", folder / "build", "--prefix", folder / "prefix"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return str(folder / "prefix")


def ports_of(markdown):
    return {int(port) for port in re.findall(r"(?:127\.0\.0\.1:|localhost:|http\.server )(\d{4,5})\b", markdown)}


def follow(example):
    markdown = (SOURCE / example / "README.md").read_text()
    commands = {command for block in blocks_of(markdown) if block.language == "sh" for command in block.commands()}
    elsewhere = ELSEWHERE.get(example, {})
    if not set(elsewhere) <= commands:
        raise AssertionError(f"{example} has no longer {set(elsewhere) - commands}")
    if not commands - set(elsewhere):
        return
    if for_root := [command for command in commands - set(elsewhere) if re.search(r"\bsudo\b", command)]:
        raise AssertionError(f"would change this machine, and is in no list: {for_root}")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="agentd-example-"))
    try:
        folder = scratch / pathlib.Path(example).name
        shutil.copytree(SOURCE / example, folder)
        (scratch / "terminals").mkdir()
        environment = {"CMAKE_PREFIX_PATH": sdk(scratch / "sdk")} if "cmake " in " ".join(commands) else {}
        with Reader(folder, scratch / "terminals", folder.name, ports_of(markdown), environment, elsewhere) as reader:
            reader.follow(markdown)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    try:
        follow(sys.argv[1].rstrip("/"))
    except AssertionError as failed:
        sys.exit(f"{sys.argv[1]}/README.md: {failed}")
