"""The exposition format, read into families."""
import collections
import re

Sample = collections.namedtuple("Sample", "name labels value")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Family:
    def __init__(self, kind):
        self.kind, self.samples = kind, []

    def label_names(self):
        return {name for sample in self.samples for name in sample.labels} - {"le"}

    def values(self, label):
        return {sample.labels[label] for sample in self.samples if label in sample.labels}


def families(text):
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            found[name] = Family(kind)
        elif not line.startswith("#"):
            name, labels, value = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
            family = found.get(name) or found[re.sub("_(bucket|sum|count)$", "", name)]
            family.samples.append(Sample(name, dict(LABEL.findall(labels or "")), float(value)))
    return found
