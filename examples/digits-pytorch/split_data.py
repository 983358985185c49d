"""Made the tables in `data` from the whole one: `python3 split_data.py digits.csv.gz`."""

import csv
import gzip
import io
import os
import sys
from typing import Dict, List

# Digits that a site has. Every fifth image of each digit is held out; a digit of two sites goes to them in turns.
SITES: Dict[str, str] = {"site-1": "0123", "site-2": "3456", "site-3": "6789"}


def main(path: str) -> None:
    with gzip.open(path, "rt", newline="") as file:
        header, *rows = csv.reader(file)
    tables: Dict[str, List[List[str]]] = {name: [] for name in (*SITES, "held-out")}
    seen: Dict[str, int] = {}
    for row in rows:
        digit = row[-1]
        number = seen[digit] = seen.get(digit, -1) + 1
        owners = [site for site, digits in SITES.items() if digit in digits]
        tables["held-out" if number % 5 == 4 else owners[number % len(owners)]].append(row)
    for name, table in tables.items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([header, *table])
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", name)
        os.makedirs(folder, exist_ok=True)
        # Without name and time, so that the same table gives the same bytes.
        with open(os.path.join(folder, "digits.csv.gz"), "wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
            packed.write(text.getvalue().encode())


if __name__ == "__main__":
    main(sys.argv[1])
