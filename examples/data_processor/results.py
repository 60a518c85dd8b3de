"""Makes a CSV file of a batch's results."""
import csv
import json
import sys

rows = [item["result"] for item in json.load(sys.stdin)["item_list"] if item["status"] == "completed"]
out = csv.DictWriter(sys.stdout, ["ticket", "queue", "priority"], lineterminator="\n")
out.writeheader()
out.writerows(sorted(rows, key=lambda row: (row["priority"], row["ticket"])))
