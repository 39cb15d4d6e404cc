"""Run every named test as the code is, where it must pass, then with its rule broken, where it must fail.

Prints a line for each (mutation, test); exits 1 when a mutant survives, or when a test says nothing because it does
not pass unbroken or stumbles before it begins.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutation.mutant import Mutant
from tests.mutation.mutants import MUTANTS

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Break each safety rule in turn.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time (default: cores)")
    jobs: int = parser.parse_args().jobs
    started = time.monotonic()
    tests = list(dict.fromkeys(test for mutant in MUTANTS for test in mutant.tests))
    print(f"{len(tests)} tests without any mutation:", flush=True)
    unbroken = run(tests, "-n", str(jobs), "--dist", "loadfile")
    useless = [test for test in tests if unbroken[test] != "passed"]
    if useless:
        print("\n".join(f"  {unbroken[test]:8} {test}" for test in useless))
        print("They must pass before a mutation can say anything.")
        return 1
    print(f"  all passed\n{len(MUTANTS)} mutations:", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(
            lambda mutant: run(mutant.tests, "-p", "tests.mutation.plugin", "--mutate", mutant.name), MUTANTS
        )
        killed = [report(mutant, result) for mutant, result in zip(MUTANTS, results, strict=True)]
    survivors = [mutant.name for mutant, dead in zip(MUTANTS, killed, strict=True) if not dead]
    print(f"{sum(killed)} of {len(MUTANTS)} killed in {time.monotonic() - started:.0f} s")
    if survivors:
        print(f"Survived: {', '.join(survivors)}")
    return 1 if survivors else 0


def report(mutant: Mutant, results: Mapping[str, str]) -> bool:
    """One line for each test; whether every one of them failed."""
    for test in mutant.tests:
        word = {"failed": "killed", "passed": "SURVIVED"}.get(results[test], results[test].upper())
        print(f"  {word:8} {mutant.name:45} {test}", flush=True)
    return all(results[test] == "failed" for test in mutant.tests)


def run(tests: Iterable[str], *options: str) -> dict[str, str]:
    """Node id → passed, failed (the test's own assertions), skipped, error (its set-up's), missing (never run)."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={results}"]
        subprocess.run([*command, *options, *tests], cwd=ROOT, capture_output=True, check=False)
        found = read(results) if results.exists() else {}
    return {test: found.get(test, "missing") for test in tests}


def read(results: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in ElementTree.parse(results).iter("testcase"):
        module = case.get("classname", "").replace(".", "/")
        outcomes = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        word = {"failure": "failed"}.get(outcomes[0], outcomes[0]) if outcomes else "passed"
        found[f"{module}.py::{case.get('name')}"] = word
    return found


if __name__ == "__main__":
    sys.exit(main())
