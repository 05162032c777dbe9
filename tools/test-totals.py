"""Adds up a meson test log: the checks of every Check suite, and one for each other test. Prints `N passed, N failed`."""

import json
import re
import sys

# A line of its own: other tests quote what suites say of mutants and planted faults.
TOTALS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)


def main(path):
    passed = failed = skipped = 0
    with open(path, encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            suites = TOTALS.findall(test.get("stdout", ""))
            if test["result"] == "SKIP":
                skipped += 1
            elif suites:
                bad = sum(int(f) + int(e) for _, f, e in suites)
                passed += sum(int(n) for n, _, _ in suites) - bad
                # A suite that died or timed out counts as failed even where its summary looked good.
                failed += bad if bad else int(test["result"] not in ("OK", "EXPECTEDFAIL"))
            elif test["result"] in ("OK", "EXPECTEDFAIL"):
                passed += 1
            else:
                failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
