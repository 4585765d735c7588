"""A small pipeline: writes a CSV file of sales, reads it back, and sums it up by region.

Usage: etl.py [--rows N]
"""

import argparse
import csv
import random
from collections import defaultdict

REGIONS = ("north", "south", "east", "west")


def extract(path: str, rows: int) -> None:
    source = random.Random(7)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["day", "region", "amount"])
        for number in range(rows):
            writer.writerow([number % 365, source.choice(REGIONS), round(source.uniform(1, 500), 2)])


def transform(path: str) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            totals[row["region"]] += float(row["amount"])
    return totals


def load(path: str, totals: dict[str, float]) -> None:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(sorted(totals.items()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    extract("sales.csv", rows)
    totals = transform("sales.csv")
    load("totals.csv", totals)
    for region, total in sorted(totals.items()):
        print(f"{region:6} {total:15,.2f}")
    print(f"{rows} rows read, totals.csv written")


if __name__ == "__main__":
    main()
