"""What in a file is not as its schema says, a line each. Run by the interpreter that has schema_requirements.txt:
    fits.py compose FILE | fits.py kubernetes VERSION FILE"""
import json
import pathlib
import sys

import yaml


def compose(file):
    import jsonschema
    schema = json.loads((pathlib.Path(__file__).parent / "compose_spec" / "compose-spec.json").read_text())
    for problem in jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load(pathlib.Path(file).read_text())):
        yield f"{problem.json_path}: {problem.message}"


def kubernetes(version, file):
    import kubernetes_validate
    for thing in yaml.safe_load_all(pathlib.Path(file).read_text()):
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as problem:
            yield f"{thing['kind']}: {problem.message}"


if __name__ == "__main__":
    for line in {"compose": compose, "kubernetes": kubernetes}[sys.argv[1]](*sys.argv[2:]):
        print(line)
