"""Makes a batch of a CSV file: an item for each row, with the row's id as its key."""
import csv
import json
import sys

for row in csv.DictReader(sys.stdin):
    print(json.dumps({"key": row["id"], "params": row}))
