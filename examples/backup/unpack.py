"""Puts the files of a snapshot back:  python3 unpack.py SNAPSHOT FOLDER"""
import json
import pathlib
import sys

snapshot = json.loads(pathlib.Path(sys.argv[1]).read_text())
for file, content in zip(snapshot["files"], snapshot["contents"], strict=True):
    path = pathlib.Path(sys.argv[2], pathlib.Path(file["path"]).name)
    path.write_text(content["text"])
    print(path, path.stat().st_size, "bytes")
